"""Take samples for the model's parameters from the reports of finished runs. Pure.

Rehearsals are left out, as they only show what the parameters put into them; so are runs on simulated sites, whose
clock is not that of the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from hcx_waves.forecast.calibration.line_width import Flow
from hcx_waves.forecast.model.parameters import GateParameters
from hcx_waves.migration.course import VmCourse
from hcx_waves.migration.status import VmPhase
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.states import SegmentOutcome, VmOutcome
from hcx_waves.report.model import SegmentRow, VmRow, WaveReport

_ANSWERS = ("approve", "reject")
_GATES = tuple(GateParameters.model_fields)
_REPLICATED = (MigrationType.RAV.value, MigrationType.BULK.value)


@dataclass
class Tally:
    """How often something failed."""

    failed: int = 0
    total: int = 0

    def count(self, *, failed: bool) -> None:
        """Count one more."""
        self.total += 1
        self.failed += failed


@dataclass(frozen=True)
class Switchover:
    """One VM's, from its turn to its end.

    :param waited_seconds: since its base sync was through, so that its last delta can be taken off.
    :param change_bytes_per_second: of this VM, if its bytes were reported.
    """

    migration: str
    seconds: float
    waited_seconds: float
    change_bytes_per_second: float | None


@dataclass
class Evidence:
    """Samples of all runs that can be learnt from."""

    runs: int = 0
    flows: list[tuple[str, list[Flow]]] = field(default_factory=list)
    """Per run and mesh: its name, and the base syncs that went through it."""
    changed_bytes: float = 0.0
    changed_seconds: float = 0.0
    change_samples: int = 0
    switchovers: list[Switchover] = field(default_factory=list)
    unextends: list[float] = field(default_factory=list)
    """From the accepted unextend to the moment at which the destination routed."""
    reactions: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in _GATES})
    base_syncs: Tally = field(default_factory=Tally)
    switched: Tally = field(default_factory=Tally)
    unextended: Tally = field(default_factory=Tally)
    notes: list[str] = field(default_factory=list)


def evidence_of(reports: Iterable[WaveReport]) -> Evidence:
    """Return the samples that reports hold."""
    evidence, left_out = Evidence(), Counter[str]()
    for report in reports:
        if report.rehearsal:
            left_out["rehearsals, which only show what the parameters put into them"] += 1
        elif report.virtual_sites:
            left_out["runs on simulated sites, whose clock is not the run's"] += 1
        else:
            _take(report, evidence)
    evidence.notes += [f"left out: {count} {what}" for what, count in left_out.items()]
    return evidence


def _take(report: WaveReport, evidence: Evidence) -> None:
    evidence.runs += 1
    meshes = {vm.name: vm.mesh for vm in (report.forecast.vms if report.forecast is not None else ()) if vm.mesh}
    by_mesh: dict[str, list[Flow]] = {}
    for row in report.vms:
        flow = _flow(row)
        if flow is not None:
            by_mesh.setdefault(meshes.get(row.name) or row.service_mesh_id or "", []).append(flow)
        _take_changes(row, evidence)
        _take_failures(row, evidence)
    evidence.flows += sorted(by_mesh.items())
    evidence.switchovers += _switchovers(report.vms)
    for segment in report.segments:
        _take_segment(segment, evidence)
    for approval in report.approvals:
        kind = approval.gate.rpartition(".")[2]
        if kind in evidence.reactions and approval.decision in _ANSWERS and approval.asked_at and approval.at:
            evidence.reactions[kind].append(max(1.0, (approval.at - approval.asked_at).total_seconds()))
    if report.vms and not any(row.course for row in report.vms):
        evidence.notes.append(f"{report.wave} {report.run_id}: was written before reports kept the course of each VM")


def _flow(row: VmRow) -> Flow | None:
    """Return a base sync; None if nobody saw its end, or it sent nothing."""
    course = row.course
    if course is None or not course.base_bytes or row.migration not in _REPLICATED:
        return None
    began = course.entered(VmPhase.BASE_SYNC) or row.begun_at
    ended = course.transfer_ended_at
    if began is None or ended is None or ended <= began:
        return None
    return Flow(began.timestamp(), ended.timestamp(), float(course.base_bytes))


def _take_changes(row: VmRow, evidence: Evidence) -> None:
    found = _changes(row)
    if found is not None:
        evidence.changed_bytes += found[0]
        evidence.changed_seconds += found[1]
        evidence.change_samples += 1


def _changes(row: VmRow) -> tuple[float, float] | None:
    """Return the bytes that a VM has written anew during its migration, and in how many seconds."""
    course = row.course
    if course is None or row.migration not in _REPLICATED or not row.outcome.is_at_destination:
        return None
    began = course.entered(VmPhase.BASE_SYNC) or row.begun_at
    switched = course.entered(VmPhase.SWITCHOVER)
    if not course.base_bytes or not course.last_bytes or began is None or switched is None or switched <= began:
        return None
    if course.last_bytes <= course.base_bytes:
        return None
    return float(course.last_bytes - course.base_bytes), (switched - began).total_seconds()


def _take_failures(row: VmRow, evidence: Evidence) -> None:
    if row.course is None or row.outcome not in (VmOutcome.MIGRATED, VmOutcome.MISPLACED, VmOutcome.FAILED):
        return
    failed = row.outcome is VmOutcome.FAILED
    has_switched = any(one.phase is VmPhase.SWITCHOVER for one in row.course.phases)
    if row.migration in _REPLICATED:
        evidence.base_syncs.count(failed=failed and not has_switched)
    if has_switched or not failed:
        evidence.switched.count(failed=failed)


def _switchovers(rows: Iterable[VmRow]) -> Iterator[Switchover]:
    """Yield the switchovers whose beginning is known: by two looks, or as the one before it on its mesh had ended."""
    listed = [row for row in rows if row.outcome.is_at_destination and row.ended_at is not None]
    last: dict[str, datetime] = {}
    for row in sorted(listed, key=lambda one: one.ended_at or datetime.min):
        ended = row.ended_at
        course = row.course or VmCourse(name=row.name)
        seen = next((one for one in course.phases if one.phase is VmPhase.SWITCHOVER), None)
        lane = row.service_mesh_id or "" if row.migration == MigrationType.RAV.value else row.migration
        before = last.get(lane)
        if ended is not None:
            last[lane] = ended
        if seen is None or seen.not_before is None or ended is None:
            continue
        began = seen.entered_at
        in_line = row.migration in (MigrationType.RAV.value, MigrationType.VMOTION.value)
        if in_line and before is not None and seen.not_before <= before <= seen.seen_at:
            began = before
        if began is None or ended <= began:
            continue
        transferred = course.transfer_ended_at
        waited = 0.0 if transferred is None else max(0.0, (began - transferred).total_seconds())
        changes = _changes(row)
        rate = None if changes is None else changes[0] / changes[1]
        yield Switchover(row.migration, (ended - began).total_seconds(), waited, rate)


def _take_segment(segment: SegmentRow, evidence: Evidence) -> None:
    removal, outage = segment.removal, segment.outage
    if removal is None or removal.already_gone:
        return
    evidence.unextended.count(failed=segment.outcome is not SegmentOutcome.CUT_OVER)
    if outage is None or outage.ended_before is None or removal.adopted:
        return
    ended = outage.ended_before
    if outage.ended_after is not None:
        ended = outage.ended_after + (outage.ended_before - outage.ended_after) / 2
    evidence.unextends.append(max(0.0, (ended - removal.accepted_at).total_seconds()))
