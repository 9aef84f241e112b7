"""The summary of a wave's rehearsals as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hcx_waves.model.expectation import Spread
from hcx_waves.model.times import format_duration
from hcx_waves.rehearsals.model import RehearsedFinding
from hcx_waves.rehearsals.summary import FindingChanges, NightRow, Quantity, RehearsalSummary
from hcx_waves.report.markup import bullets, code, escape, section, table

NAMES = {
    "transfer_end": "Transfers over, after the start",
    "switchover_queue": "Switchover queue, its length",
    "cutover_start": "Cutover begins, after the start",
    "end": "Everything over, after the start",
}


def render_summary(summary: RehearsalSummary) -> str:
    """Return a summary as Markdown; clock times are in the wave's zone, and cells are escaped."""
    parts = [
        f"# Rehearsals of wave {escape(summary.wave)}\n\n" + _head(summary),
        section("Since the last night", _since(summary)),
        section("Rehearsed against forecast", _quantities(summary)),
        section("Outage by segment", _spreads(summary.outages, {})),
        section("Faults", _faults(summary)),
        section("Findings", _findings(summary.findings)),
        section("How findings came and went", _changes(summary.changes)),
        section("Nights", _nights(summary)),
        section("Records that cannot be read", bullets(summary.problems)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def length(seconds: float) -> str:
    """Return a length of time for people; tenths of a second below a minute."""
    return f"{seconds:.1f}s" if abs(seconds) < 60 else format_duration(timedelta(seconds=round(seconds)))


def counted(summary: RehearsalSummary) -> str:
    """Say which nights the figures are about."""
    count, total = len(summary.counted), len(summary.nights)
    if count == total:
        return f"{count} nights" if count != 1 else "one night"
    return f"{count} nights without faults, of {total}"


def fitting(summary: RehearsalSummary) -> str:
    """Say how many of the counted nights fitted; empty without windows."""
    if summary.fitting is None:
        return ""
    share = 100 * summary.fitting / len(summary.counted)
    return f"{summary.fitting} of {len(summary.counted)} nights ({share:.0f} %)"


def _head(summary: RehearsalSummary) -> str:
    first, last = summary.nights[0].night, summary.nights[-1].night
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in summary.outcomes.items())
    facts = [("Nights", f"{len(summary.nights)}, from {first} to {last}"), ("Outcomes", escape(outcomes))]
    fits = fitting(summary)
    if fits:
        facts.append(("As planned and within the windows", f"**{fits}**"))
    if summary.forecast is not None and summary.forecast.window_chance is not None:
        facts.append(("Forecast chance to stay within the windows", f"{summary.forecast.window_chance:.0%}"))
    if summary.snapshot is not None:
        taken = summary.snapshot.taken_at
        when = "" if taken is None else f", taken {_local(taken, summary.time_zone)}"
        facts.append(("Inventory", code(summary.snapshot.snapshot_id[:12]) + when))
    facts.append(("Figures", f"of {counted(summary)}; time zone {escape(summary.time_zone)}"))
    return "\n".join(f"- {name}: {value}" for name, value in facts)


def _since(summary: RehearsalSummary) -> str:
    changes = summary.since_last_night
    if changes is None:
        return ""
    if changes.is_nothing:
        return f"The findings of {changes.night} are those of {changes.before}."
    return _changes([changes])


def _changes(changes: Sequence[FindingChanges]) -> str:
    header = ("Night", "Finding", "Subject", "Severity", "What changed", "Message")
    return table(header, [row for one in changes for row in _change_rows(one)])


def _change_rows(changes: FindingChanges) -> Iterator[tuple[str, ...]]:
    words: list[tuple[str, Iterable[RehearsedFinding]]] = [("appeared", changes.appeared), ("gone", changes.gone)]
    for word, findings in words:
        for one in findings:
            yield (str(changes.night), one.finding_id, one.subject, _severity(one), word, one.message)
    for pair in changes.changed:
        now = pair.now
        yield (
            str(changes.night),
            now.finding_id,
            now.subject,
            _severity(now),
            f"was {_severity(pair.before)}",
            now.message,
        )


def _severity(finding: RehearsedFinding) -> str:
    return f"{finding.severity.value}, waived" if finding.waived else finding.severity.value


def _quantities(summary: RehearsalSummary) -> str:
    return _spreads(summary.quantities, NAMES)


def _spreads(quantities: Sequence[Quantity], names: dict[str, str]) -> str:
    header = ("What", "Nights", "P50", "P90", "P95", "Least", "Most", "Forecast P50", "Forecast P90", "Forecast P95")
    rows = [
        (
            names.get(one.name, one.name),
            str(one.count),
            *_figures(one.spread),
            length(one.least_seconds),
            length(one.most_seconds),
            *_figures(one.expected),
        )
        for one in quantities
    ]
    return table(header, rows)


def _figures(spread: Spread | None) -> tuple[str, str, str]:
    if spread is None:
        return ("", "", "")
    return (length(spread.p50_seconds), length(spread.p90_seconds), length(spread.p95_seconds))


def _faults(summary: RehearsalSummary) -> str:
    rows = [
        (
            ", ".join(one.faults),
            ", ".join(str(night) for night in one.nights),
            ", ".join(f"{count} {outcome}" for outcome, count in one.outcomes.items()),
            str(one.fitting),
            one.verdict,
        )
        for one in summary.faults
    ]
    return table(("Faults", "Nights", "Outcomes", "Fitted all the same", "The last time"), rows)


def _findings(findings: Sequence[RehearsedFinding]) -> str:
    rows = [(_severity(one), one.finding_id, one.subject, one.message) for one in findings]
    return table(("Severity", "Finding", "Subject", "Message"), rows)


def _nights(summary: RehearsalSummary) -> str:
    zone = summary.time_zone
    header = ("Night", "Outcome", "Faults", "Begun", "Transfers over", "Over", "Windows close", "Fits",
              "Longest outage", "What came out")  # fmt: skip
    return table(header, [_night(one, zone) for one in summary.nights])


def _night(row: NightRow, zone: str) -> tuple[str, ...]:
    instants = (row.starts_at, row.transfer_ended_at, row.ended_at, row.closes_at)
    begun, transferred, over, closes = (_local(one, zone) for one in instants)
    fits = "" if row.fits is None else "yes" if row.fits else "no"
    longest = length(max(row.outages.values())) if row.outages else ""
    outcome = row.outcome.value
    return (str(row.night), outcome, ", ".join(row.faults), begun, transferred, over, closes, fits, longest,
            row.verdict)  # fmt: skip


def _local(moment: datetime | None, zone: str) -> str:
    return "" if moment is None else f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M %Z}"
