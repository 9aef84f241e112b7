"""Login to VMware Cloud: a token exchange at CSP, valid for about 30 minutes [D+C nsx-vsphere 1.1]."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from hcx_waves.clients.errors import AuthenticationFailed, MalformedResponse, ValidationFailed
from hcx_waves.clients.transport import RestTransport
from hcx_waves.clients.transport_auth import Grant, RenewableAuth, basic_credentials
from hcx_waves.clients.transport_retry import CallKind
from hcx_waves.clients.transport_wire import Call

_AUTH = "/csp/gateway/am/api/auth"


@dataclass(frozen=True)
class RefreshToken:
    """An API token, which is exchanged for access tokens."""

    token: str = field(repr=False)


@dataclass(frozen=True)
class OAuthApp:
    """An OAuth app's id and secret (``client_credentials``)."""

    client_id: str
    client_secret: str = field(repr=False)


CspCredentials = RefreshToken | OAuthApp


class CspTokenAuth(RenewableAuth):
    """Presents a CSP access token, and exchanges a new one when it is refused or nearly over.

    Sends ``csp-auth-token`` and ``Authorization: Bearer``: products differ in which they read, and both
    together are safe [I nsx-vsphere 1.2].

    :param transport: to CSP.
    :param credentials: an API token or an OAuth app.
    :param clock: monotonic seconds.
    """

    def __init__(
        self,
        transport: RestTransport,
        credentials: CspCredentials,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._csp = transport
        self._credentials = credentials
        super().__init__(self._exchange, secrets=secrets_of(credentials), clock=clock)

    def __repr__(self) -> str:
        return f"CspTokenAuth({self._csp.base_url!r})"

    def _exchange(self) -> Grant:
        call = _exchange_call(self._credentials)
        try:
            reply = self._csp.send(call)
        except ValidationFailed as error:
            # CSP answers 400 for a token that is expired or wrong [C nsx-vsphere 1.1].
            context = error.context
            context["hint"] = "Create a new API token; this one is expired, revoked or mistyped."
            raise AuthenticationFailed("the token was refused", **context) from error
        body = reply.body if isinstance(reply.body, dict) else {}
        token, lifetime = body.get("access_token"), body.get("expires_in")
        if not isinstance(token, str) or not token:
            raise MalformedResponse("the login returned no access_token", **self._csp.context(call, reply))
        return Grant(
            {"csp-auth-token": token, "Authorization": f"Bearer {token}"},
            lifetime_seconds=_positive(lifetime),
        )


def _positive(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return None
    return float(value)


def _exchange_call(credentials: CspCredentials) -> Call:
    if isinstance(credentials, RefreshToken):
        return Call(
            "POST",
            f"{_AUTH}/api-tokens/authorize",
            CallKind.IDEMPOTENT,
            form={"refresh_token": credentials.token},
            authenticated=False,
        )
    encoded = basic_credentials(credentials.client_id, credentials.client_secret)
    return Call(
        "POST",
        f"{_AUTH}/authorize",
        CallKind.IDEMPOTENT,
        form={"grant_type": "client_credentials"},
        headers={"Authorization": f"Basic {encoded}"},
        authenticated=False,
    )


def secrets_of(credentials: CspCredentials) -> tuple[str, ...]:
    """Return the texts of the credentials that must not appear in an error."""
    if isinstance(credentials, RefreshToken):
        return (credentials.token,)
    encoded = basic_credentials(credentials.client_id, credentials.client_secret)
    return (credentials.client_secret, encoded)
