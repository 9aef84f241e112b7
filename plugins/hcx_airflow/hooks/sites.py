"""Open the clients of a wave's connections."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from hcx_airflow.errors import ConnectionSettingsError, UnusableConnectionsError, WaveTaskError, name_connection
from hcx_airflow.hooks.base import ManagerHook
from hcx_airflow.hooks.hcx import HcxHook
from hcx_airflow.hooks.nsx_policy import NsxPolicyHook
from hcx_airflow.hooks.roles import connection_id_for, snapshot_connection_id
from hcx_airflow.hooks.vmc import VmcHook
from hcx_airflow.hooks.vsphere import VsphereHook
from hcx_airflow.hooks.world import TwinWorld
from hcx_waves.clients.errors import ClientError
from hcx_waves.wavefile.connections import SiteConnections
from hcx_waves.wavefile.wave import Wave

if TYPE_CHECKING:
    from hcx_waves.clients.bundle import SiteClients
    from hcx_waves.clients.hcx import HcxClient
    from hcx_waves.clients.nsx import NsxPolicyClient
    from hcx_waves.clients.vsphere import VsphereClient

logger = logging.getLogger(__name__)
Hook = TypeVar("Hook", bound=ManagerHook[Any, Any])


@dataclass
class _Opener:
    """Makes clients, checks who is there, and remembers which connection each address came from."""

    rehearsal: bool
    stack: ExitStack
    check: bool
    twin: TwinWorld | None = None
    read_only: bool = False
    only_looks: bool = False
    ids: dict[str, str] = field(default_factory=dict)

    def open(self, hook: ManagerHook[Any, Any], address: str | None = None) -> Any:
        # Not hook.client(): the errors of all of them pass here, and are named by the address that they are about.
        client = hook.get_conn()
        self.stack.callback(client.close)
        self.ids[hook.url if address is None else address] = hook.conn_id
        hook.peek()
        if self.check:
            hook.check(client)
        return client

    def hook(self, kind: type[Hook], own: str, site: str) -> Hook:
        conn_id = snapshot_connection_id(own) if self.read_only else connection_id_for(own, rehearsal=self.rehearsal)
        return kind.of(
            conn_id, rehearsal=self.rehearsal, twin=self.twin, site=site, read_only=self.read_only or self.only_looks
        )

    def hcx(self, connections: SiteConnections, site: str) -> HcxClient:
        client: HcxClient = self.open(self.hook(HcxHook, str(connections.hcx), site))
        return client

    def vcenter(self, connections: SiteConnections, site: str) -> VsphereClient:
        client: VsphereClient = self.open(self.hook(VsphereHook, connections.vcenter, site))
        return client

    def nsx(self, connections: SiteConnections, site: str) -> NsxPolicyClient | None:
        if connections.nsx is not None:
            found: NsxPolicyClient = self.open(self.hook(NsxPolicyHook, connections.nsx, site))
            return found
        return None if connections.vmc is None else self._nsx_of_cloud(self.hook(VmcHook, connections.vmc, site))

    def _nsx_of_cloud(self, hook: VmcHook) -> NsxPolicyClient:
        conn_id = hook.conn_id
        cloud = self.open(hook, address=None if hook.connection.host else "https://vmc.vmware.com")
        client = self.stack.enter_context(hook.nsx_client(cloud))
        self.ids[client.base_url] = conn_id
        return client

    def unusable(self, wave: Wave) -> list[ConnectionSettingsError]:
        """Return what is wrong with the settings of the wave's connections, without connecting."""
        source, destination = wave.connections.source, wave.connections.destination
        used: list[tuple[type[ManagerHook[Any, Any]], str | None, str]] = [
            (HcxHook, source.hcx, "source"),
            *((VsphereHook, one.vcenter, site) for one, site in ((source, "source"), (destination, "destination"))),
            *((NsxPolicyHook, one.nsx, site) for one, site in ((source, "source"), (destination, "destination"))),
            *((VmcHook, one.vmc, site) for one, site in ((source, "source"), (destination, "destination"))),
        ]
        found: dict[str, ConnectionSettingsError] = {}
        for kind, conn_id, site in used:
            try:
                if conn_id is not None:
                    _ = self.hook(kind, conn_id, site).extras
            except ConnectionSettingsError as error:
                found.setdefault(error.conn_id, error)
        return list(found.values())

    def name(self, error: ClientError) -> None:
        """Put the connection's id into an error that knows the address."""
        for address, conn_id in self.ids.items():
            if error.endpoint and (error.endpoint.startswith(address) or address.startswith(error.endpoint)):
                name_connection(error, conn_id)
                return


