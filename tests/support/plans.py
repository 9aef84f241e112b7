"""Small plans, made up: VMs on one segment each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from hcx_waves.model.choices import CutoverPolicy, Disconnect, MigrationType
from hcx_waves.model.plan import NetworkRef, PlannedNic, PlannedSegment, PlannedSite, PlannedVm, WavePlan
from hcx_waves.model.schedule import TimeWindow, WaveClock

RESOLVED = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)


def plan_of(
    *names: str,
    switchover: tuple[datetime, datetime] | None = None,
    segments: Sequence[str] = ("app",),
    wave: str = "wave-7",
) -> WavePlan:
    """Return a plan that moves VMs, all on the first segment, and cuts every segment over.

    :param switchover: when the switchover window opens and closes.
    """
    site = PlannedSite(endpoint_id="e", endpoint_name="hcx", compute_resource_id="c")
    window = None if switchover is None else TimeWindow(opens=switchover[0], closes=switchover[1])
    return WavePlan(
        wave=wave,
        wave_hash="a" * 64,
        resolved_at=RESOLVED,
        mobility_group=wave,
        source=site,
        destination=site,
        clock=WaveClock(time_zone="UTC", starts_at=RESOLVED, latest_start=None, switchover=window, cutovers=()),
        vms=tuple(_vm(name, number, segments[0]) for number, name in enumerate(names, 1)),
        segments=tuple(_segment(name) for name in segments),
    )


def _network(name: str) -> NetworkRef:
    return NetworkRef(network_id=f"/infra/segments/{name}", name=name, network_type="NsxtSegment")


def _vm(name: str, number: int, segment: str) -> PlannedVm:
    nic = PlannedNic(
        label="Network adapter 1",
        mac_address=f"00:50:56:00:00:{number:02x}",
        source=_network(segment),
        destination=_network(f"{segment}-there"),
        segment=segment,
        ip_addresses=(f"10.0.0.{number}",),
    )
    return PlannedVm(
        name=name,
        vm_id=f"vm-{number}",
        instance_uuid=f"uuid-{number}",
        powered_on=True,
        migration=MigrationType.RAV,
        nics=(nic,),
    )


def _segment(name: str) -> PlannedSegment:
    return PlannedSegment(
        name=name,
        key=name,
        cutover=CutoverPolicy.NOW,
        disconnect=Disconnect.NSX,
        source=_network(name),
        source_segment_path=f"/infra/segments/{name}",
        destination=_network(name),
        destination_segment_path=f"/infra/segments/{name}",
        extension_id=f"ext-{name}",
    )
