"""Which segments a cleanup has anything to do with: those that the wave's run has cut over."""

from __future__ import annotations

from hcx_airflow.names import SEGMENTS_CONF
from hcx_airflow.results import ENDING
from hcx_airflow.task import TaskRun
from hcx_waves.model.states import SegmentOutcome


def why_not_due(run: TaskRun, segment: str) -> str | None:
    """Return why a cleanup leaves a segment alone; None if it does not, or this is none.

    What the sites say is proven in any case before anything is deleted; this keeps a cleanup from being red over
    segments that are none of its business.
    """
    if not run.is_cleanup:
        return None
    scheduled = run.conf.get(SEGMENTS_CONF)
    if scheduled is not None and segment not in scheduled:
        return f"segment {segment} was not cut over yet when this cleanup was scheduled; it has one of its own"
    ending = run.results.read(ENDING)
    left = None if ending is None else ending.segments.get(segment)
    if left in (None, SegmentOutcome.CUT_OVER):
        return None
    return f"the wave's run has left segment {segment} {left}, so there is nothing of it to clean up"
