"""The body of each gate: plan, findings, and what an approval does. The same facts give the same text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hcx_airflow.gates.forecast_body import forecast_part, outage_text
from hcx_airflow.gates.recheck_body import changes_part
from hcx_waves.model.choices import CutoverPolicy, Disconnect
from hcx_waves.model.expectation import Expectation
from hcx_waves.model.formatting import counted, period, size
from hcx_waves.model.plan import PlannedSegment, PlannedVm, WavePlan
from hcx_waves.model.schedule import TimeWindow
from hcx_waves.report.markup import Markdown, bold, bullets, code, document, escape, fence, section, table
from hcx_waves.run.scope import Scope
from hcx_waves.wavefile.wave import Wave

if TYPE_CHECKING:
    from hcx_waves.cutover.emptiness import EmptyProof
    from hcx_waves.migration.status import WaveStatus
    from hcx_waves.migration.verify import VmProof
    from hcx_waves.model.findings import Assessments, Waiver
    from hcx_waves.preflight.repeat import Recheck

MOST_ROWS = 200
_VM_HEAD = ("VM", "Migration type", "Disk size", "Networks", "Placement", "In this run")
_SEGMENT_HEAD = ("Segment", "Gateway", "Source", "Destination", "Cutover", "Cutover window", "Expected outage")
_MEANS = {
    Disconnect.NSX: "through NSX",
    Disconnect.HOOK: "by the command in the wave file",
    Disconnect.MANUAL: "by hand; the next gate shows the instructions",
}
_PLAN_LISTS = "the plan (XCom of resolve_plan) lists all of them"
_VERIFY_LISTS = "the log of verify_virtual_machines lists all of them"


@dataclass(frozen=True)
class GateView:
    """The facts that a gate shows.

    :param segment: the segment that the gate is for; None for a gate of the whole run.
    :param not_due: for a cleanup, why segments are not cleaned up, by name.
    """

    plan: WavePlan
    wave: Wave
    scope: Scope
    segment: str | None = None
    assessments: Assessments | None = None
    forecast: Expectation | None = None
    seeded: WaveStatus | None = None
    recheck: Recheck | None = None
    proofs: tuple[VmProof, ...] = ()
    emptiness: EmptyProof | None = None
    not_due: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def planned(self) -> PlannedSegment:
        """The plan of the gate's segment."""
        return self.plan.segment(str(self.segment))


def wave_body(view: GateView) -> Markdown:
    """Return what is shown before a wave starts."""
    plan, moving = view.plan, set(view.scope.moves(view.plan))
    return document(
        view.wave.description,
        _what(plan, view.scope, len(moving)),
        _section("Virtual machines", _table(_VM_HEAD, (_vm_row(vm, moving) for vm in plan.vms))),
        _section("Segments", _table(_SEGMENT_HEAD, (_segment_row(one, view) for one in plan.segments))),
        _section("Forecast", forecast_part(view.forecast, plan.clock)),
        _section("Findings", _findings(view.assessments)),
        _section("Notes", view.scope.notes or ""),
        _digest(plan),
    )


def cutover_body(view: GateView) -> Markdown:
    """Return what is shown before a segment's gateway moves."""
    segment = view.planned
    moved = {vm.name for vm in view.plan.vms_of(segment.name)}
    rows = ((one.name, one.outcome.label, _proven(one)) for one in view.proofs if one.name in moved)
    return document(
        Markdown(
            f"If you approve, the gateway of {bold(segment.name)} moves to the destination. The source gateway is "
            f"disconnected ({_MEANS[segment.disconnect]}); then HCX unextends the network and connects "
            f"{code(segment.destination.name)}. If you reject, the segment stays stretched and keeps its gateway at "
            "the source."
        ),
        f"Expected outage: {outage_text(view.forecast, segment.name)}. {_way_back(segment)}",
        f"Cutover window: {_window(view.plan, view.plan.clock.cutover(segment.name))}",
        _section("Virtual machines", _table(("VM", "Outcome", "Verification"), rows, _VERIFY_LISTS)),
        _emptiness(view.emptiness),
        _section("To be checked by hand", _by_hand(view.emptiness)),
        Markdown(f"{_digest(view.plan)}, wave {escape(view.wave.name)}"),
    )


