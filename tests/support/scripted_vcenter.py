"""A vCenter that answers what a test tells it to, over a real socket, and remembers what it was asked.

It speaks SOAP with pyVmomi's own types. Sessions, service content, views and per-thread collectors work by
themselves; everything else a test scripts with ``on`` (an answer) and ``misbehave`` (once, at the socket).
"""

from __future__ import annotations

import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from xml.etree import ElementTree

from pyVmomi import SoapAdapter, vim, vmodl
from pyVmomi.VmomiSupport import GetServiceVersions, GetWsdlMethod, Object

USERNAME = "administrator@vsphere.local"
PASSWORD = "correct-horse"
VERSION = "8.0.3.0"
Misbehaviour = Literal["reset_before", "reset_after", "truncate", "http_503", "http_504", "http_429", "garbage"]
_VERSION_KEY = GetServiceVersions("vim25")[0]
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
    'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>{}</soapenv:Body></soapenv:Envelope>'
)


@dataclass(frozen=True)
class SoapCall:
    """A call as it came in. ``text`` is the whole request; ``session`` the cookie's session, if it is alive."""

    method: str
    this: str
    text: str
    session: str | None

    def all(self, tag: str) -> list[str]:
        """The texts of all elements of a name, in document order."""
        return [element.text or "" for element in _tree(self.text).iter() if element.tag.rpartition("}")[2] == tag]


@dataclass
class ScriptedVcenter:
    """The script and the record of one server."""

    url: str = ""
    version: str = VERSION
    full_name: str = "VMware vCenter Server 8.0.3 build-24022515"
    calls: list[SoapCall] = field(default_factory=list)
    sessions: set[str] = field(default_factory=set)
    logins: int = 0
    idle: list[socket.socket] = field(default_factory=list, repr=False)
    _answers: dict[str, Callable[[SoapCall], Any]] = field(default_factory=dict)
    _misbehaviours: dict[str, list[Misbehaviour]] = field(default_factory=dict)
    _made: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def on(self, method: str, answer: Callable[[SoapCall], Any]) -> None:
        """Answer a method with what a function returns; a fault that it raises is thrown as vCenter would."""
        self._answers[method] = answer

    def misbehave(self, method: str, *behaviours: Misbehaviour) -> None:
        """Let the next calls of a method go wrong at the socket, one behaviour each."""
        self._misbehaviours.setdefault(method, []).extend(behaviours)

    def expire_sessions(self) -> None:
        """End every session, as vCenter does after 30 idle minutes."""
        with self._lock:
            self.sessions.clear()

    def close_idle_connections(self) -> None:
        """Close every connection, as a server does with idle ones."""
        for connection in self.idle:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def count(self, method: str) -> int:
        """How often a method was called."""
        return sum(call.method == method for call in self.calls)

    def new_id(self, prefix: str) -> str:
        """A fresh id."""
        with self._lock:
            self._made += 1
            return f"{prefix}-{self._made}"

    def next_misbehaviour(self, method: str) -> Misbehaviour | None:
        """Take the next misbehaviour of a method."""
        with self._lock:
            pending = self._misbehaviours.get(method)
            return pending.pop(0) if pending else None

    def execute(self, call: SoapCall) -> tuple[Any, str | None]:
        """Carry out a call; return its result and a new session's cookie, if any."""
        if call.method == "RetrieveServiceContent":
            return self._content(), None
        if call.method == "Login":
            return self._log_in(call)
        if call.session is None:
            raise vim.fault.NotAuthenticated(msg="The session is not authenticated.")
        if call.method in self._answers:
            return self._answers[call.method](call), None
        return self._builtin(call), None

    def _builtin(self, call: SoapCall) -> Any:
        if call.method == "Logout":
            self.sessions.discard(call.session or "")
            return None
        if call.method == "CreatePropertyCollector":
            return vmodl.query.PropertyCollector(self.new_id("collector"))
        if call.method == "CreateContainerView":
            return vim.view.ContainerView(self.new_id("view"))
        if call.method == "CreateListView":
            return vim.view.ListView(self.new_id("view"))
        if call.method == "CreateFilter":
            return vmodl.query.PropertyCollector.Filter(self.new_id("filter"))
        if call.method in ("DestroyView", "DestroyPropertyFilter"):
            return None
        raise vmodl.fault.NotSupported(msg=f"{call.method} is not scripted")

    def _log_in(self, call: SoapCall) -> tuple[Any, str]:
        self.logins += 1
        if call.all("password") != [PASSWORD]:
            raise vim.fault.InvalidLogin(msg="Cannot complete login due to an incorrect user name or password.")
        session = self.new_id("session")
        self.sessions.add(session)
        now = datetime(2026, 3, 1, tzinfo=UTC)
        user = vim.UserSession(
            key=session,
            userName="VSPHERE.LOCAL\\Administrator",
            fullName="Administrator",
            loginTime=now,
            lastActiveTime=now,
            locale="en",
            messageLocale="en",
        )
        return user, session

    def _content(self) -> Any:
        about = vim.AboutInfo(
            name="VMware vCenter Server",
            fullName=self.full_name,
            vendor="VMware, Inc.",
            version="8.0.3",
            build="24022515",
            osType="linux-x64",
            productLineId="vpx",
            apiType="VirtualCenter",
            apiVersion=VERSION,
            instanceUuid="0f0f0f0f-1111-2222-3333-444444444444",
        )
        return vim.ServiceInstanceContent(
            rootFolder=vim.Folder("group-d1"),
            propertyCollector=vmodl.query.PropertyCollector("propertyCollector"),
            viewManager=vim.view.ViewManager("ViewManager"),
            sessionManager=vim.SessionManager("SessionManager"),
            authorizationManager=vim.AuthorizationManager("AuthorizationManager"),
            about=about,
        )


