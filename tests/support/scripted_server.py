"""A server that plays scripted answers over real sockets, with or without TLS, and keeps what it was asked.

Answers are queued per method and path; the last one of a queue repeats. An answer can also be a behaviour:
close before or after the request was read, never answer, or cut the body short.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hcx_waves.clients.transport_wire import Ambient
from support.waiting import HANG_SECONDS


class Behaviour(Enum):
    """How an answer is given."""

    ANSWER = "answer"
    RESET = "reset"
    SILENCE = "silence"
    TRUNCATE = "truncate"


@dataclass(frozen=True)
class Answer:
    """One scripted answer; ``body`` is JSON unless it is text."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    behaviour: Behaviour = Behaviour.ANSWER

    @property
    def content(self) -> bytes:
        """The bytes of the body."""
        if self.body is None:
            return b""
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


RESET = Answer(behaviour=Behaviour.RESET)
SILENCE = Answer(behaviour=Behaviour.SILENCE)


@dataclass(frozen=True)
class Received:
    """One request as it came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    text: str
    connection_id: int

    @property
    def body(self) -> Any:
        """The JSON body."""
        return json.loads(self.text)

    @property
    def form(self) -> dict[str, str]:
        """The body as form fields."""
        return dict(parse_qsl(self.text))


class ScriptedServer:
    """Plays scripts; see the module text."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[Received] = []
        self._script: dict[tuple[str, str], deque[Answer]] = defaultdict(deque)
        self._lock = threading.Lock()
        self.stopping = threading.Event()
        self.gate: threading.Barrier | None = None

    def on(self, method: str, path: str, *answers: Answer) -> None:
        """Queue answers for a call; they replace what was queued for it."""
        with self._lock:
            self._script[method, path] = deque(answers)

    def asked(self, method: str, path: str | None = None) -> list[Received]:
        """The requests of this method (and path), in order."""
        with self._lock:
            return [one for one in self.received if one.method == method and path in (None, one.path)]

    def play(self, request: Received) -> Answer:
        """Record a request and take the next answer."""
        with self._lock:
            self.received.append(request)
            queue = self._script.get((request.method, request.path))
            if not queue:
                return Answer(404, {"message": f"not scripted: {request.method} {request.path}"})
            return queue.popleft() if len(queue) > 1 else queue[0]


@contextmanager
def running_server(context: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    """Run a scripted server on an ephemeral loopback port.

    :param context: serves TLS with this context.
    """
    book = ScriptedServer()
    httpd = _Quiet(("127.0.0.1", 0), _handler_for(book))
    if context is not None:
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True, do_handshake_on_connect=False)
    book.url = f"{'http' if context is None else 'https'}://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield book
    finally:
        book.stopping.set()
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def refused_url() -> str:
    """An http URL of the loopback where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


class FakeTime:
    """Time that only moves when somebody sleeps; remembers the sleeps."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.sleeps: list[float] = []

    def clock(self) -> float:
        """Monotonic seconds."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Move on by seconds."""
        self.sleeps.append(seconds)
        self.seconds += seconds

    def ambient(self) -> Ambient:
        """What a client is given."""
        return Ambient(clock=self.clock, sleep=self.sleep)


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: broken connections are part of the script."""


def _handler_for(book: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (named by the base class)
            """Stay silent: the record of requests is the log."""

        def _exchange(self) -> None:
            _perform(self, book, book.play(_read(self)))

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _exchange  # noqa: N815  (names of the base class)

    return Handler


def _read(handler: BaseHTTPRequestHandler) -> Received:
    parts = urlsplit(handler.path)
    length = int(handler.headers.get("Content-Length") or 0)
    return Received(
        method=handler.command,
        path=parts.path,
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        headers={name.lower(): value for name, value in handler.headers.items()},
        text=handler.rfile.read(length).decode(),
        connection_id=handler.client_address[1],
    )


def _perform(handler: BaseHTTPRequestHandler, book: ScriptedServer, answer: Answer) -> None:
    if book.gate is not None:
        book.gate.wait(timeout=HANG_SECONDS)
    if answer.behaviour is Behaviour.RESET:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        handler.close_connection = True
        return
    if answer.behaviour is Behaviour.SILENCE:
        book.stopping.wait(timeout=HANG_SECONDS)
        handler.close_connection = True
        return
    content = answer.content
    handler.send_response(answer.status)
    for name, value in {"Content-Type": "application/json", **answer.headers}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    if answer.behaviour is Behaviour.TRUNCATE:
        content = content[: len(content) // 2]
        handler.close_connection = True
    handler.wfile.write(content)
