"""What each gate shows: plan, findings, and what happens after a yes. The same for the same facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hcx_airflow.gates.forecast_body import forecast_part, outage_text
from hcx_airflow.gates.parts import cell, fenced, table
from hcx_waves.model.choices import CutoverPolicy
from hcx_waves.model.expectation import Expectation
from hcx_waves.model.plan import PlannedSegment, PlannedVm, WavePlan
from hcx_waves.model.schedule import TimeWindow
from hcx_waves.run.scope import Scope
from hcx_waves.wavefile.wave import Wave

if TYPE_CHECKING:
    from hcx_waves.cutover.emptiness import EmptyProof
    from hcx_waves.migration.status import WaveStatus
    from hcx_waves.migration.verify import VmProof
    from hcx_waves.model.findings import Assessments, Waiver

_VM_HEAD = ("VM", "Migration", "Size", "NICs", "Destination", "This run")


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


def wave_body(view: GateView) -> str:
    """Return what is shown before a wave starts."""
    plan, moving = view.plan, set(view.scope.moves(view.plan))
    parts = [
        view.wave.description,
        _what(plan, view.scope, len(moving)),
        "### Virtual machines",
        table(_VM_HEAD, (_vm_row(vm, moving) for vm in plan.vms)),
        "### Segments",
        table(
            ("Segment", "Gateway", "At the source", "At the destination", "Cutover", "Window", "Expected outage"),
            (_segment_row(one, view) for one in plan.segments),
        ),
        "### Forecast",
        forecast_part(view.forecast, plan.clock),
        "### Findings",
        _findings(view.assessments),
        _notes(view.scope),
        f"Plan digest `{plan.digest()}`",
    ]
    return "\n\n".join(part for part in parts if part)


def cutover_body(view: GateView) -> str:
    """Return what is shown before a segment's gateway moves."""
    segment = view.planned
    moved = {vm.name for vm in view.plan.vms_of(segment.name)}
    rows = ((cell(one.name), cell(one.outcome), _proven(one)) for one in view.proofs if one.name in moved)
    parts = [
        f"The gateway of **{cell(segment.name)}** moves to the destination now: the source gateway is switched off "
        f"({segment.disconnect}), then HCX unextends the network and connects `{segment.destination.name}`.",
        f"Outage of the segment: {outage_text(view.forecast, segment.name)}. Until HCX has accepted the unextend, a "
        "failure connects the source again; after that the way back is a decision.",
        f"Window: {_window(view.plan, view.plan.clock.cutover(segment.name))}",
        "### Its virtual machines",
        table(("VM", "Outcome", "Proof"), rows),
        _emptiness(view.emptiness),
        f"Plan digest `{view.plan.digest()}`, wave {view.wave.name}",
    ]
    return "\n\n".join(part for part in parts if part)


def switchover_body(view: GateView) -> str:
    """Return what is shown before replicated VMs switch over."""
    plan, window = view.plan, view.plan.clock.switchover
    rows = ((cell(vm.name), cell(vm.phase), cell(vm.message)) for vm in (view.seeded.vms if view.seeded else ()))
    order = ", ".join(cell(name) for name in plan.switchover_order)
    parts = [
        "The disks are replicated. If you approve, the VMs switch over to the destination.",
        "Window: at once" if window is None else f"Window: {_window(plan, window)}",
        f"These go first, one after the other: {order}." if order else "",
        table(("VM", "Phase", "HCX says"), rows),
        f"Plan digest `{plan.digest()}`",
    ]
    return "\n\n".join(part for part in parts if part)


def manual_body(view: GateView) -> str:
    """Return what a person does to disconnect a segment, and how to undo it."""
    name = cell(str(view.segment))
    manual = view.wave.segment(str(view.segment)).manual
    if manual is None:
        return f"Disconnect segment **{name}** at the source."
    parts = [
        f"The cutover of **{name}** is approved. Disconnect its gateway at the source now; the outage begins with it.",
        "### What to do",
        fenced(manual.instructions),
        "### How to undo it",
        fenced(manual.undo_instructions),
        "Approve when it is done: it is checked. Reject if it cannot be done, and undo what was done.",
        f"Window: {_window(view.plan, view.plan.clock.cutover(str(view.segment)))}",
    ]
    return "\n\n".join(parts)


