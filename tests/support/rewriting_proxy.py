"""A proxy before one product that changes answers on their way: how a real site may differ from what is known."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from support.waiting import HANG_SECONDS

Rewrite = Callable[[str, Any], Any]
_OWN_HEADERS = frozenset({"content-length", "transfer-encoding", "connection", "date", "server", "content-encoding"})


@dataclass
class RewritingProxy:
    """Passes requests on and gives the answers that ``rewrite`` makes of them.

    :ivar rewrite: gets the path and the body (JSON, else text) of each success, and returns the body to send.
    :ivar lost_headers: names of headers that are not passed on, in lower case.
    """

    target: str
    ca_file: str | None
    rewrite: Rewrite = lambda _path, body: body
    lost_headers: frozenset[str] = frozenset()
    url: str = ""
    methods: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, headers: Mapping[str, str], content: bytes) -> requests.Response:
        """Ask the target."""
        self.methods.append(method)
        sent = {name: value for name, value in headers.items() if name.lower() not in ("host", "accept-encoding")}
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method, self.target + path, data=content or None, headers={**sent, "Accept-Encoding": "identity"},
                verify=self.ca_file or True, timeout=HANG_SECONDS, allow_redirects=False,
            )  # fmt: skip

    def content(self, path: str, answer: requests.Response) -> bytes:
        """The body to send in place of what the target has answered."""
        if answer.status_code >= 300 or not answer.content:
            return answer.content
        if "json" in answer.headers.get("Content-Type", ""):
            return json.dumps(self.rewrite(path, answer.json())).encode()
        changed = self.rewrite(path, answer.text)
        return changed.encode() if isinstance(changed, str) else answer.content


@contextmanager
def running_proxy(target: str, ca_file: str | None, **options: Any) -> Iterator[RewritingProxy]:
    """A proxy on an ephemeral loopback port for as long as the block lasts."""
    proxy = RewritingProxy(target, ca_file, **options)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(proxy))
    server.daemon_threads = True
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler_for(proxy: RewritingProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (named by the base class)
            """Stay silent."""

        def _pass_on(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = proxy.answer(self.command, self.path, dict(self.headers.items()), content)
            body = proxy.content(self.path, answer)
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in _OWN_HEADERS | proxy.lost_headers:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on  # noqa: N815  (names of the base class)

    return Handler
