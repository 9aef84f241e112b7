"""Resolve the wave against the inventory, and look for what stands against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from hcx_airflow import results
from hcx_airflow.errors import BlockedError, RunRefusedError
from hcx_airflow.forecasts import leave_forecast
from hcx_airflow.names import rehearsal_dag_id
from hcx_airflow.operators.base import WaveOperator
from hcx_airflow.results import Slot
from hcx_airflow.task import TaskRun
from hcx_airflow.work import read_other_waves, read_scope, read_wave, read_work, started_at

if TYPE_CHECKING:
    from datetime import datetime

    from hcx_waves.model.findings import Assessments
    from hcx_waves.model.plan import WavePlan
    from hcx_waves.wavefile.wave import Wave

LIVE_RUN_TYPES = ("scheduled", "manual", "operator_triggered")
TEST_USER = "dag_test"


class ResolvePlanOperator(WaveOperator):
    """Resolve the wave against the inventory of both sites; leaves the plan.

    :raises RunRefusedError: if the run is of a kind, or so late, that it must not start.
    :raises PlanError: with every reason why there is no plan.
    """

    result: ClassVar[Slot[Any]] = results.PLAN

    @override
    def act(self, run: TaskRun) -> WavePlan:
        from hcx_waves.resolve import resolve_plan

        wave = read_wave(run)
        refuse_wrong_run(run, wave, run.now())
        scope = read_scope(run, wave)
        with self.sites(run, wave) as clients:
            plan = resolve_plan(wave, clients, now=run.now(), started_at=started_at(run, wave))
        moving = scope.moves(plan)
        there = sum(vm.already_there for vm in plan.vms)
        self.log.info(
            "Plan %s: %d VMs, %d of them to move now, %d at the destination already; %d segments",
            plan.digest()[:12], len(plan.vms), len(moving), there, len(plan.segments),
        )  # fmt: skip
        return plan


def refuse_wrong_run(run: TaskRun, wave: Wave, now: datetime) -> None:
    """Refuse a live run that nobody meant to be one, or that comes too late.

    :raises RunRefusedError: saying which.
    """
    if run.rehearsal:
        return
    if run.run_type not in LIVE_RUN_TYPES:
        rehearsal = rehearsal_dag_id(run.wave_id)
        raise RunRefusedError(f"a {run.run_type} run never moves real machines; rehearse with {rehearsal}")
    if run.started_by == TEST_USER:
        raise RunRefusedError(f"dag.test() never moves real machines; rehearse with {rehearsal_dag_id(run.wave_id)}")
    if run.run_type != "scheduled" or wave.start is None:
        return
    latest = wave.clock().latest_start
    if latest is not None and now > latest:
        raise RunRefusedError(
            f"the wave was to start by {latest:%Y-%m-%d %H:%M} UTC at the latest (start_tolerance); start it by hand "
            "if it may still run, or give it a new date"
        )


class RunPreflightOperator(WaveOperator):
    """Look for what stands against the wave, and forecast it; leaves all findings, with waivers applied.

    :raises BlockedError: if a finding blocks and nobody answers for it; lists all of them.
    """

    result: ClassVar[Slot[Any]] = results.ASSESSMENTS

    @override
    def act(self, run: TaskRun) -> Assessments:
        from hcx_waves.preflight import run_preflight

        work = read_work(run)
        with self.sites(run, work.wave) as clients:
            assessments = run_preflight(
                work.plan,
                work.wave,
                clients,
                now=run.now(),
                other_waves=read_other_waves(run, work.wave),
                only=work.scope.moves(work.plan),
                cuts=not work.scope.stop_before_cutover,
            )
            if not assessments.blocking:
                leave_forecast(run, work, clients)
        for item in assessments.items:
            mark = "waived" if item.waiver else item.finding.severity.value
            self.log.info(
                "%-8s %-28s %s: %s", mark, item.finding.finding_id, item.finding.subject, item.finding.message
            )
        if assessments.blocking:
            run.results.leave(results.ASSESSMENTS, assessments)
            listed = "".join(
                f"\n- {one.subject}: {one.message} {one.suggestion}".rstrip() for one in assessments.blocking
            )
            raise BlockedError(f"{len(assessments.blocking)} findings stand against wave {run.wave_id}:{listed}")
        return assessments
