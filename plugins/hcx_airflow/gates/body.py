"""The body of each gate: a brief first, then the details. The same facts give the same text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hcx_airflow.gates.asking import Asking
from hcx_airflow.gates.brief import brief, findings_in_short
from hcx_airflow.gates.forecast_body import chance_text, end_text, forecast_part, longest_outage, outage_text
from hcx_airflow.gates.groups import Row, vm_table
from hcx_airflow.gates.recheck_body import changes_part
from hcx_waves.model.choices import CutoverPolicy, Disconnect, DiskFormat
from hcx_waves.model.expectation import Expectation
from hcx_waves.model.formatting import counted, listed, period, size
from hcx_waves.model.plan import PlannedSegment, PlannedVm, WavePlan
from hcx_waves.model.schedule import TimeWindow
from hcx_waves.report.markup import Markdown, bold, bullets, code, document, escape, fence, section, table
from hcx_waves.run.scope import Scope
from hcx_waves.wavefile.wave import Wave

if TYPE_CHECKING:
    from hcx_waves.cutover.emptiness import EmptyProof
    from hcx_waves.migration.status import WaveStatus
    from hcx_waves.migration.verify import VmProof
    from hcx_waves.model.findings import Assessment, Assessments
    from hcx_waves.preflight.repeat import Recheck
    from hcx_waves.rescue.recovery import Recovery

MOST_ROWS = 200
_VM_HEAD = ("Migration type", "Networks", "Placement", "Options", "In this run")
_SEGMENT_HEAD = ("Segment", "Gateway", "Source", "Destination", "Cutover", "Cutover window", "Expected outage")
_MEANS = {
    Disconnect.NSX: "through NSX",
    Disconnect.HOOK: "by the command in the wave file",
    Disconnect.MANUAL: "by hand; the next gate shows the instructions",
}
_PLAN_LISTS = "the plan (XCom of resolve_plan) lists all of them"
_VERIFY_LISTS = "the log of verify_virtual_machines lists all of them"
_SEEDED_LISTS = "the XCom of await_seeded lists all of them"
_MOST_NAMES = 5
_USUAL = frozenset({"retain_mac"})
"""Options that are shown only where they are not what they are unless set."""


@dataclass(frozen=True)
class GateView:
    """The facts that a gate shows.

    :param segment: the segment that the gate is for; None for a gate of the whole run.
    :param no_forecast: why there is no forecast; empty if that is not known.
    :param not_due: for a cleanup, why segments are not cleaned up, by name.
    :param asking: who may answer and until when.
    """

    plan: WavePlan
    wave: Wave
    scope: Scope
    segment: str | None = None
    assessments: Assessments | None = None
    forecast: Expectation | None = None
    no_forecast: str = ""
    seeded: WaveStatus | None = None
    recheck: Recheck | None = None
    proofs: tuple[VmProof, ...] = ()
    emptiness: EmptyProof | None = None
    not_due: Mapping[str, str | None] = field(default_factory=dict)
    asking: Asking | None = None
    recovery: Recovery | None = None

    @property
    def planned(self) -> PlannedSegment:
        """The plan of the gate's segment."""
        return self.plan.segment(str(self.segment))


def wave_body(view: GateView) -> Markdown:
    """Return what is shown before a wave starts."""
    plan, moving = view.plan, set(view.scope.moves(view.plan))
    return document(
        brief(
            view.asking,
            plan.clock,
            what=_what(plan, view.scope, len(moving)),
            how_many=_how_many(view, moving),
            when=_when(view),
            outage=_outage(view),
            chance=chance_text(view.forecast, plan.clock, view.no_forecast),
            findings=findings_in_short(view.assessments),
        ),
        _section("Notes", view.scope.notes or ""),
        _section("Findings", _findings(view.assessments)),
        _section("Virtual machines", _planned_vms(plan, moving)),
        _section("Segments", _table(_SEGMENT_HEAD, (_segment_row(one, view) for one in plan.segments))),
        _section("Forecast", forecast_part(view.forecast, plan.clock, view.no_forecast)),
        _section("Description", view.wave.description),
        _digest(plan),
    )


