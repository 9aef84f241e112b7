"""The client of VMware Cloud on AWS: organisations, SDDCs, and access to an SDDC's NSX."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from hcx_waves.clients.errors import ClientError, ErrorContext, MalformedResponse, NotFound
from hcx_waves.clients.identity import AllowedEndpoints, Role
from hcx_waves.clients.json_values import as_text
from hcx_waves.clients.nsx.client import NsxPolicyClient
from hcx_waves.clients.rest_client import RestClient
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.clients.transport import RestTransport
from hcx_waves.clients.transport_auth import NoAuth
from hcx_waves.clients.transport_faults import VendorWords, error_for_status
from hcx_waves.clients.transport_retry import CallKind
from hcx_waves.clients.transport_wire import Ambient, Call, Reply, TransportSettings, path_segment
from hcx_waves.clients.vmc.auth import CspCredentials, CspTokenAuth, RefreshToken, secrets_of

VMC_URL = "https://vmc.vmware.com"
CSP_URL = "https://console.cloud.vmware.com"
ENFORCEMENT_POINT = "vmc-enforcementpoint"

Parsed = TypeVar("Parsed")


class VmcDialect:
    """Reads the errors of VMware Cloud [D nsx-vsphere 1.3] and CSP [C nsx-vsphere 1.1]."""

    system = "vmc"

    def fault(
        self, reply: Reply, context: ErrorContext, *, with_session: bool, retry_after_seconds: float | None
    ) -> ClientError | None:
        """Return the error a reply stands for, or None."""
        if reply.is_success:
            return None
        return error_for_status(
            reply.status,
            _words_of(reply.body),
            context,
            with_session=with_session,
            retry_after_seconds=retry_after_seconds,
        )


@dataclass(frozen=True)
class Organization:
    """An organisation."""

    org_id: str
    name: str
    display_name: str | None = None

    @classmethod
    def of_wire(cls, body: Mapping[str, Any]) -> Organization:
        """Read an organisation; KeyError without id."""
        display_name = body.get("display_name")
        return cls(str(body["id"]), str(body.get("name") or ""), None if display_name is None else str(display_name))


@dataclass(frozen=True)
class Sddc:
    """An SDDC, without the passwords that the record holds.

    :param state: ``READY``, ``DEPLOYING``, ...
    :param nsx_api_public_endpoint_url: base of the reverse proxy to its NSX, if it has one.
    """

    sddc_id: str
    name: str
    org_id: str | None
    state: str | None
    provider: str | None
    nsx_api_public_endpoint_url: str | None
    nsx_manager_url: str | None = None
    vcenter_url: str | None = None
    version: str | None = None

    @classmethod
    def of_wire(cls, body: Mapping[str, Any]) -> Sddc:
        """Read an SDDC; KeyError without id."""
        config = body.get("resource_config")
        config = config if isinstance(config, Mapping) else {}
        manifest = config.get("sddc_manifest")
        version = manifest.get("vmc_version") if isinstance(manifest, Mapping) else None
        return cls(
            sddc_id=str(body["id"]),
            name=str(body.get("name") or ""),
            org_id=as_text(body.get("org_id")),
            state=as_text(body.get("sddc_state")),
            provider=as_text(body.get("provider") or config.get("provider")),
            nsx_api_public_endpoint_url=as_text(config.get("nsx_api_public_endpoint_url")),
            nsx_manager_url=as_text(config.get("nsx_mgr_url")),
            vcenter_url=as_text(config.get("vc_url")),
            version=as_text(version),
        )


class VmcClient(RestClient):
    """What VMware Cloud offers that is needed here. Safe for several threads.

    :param credentials: an API token (as text or ``RefreshToken``) or an ``OAuthApp``.
    :param vmc_url: base of the service; both are configurable since hosts may change [I nsx-vsphere 1.3].
    :param csp_url: base of the log-in.
    :param org_id: the organisation, if it need not be looked for.
    :param tls: what to trust at all three (service, log-in, reverse proxy).
    """

    def __init__(
        self,
        credentials: CspCredentials | str,
        *,
        vmc_url: str = VMC_URL,
        csp_url: str = CSP_URL,
        org_id: str | None = None,
        tls: TlsSettings | None = None,
        settings: TransportSettings | None = None,
        ambient: Ambient | None = None,
        allowed_roles: Iterable[Role] | AllowedEndpoints | None = None,
    ) -> None:
        self._tls = tls
        self._settings = settings
        self._ambient = ambient or Ambient()
        self._allowed_roles = AllowedEndpoints.of(allowed_roles)
        self._org_id = org_id
        if isinstance(credentials, str):
            credentials = RefreshToken(credentials)
        self._csp = RestTransport(
            VmcDialect(),
            csp_url,
            auth=NoAuth(secrets_of(credentials)),
            tls=tls,
            settings=settings,
            ambient=self._ambient,
        )
        self._auth = CspTokenAuth(self._csp, credentials, clock=self._ambient.clock)
        self._transport = RestTransport(
            VmcDialect(),
            vmc_url,
            auth=self._auth,
            tls=tls,
            settings=settings,
            identity_probe=Call("GET", "/vmc/api/orgs", CallKind.READ),
            allowed_roles=self._allowed_roles,
            ambient=self._ambient,
        )

    def __repr__(self) -> str:
        return f"VmcClient({self.base_url!r}, csp_url={self._csp.base_url!r})"

    @property
    def auth(self) -> CspTokenAuth:
        """The token, to be shared with other clients of the same organisation."""
        return self._auth

    def login(self) -> None:
        """Exchange the token now, if there is none.

        :raises AuthenticationFailed: if it is refused.
        """
        self._auth.headers()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()
        self._csp.close()

    def organizations(self) -> tuple[Organization, ...]:
        """List the organisations of the token."""
        return self._list("/vmc/api/orgs", Organization.of_wire)

    def sddcs(self, org_id: str | None = None) -> tuple[Sddc, ...]:
        """List the SDDCs of an organisation (by default the client's)."""
        return self._list(f"/vmc/api/orgs/{path_segment(self._org(org_id))}/sddcs", Sddc.of_wire)

    def sddc(self, sddc_id: str, org_id: str | None = None) -> Sddc:
        """Read one SDDC.

        :raises NotFound: if there is none of this id.
        """
        path = f"/vmc/api/orgs/{path_segment(self._org(org_id))}/sddcs/{path_segment(sddc_id)}"
        call = Call("GET", path, CallKind.READ)
        reply = self._transport.send(call)
        return self._parse(Sddc.of_wire, [reply.body], call, reply)[0]

    def nsx_client(
        self, sddc_id: str, org_id: str | None = None, *, allowed_roles: Iterable[Role] | None = None
    ) -> NsxPolicyClient:
        """Build a client of an SDDC's NSX through the reverse proxy, with this client's token.

        :raises NotFound: if the SDDC does not exist or names no NSX endpoint.
        """
        sddc = self.sddc(sddc_id, org_id)
        url = sddc.nsx_api_public_endpoint_url
        if url is None:
            raise NotFound(
                f"SDDC {sddc.name!r} names no nsx_api_public_endpoint_url (state {sddc.state})",
                system="vmc",
                endpoint=self.base_url,
            )
        return NsxPolicyClient(
            url,
            self._auth,
            enforcement_point=ENFORCEMENT_POINT,
            tier1_id="cgw",
            tls=self._tls,
            settings=self._settings,
            ambient=self._ambient,
            allowed_roles=self._allowed_roles if allowed_roles is None else allowed_roles,
        )

    def _org(self, org_id: str | None) -> str:
        if org_id is not None:
            return org_id
        if self._org_id is None:
            found = self.organizations()
            if len(found) != 1:
                names = ", ".join(sorted(one.display_name or one.name or one.org_id for one in found))
                raise NotFound(
                    f"the token reaches {len(found)} organisations ({names}), not exactly one",
                    system="vmc",
                    endpoint=self.base_url,
                    hint="Name the organisation by its id.",
                )
            self._org_id = found[0].org_id
        return self._org_id

    def _list(self, path: str, parse: Callable[[Mapping[str, Any]], Parsed]) -> tuple[Parsed, ...]:
        call = Call("GET", path, CallKind.READ)
        reply = self._transport.send(call)
        bodies = reply.body if isinstance(reply.body, list) else [None]
        return self._parse(parse, bodies, call, reply)

    def _parse(
        self,
        parse: Callable[[Mapping[str, Any]], Parsed],
        bodies: Iterable[Any],
        call: Call,
        reply: Reply,
    ) -> tuple[Parsed, ...]:
        try:
            return tuple(parse(body) for body in bodies)
        except (KeyError, TypeError, AttributeError) as error:
            # No snippet: an SDDC's record holds passwords.
            context = self._transport.context(call, reply)
            raise MalformedResponse(f"a record of an unexpected shape ({error})", **context) from error


def _words_of(body: Any) -> VendorWords:
    if not isinstance(body, Mapping):
        return VendorWords()
    listed = body.get("error_messages")
    messages = [str(one) for one in listed] if isinstance(listed, list) else []
    if not messages and isinstance(body.get("message"), str):
        messages = [body["message"]]
    code = body.get("error_code")
    return VendorWords(code=None if code is None else str(code), message="; ".join(messages) or None, messages=messages)
