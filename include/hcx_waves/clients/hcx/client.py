"""The client of one HCX Manager (port 443 API)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

from hcx_waves.clients.errors import ClientError, MalformedResponse
from hcx_waves.clients.hcx.extensions import ExtensionCalls
from hcx_waves.clients.hcx.groups import GroupCalls
from hcx_waves.clients.hcx.interconnect import InterconnectCalls
from hcx_waves.clients.hcx.inventory import InventoryCalls
from hcx_waves.clients.hcx.mobility import MobilityCalls
from hcx_waves.clients.hcx.session import HcxVersion
from hcx_waves.clients.hcx.wire import API, HcxDialect
from hcx_waves.clients.identity import AllowedEndpoints, Role
from hcx_waves.clients.rest_client import RestClient
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.clients.transport import RestTransport
from hcx_waves.clients.transport_auth import Grant, RenewableAuth
from hcx_waves.clients.transport_retry import CallKind
from hcx_waves.clients.transport_wire import Ambient, Call, TransportSettings

logger = logging.getLogger(__name__)

SESSION_HEADER = "x-hm-authorization"


class HcxClient(InventoryCalls, InterconnectCalls, MobilityCalls, GroupCalls, ExtensionCalls, RestClient):
    """What one HCX Manager offers; no policy above it. Safe for several threads.

    The session is opened by the first call and renewed once when it is refused: it ends after 15 idle
    minutes, each request resets that [D hcx 2].

    :param base_url: ``https://<manager>``, without ``/hybridity/api``.
    :param username: a vCenter SSO user with an HCX role.
    :param tls: what to trust; verifies by default.
    :param settings: time-outs, bounds and retries.
    :param allowed_roles: which endpoint identities may be changed (``site``, ``twin``, ``real``); None: any.
    :param version: skips asking the manager, e.g. ``4.11.3``.
    :param cancel_path: of the graceful cancel, which no source documents [? hcx 9.2].
    :raises ValueError: if URL or version are none.
    """

    def __init__(
        self,
        base_url: str,
        username: str,
        password: str,
        *,
        tls: TlsSettings | None = None,
        settings: TransportSettings | None = None,
        ambient: Ambient | None = None,
        allowed_roles: Iterable[Role] | AllowedEndpoints | None = None,
        version: str | None = None,
        cancel_path: str = "/mobility/migrations/cancel",
    ) -> None:
        self.username = username
        self._password = password
        ambient = ambient or Ambient()
        self._auth = RenewableAuth(self._open_session, secrets=(password,), clock=ambient.clock)
        self._transport = RestTransport(
            HcxDialect(),
            base_url,
            auth=self._auth,
            tls=tls,
            settings=settings,
            identity_probe=Call("GET", f"{API}/metainfo/context/interconnect", CallKind.READ),
            allowed_roles=allowed_roles,
            ambient=ambient,
        )
        self._cancel_path = cancel_path
        self._version_lock = threading.Lock()
        self._version = None
        self._endpoint_id: str | None = None
        self.logins = 0
        """How often a session was opened; more than once means that the manager has refused one."""
        if version is not None:
            self._version = HcxVersion.of_text(version, "configured")
            if self._version is None:
                raise ValueError(f"not an HCX version: {version!r}")

    def __repr__(self) -> str:
        return f"HcxClient({self.base_url!r}, username={self.username!r})"

    @property
    def endpoint_id(self) -> str | None:
        """The manager's own endpoint id as the log-in told it ([C hcx 2]), or None before or without."""
        return self._endpoint_id

    @property
    def clock_offset_seconds(self) -> float | None:
        """How far the manager's clock is ahead of this machine's, by the last answer; None if no answer told."""
        return self._transport.clock_offset_seconds

    def login(self) -> None:
        """Open a session now, if there is none.

        :raises AuthenticationFailed: if the credentials are refused.
        :raises ServiceUnavailable: if the manager is still starting up.
        """
        self._auth.headers()

    def logout(self) -> None:
        """Give the session up. The call is undocumented ([C hcx 2]), so its failure means nothing."""
        if not self._auth.is_active:
            return
        token = dict(self._auth.headers())
        self._auth.drop()
        call = Call(
            "DELETE",
            f"{API}/sessions/current",
            CallKind.IDEMPOTENT,
            headers=token,
            authenticated=False,
            repeat=False,
        )
        try:
            self._transport.send(call)
        except ClientError as error:
            logger.debug("logout at %s: %s", self.base_url, type(error).__name__)

    def close(self) -> None:
        """Log out and close the connections."""
        self.logout()
        self._transport.close()

    def _open_session(self) -> Grant:
        call = Call(
            "POST",
            f"{API}/sessions",
            CallKind.IDEMPOTENT,
            json={"username": self.username, "password": self._password},
            headers={"Content-Type": "application/json"},
            authenticated=False,
        )
        reply = self._transport.send(call)
        token = reply.headers.get(SESSION_HEADER)
        if not token:
            raise MalformedResponse("the login returned no session token", **self._transport.context(call, reply))
        self.logins += 1
        body = reply.body if isinstance(reply.body, dict) else {}
        data = body.get("data")
        info = data.get("endpointInfo") if isinstance(data, dict) else None
        if isinstance(info, dict) and info.get("uuid"):
            self._endpoint_id = str(info["uuid"])
        return Grant({SESSION_HEADER: token})
