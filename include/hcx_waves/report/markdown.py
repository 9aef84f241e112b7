"""Write a report as Markdown, for tickets and change boards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hcx_waves.migration.verify import VmFacts
from hcx_waves.model.choices import Disconnect
from hcx_waves.model.formatting import MISSING, duration, instant
from hcx_waves.model.states import WaveOutcome, label_of
from hcx_waves.report.markup import Markdown, bold, bullets, code, document, facts, section, table
from hcx_waves.report.model import Clock, SegmentRow, VmRow, WaveReport

_ADVICE = {
    WaveOutcome.REJECTED: " No answer in time counts as a rejection.",
    WaveOutcome.BLOCKED: " Nothing was changed.",
    WaveOutcome.STRANDED: " A person has to act now.",
}
_CLOCKS = {Clock.RUN: "run", Clock.HCX: "HCX"}
_DECISIONS = {"approve": "Approved", "reject": "Rejected", "no answer": "No answer", "no decision": "No decision"}
_MEANS = {Disconnect.NSX: "NSX", Disconnect.HOOK: "Command", Disconnect.MANUAL: "A person"}


def render_markdown(report: WaveReport) -> str:
    """Return a report as Markdown. Times are in UTC; texts are escaped."""
    parts = [
        _head(report),
        section("Reasons", bullets(report.reasons)),
        section("Deviations from the plan", _deviations(report)),
        section("Forecast and actual", _comparisons(report)),
        section("Virtual machines", _vms(report.vms)),
        section("Segments", _segments(report.segments)),
        section("Approvals", _approvals(report)),
        section("Findings", _findings(report)),
        section("Errors", bullets(_error(one) for one in report.errors)),
        section("Timeline", _timeline(report)),
        section("Notes", bullets(report.notes)),
    ]
    return document(*parts) + "\n"


def _head(report: WaveReport) -> Markdown:
    kind = "Rehearsal of wave" if report.rehearsal else "Wave"
    outage, outcome = report.longest_outage, report.outcome
    listed = facts(
        [
            ("Outcome", Markdown(f"{bold(outcome.label)}: {outcome.sentence}.{_ADVICE.get(outcome, '')}")),
            ("Run", code(report.run_id)),
            ("Begun", instant(report.begun_at, seconds=True) or MISSING),
            ("Ended", instant(report.ended_at, seconds=True)),
            ("Plan digest", code(report.plan_digest or "none")),
            ("Longest outage", "none" if outage is None else str(outage)),
        ]
    )
    return section(f"{kind} {report.wave}", listed, level=1)


def _vms(vms: Sequence[VmRow]) -> Markdown:
    header = ("VM", "Outcome", "Migration type", "Site", "Power state", "MAC", "IP", "MoRef", "Remarks")
    return table(header, [_vm(vm) for vm in vms])


def _vm(vm: VmRow) -> tuple[str, ...]:
    readers: tuple[Callable[[VmFacts], str], ...] = (
        lambda facts: facts.site,
        lambda facts: facts.power_state or "unknown",
        lambda facts: ", ".join(facts.mac_addresses),
        lambda facts: ", ".join(facts.ip_addresses) or "not reported",
        lambda facts: facts.vm_id,
    )
    remarks = [*vm.reasons, *vm.outstanding]
    remarks += [f"copy kept: {vm.retired_copy}"] if vm.retired_copy else []
    changes = [_arrow(read(vm.before), None if vm.after is None else read(vm.after)) for read in readers]
    return (vm.name, vm.outcome.label, vm.migration, *changes, "; ".join(remarks))


def _segments(segments: Sequence[SegmentRow]) -> Markdown:
    rows = [
        (
            one.segment,
            one.outcome.label,
            "" if one.disconnect is None else _MEANS[one.disconnect.means],
            "" if one.outage is None else str(one.outage),
            "" if one.routed is None else one.routed.destination,
            _excluded(one),
            _cleanup(one),
            "; ".join(one.reasons),
        )
        for one in segments
    ]
    header = ("Segment", "Outcome", "Disconnected by", "Outage", "Destination", "Allowed exceptions", "Cleanup",
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


def _approvals(report: WaveReport) -> Markdown:
    rows = [
        (
            code(one.gate),
            _DECISIONS.get(one.decision, one.decision),
            one.by or MISSING,
            instant(one.at, seconds=True),
            one.change_reference or "",
            (one.digest or "")[:12],
            one.note,
        )
        for one in report.approvals
    ]
    return table(("Gate", "Decision", "By", "Time", "Change reference", "Plan digest", "Note"), rows)


def _findings(report: WaveReport) -> Markdown:
    rows = []
    for item in report.assessments.items if report.assessments is not None else ():
        found, waiver = item.finding, item.waiver
        waived = "" if waiver is None else waiver.sentence
        rows.append((found.severity.label, found.finding_id, found.subject, found.message, waived))
    return table(("Severity", "Finding", "Subject", "Message", "Waived by"), rows)


def _deviations(report: WaveReport) -> Markdown:
    rows = [(one.subject, _capital(one.planned), _capital(one.actual)) for one in report.deviations]
    return table(("Subject", "Planned", "Actual"), rows)


def _capital(text: str) -> str:
    # Reports of older releases hold outcomes as they are stored.
    words = label_of(text)
    return words[:1].upper() + words[1:]


def _comparisons(report: WaveReport) -> Markdown:
    rows = [
        (
            one.what,
            *(duration(seconds) for seconds in (one.expected.p50_seconds, one.expected.p95_seconds)),
            MISSING if one.actual_seconds is None else duration(one.actual_seconds),
            _capital(one.judgement),
        )
        for one in report.comparisons
    ]
    return table(("Quantity", "Forecast P50", "Forecast P95", "Actual", "Assessment"), rows)


def _timeline(report: WaveReport) -> Markdown:
    rows = [(instant(one.at, seconds=True), _CLOCKS[one.clock], one.what, one.subject) for one in report.timeline]
    return document(_about_clocks(report), table(("Time", "Clock", "Event", "Subject"), rows)) if rows else Markdown()


def _about_clocks(report: WaveReport) -> Markdown:
    if report.rehearsal:
        return Markdown("All times are the twin's virtual time.")
    if report.virtual_sites:
        return Markdown(
            "The sites are simulated. *HCX* is their virtual time, which runs by itself; *run* is the workers' wall "
            "time. The two cannot be compared, so the events of one follow those of the other."
        )
    return Markdown("*HCX* is the HCX manager's clock; *run* is the workers' clock.")


def _error(data: Mapping[str, object]) -> str:
    parts = [f"{data.get('type')}: {data.get('message')}"]
    if data.get("vendor_message"):
        parts.append(f"Message of the vendor: {data['vendor_message']}")
    if data.get("hint"):
        parts.append(str(data["hint"]))
    return ". ".join(parts)


def _arrow(before: str, after: str | None) -> str:
    return before if after is None or before == after else f"{before} → {after}"