@contextmanager
def open_sites(
    wave: Wave, *, rehearsal: bool, check: bool = True, twin: TwinWorld | None = None
) -> Iterator[SiteClients]:
    """Make the clients of a wave and close them at the end; their errors name the connection.

    :param rehearsal: whether only ``twin_*`` connections and twins may be used.
    :param check: whether to ask each endpoint who it is right now; before a changing call each client asks anyway.
    :param twin: the world that a rehearsal works in.
    :raises EndpointMismatch: if one is not what this run may work on.
    :raises ConnectionSettingsError: if a connection cannot be used.
    """
    with ExitStack() as stack, _opened(wave, _Opener(rehearsal, stack, check, twin)) as clients:
        yield clients


@contextmanager
def open_sites_for_snapshot(wave: Wave) -> Iterator[SiteClients]:
    """Make clients by the ``snapshot_*`` connections of a wave: whatever is there, they only read.

    :raises ConnectionSettingsError: if a connection cannot be used.
    """
    with ExitStack() as stack, _opened(wave, _Opener(False, stack, check=False, read_only=True)) as clients:
        yield clients


@contextmanager
def open_sites_for_probe(wave: Wave) -> Iterator[SiteClients]:
    """Make clients by the wave's own connections that refuse to change anything.

    :raises ConnectionSettingsError: if a connection cannot be used.
    """
    with ExitStack() as stack, _opened(wave, _Opener(False, stack, check=False, only_looks=True)) as clients:
        yield clients


@contextmanager
def _opened(wave: Wave, opener: _Opener) -> Iterator[SiteClients]:
    from hcx_waves.clients.bundle import SiteClients

    source, destination = wave.connections.source, wave.connections.destination
    try:
        destination_nsx = opener.nsx(destination, "destination")
        if destination_nsx is None:
            raise ValueError(
                "the wave's destination names no connection to NSX. Add connections.destination.nsx or .vmc to the "
                "wave file"
            )
        yield SiteClients(
            hcx=opener.hcx(source, "source"),
            source_vcenter=opener.vcenter(source, "source"),
            destination_vcenter=opener.vcenter(destination, "destination"),
            source_nsx=opener.nsx(source, "source"),
            destination_nsx=destination_nsx,
        )
    except ClientError as error:
        opener.name(error)
        raise
    except ConnectionSettingsError as error:
        # Whoever has forgotten one connection has often forgotten more; each is looked at, and all are named.
        raise _with_the_others(error, opener.unusable(wave)) from None


def _with_the_others(error: ConnectionSettingsError, found: Sequence[ConnectionSettingsError]) -> WaveTaskError:
    others = [one for one in found if one.conn_id != error.conn_id]
    return UnusableConnectionsError([error, *others]) if others else error


def hcx_connection_id(wave: Wave, *, rehearsal: bool) -> str:
    """Return the connection of the manager that all HCX calls go to."""
    return connection_id_for(str(wave.connections.source.hcx), rehearsal=rehearsal)


def nsx_connection_id(wave: Wave, *, rehearsal: bool) -> str:
    """Return the connection that leads to the destination's NSX."""
    return connection_id_for(str(wave.connections.destination.network), rehearsal=rehearsal)


def pages_of(wave: Wave, clients: SiteClients, *, rehearsal: bool, twin: TwinWorld | None = None) -> dict[str, str]:
    """Return the addresses for the links of a task."""
    vcenter = VsphereHook.of(connection_id_for(wave.connections.destination.vcenter, rehearsal=rehearsal), twin=twin)
    return {"hcx": clients.hcx.base_url, "nsx": clients.destination_nsx.base_url, "vcenter": vcenter.url}


def secrets_of(wave: Wave, *, rehearsal: bool, twin: TwinWorld | None = None) -> list[str]:
    """Return the passwords of a wave's connections, so that they can be blanked in texts.

    A connection that is not there has none, which is logged.
    """
    ids = {*wave.connections.source.used().values(), *wave.connections.destination.used().values()}
    found: list[str | None] = [] if twin is None else [*twin.secrets()]
    for conn_id in sorted(ids):
        try:
            found.append(BaseHook.get_connection(connection_id_for(conn_id, rehearsal=rehearsal)).password)
        except (ConnectionSettingsError, AirflowNotFoundException) as error:
            logger.warning("Cannot search for the password of connection %s: %s", conn_id, error)
    return [password for password in found if password]
