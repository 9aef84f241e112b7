"""What each gate shows: plan, findings, and what happens after a yes. The same for the same facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hcx_airflow.gates.forecast_body import forecast_part, outage_text
from hcx_waves.model.choices import CutoverPolicy
from hcx_waves.model.expectation import Expectation
from hcx_waves.model.formatting import period, size
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

MOST_ROWS = 200
_VM_HEAD = ("VM", "Migration", "Size", "NICs", "Destination", "This run")
_SEGMENT_HEAD = ("Segment", "Gateway", "At the source", "At the destination", "Cutover", "Window", "Expected outage")


@dataclass(frozen=True)
class GateView:
    """What a gate shows.

    :param segment: the segment that it is about; None for a gate of the whole run.
    :param not_due: for a cleanup, why segments are left alone, by name.
    """

    plan: WavePlan
    wave: Wave
    scope: Scope
    segment: str | None = None
    assessments: Assessments | None = None
    forecast: Expectation | None = None
    seeded: WaveStatus | None = None
    proofs: tuple[VmProof, ...] = ()
    emptiness: EmptyProof | None = None
    not_due: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def planned(self) -> PlannedSegment:
        """The segment that it is about, as planned."""
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
            f"The gateway of {bold(segment.name)} moves to the destination now: the source gateway is switched off "
            f"({segment.disconnect}), then HCX unextends the network and connects {code(segment.destination.name)}."
        ),
        f"Outage of the segment: {outage_text(view.forecast, segment.name)}. Until HCX has accepted the unextend, a "
        "failure connects the source again; after that the way back is a decision.",
        f"Window: {_window(view.plan, view.plan.clock.cutover(segment.name))}",
        _section("Its virtual machines", _table(("VM", "Outcome", "Proof"), rows)),
        _emptiness(view.emptiness),
        Markdown(f"{_digest(view.plan)}, wave {escape(view.wave.name)}"),
    )


def switchover_body(view: GateView) -> Markdown:
    """Return what is shown before replicated VMs switch over."""
    plan, window = view.plan, view.plan.clock.switchover
    rows = ((vm.name, vm.phase, vm.message) for vm in (view.seeded.vms if view.seeded else ()))
    order = ", ".join(plan.switchover_order)
    return document(
        "The disks are replicated. If you approve, the VMs switch over to the destination.",
        "Window: at once" if window is None else f"Window: {_window(plan, window)}",
        f"These go first, one after the other: {order}." if order else "",
        _table(("VM", "Phase", "HCX says"), rows),
        _digest(plan),
    )


def manual_body(view: GateView) -> Markdown:
    """Return what a person does to disconnect a segment, and how to undo it."""
    name = bold(str(view.segment))
    manual = view.wave.segment(str(view.segment)).manual
    if manual is None:
        return Markdown(f"Disconnect segment {name} at the source.")
    return document(
        Markdown(
            f"The cutover of {name} is approved. Disconnect its gateway at the source now; the outage begins with it."
        ),
        _section("What to do", fence(manual.instructions, "text")),
        _section("How to undo it", fence(manual.undo_instructions, "text")),
        "Approve when it is done: it is checked. Reject if it cannot be done, and undo what was done.",
        f"Window: {_window(view.plan, view.plan.clock.cutover(str(view.segment)))}",
    )


def cleanup_body(view: GateView) -> Markdown:
    """Return what is shown before source segments are deleted."""
    rows = (
        (one.name, *_cleaned(one, view.not_due.get(one.name)))
        for one in view.plan.segments
        if one.cutover is CutoverPolicy.NOW
    )
    wave = bold(view.wave.name)
    return document(
        Markdown(f"The hold of wave {wave} is over. If you approve, source segments are deleted for good."),
        _table(("Segment", "At the source", "At the destination"), rows),
        _digest(view.plan),
    )


def _section(title: str, body: str) -> Markdown:
    return section(title, body, level=3)


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Markdown:
    return table(head, rows, most=MOST_ROWS, rest="the plan holds all of them")


def _digest(plan: WavePlan) -> Markdown:
    return Markdown(f"Plan digest {code(plan.digest())}")


def _cleaned(segment: PlannedSegment, not_due: str | None) -> tuple[str, str]:
    if not_due is not None:
        return f"left alone: {not_due}", "as it is"
    name = segment.rename_destination
    return "deleted" if segment.deletes_source else "kept", f"renamed to {name}" if name else "as it is"


def _what(plan: WavePlan, scope: Scope, count: int) -> Markdown:
    moved = bold(f"{count} of {len(plan.vms)} VMs")
    way = escape(f"from {plan.source.endpoint_name} to {plan.destination.endpoint_name}")
    text = f"Moves {moved} {way}."
    if scope.cutover_only:
        text += " This run moves no VM, it only cuts segments over."
    if scope.stop_before_cutover:
        text += " This run ends before the cutover: every segment stays as it is."
    if plan.clock.switchover is not None:
        text += f" Switchover: {_window(plan, plan.clock.switchover)}."
    return Markdown(text)


def _vm_row(vm: PlannedVm, moving: set[str]) -> tuple[str, ...]:
    target = [one.name for one in (vm.cluster, vm.resource_pool, vm.folder, vm.datastore) if one is not None]
    disks = "" if vm.disk_bytes is None else size(vm.disk_bytes)
    nics = ", ".join(f"{nic.source.name} → {nic.destination.name}" for nic in vm.nics)
    this_run = "moves" if vm.name in moving else "there already" if vm.already_there else "stays"
    return (vm.name, vm.migration.value, disks, nics, ", ".join(target), this_run)


def _segment_row(segment: PlannedSegment, view: GateView) -> tuple[str, ...]:
    plan, scope = view.plan, view.scope
    cut = segment.cutover is CutoverPolicy.NOW and not scope.stop_before_cutover
    return (
        segment.name,
        ", ".join(segment.gateway_addresses),
        segment.source.name,
        segment.destination.name,
        segment.cutover.value if cut or segment.cutover is not CutoverPolicy.NOW else "not in this run",
        _window(plan, plan.clock.cutover(segment.name)) if cut else "",
        outage_text(view.forecast, segment.name) if cut else "none",
    )


def _findings(assessments: Assessments | None) -> Markdown:
    if assessments is None or not assessments.items:
        return Markdown("None.")
    rows = (
        (
            "Waived" if item.waiver else item.finding.severity.label,
            item.finding.subject,
            item.finding.message,
            _answered_for(item.waiver) if item.waiver else item.finding.suggestion,
        )
        for item in assessments.items
    )
    return _table(("Severity", "Subject", "Finding", "Waived by / action"), rows)


def _answered_for(waiver: Waiver) -> str:
    return f"{waiver.approved_by}, until {waiver.expires}: {waiver.reason}"


def _emptiness(proof: EmptyProof | None) -> Markdown:
    if proof is None:
        return Markdown()
    ports = "" if proof.nsx_port_count is None else f", {proof.nsx_port_count} NSX ports"
    seen = f"The segment is empty at the source (networks {', '.join(proof.vcenter_networks)}{ports})."
    return document(seen, bullets(f"{one.name}: {one.reason}" for one in proof.excluded))


def _proven(proof: VmProof) -> str:
    words = "; ".join([*proof.reasons, *proof.outstanding])
    return words or ("power, MAC and IP as before" if proof.is_proven else "not proven")


def _window(plan: WavePlan, window: TimeWindow) -> str:
    return period(window.opens, window.closes, plan.clock.time_zone)
