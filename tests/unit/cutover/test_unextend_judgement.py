"""What job and extension together say of an unextend."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_waves.clients.hcx import Job
from hcx_waves.cutover.errors import UnextendFailedError
from hcx_waves.cutover.extension import UnextendPhase, judge_unextend, require_unextended

RUNNING, DONE = UnextendPhase.RUNNING, UnextendPhase.DONE
FAILED, AFTER = UnextendPhase.FAILED, UnextendPhase.FAILED_AFTER_REMOVAL


@pytest.mark.parametrize(
    ("job", "listed", "phase"),
    [
        (None, True, RUNNING),
        (None, False, DONE),
        ({}, True, RUNNING),
        ({}, False, RUNNING),
        ({"isDone": True}, True, RUNNING),
        ({"isDone": True}, False, DONE),
        ({"isDone": True, "didFail": True}, True, FAILED),
        ({"didFail": True}, True, FAILED),
        ({"didFail": True}, False, AFTER),
        ({"isCancelled": True}, True, FAILED),
        ({"isDone": True, "isRolledBack": True}, True, FAILED),
    ],
)
def test_judgement(job: dict[str, Any] | None, listed: bool, phase: UnextendPhase) -> None:
    status = judge_unextend(
        None if job is None else Job.model_validate({"isDone": False, "didFail": False, **job}), listed=listed
    )
    assert status.phase is phase
    assert status.is_terminal is (phase is not RUNNING)
    if phase is DONE:
        require_unextended(status, "app")
        return
    with pytest.raises(UnextendFailedError, match="segment 'app'") as failed:
        require_unextended(status, "app")
    hints = {FAILED: "reconnect_source_segment", AFTER: "gateway connectivity on", RUNNING: "keep waiting"}
    assert hints[phase] in failed.value.hint
