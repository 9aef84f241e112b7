"""The vSphere client: typed reads of one vCenter."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from pyVmomi import vim

from hcx_waves.clients.errors import MalformedResponse, NotFound
from hcx_waves.clients.identity import EndpointIdentity
from hcx_waves.clients.onlooker import onlooker
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.clients.transport_wire import Ambient, TransportSettings
from hcx_waves.clients.vsphere import inventory
from hcx_waves.clients.vsphere.address import parse_address
from hcx_waves.clients.vsphere.inventory_models import (
    About,
    Cluster,
    Datastore,
    Folder,
    Host,
    Network,
    ResourcePool,
    SessionInfo,
)
from hcx_waves.clients.vsphere.models import VirtualMachineDetail, VirtualMachineSummary
from hcx_waves.clients.vsphere.privileges import READ_PRIVILEGES, check_privileges
from hcx_waves.clients.vsphere.properties import PropertyReader
from hcx_waves.clients.vsphere.session import Live, VsphereSession
from hcx_waves.clients.vsphere.values import instant
from hcx_waves.clients.vsphere.virtual_machines import FULL_PATHS, LIGHT_PATHS, detail_of, summary_of


class VsphereClient:
    """A client of one vCenter. It only reads: whatever a wave changes, it changes through HCX and NSX.

    Logs in with the first call, logs in again once when the session has ended, and logs out in ``close``
    (use it in a ``with`` statement). May be shared between threads. Every method raises errors of
    :mod:`hcx_waves.clients.errors`; a call is repeated while the condition is transient.

    :param base_url: ``https://host[:port][/path]``; the path defaults to ``/sdk``, see ``parse_address``.
    :param tls: what to trust; verification is on by default, for loopback hosts, too.
    :param settings: time-outs and retries.
    :param ambient: sleep and chance, injected.
    :raises ValueError: if the URL is not one.
    :raises OSError, ssl.SSLError: if the TLS settings name a file that holds no certificate.
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
    ) -> None:
        address = parse_address(base_url)
        context: ssl.SSLContext | None = None
        if address.scheme == "https":
            context = (tls or TlsSettings()).ssl_context()
        self._session = VsphereSession(
            address,
            username=username,
            password=password,
            context=context,
            settings=settings or TransportSettings(),
            ambient=ambient or Ambient(),
        )
        self._reader = PropertyReader(self._session)
        # The kind of each network that was listed. An id never changes its kind.
        self._network_kinds: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"VsphereClient({self._session.address.url!r}, username={self._session.username!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Log out. Never raises; a later call logs in anew."""
        self._session.close()

    @property
    def base_url(self) -> str:
        """The endpoint's address."""
        return self._session.address.url

    # -- about the endpoint

    def about(self) -> About:
        """Read what vCenter says about itself."""
        about = self._session.read("RetrieveServiceContent", "ServiceInstance", lambda live: live.content.about)
        return About(
            name=about.name,
            full_name=about.fullName,
            version=about.version,
            build=about.build,
            api_type=about.apiType,
            api_version=about.apiVersion,
            instance_uuid=about.instanceUuid,
        )

    def identity(self) -> EndpointIdentity:
        """Read whether this is a real vCenter or a simulated one, and which."""
        return self._session.read("RetrieveServiceContent", "ServiceInstance", lambda live: live.identity)

    def server_time(self) -> datetime:
        """Read vCenter's clock, as a timezone-aware instant. Keeps the session alive, too."""
        now = self._session.read("CurrentTime", "ServiceInstance", _server_time)
        watching = onlooker()
        if watching is not None:
            watching.saw_result(self.base_url, "CurrentTime", now)
        return now

    def session_info(self) -> SessionInfo:
        """Return who is logged in; logs in if need be."""
        return self._session.read("Login", "SessionManager", lambda live: _session_info(live.user, live.stub.version))

    def held_privileges(self, privileges: Sequence[str] = READ_PRIVILEGES) -> Mapping[str, bool] | None:
        """Ask which privileges the account holds on the root folder; None if this vCenter does not say."""
        return check_privileges(self._session, privileges)

    # -- virtual machines

    def list_virtual_machines(self) -> list[VirtualMachineSummary]:
        """Read the light properties of every VM, templates included. The order is undefined."""
        return [summary_of(found) for found in self._reader.all_of(LIGHT_PATHS)]

    def read_virtual_machines(self, morefs: Sequence[str], *, skip_missing: bool = False) -> list[VirtualMachineDetail]:
        """Read everything about a few VMs, in the order asked.

        :param skip_missing: leave out VMs that no longer exist, instead of raising.
        :raises NotFound: naming all VMs that do not exist.
        """
        wanted = list(dict.fromkeys(morefs))
        found = {detail.moref: detail for detail in self._read_existing(wanted)}
        missing = [moref for moref in wanted if moref not in found]
        if missing and not skip_missing:
            context = self._session.context_of("RetrievePropertiesEx", ",".join(missing))
            raise NotFound(f"no such virtual machine: {', '.join(missing)}", details={"morefs": missing}, **context)
        return [found[moref] for moref in wanted if moref in found]

    # -- the rest of the inventory

    def list_networks(self) -> list[Network]:
        """Read all networks; distributed port groups and opaque networks as their own classes."""
        networks = inventory.list_networks(self._reader)
        self._network_kinds.update({network.moref: inventory.kind_of(network) for network in networks})
        return networks

    def list_switches(self) -> dict[str, str]:
        """Read the distributed switches: their names by MoRef."""
        return inventory.list_switches(self._reader)

    def list_folders(self) -> list[Folder]:
        """Read all folders with their paths."""
        return inventory.list_folders(self._reader)

    def list_resource_pools(self) -> list[ResourcePool]:
        """Read all resource pools."""
        return inventory.list_resource_pools(self._reader)

    def list_hosts(self) -> list[Host]:
        """Read all hosts."""
        return inventory.list_hosts(self._reader)

    def list_clusters(self) -> list[Cluster]:
        """Read all clusters."""
        return inventory.list_clusters(self._reader)

    def list_datastores(self) -> list[Datastore]:
        """Read all datastores with capacity and free space."""
        return inventory.list_datastores(self._reader)

    def virtual_machines_on(self, network: str) -> tuple[str, ...]:
        """Read which VMs are on a network, as morefs.

        vCenter resolves a reference by its type and its value [D nsx-vsphere 4.2]: the port group ``dvportgroup-13``
        is not the network ``dvportgroup-13``. Networks that :meth:`list_networks` has not shown yet are listed first.

        :raises NotFound: if there is no such network.
        """
        if network not in self._network_kinds:
            self.list_networks()
        # A network that is not listed gets vCenter's own answer.
        kind = self._network_kinds.get(network, vim.Network)
        return self._reader.one(kind, network, "vm").references("vm")

    def _read_existing(self, wanted: Sequence[str]) -> list[VirtualMachineDetail]:
        """Read the VMs that exist.

        vCenter refuses the whole call for one deleted object that is named; it is then asked without it.
        """
        remaining = list(wanted)
        while remaining:
            try:
                return [detail_of(found) for found in self._reader.some_of(FULL_PATHS, remaining)]
            except NotFound as error:
                gone = [moref for moref in remaining if f"object {moref}" in (error.vendor_message or "").split("; ")]
                if not gone:
                    raise
                remaining = [moref for moref in remaining if moref not in gone]
        return []


def _server_time(live: Live) -> datetime:
    now = instant(live.managed(vim.ServiceInstance, "ServiceInstance").CurrentTime())
    if now is None:
        raise MalformedResponse("vCenter reports no time", system="vcenter", method="CurrentTime")
    return now


def _session_info(user: Any, api_version: str) -> SessionInfo:
    return SessionInfo(
        user_name=user.userName,
        full_name=user.fullName,
        login_time=instant(user.loginTime),
        last_active_time=instant(user.lastActiveTime),
        api_version=api_version.removeprefix("vim.version."),
    )
