"""Adds to what a gate shows the checks that are made again right before its step."""

from __future__ import annotations

from dataclasses import replace

from hcx_airflow.gates.body import GateView
from hcx_airflow.hooks.sites import open_sites
from hcx_airflow.names import APPROVE_SWITCHOVER
from hcx_airflow.rechecks import recheck
from hcx_airflow.task import TaskRun
from hcx_airflow.work import Work


def with_recheck(view: GateView, run: TaskRun, work: Work) -> GateView:
    """Make the checks again that protect the switchover, for the gate right before it: days may have passed."""
    from hcx_waves.preflight.steps import WaveStep

    if run.task_id != APPROVE_SWITCHOVER:
        return view
    with open_sites(work.wave, rehearsal=run.rehearsal, check=False, twin=run.clock.twin) as clients:
        found = recheck(run, work, clients, WaveStep.SWITCHOVER, work.scope.moves(work.plan))
    return replace(view, recheck=found)
