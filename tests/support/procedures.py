"""What tests of the procedures start from: a plan read from the simulated sites, clients without waits, time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from hcx_waves.clients.bundle import ClientOptions, SiteClients, open_sites
from hcx_waves.clients.hcx import NetworkExtension
from hcx_waves.clients.transport_retry import RetryPolicy
from hcx_waves.clients.transport_wire import Ambient, TransportSettings
from hcx_waves.clients.vsphere.models import VirtualMachineDetail
from hcx_waves.cutover.extension import Removal, UnextendStatus, unextend_status
from hcx_waves.cutover.waiting import Patience
from hcx_waves.migration.start import StartedWave, start_wave
from hcx_waves.migration.status import WaveStatus, read_status
from hcx_waves.model.choices import CutoverPolicy, Disconnect, MigrationOptions, MigrationType
from hcx_waves.model.plan import NetworkRef, ObjectRef, PlannedNic, PlannedSegment, PlannedSite, PlannedVm, WavePlan
from hcx_waves.model.schedule import TimeWindow, WaveClock
from support.site_pair import SitePair


@contextmanager
def sites_of(pair: SitePair, *, source_has_nsx: bool = True) -> Iterator[SiteClients]:
    """Open the clients of a world; between repeats of a read no real time passes.

    NSX counts requests in real time, which tests with a clock of their own outrun; that limit is lifted.
    """
    pair.run(lambda: _lift_limit(pair))
    options = ClientOptions(
        settings=TransportSettings(retry=RetryPolicy(attempts=3)),
        ambient=Ambient(sleep=lambda _seconds: None),
    )
    with open_sites(pair.endpoints, options=options, source_has_nsx=source_has_nsx) as clients:
        yield clients


def _lift_limit(pair: SitePair) -> None:
    settings = pair.world.settings
    nsx = settings.nsx.model_copy(update={"requests_per_second": None})
    pair.world.settings = settings.model_copy(update={"nsx": nsx})


class Planner:
    """Resolves names to a plan, by what the clients read."""

    def __init__(self, clients: SiteClients) -> None:
        self.clients = clients
        self.extensions = {one.source_network.network_name or "": one for one in clients.hcx.extensions()}
        self.networks = clients.source_vcenter.list_networks()
        listed = {vm.name: vm.moref for vm in clients.source_vcenter.list_virtual_machines()}
        self.morefs = listed

    def plan(
        self,
        pair: SitePair,
        names: Sequence[str],
        segments: Sequence[str],
        *,
        types: dict[str, MigrationType] | None = None,
        window: TimeWindow | None = None,
        order: Sequence[str] = (),
        **segment_changes: Any,
    ) -> WavePlan:
        """Return the plan of a wave ``test``; VMs are moved by RAV unless ``types`` says otherwise."""
        details = self.clients.source_vcenter.read_virtual_machines([self.morefs[name] for name in names])
        local, remote = self._sites()
        chosen = types or {}
        return WavePlan(
            wave="test",
            wave_hash="0" * 64,
            resolved_at=pair.now,
            mobility_group="test",
            source=local,
            destination=remote,
            clock=WaveClock(time_zone="UTC", starts_at=pair.now, latest_start=None, switchover=window),
            vms=tuple(self._vm(vm, chosen.get(vm.name, MigrationType.RAV)) for vm in details),
            segments=tuple(self._segment(name, **segment_changes) for name in segments),
            switchover_order=tuple(order),
        )

    def _sites(self) -> tuple[PlannedSite, PlannedSite]:
        containers = self.clients.hcx.resource_containers()
        local, remote = (next(one for one in containers if one.is_local is side) for side in (True, False))
        return tuple(
            PlannedSite(
                endpoint_id=one.endpoint_id,
                endpoint_name=one.endpoint_name or "",
                compute_resource_id=one.resource_id or "",
                vcenter_name=one.resource_name,
            )
            for one in (local, remote)
        )  # type: ignore[return-value]

    def _vm(self, vm: VirtualMachineDetail, migration: MigrationType) -> PlannedVm:
        target = self.clients.destination_vcenter
        powered_on = vm.power_state == "poweredOn"
        pool = next(p for p in target.list_resource_pools() if p.name != "Resources")
        folder = next(f for f in target.list_folders() if f.name == "Workloads")
        datastore = target.list_datastores()[0]
        return PlannedVm(
            name=vm.name,
            vm_id=vm.moref,
            instance_uuid=vm.instance_uuid or "",
            bios_uuid=vm.bios_uuid,
            powered_on=powered_on,
            migration=migration if powered_on else MigrationType.COLD,
            resource_pool=ObjectRef(object_id=pool.moref, name=pool.name),
            folder=ObjectRef(object_id=folder.moref, name=folder.name),
            datastore=ObjectRef(object_id=datastore.moref, name=datastore.name),
            options=MigrationOptions(retain_mac=True, remove_snapshots=True, remove_isos=True),
            nics=tuple(self._nic(vm, number) for number in range(len(vm.nics))),
        )

    def _nic(self, vm: VirtualMachineDetail, number: int) -> PlannedNic:
        nic = vm.nics[number]
        name = next(net.name for net in self.networks if nic.network_id in (net.moref, getattr(net, "key", None)))
        extension = self.extensions[name]
        return PlannedNic(
            label=nic.label,
            mac_address=nic.mac,
            source=_end(extension, "source_network"),
            destination=_end(extension, "destination_network"),
            segment=name,
            ip_addresses=tuple(address.address for address in vm.addresses_of(nic)),
        )

    def _segment(self, name: str, **changes: Any) -> PlannedSegment:
        extension = self.extensions[name]
        source = _end(extension, "source_network")
        destination = _end(extension, "destination_network")
        has_nsx = source.network_id.startswith("/infra/")
        segment = self.clients.destination_nsx.segment(destination.network_id)
        facts: dict[str, Any] = {
            "name": name,
            "key": name.replace("-", "_"),
            "cutover": CutoverPolicy.NOW,
            "disconnect": Disconnect.NSX if has_nsx else Disconnect.HOOK,
            "source": source,
            "source_segment_path": source.network_id if has_nsx else None,
            "destination": destination,
            "destination_segment_path": segment.path,
            "extension_id": extension.extension_id,
            "gateway_addresses": segment.gateway_addresses,
            "extension_gateway_id": extension.destination_network.gateway_id,
            "extension_appliance_id": extension.source_appliance.appliance_id,
        }
        return PlannedSegment(**{**facts, **changes})


def _end(extension: NetworkExtension, end: str) -> NetworkRef:
    network = getattr(extension, end)
    return NetworkRef(network_id=network.network_id, name=network.network_name, network_type=network.network_type)


def run_to_end(
    pair: SitePair, clients: SiteClients, started: StartedWave, *, limit: timedelta = timedelta(days=3)
) -> WaveStatus:
    """Move the clock until every VM has ended or nothing moves any more; return the last status."""
    deadline = pair.now + limit
    while True:
        status = read_status(clients.hcx, started, pair.now)
        if status.is_terminal or status.is_stuck or pair.now > deadline:
            return status
        pair.advance(60)


def window_in(pair: SitePair, opens_seconds: float, lasts_seconds: float) -> TimeWindow:
    """Return a window relative to the world's time."""
    opens = pair.now + timedelta(seconds=opens_seconds)
    return TimeWindow(opens=opens, closes=opens + timedelta(seconds=lasts_seconds))


def patience_of(pair: SitePair, limit_seconds: float = 60.0) -> Patience:
    """Return patience by the world's clock: a pause moves it."""
    return Patience(now=lambda: pair.now, sleep=pair.advance, limit_seconds=limit_seconds)


def move(pair: SitePair, clients: SiteClients, plan: WavePlan) -> WaveStatus:
    """Start a plan and move the clock until its VMs have ended."""
    return run_to_end(pair, clients, start_wave(plan, clients))


def await_unextended(
    pair: SitePair, clients: SiteClients, removal: Removal, limit_seconds: float = 3600
) -> UnextendStatus:
    """Move the clock until an unextend has ended, or for so long."""
    deadline = pair.now + timedelta(seconds=limit_seconds)
    while True:
        status = unextend_status(clients.hcx, removal)
        if status.is_terminal or pair.now > deadline:
            return status
        pair.advance(2)