@contextmanager
def running_vcenter(context: ssl.SSLContext | None = None, path: str = "/sdk") -> Iterator[ScriptedVcenter]:
    """A server on an ephemeral loopback port for as long as the block lasts; TLS if a context is given."""
    book = ScriptedVcenter()
    httpd = _Server(("127.0.0.1", 0), _handler_for(book, path))
    if context is not None:
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    scheme = "http" if context is None else "https"
    book.url = f"{scheme}://127.0.0.1:{httpd.server_address[1]}{path}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield book
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent about connections that the client broke off; show mistakes in the script."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def _handler_for(book: ScriptedVcenter, path: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            book.idle.append(self.connection)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (named by the base class)
            """Stay silent: the record of calls is the log."""

        def do_GET(self) -> None:
            if self.path != f"{path}/vimServiceVersions.xml":
                _send(self, 404, "not here")
                return
            _send(
                self,
                200,
                '<namespaces version="1.0"><namespace><name>urn:vim25</name>'
                f"<version>{book.version}</version></namespace></namespaces>",
            )

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            call = _parsed(text, self.headers.get("Cookie") or "", book)
            book.calls.append(call)
            _respond(self, book, call)

    return Handler


def _tree(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314  (our own client wrote it)


def _parsed(text: str, cookie: str, book: ScriptedVcenter) -> SoapCall:
    body = next(node for node in _tree(text) if node.tag.endswith("}Body"))
    method = body[0]
    morsel = SimpleCookie(cookie).get("vmware_soap_session")
    key = "" if morsel is None else morsel.value
    return SoapCall(
        method=method.tag.rpartition("}")[2],
        this=(method[0].text or "") if len(method) else "",
        text=text,
        session=key if key in book.sessions else None,
    )


def _respond(handler: BaseHTTPRequestHandler, book: ScriptedVcenter, call: SoapCall) -> None:
    behaviour = book.next_misbehaviour(call.method)
    if behaviour == "reset_before":
        _reset(handler)
        return
    if behaviour is not None and behaviour.startswith("http_"):
        _send(handler, int(behaviour.removeprefix("http_")), "<html>busy</html>")
        return
    try:
        result, session = book.execute(call)
        status, body = 200, _result(call.method, result)
    except vmodl.MethodFault as fault:
        status, session, body = 500, None, _fault(fault)
    if behaviour == "reset_after":
        _reset(handler)
        return
    if behaviour == "truncate":
        body = body[: len(body) // 2]
    if behaviour == "garbage":
        body = "<html><body>not SOAP</body></html>"
    _send(handler, status, body, session)


def _result(method: str, value: Any) -> str:
    info = GetWsdlMethod("urn:vim25", method).info
    text = ""
    if value is not None:
        result = Object(name="returnval", type=info.result, version=_VERSION_KEY, flags=0)
        text = _text(value, result)
    return _ENVELOPE.format(f'<{method}Response xmlns="urn:vim25">{text}</{method}Response>')


def _text(value: Any, info: Any) -> str:
    return str(SoapAdapter.SerializeToStr(value, info, _VERSION_KEY))


def _fault(fault: Any) -> str:
    message, fault.msg = fault.msg, None
    name = type(fault).__name__.rpartition(".")[2]
    detail = _text(fault, Object(name=f"{name}Fault", type=object, version=_VERSION_KEY, flags=0))
    fault.msg = message
    return _ENVELOPE.format(
        f"<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>{message or ''}</faultstring>"
        f"<detail>{detail}</detail></soapenv:Fault>"
    )


def _send(handler: BaseHTTPRequestHandler, status: int, body: str, session: str | None = None) -> None:
    data = body.encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "text/xml; charset=utf-8")
    handler.send_header("Content-Length", str(len(data)))
    if session is not None:
        handler.send_header("Set-Cookie", f'vmware_soap_session="{session}"; Path=/; HttpOnly')
    handler.end_headers()
    handler.wfile.write(data)


def _reset(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection with a TCP reset."""
    handler.close_connection = True
    sock = handler.connection
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
