"""A report as Markdown, for tickets and change boards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from hcx_waves.migration.verify import VmFacts
from hcx_waves.model.states import WaveOutcome
from hcx_waves.model.times import format_duration
from hcx_waves.report.markup import bullets, code, escape, section, table
from hcx_waves.report.model import Clock, SegmentRow, VmRow, WaveReport

_HEADLINES = {
    WaveOutcome.AS_PLANNED: "Everything moved as planned.",
    WaveOutcome.INCOMPLETE: "Something was left behind.",
    WaveOutcome.REJECTED: "A person said no, or nobody answered in time, which counts as no.",
    WaveOutcome.BLOCKED: "It was kept from starting; nothing was changed.",
    WaveOutcome.DRIFTED: "What was approved was no longer what was there.",
    WaveOutcome.STRANDED: "A segment was left without a confirmed gateway: a person has to act now.",
}


_CLOCKS = {Clock.RUN: "run", Clock.HCX: "HCX"}


def render_markdown(report: WaveReport) -> str:
    """Return a report as Markdown. Times are in UTC; cells are escaped."""
    parts = [
        _head(report),
        section("Reasons", bullets(report.reasons)),
        section("Plan against actual", _deviations(report)),
        section("Forecast against actual", _comparisons(report)),
        section("Virtual machines", _vms(report.vms)),
        section("Segments", _segments(report.segments)),
        section("Approvals", _approvals(report)),
        section("Findings", _findings(report)),
        section("Errors", bullets(_error(one) for one in report.errors)),
        section("Timeline", _timeline(report)),
        section("Notes", bullets(report.notes)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(report: WaveReport) -> str:
    kind = "Rehearsal of wave" if report.rehearsal else "Wave"
    outage = report.longest_outage
    facts = [
        ("Outcome", f"**{report.outcome.value}**: {_HEADLINES[report.outcome]}"),
        ("Run", code(report.run_id)),
        ("Begun", _time(report.begun_at)),
        ("Ended", _time(report.ended_at)),
        ("Plan", code(report.plan_digest or "none")),
        ("Longest outage", "none" if outage is None else str(outage)),
    ]
    return f"# {kind} {escape(report.wave)}\n\n" + "\n".join(f"- {name}: {value}" for name, value in facts)


def _vms(vms: Sequence[VmRow]) -> str:
    header = ("VM", "Outcome", "Type", "Site", "Power", "MAC", "IP", "MoRef", "Remarks")
    return table(header, [_vm(vm) for vm in vms])


def _vm(vm: VmRow) -> tuple[str, ...]:
    readers: tuple[Callable[[VmFacts], str], ...] = (
        lambda facts: facts.site,
        lambda facts: facts.power_state or "not known",
        lambda facts: ", ".join(facts.mac_addresses),
        lambda facts: ", ".join(facts.ip_addresses) or "not reported",
        lambda facts: facts.vm_id,
    )
    remarks = [*vm.reasons, *vm.outstanding]
    remarks += [f"copy kept: {vm.retired_copy}"] if vm.retired_copy else []
    changes = [_arrow(read(vm.before), None if vm.after is None else read(vm.after)) for read in readers]
    return (vm.name, vm.outcome.value, vm.migration, *changes, "; ".join(remarks))


def _segments(segments: Sequence[SegmentRow]) -> str:
    rows = [
        (
            one.segment,
            one.outcome.value,
            "" if one.disconnect is None else one.disconnect.means.value,
            "" if one.outage is None else str(one.outage),
            "" if one.routed is None else one.routed.destination,
            _excluded(one),
            _cleanup(one),
            "; ".join(one.reasons),
        )
        for one in segments
    ]
    header = ("Segment", "Outcome", "Disconnected by", "Outage", "Destination", "Was allowed to be there", "Cleanup",
              "Reasons")  # fmt: skip
    return table(header, rows)


def _excluded(one: SegmentRow) -> str:
    proof = one.disconnect.proof if one.disconnect is not None else one.proof
    return "; ".join(f"{found.name} ({found.kind.value}: {found.reason})" for found in proof.excluded) if proof else ""


def _cleanup(one: SegmentRow) -> str:
    done = []
    if one.deletion is not None:
        done.append("source segment deleted")
    if one.renaming is not None:
        done.append(f"destination named {one.renaming.name}")
    return "; ".join(done)


def _approvals(report: WaveReport) -> str:
    rows = [
        (
            one.gate,
            one.decision,
            one.by or "nobody",
            _time(one.at),
            one.change_reference or "",
            (one.digest or "")[:12],
            one.note,
        )
        for one in report.approvals
    ]
    return table(("Gate", "Decision", "By", "At", "Change", "Plan", "Note"), rows)


def _findings(report: WaveReport) -> str:
    rows = []
    for item in report.assessments.items if report.assessments is not None else ():
        found, waiver = item.finding, item.waiver
        waived = "" if waiver is None else f"{waiver.approved_by} until {waiver.expires}: {waiver.reason}"
        rows.append((found.severity.value, found.finding_id, found.subject, found.message, waived))
    return table(("Severity", "Finding", "Subject", "Message", "Waived by"), rows)


def _deviations(report: WaveReport) -> str:
    rows = [(one.subject, one.planned, one.actual) for one in report.deviations]
    return table(("Subject", "Planned", "Actual"), rows)


def _comparisons(report: WaveReport) -> str:
    rows = [
        (
            one.what,
            *(_length(seconds) for seconds in (one.expected.p50_seconds, one.expected.p95_seconds)),
            "" if one.actual_seconds is None else _length(one.actual_seconds),
            one.judgement,
        )
        for one in report.comparisons
    ]
    return table(("What", "Forecast P50", "Forecast P95", "Actual", "So it is"), rows)


def _length(seconds: float) -> str:
    return format_duration(timedelta(seconds=round(seconds)))


def _timeline(report: WaveReport) -> str:
    rows = [(_time(one.at), _CLOCKS[one.clock], one.what, one.subject) for one in report.timeline]
    if not rows:
        return ""
    return f"{_about_clocks(report)}\n\n{table(('At', 'Clock', 'What', 'Subject'), rows)}"


def _about_clocks(report: WaveReport) -> str:
    if report.rehearsal:
        return "All instants are the twin's virtual time."
    if report.virtual_sites:
        return (
            "The sites are simulated. *HCX* is their virtual time, which runs by itself; *run* is the workers' wall "
            "time. The two cannot be compared, so they stand one after the other."
        )
    return "*HCX* is the manager's own clock; *run* is the workers'."


def _error(data: Mapping[str, object]) -> str:
    parts = [f"{data.get('type')}: {data.get('message')}"]
    if data.get("vendor_message"):
        parts.append(f"vendor says: {data['vendor_message']}")
    if data.get("hint"):
        parts.append(str(data["hint"]))
    return ". ".join(parts)


def _arrow(before: str, after: str | None) -> str:
    return before if after is None or before == after else f"{before} → {after}"


def _time(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
