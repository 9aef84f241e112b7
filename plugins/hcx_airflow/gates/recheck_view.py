"""Adds to what a gate shows the checks that are made again right before its step."""

from __future__ import annotations

from dataclasses import replace

from hcx_airflow.gates.body import GateView
from hcx_airflow.hooks.sites import open_sites
from hcx_airflow.names import APPROVE_CUTOVER, APPROVE_SWITCHOVER, CONFIRM_DISCONNECTED
from hcx_airflow.rechecks import recheck, recheck_cutover, require_no_stop
from hcx_airflow.task import TaskRun
from hcx_airflow.work import Work


def with_recheck(view: GateView, run: TaskRun, work: Work) -> GateView:
    """Make the checks again that protect the step right after a gate: days may have passed since the approval.

    :raises BlockedError: if a person would be asked to switch a gateway by hand that must not be switched.
    """
    from hcx_waves.preflight.steps import WaveStep

    name, segment = run.task_id.rpartition(".")[2], view.segment
    if name not in (APPROVE_SWITCHOVER, APPROVE_CUTOVER, CONFIRM_DISCONNECTED):
        return view
    with open_sites(work.wave, rehearsal=run.rehearsal, check=False, twin=run.clock.twin) as clients:
        if segment is None:
            found = recheck(run, work, clients, WaveStep.SWITCHOVER, work.scope.moves(work.plan))
        else:
            found = recheck_cutover(run, work, clients, segment, view.emptiness)
    if name == CONFIRM_DISCONNECTED:
        require_no_stop(found, str(segment), APPROVE_CUTOVER)
    return replace(view, recheck=found)
