"""A listening port whose connections can be reset and which can be closed for a while."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import ssl
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from hcx_sim.http.answer import IDENTITY_HEADER, NO_WORLD, TRANSPORT_KEY

_UNKNOWN = (IDENTITY_HEADER.lower().encode(), NO_WORLD.encode())
_KEEP_ALIVE_SECONDS = 75
_BACKLOG = 256
_CLOSE_SECONDS = 0.5
_TLS_SHUTDOWN_SECONDS = 2.0
_PROBES = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}


def _notice_dead_peers(sock: socket.socket) -> None:
    """Let every connection of a listening socket end when its peer's machine has gone: long polls wait for ever."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _PROBES.items():
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class PortTakenError(OSError):
    """A port cannot be had; the message says for which product."""


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol, which also tells the application its transport."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope[TRANSPORT_KEY] = self.transport

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP; this, too, says that it is simulated."""
        kept, self.server_state.default_headers = self.server_state.default_headers, [_UNKNOWN]
        super().send_400_response(msg)
        self.server_state.default_headers = kept


class Listener:
    """One port. :meth:`bind` reserves it, :meth:`open` serves, :meth:`refuse` closes it but keeps it reserved."""

    def __init__(self, label: str, host: str, port: int, app: Any, tls: ssl.SSLContext | None) -> None:
        """Prepare to serve ``app``; ``port`` 0 means any free one."""
        self.label = label
        self.host = host
        self.port = port
        self._tls = tls
        self._config = uvicorn.Config(
            app,
            http="httptools",
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        )
        self._config.load()
        self._state = ServerState()
        self._socket: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._opening = False

    def bind(self) -> None:
        """Take the port; raises :class:`PortTakenError` when it cannot be had."""
        try:
            family, kind, number, _, address = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            sock = socket.socket(family, kind, number)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _notice_dead_peers(sock)
            with contextlib.ExitStack() as undo:
                undo.callback(sock.close)
                sock.bind(address)
                undo.pop_all()
        except OSError as error:
            reason = error.strerror or str(error)
            raise PortTakenError(f"{self.label}: cannot listen on {self.host} port {self.port}: {reason}") from error
        self.port = sock.getsockname()[1]
        self._socket = sock

    async def open(self) -> None:
        """Serve; :meth:`bind` must have been called. Raises :class:`PortTakenError`."""
        if self._socket is None or self._server is not None or self._opening:
            return
        self._opening = True
        loop = asyncio.get_running_loop()
        factory = functools.partial(_Protocol, self._config, self._state, {}, loop)
        more: dict[str, Any] = {"ssl": self._tls, "ssl_shutdown_timeout": _TLS_SHUTDOWN_SECONDS} if self._tls else {}
        try:
            self._server = await loop.create_server(factory, sock=self._socket, backlog=_BACKLOG, **more)
        except OSError as error:
            reason = error.strerror or str(error)
            raise PortTakenError(f"{self.label}: cannot listen on {self.host} port {self.port}: {reason}") from error
        finally:
            self._opening = False

    @property
    def refusing(self) -> bool:
        """Whether the port is reserved and closed."""
        return self._server is None and self._socket is not None

    def refuse(self) -> None:
        """Stop listening, break what is connected, keep the port: connections are refused from now on."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        self._abort()
        self.bind()

    async def close(self) -> None:
        """Stop for good: end what is being served and wait until the connections are gone."""
        if self._server is not None:
            self._server.close()
        elif self._socket is not None:
            self._socket.close()
        self._server = self._socket = None
        self._abort()
        # Most requests end by themselves when their connection does; the others are told to.
        for end_it in (False, True):
            if tasks := list(self._state.tasks):
                for task in tasks if end_it else ():
                    task.cancel()
                await asyncio.wait(tasks, timeout=_CLOSE_SECONDS)

    def _abort(self) -> None:
        for connection in list(self._state.connections):
            transport = connection.transport
            if transport is not None:
                transport.abort()
