"""Resolve the wave against the inventory, and check whether it can run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from hcx_airflow import results
from hcx_airflow.errors import BlockedError, RunRefusedError
from hcx_airflow.folders import state_folder
from hcx_airflow.forecasts import leave_forecast, leave_price_of_way_back
from hcx_airflow.names import rehearsal_dag_id
from hcx_airflow.operators.base import WaveOperator
from hcx_airflow.probes import kept_probes
from hcx_airflow.results import Slot
from hcx_airflow.task import TaskRun
from hcx_airflow.work import read_other_waves, read_scope, read_wave, read_work, started_at
from hcx_waves.model.formatting import counted, instant

if TYPE_CHECKING:
    from datetime import datetime

    from hcx_waves.model.findings import Assessments
    from hcx_waves.model.plan import WavePlan
    from hcx_waves.wavefile.wave import Wave

LIVE_RUN_TYPES = ("scheduled", "manual", "operator_triggered")
TEST_USER = "dag_test"


class ResolvePlanOperator(WaveOperator):
    """Resolve the wave against the inventory of both sites; stores the plan.

    :raises RunRefusedError: if it is the wrong kind of run, or too late.
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
        if not run.rehearsal:
            self._keep_on_disk(plan, run.run_id)
        moving = scope.moves(plan)
        there = sum(vm.already_there for vm in plan.vms)
        self.log.info(
            "Plan %s: %d VMs (%d to move, %d already at the destination), %d segments",
            plan.digest()[:12], len(plan.vms), len(moving), there, len(plan.segments),
        )  # fmt: skip
        return plan

    def _keep_on_disk(self, plan: WavePlan, run_id: str) -> None:
        """Write the plan to a file for `hcx-waves rescue`, which cannot ask Airflow's database for it."""
        from hcx_waves.rescue.plans import write_plan

        try:
            path = write_plan(plan, run_id, state_folder())
        except OSError as error:
            # The run itself does without it, and a rescue goes by what is there then.
            self.log.warning("The plan is not on disk for hcx-waves rescue: %s", error)
        else:
            self.log.info("The plan is on disk for hcx-waves rescue: %s", path)


def refuse_wrong_run(run: TaskRun, wave: Wave, now: datetime) -> None:
    """Refuse a live run that was started in the wrong way, or too late.

    :raises RunRefusedError: saying which.
    """
    if run.rehearsal:
        return
    if run.run_type not in LIVE_RUN_TYPES:
        rehearsal = rehearsal_dag_id(run.wave_id)
        raise RunRefusedError(f"a {run.run_type} run never moves real VMs. To rehearse the wave, run {rehearsal}")
    if run.started_by == TEST_USER:
        raise RunRefusedError(
            f"dag.test() never moves real VMs. To rehearse the wave, run {rehearsal_dag_id(run.wave_id)}"
        )
    if run.run_type != "scheduled" or wave.start is None:
        return
    latest = wave.clock().latest_start
    if latest is not None and now > latest:
        raise RunRefusedError(
            f"the wave had to start by {instant(latest, wave.time_zone)} (start plus start_tolerance). Start it by "
            "hand if "
            "it may still run, or set a new start in the wave file"
        )


class RunPreflightOperator(WaveOperator):
    """Run the preflight checks and make the forecast; stores all findings, with waivers applied.

    :raises BlockedError: if a finding blocks and is not waived; lists all of them.
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
                probes=() if run.rehearsal else kept_probes(clients),
            )
            if not assessments.blocking:
                leave_price_of_way_back(run, work, leave_forecast(run, work, clients))
        for item in assessments.items:
            found, waiver = item.finding, item.waiver
            mark = "Waived" if waiver else found.severity.label
            by = f" (waived by {waiver.sentence})" if waiver else ""
            self.log.info("%-8s %-28s %s: %s%s", mark, found.finding_id, found.subject, found.message, by)
        if assessments.blocking:
            run.results.leave(results.ASSESSMENTS, assessments)
            listed = "".join(
                f"\n- {one.subject}: {one.message} {one.suggestion}".rstrip() for one in assessments.blocking
            )
            raise BlockedError(
                f"{counted(len(assessments.blocking), 'blocking finding')} for wave {run.wave_id}. Resolve or waive "
                "each of "
                f"them, then start a new run:{listed}"
            )
        return assessments
