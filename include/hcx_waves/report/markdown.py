"""Write a report as Markdown, for tickets and change boards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hcx_waves.guide.entries import has_entry, url_of
from hcx_waves.migration.verify import VmFacts
from hcx_waves.model.choices import Disconnect
from hcx_waves.model.formatting import MISSING, counted, duration, instant
from hcx_waves.model.states import WaveOutcome, label_of
from hcx_waves.report.markup import Markdown, bold, bullets, code, document, escape, facts, link, section, table
from hcx_waves.report.model import Clock, SegmentRow, VmRow, WaveReport
from hcx_waves.run.failures import Failure
from hcx_waves.run.observed import OutageState

_ADVICE = {
    WaveOutcome.REJECTED: " No answer in time counts as a rejection.",
    WaveOutcome.STRANDED: " A person has to act now.",
}
_CLOCKS = {Clock.RUN: "run", Clock.HCX: "HCX"}
_DECISIONS = {"approve": "Approved", "reject": "Rejected", "no answer": "No answer", "no decision": "No decision"}
_MEANS = {Disconnect.NSX: "NSX", Disconnect.HOOK: "Command", Disconnect.MANUAL: "A person"}


def render_markdown(report: WaveReport) -> str:
    """Return a report as Markdown. Times are in UTC; texts are escaped."""
    parts = [
        _running(report),
        _head(report),
        section("What to do now", _remedies(report)),
        section("Reasons", bullets(report.reasons)),
        section("Deviations from the plan", _deviations(report)),
        section("Forecast and actual", _comparisons(report)),
        section("What went wrong", _failures(report)),
        section("Stalls", _stalls(report)),
        section("Virtual machines", document(_vms(report.vms), _unverified(report))),
        section("Segments", _segments(report.segments)),
        section("Approvals", _approvals(report)),
        section("Findings", _findings(report)),
        section("Errors", bullets(_error(one) for one in report.errors if not _is_shown(one, report))),
        section("Timeline", _timeline(report)),
        section("Notes", bullets(report.notes)),
    ]
    return document(*parts) + "\n"


def _running(report: WaveReport) -> Markdown:
    """Return the outages that were running when somebody looked last, a line each: nothing is more urgent."""
    lines = []
    for one in report.running_outages:
        seen = one.seen_outage
        if seen is None:
            continue
        since = "" if seen.since is None else f" since {instant(seen.since, seconds=True)}"
        count = "" if one.vm_count is None else f", {counted(one.vm_count, 'VM')}"
        title = bold(f"OUTAGE RUNNING{since}: segment {one.segment}{count}")
        least = f"(at least {seen.at_least_seconds or 0:.1f} s, as of {instant(seen.as_of, seconds=True)})"
        lines.append(Markdown(f"{title} {escape(least)}"))
    return document(*lines)


def _head(report: WaveReport) -> Markdown:
    kind = "Rehearsal of wave" if report.rehearsal else "Cleanup of wave" if report.is_cleanup else "Wave"
    outcome = report.outcome
    advice = _ADVICE.get(outcome, "")
    if outcome is WaveOutcome.BLOCKED:
        advice = "" if report.changed_nothing is False else " Nothing was changed."
    listed = facts(
        [
            ("Outcome", Markdown(f"{bold(outcome.label)}: {outcome.sentence}.{advice}")),
            ("Run", code(report.run_id)),
            ("Begun", instant(report.begun_at, seconds=True) or MISSING),
            ("Ended", instant(report.ended_at, seconds=True)),
            ("Plan digest", code(report.plan_digest or "none")),
            ("Longest outage", _longest_outage(report)),
        ]
    )
    return section(f"{kind} {report.wave}", listed, level=1)


def _longest_outage(report: WaveReport) -> str:
    """Return the longest outage as far as it was observed; what was not observed is never none."""
    longest, running = report.longest_outage, report.running_outages
    if not any(one.seen_outage is not None for one in report.segments):
        # A report of an older release, or a run without a plan.
        return str(longest) if longest is not None else "unknown" if report.plan_digest is None else "none"
    parts = [f"{one.segment} {one.seen_outage}" for one in running]
    over = report.outages_of(OutageState.OVER)
    measured = [one for one in over if one.outage is not None]
    if not running and measured:
        parts.append(str(longest))
    unmeasured = [one for one in (*over, *report.outages_of(OutageState.UNKNOWN)) if one.outage is None]
    parts += [f"{one.segment}: {one.seen_outage}" for one in unmeasured]
    return "; ".join(parts) or "none: this run has switched no gateway"


def _remedies(report: WaveReport) -> Markdown:
    """Return what a person can do next, for each VM, segment or step with which something went wrong."""
    parts = []
    for one in report.failures:
        if one.options or one.next_step:
            parts += [f"{one.subject or one.step}: {one.next_step}", bullets(one.options)]
    return document(*dict.fromkeys(parts))


def _failures(report: WaveReport) -> Markdown:
    rows = [
        (
            one.subject,
            one.step,
            one.what,
            one.words if one.words not in one.what else "",
            one.code,
            code(one.job_id),
            f"{instant(one.at, seconds=True)}{' (HCX)' if one.by_hcx_clock else ''}",
            one.source,
            _next(one),
        )
        for one in report.failures
    ]
    header = ("Subject", "Step", "What happened", "The product's words", "Code", "Job or request", "Time", "Known from",
              "Next step")  # fmt: skip
    return table(header, rows)


def _next(one: Failure) -> Markdown:
    """Return the next step, and where the guide says more."""
    guide = Markdown(f" ({_guide(one.guide_id)})") if has_entry(one.guide_id) else Markdown()
    return Markdown(f"{escape(one.next_step)}{guide}")


def _stalls(report: WaveReport) -> Markdown:
    """Return what stood, the open ones first; nobody has seen those end."""
    rows = [
        (
            _guide(one.stall_id),
            one.subject,
            one.what,
            one.span,
            f"{_limit(one.limit_seconds)}{', passed' if one.is_past_limit else ''}",
            one.source,
            f"{one.what_to_do} {one.button}" if one.is_open else "",
        )
        for one in sorted(report.stalls, key=lambda stall: not stall.is_open)
    ]
    return table(("Stall", "Subject", "What was seen", "From and to", "Limit", "Known from", "What to do"), rows)


def _limit(seconds: float | None) -> str:
    return MISSING if not seconds else duration(seconds)


def _guide(entry_id: str) -> Markdown:
    """Return an id that leads to its entry in the guide."""
    return link(entry_id, url_of(entry_id)) if has_entry(entry_id) else escape(entry_id)


def _is_shown(error: Mapping[str, object], report: WaveReport) -> bool:
    """Whether an error is among what went wrong already."""
    said = str(error.get("message") or "")
    parts = [part for one in report.failures for part in (one.what, one.words)]
    return bool(said) and any(part and (said in part or part in said) for part in parts)


def _unverified(report: WaveReport) -> str:
    if all(vm.after is not None for vm in report.vms):
        return ""
    return "What has no verification shows power state and addresses as they were when the plan was made."


def _vms(vms: Sequence[VmRow]) -> Markdown:
    header = ("VM", "Outcome", "Migration type", "Site", "Power state", "MAC", "IP", "MoRef", "Last seen", "Remarks")
    return table(header, [_vm(vm) for vm in vms])


def _vm(vm: VmRow) -> tuple[str, ...]:
    readers: tuple[Callable[[VmFacts], str], ...] = (
        lambda facts: facts.power_state or "unknown",
        lambda facts: ", ".join(facts.mac_addresses),
        lambda facts: ", ".join(facts.ip_addresses) or "not reported",
        lambda facts: facts.vm_id,
    )
    remarks = [*vm.reasons, *vm.outstanding, *vm.changes]
    remarks += [f"copy kept: {vm.retired_copy}"] if vm.retired_copy else []
    changes = [_arrow(read(vm.before), None if vm.after is None else read(vm.after)) for read in readers]
    seen = "" if vm.seen_site is None else str(vm.seen_site)
    return (vm.name, vm.outcome.label, vm.migration, _site(vm), *changes, seen, "; ".join(remarks))


def _site(vm: VmRow) -> str:
    """Return where a VM was, and where it was seen last; the plan alone says nothing about now."""
    if vm.after is not None:
        return _arrow(vm.before.site, vm.after.site)
    if vm.seen_site is None:
        return f"{vm.before.site} when planned"
    if vm.seen_site.moved_since:
        return f"unknown; {vm.before.site} when planned"
    return _arrow(vm.before.site, vm.seen_site.site)


def _segments(segments: Sequence[SegmentRow]) -> Markdown:
    rows = [
        (
            one.segment,
            one.outcome.label,
            "" if one.disconnect is None else _MEANS[one.disconnect.means],
            _outage(one),
            "not looked at" if one.seen_gateways is None else str(one.seen_gateways),
            "" if one.routed is None else one.routed.destination,
            _excluded(one),
            _cleanup(one),
            "; ".join(one.reasons),
        )
        for one in segments
    ]
    header = ("Segment", "Outcome", "Disconnected by", "Outage", "Gateways", "Destination", "Allowed exceptions",
              "Cleanup", "Reasons")  # fmt: skip
    return table(header, rows)


def _outage(one: SegmentRow) -> str:
    if one.seen_outage is not None:
        return str(one.seen_outage)
    return "" if one.outage is None else str(one.outage)


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
        rows.append((found.severity.label, _guide(found.finding_id), found.subject, found.message, waived))
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
    fit = None if report.forecast is None else report.forecast.window_fit
    return document(
        table(("Quantity", "Forecast P50", "Forecast P95", "Actual", "Assessment"), rows),
        escape(f"Forecast before the start: {' '.join(fit.sentences('UTC'))}") if fit is not None else Markdown(""),
    )


def _timeline(report: WaveReport) -> Markdown:
    rows = [
        (instant(one.at, seconds=True), _CLOCKS[one.clock], one.what, one.subject, one.by) for one in report.timeline
    ]
    header = ("Time", "Clock", "Event", "Subject", "Approved by")
    return document(_about_clocks(report), table(header, rows)) if rows else Markdown()


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