def cleanup_body(view: GateView) -> str:
    """Return what is shown before source segments are deleted."""
    rows = (
        (cell(one.name), *_cleaned(one, view.not_due.get(one.name)))
        for one in view.plan.segments
        if one.cutover is CutoverPolicy.NOW
    )
    parts = [
        f"The hold of wave **{view.wave.name}** is over. If you approve, source segments are deleted for good.",
        table(("Segment", "At the source", "At the destination"), rows),
        f"Plan digest `{view.plan.digest()}`",
    ]
    return "\n\n".join(parts)


def _cleaned(segment: PlannedSegment, not_due: str | None) -> tuple[str, str]:
    if not_due is not None:
        return cell(f"left alone: {not_due}"), "as it is"
    name = segment.rename_destination
    return "deleted" if segment.deletes_source else "kept", cell(f"renamed to {name}" if name else "as it is")


def _what(plan: WavePlan, scope: Scope, count: int) -> str:
    way = f"from {plan.source.endpoint_name} to {plan.destination.endpoint_name}"
    text = f"Moves **{count} of {len(plan.vms)} VMs** {way}."
    if scope.cutover_only:
        text += " This run moves no VM, it only cuts segments over."
    if scope.stop_before_cutover:
        text += " This run ends before the cutover: every segment stays as it is."
    if plan.clock.switchover is not None:
        text += f" Switchover: {_window(plan, plan.clock.switchover)}."
    return text


def _vm_row(vm: PlannedVm, moving: set[str]) -> tuple[str, ...]:
    target = [one.name for one in (vm.cluster, vm.resource_pool, vm.folder, vm.datastore) if one is not None]
    size = "" if vm.disk_bytes is None else f"{vm.disk_bytes / 2**30:.0f} GiB"
    nics = ", ".join(f"{nic.source.name} → {nic.destination.name}" for nic in vm.nics)
    this_run = "moves" if vm.name in moving else "there already" if vm.already_there else "stays"
    return (cell(vm.name), vm.migration.value, size, cell(nics), cell(", ".join(target)), this_run)


def _segment_row(segment: PlannedSegment, view: GateView) -> tuple[str, ...]:
    plan, scope = view.plan, view.scope
    cut = segment.cutover is CutoverPolicy.NOW and not scope.stop_before_cutover
    window = _window(plan, plan.clock.cutover(segment.name)) if cut else ""
    return (
        cell(segment.name),
        cell(", ".join(segment.gateway_addresses)),
        cell(segment.source.name),
        cell(segment.destination.name),
        segment.cutover.value if cut or segment.cutover is not CutoverPolicy.NOW else "not in this run",
        window,
        outage_text(view.forecast, segment.name) if cut else "none",
    )


def _findings(assessments: Assessments | None) -> str:
    if assessments is None or not assessments.items:
        return "None."
    rows = (
        (
            "waived" if item.waiver else item.finding.severity.value,
            cell(item.finding.subject),
            cell(item.finding.message),
            cell(_answered_for(item.waiver) if item.waiver else item.finding.suggestion),
        )
        for item in assessments.items
    )
    return table(("Severity", "Subject", "Finding", "Waived by / action"), rows)


def _answered_for(waiver: Waiver) -> str:
    return f"{waiver.approved_by}, until {waiver.expires}: {waiver.reason}"


def _notes(scope: Scope) -> str:
    return "" if not scope.notes else f"### Notes\n\n{cell(scope.notes)}"


def _emptiness(proof: EmptyProof | None) -> str:
    if proof is None:
        return ""
    ports = "" if proof.nsx_port_count is None else f", {proof.nsx_port_count} NSX ports"
    seen = f"networks {', '.join(proof.vcenter_networks)}{ports}"
    excluded = "".join(f"\n- {cell(one.name)}: {cell(one.reason)}" for one in proof.excluded)
    return f"The segment is empty at the source ({cell(seen)}).{excluded}"


def _proven(proof: VmProof) -> str:
    words = "; ".join([*proof.reasons, *proof.outstanding])
    return cell(words or ("power, MAC and IP as before" if proof.is_proven else "not proven"))


def _window(plan: WavePlan, window: TimeWindow) -> str:
    opens, closes = plan.clock.local(window.opens), plan.clock.local(window.closes)
    return f"{opens:%Y-%m-%d %H:%M} to {closes:%Y-%m-%d %H:%M} {plan.clock.time_zone}"
