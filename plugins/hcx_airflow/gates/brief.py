"""The brief that each gate begins with: at most ten lines that say what is asked, with what is known about it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hcx_airflow.gates.asking import Asking
from hcx_waves.model.findings import Assessments, Severity
from hcx_waves.model.formatting import instant, listed
from hcx_waves.report.markup import Markdown, bold, bullets, code, escape

if TYPE_CHECKING:
    from hcx_waves.model.schedule import WaveClock

_MOST_APPROVERS = 10


def brief(asking: Asking | None, clock: WaveClock, **facts: str) -> Markdown:
    """Return the brief of a gate.

    :param asking: who may answer and until when.
    :param clock: of the wave, for its time zone.
    :param facts: the lines before those about the answer, by name, with underscores for spaces; empty ones are left
        out.
    """
    lines = {name.replace("_", " ").capitalize(): text for name, text in facts.items() if text}
    if asking is not None:
        lines["Started by"] = _started_by(asking)
        lines["May answer"] = _may_answer(asking)
        lines["Answer by"] = Markdown(
            f"{bold(instant(asking.answer_by, clock.time_zone, weekday=True))}. Silence is a no."
        )
        lines["Last rehearsal"] = asking.last_rehearsal
    return bullets(Markdown(f"{bold(name)}: {escape(text)}") for name, text in lines.items())


def findings_in_short(assessments: Assessments | None) -> str:
    """Return how many findings there are of each severity; those that are waived count apart."""
    if assessments is None:
        return "unknown: no result of run_preflight can be read"
    open_ones = Counter(item.finding.severity for item in assessments.items if item.waiver is None)
    counts = [f"{open_ones[severity]} {severity.value}" for severity in Severity if open_ones[severity]]
    if assessments.waived:
        counts.append(f"{len(assessments.waived)} waived")
    return ", ".join(counts) or "none"


def _started_by(asking: Asking) -> Markdown:
    name = asking.started_by
    if name is None:
        return Markdown("no user; a schedule or another DAG started this run")
    if asking.settings.four_eyes:
        return Markdown(f"{code(name)} started this run, so another person must approve it (four-eyes rule)")
    return code(name)


def _may_answer(asking: Asking) -> Markdown:
    gate = asking.settings
    who = (
        "every user who may answer in Airflow"
        if gate.approvers is None
        else listed(list(gate.approvers), _MOST_APPROVERS)
    )
    if gate.change_reference_pattern is None:
        return escape(who)
    wanted = code(gate.change_reference_pattern)
    return Markdown(f"{escape(who)}. An approval needs a change reference that matches {wanted}")
