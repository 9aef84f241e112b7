"""What a gate shows: the plan in tables, what was found, and what a yes will do. The same for the same facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hcx_airflow.runs.body_parts import cell, table
from hcx_airflow.runs.forecast_body import forecast_part, outage_text
from hcx_airflow.runs.scope import Scope
from hcx_waves.model.choices import CutoverPolicy
from hcx_waves.model.expectation import Expectation
from hcx_waves.model.plan import PlannedSegment, PlannedVm, WavePlan
from hcx_waves.model.schedule import TimeWindow
from hcx_waves.wavefile.wave import Wave

_VM_HEAD = ("VM", "Migration", "Size", "NICs", "Destination", "This run")


def wave_body(
    plan: WavePlan,
    wave: Wave,
    scope: Scope,
    findings: Mapping[str, Any] | None,
    forecast: Expectation | None = None,
) -> str:
    """Return the body of ``approve_wave``."""
    moving = set(scope.moves(plan))
    parts = [
        wave.description,
        _what(plan, scope, len(moving)),
        "### Virtual machines",
        table(_VM_HEAD, (_vm_row(vm, moving) for vm in plan.vms)),
        "### Segments",
        table(
            ("Segment", "Gateway", "At the source", "At the destination", "Cutover", "Window", "Expected outage"),
            (_segment_row(one, plan, scope, forecast) for one in plan.segments),
        ),
        "### Forecast",
        forecast_part(forecast, plan.clock),
        "### Findings",
        _findings(findings),
        _notes(scope),
        f"Plan digest `{plan.digest()}`",
    ]
    return "\n\n".join(part for part in parts if part)


def cutover_body(
    plan: WavePlan,
    wave: Wave,
    name: str,
    proof: Mapping[str, Any] | None,
    proofs: Sequence[Any],
    forecast: Expectation | None = None,
) -> str:
    """Return the body of ``approve_cutover``."""
    segment = plan.segment(name)
    window = plan.clock.cutover(name)
    moved = {vm.name for vm in plan.vms_of(name)}
    rows = ((cell(one["name"]), cell(one["outcome"]), _proven(one)) for one in proofs if one["name"] in moved)
    parts = [
        f"The gateway of **{name}** moves to the destination now: the source gateway is switched off "
        f"({segment.disconnect}), then HCX unextends the network and connects `{segment.destination.name}`.",
        f"Outage of the segment: {outage_text(forecast, name)}. Until HCX has accepted the unextend, a failure "
        "connects the source again; after that the way back is a decision.",
        f"Window: {_window(plan, window)}",
        "### Its virtual machines",
        table(("VM", "Outcome", "Proof"), rows),
        _emptiness(proof),
        f"Plan digest `{plan.digest()}`, wave {wave.name}",
    ]
    return "\n\n".join(part for part in parts if part)


def switchover_body(plan: WavePlan, status: Mapping[str, Any] | None) -> str:
    """Return the body of ``approve_switchover``."""
    window = plan.clock.switchover
    rows = (
        (cell(vm["name"]), cell(vm["phase"]), cell(vm.get("message") or "")) for vm in (status or {}).get("vms", [])
    )
    order = f"In this order first: {', '.join(plan.switchover_order)}." if plan.switchover_order else ""
    parts = [
        "The disks are replicated. A yes lets the VMs switch over to the destination.",
        "Window: at once" if window is None else f"Window: {_window(plan, window)}",
        order,
        table(("VM", "Phase", "HCX says"), rows),
        f"Plan digest `{plan.digest()}`",
    ]
    return "\n\n".join(part for part in parts if part)


def manual_body(plan: WavePlan, wave: Wave, name: str) -> str:
    """Return the body of ``confirm_disconnected``: what a person does, and how to undo it."""
    manual = wave.segment(name).manual
    if manual is None:
        return f"Disconnect segment **{name}** at the source."
    parts = [
        f"The cutover of **{name}** is approved. Disconnect its gateway at the source now; the outage begins with it.",
        "### What to do",
        cell(manual.instructions),
        "### How to undo it",
        cell(manual.undo_instructions),
        "Approve when it is done: it is checked. Reject if it cannot be done, and undo what was done.",
        f"Window: {_window(plan, plan.clock.cutover(name))}",
    ]
    return "\n\n".join(parts)


def cleanup_body(plan: WavePlan, wave: Wave, not_due: Mapping[str, str | None]) -> str:
    """Return the body of ``approve_cleanup``.

    :param not_due: why segments are left alone, by name.
    """
    rows = (
        (cell(one.name), *_cleaned(one, not_due.get(one.name)))
        for one in plan.segments
        if one.cutover is CutoverPolicy.NOW
    )
    parts = [
        f"The hold of wave **{wave.name}** is over. A yes deletes source segments for good.",
        table(("Segment", "At the source", "At the destination"), rows),
        f"Plan digest `{plan.digest()}`",
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


def _segment_row(
    segment: PlannedSegment, plan: WavePlan, scope: Scope, forecast: Expectation | None
) -> tuple[str, ...]:
    cut = segment.cutover is CutoverPolicy.NOW and not scope.stop_before_cutover
    window = _window(plan, plan.clock.cutover(segment.name)) if cut else ""
    return (
        cell(segment.name),
        cell(", ".join(segment.gateway_addresses)),
        cell(segment.source.name),
        cell(segment.destination.name),
        segment.cutover.value if cut or segment.cutover is not CutoverPolicy.NOW else "not in this run",
        window,
        outage_text(forecast, segment.name) if cut else "none",
    )


def _findings(assessments: Mapping[str, Any] | None) -> str:
    items = (assessments or {}).get("items") or []
    if not items:
        return "None."
    rows = (
        (
            "waived" if item.get("waiver") else item["finding"]["severity"],
            cell(item["finding"]["subject"]),
            cell(item["finding"]["message"]),
            cell((item.get("waiver") or {}).get("approved_by") or item["finding"].get("suggestion") or ""),
        )
        for item in items
    )
    return table(("Severity", "About", "What is the case", "Answered for by, or what to do"), rows)


def _notes(scope: Scope) -> str:
    return "" if not scope.notes else f"### Notes\n\n{cell(scope.notes)}"


def _emptiness(proof: Mapping[str, Any] | None) -> str:
    if not proof:
        return ""
    ports = proof.get("nsx_port_count")
    seen = f"networks {', '.join(proof.get('vcenter_networks') or ())}" + (
        "" if ports is None else f", {ports} NSX ports"
    )
    excluded = "".join(f"\n- {cell(one['name'])}: {cell(one['reason'])}" for one in proof.get("excluded") or ())
    return f"The segment is empty at the source ({cell(seen)}).{excluded}"


def _proven(proof: Mapping[str, Any]) -> str:
    words = "; ".join([*proof.get("reasons", ()), *proof.get("outstanding", ())])
    return cell(words or ("as before: power, MAC and IP" if proof.get("proven") else "not proven"))


def _window(plan: WavePlan, window: TimeWindow) -> str:
    opens, closes = plan.clock.local(window.opens), plan.clock.local(window.closes)
    return f"{opens:%Y-%m-%d %H:%M} to {closes:%Y-%m-%d %H:%M} {plan.clock.time_zone}"
