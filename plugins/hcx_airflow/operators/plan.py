"""Resolve the wave against the inventory, and look for what stands against it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from typing_extensions import override

from hcx_airflow.common.errors import BlockedError, RunRefusedError
from hcx_airflow.operators.base import WaveOperator
from hcx_airflow.runs.files import read_other_waves
from hcx_airflow.runs.task import TaskRun

LIVE_RUN_TYPES = ("scheduled", "manual", "operator_triggered")
TEST_USER = "dag_test"


class ResolvePlanOperator(WaveOperator):
    """Resolve the wave against the inventory of both sites; leaves the plan as JSON.

    :raises RunRefusedError: if the run is of a kind, or so late, that it must not start.
    :raises PlanError: with every reason why there is no plan.
    """

    @override
    def act(self, run: TaskRun) -> dict[str, Any]:
        from hcx_waves.resolve import resolve_plan

        refuse_wrong_run(run, run.now())
        scope = run.scope
        with run.sites() as clients:
            plan = resolve_plan(run.wave, clients, now=run.now(), started_at=run.started_at)
        moving = scope.moves(plan)
        there = sum(vm.already_there for vm in plan.vms)
        self.log.info(
            "Plan %s: %d VMs, %d of them to move now, %d at the destination already; %d segments",
            plan.digest()[:12], len(plan.vms), len(moving), there, len(plan.segments),
        )  # fmt: skip
        return plan.model_dump(mode="json")


def refuse_wrong_run(run: TaskRun, now: datetime) -> None:
    """Refuse a live run that nobody meant to be one, or that comes too late.

    :raises RunRefusedError: saying which.
    """
    dag_run = run.context["dag_run"]
    if run.rehearsal:
        return
    kind = str(getattr(dag_run.run_type, "value", dag_run.run_type))
    if kind not in LIVE_RUN_TYPES:
        raise RunRefusedError(f"a {kind} run never moves real machines; rehearse with rehearsal__{run.wave_id}")
    if dag_run.triggering_user_name == TEST_USER:
        raise RunRefusedError(f"dag.test() never moves real machines; rehearse with rehearsal__{run.wave_id}")
    if kind != "scheduled" or run.wave.start is None:
        return
    latest = run.wave.clock().latest_start
    if latest is not None and now > latest:
        raise RunRefusedError(
            f"the wave was to start by {latest:%Y-%m-%d %H:%M} UTC at the latest (start_tolerance); start it by hand "
            "if it may still run, or give it a new date"
        )


class RunPreflightOperator(WaveOperator):
    """Look for what stands against the wave, and forecast it; leaves all findings, with waivers applied.

    :raises BlockedError: if a finding blocks and nobody answers for it; lists all of them.
    """

    @override
    def act(self, run: TaskRun) -> dict[str, Any]:
        from hcx_airflow.runs.forecasts import leave_forecast
        from hcx_waves.preflight import run_preflight

        plan, scope = run.plan, run.scope
        moving, cuts = scope.moves(plan), not scope.stop_before_cutover
        with run.sites() as clients:
            assessments = run_preflight(
                plan,
                run.wave,
                clients,
                now=run.now(),
                other_waves=read_other_waves(run.wave, run.context),
                only=moving,
                cuts=cuts,
            )
            if not assessments.blocking:
                leave_forecast(run, clients)
        for item in assessments.items:
            mark = "waived" if item.waiver else item.finding.severity.value
            self.log.info(
                "%-8s %-28s %s: %s", mark, item.finding.finding_id, item.finding.subject, item.finding.message
            )
        result = assessments.model_dump(mode="json")
        if assessments.blocking:
            run.ti.xcom_push(key="return_value", value=result)
            listed = "".join(
                f"\n- {one.subject}: {one.message} {one.suggestion}".rstrip() for one in assessments.blocking
            )
            raise BlockedError(f"{len(assessments.blocking)} findings stand against wave {run.wave_id}:{listed}")
        return result
