"""Write the summary of a wave's rehearsals as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from hcx_waves.model.expectation import TITLES_AFTER_START, Spread
from hcx_waves.model.formatting import MISSING, duration, instant, share
from hcx_waves.model.formatting import counted as number_of
from hcx_waves.model.states import label_of
from hcx_waves.rehearsals.model import RehearsedFinding
from hcx_waves.rehearsals.summary import FaultResult, FindingChanges, NightRow, Quantity, RehearsalSummary
from hcx_waves.report.markup import Markdown, bold, bullets, code, document, facts, section, table

_ORIGINS = {"backfill": "backfill", "scheduled": "scheduled", "manual": "by hand"}


def render_summary(summary: RehearsalSummary) -> str:
    """Return a summary as Markdown; times are in the wave's zone, and texts are escaped."""
    parts = [
        section(f"Rehearsals of wave {summary.wave}", _head(summary), level=1),
        section("Results by fault", _faults(summary)),
        section("Changes since the previous night", _since(summary)),
        section("Rehearsed and forecast", _spreads(summary.quantities, TITLES_AFTER_START)),
        section("Outage by segment", _spreads(summary.outages, {})),
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
    return _of_nights(summary.fitting, len(summary.counted))


def fitting_of_all(summary: RehearsalSummary) -> str:
    """Say how many of all nights fitted, those with faults included; empty without windows."""
    return "" if summary.fitting_of_all is None else _of_nights(summary.fitting_of_all, len(summary.nights))


def nights_by_origin(summary: RehearsalSummary) -> str:
    """Say how many nights there are and where their runs come from: ``7: 6 backfill, 1 scheduled``."""
    counts = Counter(origin_of(one.run_id) for one in summary.nights)
    said = ", ".join(f"{count} {origin}" for origin, count in counts.most_common() if origin)
    return f"{len(summary.nights)}{f': {said}' if said else ''}"


def origin_of(run_id: str | None) -> str:
    """Return where a run comes from, as Airflow's run ids say; empty if it does not."""
    prefix = (run_id or "").partition("__")[0]
    return _ORIGINS.get(prefix, "")


def longest_outage(summary: RehearsalSummary) -> str:
    """Say how long any segment had no gateway on any night; an outage without a known end is never left out."""
    found = summary.longest_outage
    if found is None:
        return "none: no gateway was switched off"
    unknown = f"{number_of(found.unknown, 'outage')} of unknown length" if found.unknown else ""
    if found.seconds is None:
        return unknown
    faults = f", with {', '.join(found.faults)}" if found.faults else ""
    said = f"{length(found.seconds)} (segment {found.segment}, night {found.night}{faults})"
    return f"at least {said}; {unknown}" if unknown else said


def results_by_fault(summary: RehearsalSummary) -> tuple[FaultResult, ...]:
    """Return what the nights have led to, those without faults first."""
    return (*([summary.unfaulted] if summary.unfaulted else []), *summary.faults)


def _of_nights(count: int, total: int) -> str:
    # A share of one night says nothing that the night does not.
    return f"{count} of {number_of(total, 'night')}" + (f" ({share(count / total)})" if total > 1 else "")


def _head(summary: RehearsalSummary) -> Markdown:
    first, last = summary.nights[0].night, summary.nights[-1].night
    listed = [
        ("Nights", f"{nights_by_origin(summary)}, from {first} to {last}"),
        ("Outcomes", bold(outcomes_in_words(summary.outcomes))),
        ("Longest outage of any night", longest_outage(summary)),
    ]
    fits = fitting_of_all(summary)
    if fits:
        listed.append(("As planned and within the windows, all nights", fits))
        if len(summary.counted) != len(summary.nights):
            listed.append(("The same, nights without faults", fitting(summary)))
    if summary.forecast is not None and summary.forecast.window_chance is not None:
        listed.append(("Forecast chance of staying within the windows", share(summary.forecast.window_chance)))
    if summary.forecast is not None and summary.forecast.window_fit is not None:
        listed.append(("What would fit", " ".join(summary.forecast.window_fit.sentences(summary.time_zone))))
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
            *_figures(one.spread if one.count > 1 else None),
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
            ", ".join(one.faults) or "none",
            ", ".join(str(night) for night in one.nights),
            outcomes_in_words(one.outcomes),
            str(one.fitting),
            one.verdict,
        )
        for one in results_by_fault(summary)
    ]
    return table(("Faults", "Nights", "Outcomes", "Within windows", "Latest result"), rows)


def _findings(findings: Sequence[RehearsedFinding]) -> Markdown:
    rows = [(_severity(one), one.finding_id, one.subject, one.message) for one in findings]
    return table(("Severity", "Finding", "Subject", "Message"), rows)


def _nights(summary: RehearsalSummary) -> Markdown:
    header = ("Night", "Outcome", "Faults", "Start", "Base syncs complete", "End", "Last window closes",
              "Within windows", "Longest outage", "Run", "Result")  # fmt: skip
    return table(header, [_night(one, summary.time_zone) for one in summary.nights])


def _night(row: NightRow, zone: str) -> tuple[str, ...]:
    instants = (row.starts_at, row.transfer_ended_at, row.ended_at, row.closes_at)
    fits = "" if row.fits is None else "yes" if row.fits else "no"
    longest = length(max(row.outages.values())) if row.outages else ""
    times = (instant(one, zone) for one in instants)
    origin = origin_of(row.run_id)
    return (str(row.night), row.outcome.label, ", ".join(row.faults), *times, fits, longest, origin, row.verdict)
