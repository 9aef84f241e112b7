"""What the tasks of a run have left, made by hand, and the report of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from hcx_waves.cutover.outage import OutageBounds
from hcx_waves.cutover.routing import RoutedProof
from hcx_waves.migration.course import VmCourse
from hcx_waves.migration.status import WaveStatus
from hcx_waves.migration.verify import VmProof
from hcx_waves.report.build import build_report
from hcx_waves.report.model import WaveReport
from hcx_waves.run.decisions import Choice, GateAnswer
from hcx_waves.run.ending import judge
from hcx_waves.run.results import Ended, MigrationsWait, RoutedResult, RunResults, Verification

_CHOICES = {"approve": Choice.APPROVED, "reject": Choice.REJECTED, "no answer": Choice.UNANSWERED}


def run_results(
    *,
    ended_at: datetime,
    proofs: Iterable[VmProof] = (),
    status: WaveStatus | None = None,
    courses: Iterable[VmCourse] = (),
    error: dict[str, Any] | None = None,
    blocked: dict[str, str] | None = None,
    **others: Any,
) -> RunResults:
    """Return results whose sensor and proof have left what is given."""
    awaited = verified = None
    if status is not None or courses or error:
        ended = Ended.ERROR if error else Ended.TERMINAL
        awaited = MigrationsWait(ended=ended, at=ended_at, status=status, courses=tuple(courses), error=error)
    if proofs or blocked:
        verified = Verification(proofs=tuple(proofs), blocked_segments=blocked or {})
    facts = {"wave": "wave-7", "run_id": "manual__1", "awaited": awaited, "verified": verified, **others}
    return RunResults(ended_at=ended_at, **facts)


def report_of(results: RunResults) -> WaveReport:
    """Return the report of a run."""
    return build_report(results, judge(results))


def answer(gate: str, decision: str, **others: Any) -> GateAnswer:
    """Return a gate's answer."""
    return GateAnswer(gate=gate, decision=decision, choice=_CHOICES.get(decision), **others)


def routed(proof: RoutedProof | None, outage: OutageBounds, segment: str = "app") -> RoutedResult:
    """Return what the last step of a cutover leaves."""
    if proof is not None:
        return RoutedResult(**proof.model_dump(), outage=outage)
    at = outage.ended_before or outage.began_before
    return RoutedResult(segment=segment, at=at, destination="on", source="off", outage=outage)