def cutover_body(view: GateView) -> Markdown:
    """Return what is shown before a segment's gateway moves."""
    segment, clock = view.planned, view.plan.clock
    moved = {vm.name for vm in view.plan.vms_of(segment.name)}
    proofs = [one for one in view.proofs if one.name in moved]
    rows = [Row(one.name, (one.outcome.label, _proven(one))) for one in proofs]
    verified = sum(one.is_proven and not one.outstanding for one in proofs)
    return document(
        brief(
            view.asking,
            clock,
            what=Markdown(
                f"If you approve, the gateway of {bold(segment.name)} moves to the destination. If you reject, the "
                "segment stays stretched and keeps its gateway at the source."
            ),
            how_many=f"{counted(len(moved), 'VM')} of the wave on this segment; {verified} verified at the destination",
            when=f"At once. The cutover window is {_window(view.plan, clock.cutover(segment.name))}",
            outage=outage_text(view.forecast, segment.name),
            chance=chance_text(view.forecast, clock, view.no_forecast, before_start=True),
            findings=findings_in_short(view.assessments),
        ),
        Markdown(
            f"The source gateway is disconnected ({_MEANS[segment.disconnect]}). Then HCX unextends the network and "
            f"connects {code(segment.destination.name)}. {_way_back(segment)}"
        ),
        _emptiness(view.emptiness),
        _section("To be checked by hand", _by_hand(view.emptiness)),
        _section("Virtual machines", vm_table(("Outcome", "Verification"), rows, _VERIFY_LISTS)),
        Markdown(f"{_digest(view.plan)}, wave {escape(view.wave.name)}"),
    )


def switchover_body(view: GateView) -> Markdown:
    """Return what is shown before replicated VMs switch over."""
    plan, window = view.plan, view.plan.clock.switchover
    vms = view.seeded.vms if view.seeded else ()
    rows = [Row(vm.name, (_phase(vm.phase), vm.message)) for vm in vms]
    order = ", ".join(plan.switchover_order)
    phases = Counter(_phase(vm.phase).lower() for vm in vms)
    return document(
        brief(
            view.asking,
            plan.clock,
            what="If you approve, the VMs that wait for their switchover switch over to the destination. If you "
            "reject, they stay at the source and HCX holds their migrations until they are cancelled.",
            how_many=f"{counted(len(vms), 'VM')}: {', '.join(f'{count} {phase}' for phase, count in phases.items())}"
            if vms
            else "unknown: no result of await_seeded can be read",
            when="No switchover window; the switchovers start as soon as you approve"
            if window is None
            else f"The switchover window is {_window(plan, window)}",
            outage="Each VM pauses for its own switchover. No gateway moves before the next gate",
            chance=chance_text(view.forecast, plan.clock, view.no_forecast, before_start=True),
            findings=findings_in_short(view.assessments),
        ),
        f"These VMs switch over first, one after the other: {order}." if order else "",
        _section("Changes since the approval of the wave", changes_part(view.recheck, MOST_ROWS)),
        _section("Virtual machines", vm_table(("Phase", "HCX message"), rows, _SEEDED_LISTS)),
        _digest(plan),
    )


def manual_body(view: GateView) -> Markdown:
    """Return how a person disconnects a segment at the source, and how to undo it."""
    name = bold(str(view.segment))
    manual = view.wave.segment(str(view.segment)).manual
    vms = view.plan.vms_of(str(view.segment))
    shown = brief(
        view.asking,
        view.plan.clock,
        what=Markdown(
            f"Disconnect the source gateway of {name} now, by the instructions below. Approve when the gateway is "
            "off: the next task checks it. If you cannot do it, undo what you have done, then reject."
        ),
        how_many=f"{counted(len(vms), 'VM')} of the wave on this segment",
        when=f"Now. The cutover window is {_window(view.plan, view.plan.clock.cutover(str(view.segment)))}",
        outage=f"It begins when the gateway is off. {outage_text(view.forecast, str(view.segment))}",
    )
    return document(
        shown,
        _section("Instructions", fence(manual.instructions, "text") if manual else "The wave file has none."),
        _section("How to undo", fence(manual.undo_instructions, "text") if manual else ""),
        _digest(view.plan),
    )


def cleanup_body(view: GateView) -> Markdown:
    """Return what is shown before a cleanup deletes or renames segments."""
    cut = [one for one in view.plan.segments if one.cutover is CutoverPolicy.NOW]
    due = [one for one in cut if view.not_due.get(one.name) is None]
    deleted = [one.name for one in due if one.deletes_source]
    wave = bold(view.wave.name)
    return document(
        brief(
            view.asking,
            view.plan.clock,
            what=Markdown(
                f"If you approve, the cleanup of wave {wave} changes the segments as listed below. A segment that is "
                "deleted cannot be restored. If you reject, nothing changes."
            ),
            how_many=f"{counted(len(due), 'segment')} of {len(cut)}; deleted at the source: "
            f"{listed(deleted, _MOST_NAMES) or 'none'}",
            when="As soon as you approve",
            outage="None: the gateways are at the destination",
        ),
        _table(
            ("Segment", "Source", "Destination"),
            ((one.name, *_cleaned(one, view.not_due.get(one.name))) for one in cut),
        ),
        _digest(view.plan),
    )


