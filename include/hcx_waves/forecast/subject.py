"""Collect what to forecast from a wave file and what is known of the inventory: a snapshot, a plan, both or neither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime

from hcx_snapshot.model import MeshPart, Snapshot, VmPart
from hcx_waves.forecast.model.inputs import DEFAULT_MESH, ForecastInput, ForecastMesh, ForecastSegment, ForecastVm
from hcx_waves.forecast.model.parameters import ModelParameters
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.formatting import bit_rate, share, size
from hcx_waves.model.plan import PlannedVm, WavePlan
from hcx_waves.model.schedule import WaveClock
from hcx_waves.wavefile.clock import ClockError
from hcx_waves.wavefile.settings import VmRequest
from hcx_waves.wavefile.wave import Wave

_MIB = 1024**2
_KILOBIT = 1000
_SERVICES = {
    MigrationType.RAV: "RAV",
    MigrationType.BULK: "BULK_MIGRATION",
    MigrationType.VMOTION: "VMOTION",
    MigrationType.COLD: "VMOTION",
}
_ON = "poweredOn"


def subject_of(
    wave: Wave,
    snapshot: Snapshot | None,
    parameters: ModelParameters,
    *,
    starts_at: datetime | None = None,
    night: date | None = None,
    plan: WavePlan | None = None,
) -> ForecastInput:
    """Return what to forecast of a wave.

    :param snapshot: of the site pair; without one, sizes come from the plan or are assumed, and a note says so.
    :param starts_at: when the run begins; the wave's own start unless given. A wave without a start needs it.
    :param night: another night than the one that the file plans for.
    :param plan: precedes the wave's requests where something was resolved: meshes, migration types, the clock.
    :raises ClockError: if no start is known, or the windows do not fit it.
    """
    clock = _clock(wave, plan, starts_at, night)
    begin = starts_at or clock.starts_at
    if begin is None:
        raise ClockError(f"{wave.name} is started by hand and no start is given")
    survey = _Survey(wave, snapshot, parameters, plan)
    vms = tuple(survey.vms())
    return ForecastInput(
        wave=wave.name,
        time_zone=wave.time_zone,
        starts_at=begin,
        switchover=clock.switchover,
        vms=vms,
        meshes=tuple(survey.meshes()),
        segments=() if wave.options.stop_before_cutover else tuple(_segments(wave, clock, plan)),
        switchover_order=wave.switchover_order,
        asks_switchover=wave.gates.approve_switchover is not None,
        poll_seconds=wave.options.poll_interval.total_seconds(),
        notes=(*clock.notes, *survey.notes()),
    )


def _clock(wave: Wave, plan: WavePlan | None, starts_at: datetime | None, night: date | None) -> WaveClock:
    if night is not None:
        return wave.for_night(night)
    return plan.clock if plan is not None else wave.clock(starts_at)


def _segments(wave: Wave, clock: WaveClock, plan: WavePlan | None) -> Iterator[ForecastSegment]:
    for segment in wave.segments_to_cut:
        extended = True
        if plan is not None:
            extended = bool(plan.segment(segment.name).extension_id)
        yield ForecastSegment(
            name=segment.name,
            window=clock.cutover(segment.name),
            disconnect=segment.means_of_disconnect,
            cut_already=not extended,
        )


class _Survey:
    """The VMs and meshes of a wave, and what had to be assumed about them."""

    def __init__(
        self, wave: Wave, snapshot: Snapshot | None, parameters: ModelParameters, plan: WavePlan | None
    ) -> None:
        self._wave, self._plan, self._snapshot = wave, plan, snapshot
        self._transfer = parameters.transfer
        self._found: dict[str, list[VmPart]] = {}
        self._segments: dict[str, str] = {}
        if snapshot is not None:
            for vm in snapshot.source.vms:
                self._found.setdefault(vm.name, []).append(vm)
            wanted = {segment.name for segment in wave.segments}
            self._segments = {one.moref: one.name for one in snapshot.source.networks if one.name in wanted}
        self._load: Counter[str] = Counter()
        self._assumed: Counter[str] = Counter()

    def vms(self) -> Iterator[ForecastVm]:
        """Yield the VMs that are to be moved, in the wave's order."""
        planned = {} if self._plan is None else {vm.name: vm for vm in self._plan.vms}
        for request in self._wave.requests:
            plan = planned.get(request.name)
            if plan is None or not plan.already_there:
                yield self._vm(request, plan, self._machine(request))

    def meshes(self) -> Iterator[ForecastMesh]:
        """Yield the meshes with the bandwidth that HCX measures, where it does."""
        for mesh in self._known_meshes():
            yield ForecastMesh(name=mesh.name, link_bits_per_second=_measured(mesh))

    def notes(self) -> Iterator[str]:
        """Yield what had to be assumed, a sentence each."""
        transfer = self._transfer
        sentences = {
            "missing": "are not in the snapshot",
            "size": f"have no known size: {size(transfer.assumed_disk_bytes)} is assumed for each",
            "provisioned": f"have no known used size: {share(transfer.used_share)} of the provisioned size is assumed",
            "change": f"have no known change rate: {bit_rate(transfer.change_bytes_per_second * 8)} is assumed",
            "mesh": "name no service mesh: HCX chooses one, here the mesh with the fewest VMs",
        }
        for what, count in self._assumed.items():
            yield f"{count} of {len(self._wave.vms)} VMs {sentences[what]}"
        silent = [mesh.name for mesh in self._known_meshes() if self._is_silent(mesh)]
        if silent:
            rate = bit_rate(transfer.link_bits_per_second)
            yield f"HCX measures no bandwidth of {', '.join(silent)}: {rate} is assumed"

    def _is_silent(self, mesh: MeshPart) -> bool:
        return _measured(mesh) is None and mesh.name not in self._transfer.mesh_link_bits_per_second

    def _machine(self, request: VmRequest) -> VmPart | None:
        found = self._found.get(request.name, [])
        if request.instance_uuid is not None:
            found = [vm for vm in found if (vm.instance_uuid or "").lower() == request.instance_uuid.lower()]
        if not found and self._snapshot is not None:
            self._assumed["missing"] += 1
        return found[0] if found else None

    def _vm(self, request: VmRequest, plan: PlannedVm | None, machine: VmPart | None) -> ForecastVm:
        kind = request.migration if plan is None else plan.migration
        if plan is None and machine is not None and machine.power != _ON:
            kind = MigrationType.COLD
        change = None if machine is None else machine.change_bytes_per_second
        if change is None and kind.replicates:
            self._assumed["change"] += 1
        memory_mb = machine.memory_mb if machine is not None else plan.memory_mb if plan is not None else None
        return ForecastVm(
            name=request.name,
            disk_bytes=self._disk_bytes(plan, machine),
            change_bytes_per_second=change,
            memory_bytes=(self._transfer.assumed_memory_bytes if memory_mb is None else memory_mb * _MIB),
            migration=kind,
            mesh=self._mesh(request, plan, kind),
            segments=self._segments_of(plan, machine),
        )

    def _disk_bytes(self, plan: PlannedVm | None, machine: VmPart | None) -> float:
        if machine is not None and machine.disks:
            return float(sum(disk.used_bytes for disk in machine.disks))
        if machine is not None and machine.committed_bytes is not None:
            return float(machine.committed_bytes)
        if plan is not None and plan.disk_bytes is not None:
            self._assumed["provisioned"] += 1
            return plan.disk_bytes * self._transfer.used_share
        self._assumed["size"] += 1
        return self._transfer.assumed_disk_bytes

    def _segments_of(self, plan: PlannedVm | None, machine: VmPart | None) -> tuple[str, ...]:
        if plan is not None:
            return plan.segments
        if machine is not None:
            names = {self._segments.get(nic.network or "") for nic in machine.nics}
            return tuple(sorted(name for name in names if name is not None))
        # Not known: every segment then waits for it, which is the safe side.
        return tuple(segment.name for segment in self._wave.segments)

    def _mesh(self, request: VmRequest, plan: PlannedVm | None, kind: MigrationType) -> str:
        if plan is not None and plan.service_mesh_id is not None:
            names: Mapping[str, str] = {mesh.mesh_id: mesh.name for mesh in self._known_meshes()}
            chosen = names.get(plan.service_mesh_id, request.service_mesh or plan.service_mesh_id)
        elif request.service_mesh is not None:
            chosen = request.service_mesh
        else:
            fit = [mesh.name for mesh in self._known_meshes() if _SERVICES[kind] in mesh.services]
            if len(fit) > 1:
                self._assumed["mesh"] += 1
            chosen = min(fit, key=lambda name: (self._load[name], name), default=DEFAULT_MESH)
        self._load[chosen] += 1
        return chosen

    def _known_meshes(self) -> tuple[MeshPart, ...]:
        return () if self._snapshot is None else self._snapshot.hcx.meshes


def _measured(mesh: MeshPart) -> float | None:
    """Return a mesh's bandwidth in bits per second, where HCX measures it [C hcx 6].

    Of several uplinks and both directions the least: which uplink carries what is not published [? hcx 6], and a twin
    of the snapshot takes the same.
    """
    rates = [rate for uplink in mesh.uplinks for rate in (uplink.upload_kbps, uplink.download_kbps) if rate]
    return min(rates) * _KILOBIT if rates else None