def switchover_body(view: GateView) -> Markdown:
    """Return what is shown before replicated VMs switch over."""
    plan, window = view.plan, view.plan.clock.switchover
    rows = ((vm.name, _phase(vm.phase), vm.message) for vm in (view.seeded.vms if view.seeded else ()))
    order = ", ".join(plan.switchover_order)
    return document(
        "If you approve, the VMs that wait for their switchover switch over to the destination. If you reject, they "
        "stay at the source and HCX holds their migrations until they are cancelled.",
        "Switchover window: "
        f"{'none; the switchovers start as soon as you approve' if window is None else _window(plan, window)}",
        f"These VMs switch over first, one after the other: {order}." if order else "",
        _section("Changes since the approval of the wave", changes_part(view.recheck, MOST_ROWS)),
        _table(("VM", "Phase", "HCX message"), rows, "the XCom of await_seeded lists all of them"),
        _digest(plan),
    )


def manual_body(view: GateView) -> Markdown:
    """Return how a person disconnects a segment at the source, and how to undo it."""
    name = bold(str(view.segment))
    manual = view.wave.segment(str(view.segment)).manual
    if manual is None:
        return Markdown(f"Disconnect segment {name} at the source, then approve.")
    return document(
        Markdown(
            f"Disconnect the source gateway of {name} now. The cutover is approved, and the outage begins when the "
            "gateway is off."
        ),
        f"Cutover window: {_window(view.plan, view.plan.clock.cutover(str(view.segment)))}",
        "Approve when the gateway is off: the next task checks it. If you cannot do it, undo what you have done, "
        "then reject.",
        _section("Instructions", fence(manual.instructions, "text")),
        _section("How to undo", fence(manual.undo_instructions, "text")),
    )


def cleanup_body(view: GateView) -> Markdown:
    """Return what is shown before a cleanup deletes or renames segments."""
    rows = (
        (one.name, *_cleaned(one, view.not_due.get(one.name)))
        for one in view.plan.segments
        if one.cutover is CutoverPolicy.NOW
    )
    wave = bold(view.wave.name)
    return document(
        Markdown(
            f"If you approve, the cleanup of wave {wave} changes the segments as listed below. A segment that is "
            "deleted cannot be restored. If you reject, nothing changes."
        ),
        _table(("Segment", "Source", "Destination"), rows),
        _digest(view.plan),
    )


def _section(title: str, body: str) -> Markdown:
    return section(title, body, level=3)


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]], rest: str = _PLAN_LISTS) -> Markdown:
    return table(head, rows, most=MOST_ROWS, rest=rest)


def _digest(plan: WavePlan) -> Markdown:
    return Markdown(f"Plan digest {code(plan.digest())}")


def _cleaned(segment: PlannedSegment, not_due: str | None) -> tuple[str, str]:
    if not_due is not None:
        return f"Unchanged: {not_due}", "Unchanged"
    name = segment.rename_destination
    return "Deleted" if segment.deletes_source else "Kept", f"Renamed to {name}" if name else "Unchanged"


def _what(plan: WavePlan, scope: Scope, count: int) -> Markdown:
    moved = bold(f"{count} of {counted(len(plan.vms), 'VM')}")
    way = escape(f"from {plan.source.endpoint_name} to {plan.destination.endpoint_name}")
    text = f"If you approve, HCX starts to migrate {moved} {way}."
    if scope.cutover_only:
        text = f"If you approve, this run cuts segments over ({way}). It moves no VMs."
    elif not count:
        text = f"If you approve, this run continues without a migration: it has no VM to move {way}."
    text += " If you reject, this run changes nothing."
    if scope.stop_before_cutover:
        text += " The run stops before the cutover: every segment stays stretched."
    if plan.clock.switchover is not None:
        text += f" Switchover window: {_window(plan, plan.clock.switchover)}."
    return Markdown(text)


