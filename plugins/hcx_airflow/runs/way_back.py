"""The way back where this run cannot go it alone: what is left to do, for whom, and that it has been done."""

from __future__ import annotations

import logging
from typing import Any

from hcx_airflow.common.signing import DECISION_KEY
from hcx_airflow.runs.gates import CONFIRM_DISCONNECTED
from hcx_airflow.runs.task import TaskRun
from hcx_waves.clients.errors import ClientError
from hcx_waves.model.choices import Disconnect

logger = logging.getLogger(__name__)

FOUND_OFF_KEY = "found_off"


def is_switched_by_hand(run: TaskRun, segment: str) -> bool:
    """Whether a person switches the segment's source gateway; then nothing that this run kept says what it is."""
    return run.plan.segment(segment).disconnect is Disconnect.MANUAL


def leave_open(run: TaskRun, segment: str, situation: str, error: ClientError) -> None:
    """Leave for the verdict and the report that the source gateway is not on again, and what is to be done.

    :param situation: how the segment was found.
    :param error: why the gateway was not switched on.
    """
    if is_switched_by_hand(run, segment):
        run.remember(FOUND_OFF_KEY, True)
    text = f"{error.message}. {_undo(run, segment)}".strip()
    run.ti.xcom_push(
        key="return_value", value={"segment": segment, "acted": False, "situation": situation, "open": text}
    )
    logger.error("%s", text)


def undone_by_hand(run: TaskRun, segment: str) -> dict[str, Any] | None:
    """Return the change, if an earlier try of this task found the gateway off and a person has switched it on since."""
    if not run.recall(FOUND_OFF_KEY):
        return None
    logger.warning("The source gateway of %s is on again: somebody has undone it by hand", segment)
    evidence = "found off by an earlier look, and switched on by hand since"
    return {"segment": segment, "already": True, "evidence": evidence, "acted": True, "situation": "connected"}


def _undo(run: TaskRun, segment: str) -> str:
    """Say who has to undo what; nothing where no person has switched the gateway."""
    manual = run.wave.segment(segment).manual
    if not is_switched_by_hand(run, segment) or manual is None:
        return ""
    decision = run.xcom(run.sibling(CONFIRM_DISCONNECTED), DECISION_KEY)
    who = decision.get("user_name") if isinstance(decision, dict) else None
    whoever = f"{who}, who answered {CONFIRM_DISCONNECTED}," if who else f"Whoever followed {CONFIRM_DISCONNECTED}"
    return f"{whoever} has to undo it by hand, then clear this task: {manual.undo_instructions}"
