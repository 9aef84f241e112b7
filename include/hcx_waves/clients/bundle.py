"""The clients of both sites of a wave, and how they are made from an endpoints document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hcx_waves.clients.hcx import HcxClient
from hcx_waves.clients.identity import AllowedEndpoints, Role
from hcx_waves.clients.nsx import NsxPolicyClient, SessionAuth
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.clients.transport_wire import Ambient, TransportSettings
from hcx_waves.clients.vmc import VmcClient
from hcx_waves.clients.vsphere import VsphereClient


class EndpointsError(ValueError):
    """An endpoints document lacks something; the message names it and none of its values."""


@dataclass(frozen=True)
class SiteClients:
    """One client per product that a wave needs.

    :param hcx: the source's HCX manager, which all HCX calls go to.
    :param source_nsx: None where the workload network at the source is not NSX's.
    """

    hcx: HcxClient
    source_vcenter: VsphereClient
    destination_vcenter: VsphereClient
    source_nsx: NsxPolicyClient | None
    destination_nsx: NsxPolicyClient


@dataclass(frozen=True)
class ClientOptions:
    """What all clients of a bundle are made with.

    :param allowed_roles: the endpoint identities that may be changed; None allows any.
    """

    settings: TransportSettings | None = None
    ambient: Ambient | None = None
    allowed_roles: frozenset[Role] | AllowedEndpoints | None = None

    @classmethod
    def for_roles(cls, roles: Iterable[Role]) -> ClientOptions:
        """Return options that allow changes at endpoints of these identities alone."""
        return cls(allowed_roles=frozenset(roles))

    @classmethod
    def read_only(cls) -> ClientOptions:
        """Return options under which every call that changes anything is refused before it is sent."""
        return cls.for_roles(())


@contextmanager
def open_sites(
    endpoints: Mapping[str, Any], *, options: ClientOptions | None = None, source_has_nsx: bool = True
) -> Iterator[SiteClients]:
    """Make the clients of an endpoints document; they are closed at the end.

    :param endpoints: ``{"ca_file", "source": {"hcx", "vcenter", "nsx"}, "destination": {...}, "vmc": {...}}``, as
        ``hcx-sim serve`` writes it. A site whose SDDC is named under ``vmc`` is reached through VMware Cloud.
    :param source_has_nsx: False leaves the source's NSX out even if the document has one.
    :raises EndpointsError: if a product that is needed is missing.
    """
    with ExitStack() as stack:
        opener = _EndpointsOpener(endpoints, options or ClientOptions(), stack)
        yield SiteClients(
            hcx=opener.hcx(),
            source_vcenter=opener.vcenter("source"),
            destination_vcenter=opener.vcenter("destination"),
            source_nsx=opener.nsx("source") if source_has_nsx else None,
            destination_nsx=opener.nsx("destination"),
        )


class _EndpointsOpener:
    """Makes clients from one document and hands them to the stack that closes them."""

    def __init__(self, endpoints: Mapping[str, Any], options: ClientOptions, stack: ExitStack) -> None:
        self._endpoints = endpoints
        self._options = options
        self._stack = stack
        ca_file = endpoints.get("ca_file")
        self._tls = TlsSettings(ca_file=Path(ca_file)) if ca_file else TlsSettings()
        self._vmc: VmcClient | None = None

    def hcx(self) -> HcxClient:
        return self._stack.enter_context(HcxClient(*self._login("source", "hcx"), **self._common()))

    def vcenter(self, site: str) -> VsphereClient:
        return self._stack.enter_context(VsphereClient(*self._login(site, "vcenter"), **self._reading()))

    def nsx(self, site: str) -> NsxPolicyClient:
        sddc_id = (self._endpoints.get("vmc") or {}).get(f"{site}_sddc_id")
        if sddc_id:
            return self._stack.enter_context(self._cloud().nsx_client(str(sddc_id)))
        url, username, password = self._login(site, "nsx")
        auth = SessionAuth(username, password)
        return self._stack.enter_context(NsxPolicyClient(url, auth, tier1_id=None, **self._common()))

    def _cloud(self) -> VmcClient:
        if self._vmc is None:
            facts = self._endpoints["vmc"]
            client = VmcClient(
                str(facts["refresh_token"]),
                vmc_url=str(facts["url"]),
                csp_url=str(facts["csp_url"]),
                org_id=facts.get("org_id"),
                **self._common(),
            )
            self._vmc = self._stack.enter_context(client)
        return self._vmc

    def _reading(self) -> dict[str, Any]:
        """Return the arguments of a client that only reads."""
        return {"tls": self._tls, "settings": self._options.settings, "ambient": self._options.ambient}

    def _common(self) -> dict[str, Any]:
        return {**self._reading(), "allowed_roles": self._options.allowed_roles}

    def _login(self, site: str, product: str) -> tuple[str, str, str]:
        facts = (self._endpoints.get(site) or {}).get(product)
        if not facts:
            raise EndpointsError(f"the endpoints document has no {product} at the {site}")
        return str(facts["url"]), str(facts["username"]), str(facts["password"])
