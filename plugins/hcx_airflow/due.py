"""Which segments a cleanup works on: those that the wave's run has cut over."""

from __future__ import annotations

from hcx_airflow.names import SEGMENTS_CONF
from hcx_airflow.results import ENDING
from hcx_airflow.task import TaskRun
from hcx_waves.model.states import SegmentOutcome, label_of


def why_not_due(run: TaskRun, segment: str) -> str | None:
    """Return why a cleanup does not work on a segment; None if it does, or if the run is not a cleanup.

    Each segment is proven empty before it is deleted in any case; this only keeps a cleanup from failing over segments
    that were not cut over.
    """
    if not run.is_cleanup:
        return None
    scheduled = run.conf.get(SEGMENTS_CONF)
    if scheduled is not None and segment not in scheduled:
        return (
            f"segment {segment} was not cut over yet when this cleanup was scheduled; its cutover schedules another one"
        )
    ending = run.results.read(ENDING)
    left = None if ending is None else ending.segments.get(segment)
    if left in (None, SegmentOutcome.CUT_OVER):
        return None
    return f"the wave's run did not cut over segment {segment} (outcome: {label_of(left).lower()})"
