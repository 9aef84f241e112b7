"""The plan to go by where none is on disk: the wave file matched with what is there now, however incomplete."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.vsphere.models import VirtualMachineSummary
from hcx_waves.model.plan import PlannedSegment, PlannedVm, WavePlan
from hcx_waves.model.schedule import WaveClock
from hcx_waves.rescue.records import Records
from hcx_waves.resolve.problems import Problems
from hcx_waves.resolve.resolver import group_stem
from hcx_waves.resolve.segments import SegmentFinder
from hcx_waves.resolve.sites import planned_sites
from hcx_waves.resolve.survey import Survey, survey
from hcx_waves.wavefile.segments import Segment
from hcx_waves.wavefile.wave import Wave

_NOWHERE = "?"


class NoSubjectError(Exception):
    """Nothing says what the wave is at the sites; the message says why."""


def plan_of_now(wave: Wave, clients: SiteClients, records: Records, now: datetime) -> tuple[WavePlan, tuple[str, ...]]:
    """Return a plan that is good enough to look and to go back by, and what it lacks.

    Unlike :func:`~hcx_waves.resolve.resolve_plan` it goes on where a wave could not be started: VMs in the middle of a
    migration, a segment whose extension is gone while the destination does not route it. It is never approved nor
    compared with a plan.

    :raises NoSubjectError: if HCX does not pair the sites.
    :raises ClientError: if a product cannot be read.
    """
    found, problems = survey(clients), Problems()
    sites = planned_sites(found.containers, found.source_about, found.destination_about, problems)
    if sites is None:
        raise NoSubjectError("; ".join(str(problem) for problem in problems.found))
    finder = SegmentFinder(wave, found, sites[1].endpoint_id, Problems())
    listed = {one.name: one.planned for one in finder.find()}
    segments, missing = [], []
    for segment in wave.segments:
        planned = listed.get(segment.name) or _without_extension(finder, segment, records)
        if planned is None:
            missing.append(
                f"{segment.name}: neither an extension nor a single segment of the destination was found for it. "
                "Give the run's plan (--plan), or write the segment's `destination` into a copy of the wave file"
            )
        else:
            segments.append(planned)
    plan = WavePlan(
        wave=wave.name,
        wave_hash=wave.wave_hash,
        resolved_at=now,
        mobility_group=group_stem(wave),
        source=sites[0],
        destination=sites[1],
        clock=WaveClock(time_zone=wave.time_zone, starts_at=now, latest_start=None, switchover=None),
        vms=tuple(_vms(wave, found)),
        segments=tuple(segments),
    )
    return plan, tuple(missing)


def _without_extension(finder: SegmentFinder, segment: Segment, records: Records) -> PlannedSegment | None:
    """Return a segment whose extension is gone, with the gateway and the extension's id that the records know."""
    ledgers = records.ledgers
    snapshot = next((one for one in (ledger.snapshot(segment.key) for ledger in ledgers) if one), {})
    gateways = tuple(_gateways(snapshot.get("subnets")))
    removal = next((one for one, _ in (ledger.removal(segment.key) for ledger in ledgers) if one), None)
    return finder.unrouted(
        segment,
        extension_id="" if removal is None else removal.extension_id,
        gateways=gateways,
    )


def _gateways(subnets: object) -> Iterable[str]:
    for subnet in subnets if isinstance(subnets, list) else ():
        address = subnet.get("gateway_address") if isinstance(subnet, dict) else None
        if isinstance(address, str):
            yield address


def _vms(wave: Wave, found: Survey) -> Iterable[PlannedVm]:
    for request in wave.requests:
        here, there = (
            _one(vms, request.name, request.instance_uuid) for vms in (found.source_vms, found.destination_vms)
        )
        seen = here or there
        yield PlannedVm(
            name=request.name,
            vm_id=_NOWHERE if seen is None else seen.moref,
            already_there=here is None and there is not None,
            instance_uuid=(seen.instance_uuid if seen is not None else request.instance_uuid) or "",
            powered_on=seen is not None and seen.power_state == "poweredOn",
            migration=request.migration,
        )


def _one(vms: Sequence[VirtualMachineSummary], name: str, instance_uuid: str | None) -> VirtualMachineSummary | None:
    pinned = (instance_uuid or "").lower()
    fits = [vm for vm in vms if vm.name == name and pinned in ("", (vm.instance_uuid or "").lower())]
    return fits[0] if len(fits) == 1 else None
