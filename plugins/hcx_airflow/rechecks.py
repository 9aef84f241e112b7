"""The checks that are made again right before a step, with what the wave's approval knew."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from hcx_airflow.results import ASSESSMENTS
from hcx_airflow.task import TaskRun
from hcx_airflow.work import Work

if TYPE_CHECKING:
    from hcx_waves.clients.bundle import SiteClients
    from hcx_waves.preflight.repeat import Recheck
    from hcx_waves.preflight.steps import WaveStep


def recheck(run: TaskRun, work: Work, clients: SiteClients, step: WaveStep, only: Collection[str]) -> Recheck:
    """Make the checks again that protect a step, for the VMs that it is about."""
    from hcx_waves.preflight.repeat import repeat_checks

    known = run.results.beside(ASSESSMENTS)
    return repeat_checks(work.plan, work.wave, clients, step, now=run.now(), before=known, only=only)


def held_back(found: Recheck, names: Collection[str]) -> dict[str, str]:
    """Return which of these VMs must stay held, and why; all of them if a check could not be made."""
    unknown = [reason for subject, reason in found.stops.items() if subject not in names]
    return {
        name: "; ".join([*unknown, *([found.stops[name]] if name in found.stops else [])])
        for name in names
        if unknown or name in found.stops
    }
