"""Which segments of a wave a cleanup has anything to do with: those that the wave's run has cut over."""

from __future__ import annotations

from airflow.sdk.exceptions import AirflowSkipException

from hcx_airflow.runs.task import TaskRun
from hcx_waves.model.states import SegmentOutcome

NOT_DUE_KEY = "not_due"
SEGMENTS_CONF = "wave_segments"
"""In the conf of a cleanup that a wave has scheduled: the segments that it had cut over by then."""


def why_not_due(run: TaskRun, segment: str) -> str | None:
    """Return why a cleanup leaves a segment alone; None if it does not, or this is none.

    What the sites say is proven in any case before anything is deleted; this keeps a cleanup from being red over
    segments that are none of its business.
    """
    if run.origin is None:
        return None
    scheduled = (run.context["dag_run"].conf or {}).get(SEGMENTS_CONF)
    if scheduled is not None and segment not in scheduled:
        return f"segment {segment} was not cut over yet when this cleanup was scheduled; it has one of its own"
    left = ((run.wave_xcom("conclude_wave") or {}).get("segments") or {}).get(segment)
    if left in (None, SegmentOutcome.CUT_OVER):
        return None
    return f"the wave's run has left segment {segment} {left}, so there is nothing of it to clean up"


def skip_if_not_due(run: TaskRun) -> None:
    """Skip a step of a cleanup, if the proof before it has left that the segment is not due.

    :raises AirflowSkipException: with the reason.
    """
    reason = run.xcom(run.sibling("prove_segment_empty"), NOT_DUE_KEY)
    if reason is not None:
        raise AirflowSkipException(str(reason))