def _planned_vms(plan: WavePlan, moving: set[str]) -> Markdown:
    rows = [Row(vm.name, _vm_cells(vm, moving), vm.disk_bytes) for vm in plan.vms]
    return vm_table(_VM_HEAD, rows, _PLAN_LISTS)


def _how_many(view: GateView, moving: set[str]) -> str:
    plan, scope = view.plan, view.scope
    vms = [vm for vm in plan.vms if vm.name in moving]
    types = Counter(vm.migration.value for vm in vms)
    said = f"{len(vms)} of {counted(len(plan.vms), 'VM')}"
    if vms:
        known = [vm.disk_bytes for vm in vms if vm.disk_bytes is not None]
        disks = size(sum(known)) if len(known) == len(vms) else f"at least {size(sum(known))}"
        said += f" ({', '.join(f'{count} {kind}' for kind, count in types.items())}; {disks} provisioned)"
    there = sum(vm.already_there for vm in plan.vms)
    if there:
        said += f", {there} already there"
    cut = [] if scope.stop_before_cutover else [one for one in plan.segments if one.cutover is CutoverPolicy.NOW]
    return f"{said}; {len(cut)} of {counted(len(plan.segments), 'segment')} cut over"


def _when(view: GateView) -> Markdown:
    plan, scope = view.plan, view.scope
    said = [] if scope.cutover_only else ["Replication starts as soon as you approve"]
    if plan.clock.switchover is not None and not scope.cutover_only:
        said.append(f"switchover window {_window(plan, plan.clock.switchover)}")
    windows = () if scope.stop_before_cutover else plan.clock.cutovers
    different = {(one.window.opens, one.window.closes): one.window for one in windows}
    if different:
        first = _window(plan, min(different.values(), key=lambda one: one.opens))
        more = "" if len(different) == 1 else f" and {len(different) - 1} more, see Segments"
        said.append(f"{'cutover window' if said else 'Cutover window'} {first}{more}")
    if view.forecast is not None:
        said.append(end_text(view.forecast, plan.clock))
    return Markdown("; ".join(said))


def _outage(view: GateView) -> str:
    if view.scope.stop_before_cutover:
        return "None: every segment stays stretched"
    cut = [one.name for one in view.plan.segments if one.cutover is CutoverPolicy.NOW]
    if not cut:
        return "None: this wave cuts no segment over"
    if len(cut) == 1:
        return f"{cut[0]}: {outage_text(view.forecast, cut[0])}"
    name, text = longest_outage(view.forecast, cut)
    return f"One for each of {len(cut)} segments; the longest expected: {name + ': ' if name else ''}{text}"


def _section(title: str, body: str) -> Markdown:
    return section(title, body, level=3)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]], rest: str = _PLAN_LISTS) -> Markdown:
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
    return Markdown(text)


def _vm_cells(vm: PlannedVm, moving: set[str]) -> tuple[str, ...]:
    places = (vm.cluster, vm.resource_pool, vm.folder, vm.datastore, vm.storage_policy)
    nics = ", ".join(
        f"{nic.source.name} → {nic.destination.name}{'' if nic.connected else ' (disconnected)'}" for nic in vm.nics
    )
    options = {name.replace("_", " "): value for name, value in vm.options if value is not None and name not in _USUAL}
    if vm.options.retain_mac is False:
        options["retain mac"] = False
    if vm.disk_format is not DiskFormat.SAME_AS_SOURCE:
        options["disk format"] = vm.disk_format.value
    this_run = "Moves" if vm.name in moving else "Already there" if vm.already_there else "Not moved"
    return (
        vm.migration.value,
        nics,
        ", ".join(one.name for one in places if one is not None),
        ", ".join(f"{name}: {_option(value)}" for name, value in options.items()),
        this_run,
    )


def _option(value: object) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


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
    if assessments is None:
        return Markdown("Unknown: no result of run\\_preflight can be read.")
    if not assessments.items:
        return Markdown("None.")
    rows = (
        (
            "Waived" if item.waiver else item.finding.severity.label,
            item.finding.subject,
            item.finding.message,
            item.waiver.sentence if item.waiver else _action(item),
        )
        for item in assessments.items
    )
    rest = "the log of run_preflight lists all of them"
    return _table(("Severity", "Subject", "Finding", "Waived by / action"), rows, rest)


def _action(item: Assessment) -> str:
    expired = f"A waiver has expired ({item.expired.sentence})." if item.expired else ""
    return " ".join(filter(None, (item.finding.suggestion, expired)))


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
