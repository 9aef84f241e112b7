"""Login by session, for an NSX Manager that is not behind VMware Cloud [D+C nsx-vsphere 1.2]."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from http.cookies import SimpleCookie

from hcx_waves.clients.errors import MalformedResponse
from hcx_waves.clients.transport import RestTransport
from hcx_waves.clients.transport_auth import Grant, RenewableAuth
from hcx_waves.clients.transport_retry import CallKind
from hcx_waves.clients.transport_wire import Call


class SessionAuth:
    """A session by user name and password: cookie ``JSESSIONID`` and header ``X-XSRF-TOKEN``.

    Belongs to one client, which binds its transport to it.

    :param username: the account.
    :param password: its password; never shown.
    """

    def __init__(self, username: str, password: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.username = username
        self._password = password
        self._transport: RestTransport | None = None
        self._grants = RenewableAuth(self._create, secrets=(password,), clock=clock)

    def __repr__(self) -> str:
        return f"SessionAuth(username={self.username!r})"

    def bind(self, transport: RestTransport) -> None:
        """Say by which transport to log in."""
        self._transport = transport

    def headers(self) -> Mapping[str, str]:
        """Return cookie and token, opening a session first if there is none."""
        return self._grants.headers()

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Open a new session after ``refused`` was not accepted."""
        return self._grants.renew(refused)

    def secrets(self) -> tuple[str, ...]:
        """Return password, cookie and token."""
        return self._grants.secrets()

    def _create(self) -> Grant:
        if self._transport is None:
            raise RuntimeError("SessionAuth was not given to a client")
        call = Call(
            "POST",
            "/api/session/create",
            CallKind.IDEMPOTENT,
            form={"j_username": self.username, "j_password": self._password},
            authenticated=False,
        )
        reply = self._transport.send(call)
        cookie = SimpleCookie(reply.headers.get("set-cookie", "")).get("JSESSIONID")
        token = reply.headers.get("x-xsrf-token")
        if cookie is None or not token:
            raise MalformedResponse("the login returned no session", **self._transport.context(call, reply))
        return Grant({"Cookie": f"JSESSIONID={cookie.value}", "X-XSRF-TOKEN": token})
