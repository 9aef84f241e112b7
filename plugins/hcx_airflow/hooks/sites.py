"""The clients of a wave: its connection ids, and what they lead to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from hcx_airflow.common.errors import name_connection
from hcx_airflow.hooks.base import ManagerHook
from hcx_airflow.hooks.hcx import HcxHook
from hcx_airflow.hooks.nsx_policy import NsxPolicyHook
from hcx_airflow.hooks.roles import connection_id_for
from hcx_airflow.hooks.vmc import VmcHook
from hcx_airflow.hooks.vsphere import VsphereHook
from hcx_waves.clients.errors import ClientError
from hcx_waves.domain.connections import SiteConnections
from hcx_waves.domain.wave import Wave

if TYPE_CHECKING:
    from hcx_waves.clients.bundle import SiteClients
    from hcx_waves.clients.nsx import NsxPolicyClient
    from hcx_waves.clients.vsphere import VsphereClient


@dataclass
class _Opener:
    """Makes clients, checks who is there, and remembers which connection each address came from."""

    rehearsal: bool
    stack: ExitStack
    check: bool
    ids: dict[str, str] = field(default_factory=dict)

    def open(self, hook: ManagerHook[Any, Any], address: str | None = None) -> Any:
        # Not hook.client(): the errors of all of them pass here, and are named by the address that they are about.
        client = hook.get_conn()
        self.stack.callback(client.close)
        self.ids[hook.url if address is None else address] = hook.conn_id
        if self.check:
            hook.check(client)
        return client

    def conn_id(self, own: str) -> str:
        return connection_id_for(own, rehearsal=self.rehearsal)

    def vcenter(self, site: SiteConnections) -> VsphereClient:
        client: VsphereClient = self.open(VsphereHook.of(self.conn_id(site.vcenter), rehearsal=self.rehearsal))
        return client

    def nsx(self, site: SiteConnections) -> NsxPolicyClient | None:
        if site.nsx is not None:
            found: NsxPolicyClient = self.open(NsxPolicyHook.of(self.conn_id(site.nsx), rehearsal=self.rehearsal))
            return found
        return None if site.vmc is None else self._nsx_of_cloud(self.conn_id(site.vmc))

    def _nsx_of_cloud(self, conn_id: str) -> NsxPolicyClient:
        hook = VmcHook.of(conn_id, rehearsal=self.rehearsal)
        cloud = self.open(hook, address=None if hook.connection.host else "https://vmc.vmware.com")
        client = self.stack.enter_context(hook.nsx_client(cloud))
        self.ids[client.base_url] = conn_id
        return client

    def name(self, error: ClientError) -> None:
        """Put the connection's id into an error that knows the address."""
        for address, conn_id in self.ids.items():
            if error.endpoint and (error.endpoint.startswith(address) or address.startswith(error.endpoint)):
                name_connection(error, conn_id)
                return


@contextmanager
def open_sites(wave: Wave, *, rehearsal: bool, check: bool = True) -> Iterator[SiteClients]:
    """Make the clients of a wave and close them at the end; their errors name the connection.

    :param rehearsal: whether only ``twin_*`` connections and twins may be used.
    :param check: whether to ask each endpoint who it is right now; before a changing call each client asks anyway.
    :raises EndpointMismatch: if one is not what this run may work on.
    :raises ConnectionSettingsError: if a connection cannot be used.
    """
    from hcx_waves.clients.bundle import SiteClients

    source, destination = wave.connections.source, wave.connections.destination
    with ExitStack() as stack:
        opener = _Opener(rehearsal, stack, check)
        try:
            destination_nsx = opener.nsx(destination)
            if destination_nsx is None:
                raise ValueError("a wave's destination has NSX")
            yield SiteClients(
                hcx=opener.open(hcx_hook(wave, rehearsal=rehearsal)),
                source_vcenter=opener.vcenter(source),
                destination_vcenter=opener.vcenter(destination),
                source_nsx=opener.nsx(source),
                destination_nsx=destination_nsx,
            )
        except ClientError as error:
            opener.name(error)
            raise


def hcx_hook(wave: Wave, *, rehearsal: bool) -> HcxHook:
    """Return the hook of the manager that all HCX calls go to."""
    return HcxHook.of(hcx_connection_id(wave, rehearsal=rehearsal), rehearsal=rehearsal)


def hcx_connection_id(wave: Wave, *, rehearsal: bool) -> str:
    """Return the connection of the manager that all HCX calls go to."""
    return connection_id_for(str(wave.connections.source.hcx), rehearsal=rehearsal)


def nsx_connection_id(wave: Wave, *, rehearsal: bool) -> str:
    """Return the connection that leads to the destination's NSX."""
    return connection_id_for(str(wave.connections.destination.network), rehearsal=rehearsal)


def pages_of(wave: Wave, clients: SiteClients, *, rehearsal: bool) -> dict[str, str]:
    """Return the addresses that a person may want to look at."""
    vcenter = VsphereHook.of(connection_id_for(wave.connections.destination.vcenter, rehearsal=rehearsal))
    return {"hcx": clients.hcx.base_url, "nsx": clients.destination_nsx.base_url, "vcenter": vcenter.url}


def secrets_of(wave: Wave, *, rehearsal: bool) -> list[str]:
    """Return the passwords of a wave's connections, to search texts for them."""
    ids = {*wave.connections.source.used().values(), *wave.connections.destination.used().values()}
    found = [BaseHook.get_connection(connection_id_for(one, rehearsal=rehearsal)).password for one in sorted(ids)]
    return [password for password in found if password]
