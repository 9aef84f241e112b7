"""A small HTTP server that answers with contract samples and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from support.contract import Sample, SampleResponse

HEADER_VALUES = {
    "x-hm-authorization": "aa:bb:cc:dd",
    "Set-Cookie": "JSESSIONID=sample; Path=/; HttpOnly",
    "X-XSRF-TOKEN": "xsrf-sample",
}

_NOT_SERVED = SampleResponse(status=404, content_type="application/json", body={"message": "no sample is served here"})


@dataclass(frozen=True)
class ReceivedRequest:
    """One request as it came in; ``body`` is JSON, a dictionary of form fields, raw text, or None."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class SampleServer:
    """Answers each (method, path) with the sample set for it last, and anything else with 404.

    Samples have to be filled: a path with a placeholder in it matches nothing.
    """

    url: str = ""
    received: list[ReceivedRequest] = field(default_factory=list)
    _samples: dict[tuple[str, str], list[Sample]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def serve(self, *samples: Sample) -> None:
        """Answer the calls of these samples with them."""
        with self._lock:
            for sample in samples:
                self._samples[sample.request.method, _plain(sample.request.path)] = [sample]

    def serve_in_turn(self, *samples: Sample) -> None:
        """Answer one call, the same for all of these, with each once and then with the last for ever."""
        with self._lock:
            self._samples[samples[0].request.method, _plain(samples[0].request.path)] = list(samples)

    def requests_like(self, sample: Sample) -> list[ReceivedRequest]:
        """What was received with the method and path of this sample."""
        wanted = sample.request.method, _plain(sample.request.path)
        with self._lock:
            return [r for r in self.received if (r.method, _plain(r.path)) == wanted]

    def answer_to(self, request: ReceivedRequest) -> Sample | None:
        """Record a request and say which sample answers it."""
        with self._lock:
            self.received.append(request)
            waiting = self._samples.get((request.method, _plain(request.path)), [])
            return waiting.pop(0) if len(waiting) > 1 else next(iter(waiting), None)


@contextmanager
def running_sample_server() -> Iterator[SampleServer]:
    """A server on an ephemeral loopback port for as long as the block lasts."""
    book = SampleServer()
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(book))
    httpd.daemon_threads = True
    book.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield book
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def _plain(path: str) -> str:
    return unquote(path).rstrip("/")


def _handler_for(book: SampleServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (named by the base class)
            """Stay silent: the record of requests is the log."""

        def _exchange(self) -> None:
            request = _read(self)
            _write(self, book.answer_to(request))

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _exchange  # noqa: N815  (names of the base class)

    return Handler


def _read(handler: BaseHTTPRequestHandler) -> ReceivedRequest:
    parts = urlsplit(handler.path)
    raw = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)).decode()
    return ReceivedRequest(
        method=handler.command,
        path=parts.path,
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        headers={name.lower(): value for name, value in handler.headers.items()},
        body=_parsed(raw, handler.headers.get_content_type()),
    )


def _parsed(raw: str, content_type: str) -> Any:
    if not raw:
        return None
    if content_type == "application/json":
        return json.loads(raw)
    if content_type == "application/x-www-form-urlencoded":
        return dict(parse_qsl(raw, keep_blank_values=True))
    return raw


def _write(handler: BaseHTTPRequestHandler, sample: Sample | None) -> None:
    answer = sample.response if sample else _NOT_SERVED
    text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
    content = b"" if answer.body is None else text.encode()
    handler.send_response(answer.status)
    for name in answer.headers:
        handler.send_header(name, HEADER_VALUES.get(name, "sample"))
    if answer.content_type:
        handler.send_header("Content-Type", answer.content_type)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)