def _vm_row(vm: PlannedVm, moving: set[str]) -> tuple[str, ...]:
    target = [one.name for one in (vm.cluster, vm.resource_pool, vm.folder, vm.datastore) if one is not None]
    disks = "" if vm.disk_bytes is None else size(vm.disk_bytes)
    nics = ", ".join(f"{nic.source.name} → {nic.destination.name}" for nic in vm.nics)
    this_run = "Moves" if vm.name in moving else "Already there" if vm.already_there else "Not moved"
    return (vm.name, vm.migration.value, disks, nics, ", ".join(target), this_run)


def _segment_row(segment: PlannedSegment, view: GateView) -> tuple[str, ...]:
    plan, scope = view.plan, view.scope
    cut = segment.cutover is CutoverPolicy.NOW and not scope.stop_before_cutover
    return (
        segment.name,
        ", ".join(segment.gateway_addresses),
        segment.source.name,
        segment.destination.name,
        segment.cutover.capitalize() if cut or segment.cutover is not CutoverPolicy.NOW else "Not in this run",
        _window(plan, plan.clock.cutover(segment.name)) if cut else "",
        outage_text(view.forecast, segment.name) if cut else "none",
    )


def _by_hand(proof: EmptyProof | None) -> Markdown:
    """Return what the proof noticed, and what no product tells: unknown is not nobody."""
    if proof is None or not (proof.noticed or proof.unknown):
        return Markdown("Nothing.")
    return bullets([*proof.noticed, *(f"Not known: {one}" for one in proof.unknown)])


def _findings(assessments: Assessments | None) -> Markdown:
    if assessments is None or not assessments.items:
        return Markdown("None.")
    rows = (
        (
            "Waived" if item.waiver else item.finding.severity.label,
            item.finding.subject,
            item.finding.message,
            _waived_by(item.waiver) if item.waiver else item.finding.suggestion,
        )
        for item in assessments.items
    )
    rest = "the log of run_preflight lists all of them"
    return _table(("Severity", "Subject", "Finding", "Waived by / action"), rows, rest)


def _waived_by(waiver: Waiver) -> str:
    return f"{waiver.approved_by}, until {waiver.expires}: {waiver.reason}"


def _emptiness(proof: EmptyProof | None) -> Markdown:
    if proof is None:
        return Markdown()
    ports = "" if proof.nsx_port_count is None else f"; {counted(proof.nsx_port_count, 'port')} that NSX lists"
    seen = f"The segment is empty at the source. Checked: {', '.join(proof.vcenter_networks)}{ports}."
    allowed = bullets(f"{one.name}: {one.reason}" for one in proof.excluded)
    return document(seen, "Allowed exceptions:" if allowed else "", allowed)


def _way_back(segment: PlannedSegment) -> str:
    after = "After that, nothing is undone automatically: a person decides."
    if segment.disconnect is Disconnect.MANUAL:
        return f"If a step fails before HCX accepts the unextend, connect the source gateway again by hand. {after}"
    return f"If a step fails before HCX accepts the unextend, the run connects the source gateway again. {after}"


def _phase(phase: str) -> str:
    return phase.replace("_", " ").capitalize()


def _proven(proof: VmProof) -> str:
    words = "; ".join([*proof.reasons, *proof.outstanding, *proof.changes])
    return words or ("Power state, MAC and IP addresses unchanged" if proof.is_proven else "Not verified")


def _window(plan: WavePlan, window: TimeWindow) -> str:
    return period(window.opens, window.closes, plan.clock.time_zone)
