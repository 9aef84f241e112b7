"""Write the summary of a wave's rehearsals as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hcx_waves.model.expectation import TITLES_AFTER_START, Spread
from hcx_waves.model.formatting import MISSING, duration, instant, share
from hcx_waves.model.formatting import counted as number_of
from hcx_waves.model.states import label_of
from hcx_waves.rehearsals.model import RehearsedFinding
from hcx_waves.rehearsals.summary import FindingChanges, NightRow, Quantity, RehearsalSummary
from hcx_waves.report.markup import Markdown, bold, bullets, code, document, facts, section, table


def render_summary(summary: RehearsalSummary) -> str:
    """Return a summary as Markdown; times are in the wave's zone, and texts are escaped."""
    parts = [
        section(f"Rehearsals of wave {summary.wave}", _head(summary), level=1),
        section("Changes since the previous night", _since(summary)),
        section("Rehearsed and forecast", _spreads(summary.quantities, TITLES_AFTER_START)),
        section("Outage by segment", _spreads(summary.outages, {})),
        section("Faults", _faults(summary)),
        section("Findings", _findings(summary.findings)),
        section("Changes in findings", _changes(summary.changes)),
        section("Nights", _nights(summary)),
        section("Unreadable records", bullets(summary.problems)),
    ]
    return document(*parts) + "\n"


def length(seconds: float) -> str:
    """Return a measured length of time; tenths of a second below a minute."""
    return duration(seconds, step_seconds=0.1)


def outcomes_in_words(outcomes: Mapping[str, int]) -> str:
    """Return how many nights ended how: ``5 as planned, 2 incomplete``."""
    return ", ".join(f"{count} {label_of(outcome).lower()}" for outcome, count in outcomes.items())


def counted(summary: RehearsalSummary) -> str:
    """Say which nights the figures are about."""
    count, total = len(summary.counted), len(summary.nights)
    if count == total:
        return number_of(count, "night")
    return f"{number_of(count, 'night')} without faults, of {total}"


def fitting(summary: RehearsalSummary) -> str:
    """Say how many of the counted nights fitted; empty without windows."""
    if summary.fitting is None:
        return ""
    total = len(summary.counted)
    return f"{summary.fitting} of {number_of(total, 'night')} ({share(summary.fitting / total)})"


def _head(summary: RehearsalSummary) -> Markdown:
    first, last = summary.nights[0].night, summary.nights[-1].night
    listed = [
        ("Nights", f"{len(summary.nights)}, from {first} to {last}"),
        ("Outcomes", outcomes_in_words(summary.outcomes)),
    ]
    fits = fitting(summary)
    if fits:
        listed.append(("As planned and within the windows", bold(fits)))
    if summary.forecast is not None and summary.forecast.window_chance is not None:
        listed.append(("Forecast chance of staying within the windows", share(summary.forecast.window_chance)))
    if summary.snapshot is not None:
        taken = instant(summary.snapshot.taken_at, summary.time_zone)
        name = code(summary.snapshot.snapshot_id[:12])
        listed.append(("Inventory snapshot", Markdown(f"{name}, taken {taken}") if taken else name))
    listed.append(("Figures", f"from {counted(summary)}; times in {summary.time_zone}"))
    return facts(listed)


def _since(summary: RehearsalSummary) -> str:
    changes = summary.since_last_night
    if changes is None:
        return ""
    if changes.is_nothing:
        return f"No change: {changes.night} has the same findings as {changes.before}."
    return _changes([changes])


def _changes(changes: Sequence[FindingChanges]) -> Markdown:
    header = ("Night", "Finding", "Subject", "Severity", "Change", "Message")
    return table(header, [row for one in changes for row in _change_rows(one)])


def _change_rows(changes: FindingChanges) -> Iterator[tuple[str, ...]]:
    for change, findings in (("New", changes.appeared), ("Gone", changes.gone)):
        for one in findings:
            yield (str(changes.night), one.finding_id, one.subject, _severity(one), change, one.message)
    for pair in changes.changed:
        now = pair.now
        yield (
            str(changes.night),
            now.finding_id,
            now.subject,
            _severity(now),
            f"Was {_severity(pair.before).lower()}",
            now.message,
        )


def _severity(finding: RehearsedFinding) -> str:
    return f"{finding.severity.label}, waived" if finding.waived else finding.severity.label


def _spreads(quantities: Sequence[Quantity], names: Mapping[str, str]) -> Markdown:
    header = ("Quantity", "Nights", "P50", "P90", "P95", "Minimum", "Maximum", "Forecast P50", "Forecast P90",
              "Forecast P95")  # fmt: skip
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
        return (MISSING, MISSING, MISSING)
    return (length(spread.p50_seconds), length(spread.p90_seconds), length(spread.p95_seconds))


def _faults(summary: RehearsalSummary) -> Markdown:
    rows = [
        (
            ", ".join(one.faults),
            ", ".join(str(night) for night in one.nights),
            outcomes_in_words(one.outcomes),
            str(one.fitting),
            one.verdict,
        )
        for one in summary.faults
    ]
    return table(("Faults", "Nights", "Outcomes", "Within windows", "Latest result"), rows)


def _findings(findings: Sequence[RehearsedFinding]) -> Markdown:
    rows = [(_severity(one), one.finding_id, one.subject, one.message) for one in findings]
    return table(("Severity", "Finding", "Subject", "Message"), rows)


def _nights(summary: RehearsalSummary) -> Markdown:
    header = ("Night", "Outcome", "Faults", "Start", "Base syncs complete", "End", "Last window closes",
              "Within windows", "Longest outage", "Result")  # fmt: skip
    return table(header, [_night(one, summary.time_zone) for one in summary.nights])


def _night(row: NightRow, zone: str) -> tuple[str, ...]:
    instants = (row.starts_at, row.transfer_ended_at, row.ended_at, row.closes_at)
    fits = "" if row.fits is None else "yes" if row.fits else "no"
    longest = length(max(row.outages.values())) if row.outages else ""
    times = (instant(one, zone) for one in instants)
    return (str(row.night), row.outcome.label, ", ".join(row.faults), *times, fits, longest, row.verdict)
