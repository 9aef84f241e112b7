"""Priorities of tasks when slots are scarce: outages first, then live runs, then rehearsals."""

from __future__ import annotations

import os

from hcx_airflow.documents import Arguments

OUTAGE = 1000
"""A segment has no gateway, or is about to have none."""
LIVE = 100
REHEARSAL = 1


def at(priority: int) -> Arguments:
    """Return the operator arguments of a priority.

    Absolute: by its own rule Airflow would add up what comes after a task, and the end of a cutover would count least.
    """
    return {"priority_weight": priority, "weight_rule": "absolute"}


def in_outage() -> Arguments:
    """Return the operator arguments of the steps of a cutover: first of all, and with workers of their own if any.

    ``HCX_WAVES_CUTOVER_QUEUE`` names the queue that such workers listen to; without it there must be none.
    """
    queue = os.environ.get("HCX_WAVES_CUTOVER_QUEUE", "")
    return {**at(OUTAGE), **({"queue": queue} if queue else {})}
