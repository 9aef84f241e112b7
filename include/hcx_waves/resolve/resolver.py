"""Make the plan of a wave, and list how the inventory has drifted from one. Every call is a read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.vsphere.models import VirtualMachineDetail
from hcx_waves.model.choices import MigrationOptions, MigrationType
from hcx_waves.model.plan import PlannedSite, PlannedVm, WavePlan
from hcx_waves.model.schedule import WaveClock
from hcx_waves.resolve.machines import Located, Locator
from hcx_waves.resolve.nics import NicPlanner
from hcx_waves.resolve.placement import Placements
from hcx_waves.resolve.problems import PlanError, PlanProblem, Problems
from hcx_waves.resolve.segments import FoundSegment, SegmentFinder
from hcx_waves.resolve.sites import planned_sites
from hcx_waves.resolve.source_places import SourcePlaces
from hcx_waves.resolve.survey import Survey, survey
from hcx_waves.wavefile.clock import ClockError
from hcx_waves.wavefile.settings import VmRequest
from hcx_waves.wavefile.wave import Wave


def resolve_plan(wave: Wave, clients: SiteClients, *, now: datetime, started_at: datetime | None = None) -> WavePlan:
    """Resolve a wave against the live inventory.

    Two passes: a light one over all VMs of both sites, a full one over the wave's. A VM that has been migrated
    before is adopted (``already_there``), and so is a segment that has been cut over (no ``extension_id``).

    :param now: when the inventory is read; not part of the digest.
    :param started_at: when the run began, from which windows without a date count; ``now`` unless given. Give the
        same instant whenever the same run resolves again, else the plan's windows move.
    :raises PlanError: with every problem at once; never half a plan.
    :raises ClientError: if a product cannot be read.
    """
    return _Resolver(wave, clients).plan(now, started_at or now)


def drift_of(plan: WavePlan, wave: Wave, clients: SiteClients, *, now: datetime) -> tuple[str, ...]:
    """Say what has changed since a plan was made, one sentence each; nothing if its digest still holds.

    For use before anything has been started: a migration changes what it moves.

    :raises ClientError: if a product cannot be read.
    """
    if plan.wave_hash != wave.wave_hash:
        return ("the wave file has changed",)
    try:
        later = resolve_plan(wave, clients, now=now, started_at=plan.clock.starts_at)
    except PlanError as error:
        return tuple(str(problem) for problem in error.problems)
    return plan.differences(later) if later.digest() != plan.digest() else ()


def group_stem(wave: Wave) -> str:
    """Return what the names of a wave's mobility groups begin with.

    Wave names have no underscore, so that no wave's stem begins another's.
    """
    return f"{wave.name}_wave"


class _Resolver:
    """One resolution and the problems it meets."""

    def __init__(self, wave: Wave, clients: SiteClients) -> None:
        self._wave, self._clients = wave, clients
        self._problems = Problems()

    def plan(self, now: datetime, started_at: datetime) -> WavePlan:
        wave, problems = self._wave, self._problems
        clock = self._clock(started_at)
        found = survey(self._clients)
        sites = planned_sites(found.containers, found.source_about, found.destination_about, problems)
        endpoint_id = None if sites is None else sites[1].endpoint_id
        finder = SegmentFinder(wave, found, endpoint_id, problems, self._clients.source_vcenter.list_switches)
        segments = finder.find()
        located = Locator(found.source_vms, found.destination_vms, problems, self._arrived).locate(wave.requests)
        vms = self._vms(located, found, endpoint_id, self._nics(found, finder, segments))
        problems.refuse()
        return _plan_of(wave, clock, sites, vms, segments, now)

    def _nics(self, found: Survey, finder: SegmentFinder, segments: Sequence[FoundSegment]) -> NicPlanner:
        switches = self._clients.destination_vcenter.list_switches
        return NicPlanner(found, finder, segments, self._problems, switches)

    def _clock(self, started_at: datetime) -> WaveClock | None:
        try:
            return self._wave.clock(started_at)
        except ClockError as error:
            for line in str(error).splitlines():
                self._problems.add(self._wave.name, line, "Correct the wave's times.")
        return None

    def _arrived(self, names: Collection[str]) -> Collection[str]:
        """Return which of these names HCX records as migrated."""
        done = self._clients.hcx.query_migrations(include_archived=True)
        return {str(one.entity_name) for one in done if one.state.is_success and one.entity_name in names}

    def _vms(
        self, located: Sequence[Located], found: Survey, endpoint_id: str | None, nics: NicPlanner
    ) -> list[PlannedVm]:
        details = self._details(located)
        placements = Placements(found, endpoint_id, self._problems, self._clients.destination_vcenter.list_hosts)
        places = SourcePlaces(self._clients.source_vcenter, found.source_networks)
        planned = []
        for one in located:
            detail = details.get((one.already_there, one.vm.moref))
            if detail is None:
                self._problems.add(
                    one.request.name, "disappeared while the inventory was read", "Clear task resolve_plan."
                )
                continue
            vm = self._vm(one, detail, placements, nics)
            place = None if one.already_there else places.of(detail)
            planned.append(vm.model_copy(update={"source_place": place}))
        return planned

    def _details(self, located: Sequence[Located]) -> dict[tuple[bool, str], VirtualMachineDetail]:
        found = {}
        for there, vcenter in ((False, self._clients.source_vcenter), (True, self._clients.destination_vcenter)):
            morefs = [one.vm.moref for one in located if one.already_there is there]
            for detail in vcenter.read_virtual_machines(morefs, skip_missing=True) if morefs else ():
                found[there, detail.moref] = detail
        return found

    def _vm(self, located: Located, vm: VirtualMachineDetail, placements: Placements, nics: NicPlanner) -> PlannedVm:
        request = located.request
        target = placements.target(request)
        migration = self._migration(request, vm) if not located.already_there else request.migration
        return PlannedVm(
            name=request.name,
            vm_id=vm.moref,
            already_there=located.already_there,
            instance_uuid=vm.instance_uuid or "",
            bios_uuid=vm.bios_uuid,
            powered_on=vm.power_state == "poweredOn",
            guest=vm.guest_full_name,
            cpus=vm.cpu_count,
            memory_mb=vm.memory_mb,
            disk_bytes=sum(disk.capacity_bytes for disk in vm.disks),
            migration=migration,
            service_mesh_id=target.service_mesh_id,
            cluster=target.cluster,
            resource_pool=target.resource_pool,
            folder=target.folder,
            datastore=target.datastore,
            storage_policy=target.storage_policy,
            disk_format=request.disk_format,
            options=_options(request, migration),
            there_before=located.there_before,
            nics=nics.at_destination(vm, request) if located.already_there else nics.at_source(vm, request),
        )

    def _migration(self, request: VmRequest, vm: VirtualMachineDetail) -> MigrationType:
        if vm.power_state == "poweredOff":
            return MigrationType.COLD
        if vm.power_state == "suspended":
            self._problems.add(request.name, "is suspended", "Resume it or power it off.")
        elif request.migration is MigrationType.COLD:
            self._problems.add(
                request.name, "is running and is to be moved Cold", "Power it off, or choose RAV, Bulk or vMotion."
            )
        return request.migration


def _options(request: VmRequest, migration: MigrationType) -> MigrationOptions:
    """Return HCX's switches without those that mean nothing to a powered-off VM that was meant to run."""
    if migration is not MigrationType.COLD or request.migration is MigrationType.COLD:
        return request.options
    return request.options.model_copy(update={"seed_checkpoint": None, "force_power_off": None})


def _plan_of(
    wave: Wave,
    clock: WaveClock | None,
    sites: tuple[PlannedSite, PlannedSite] | None,
    vms: Sequence[PlannedVm],
    segments: Sequence[FoundSegment],
    now: datetime,
) -> WavePlan:
    if clock is None or sites is None:
        raise PlanError([PlanProblem(subject=wave.name, message="has no clock or no sites")])
    return WavePlan(
        wave=wave.name,
        wave_hash=wave.wave_hash,
        resolved_at=now,
        mobility_group=group_stem(wave),
        source=sites[0],
        destination=sites[1],
        clock=clock,
        vms=tuple(vms),
        segments=tuple(one.planned for one in segments if one.planned is not None),
        switchover_order=wave.switchover_order,
    )
