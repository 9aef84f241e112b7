"""Roll a run of a wave back: look, ask, return the networks, migrate the VMs back, unextend, tell it in the reports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from hcx_airflow import names, results
from hcx_airflow.documents import Arguments
from hcx_airflow.errors import RunRefusedError, UnreadableResultError
from hcx_airflow.folders import reports_folder, state_folder
from hcx_airflow.forecasts import price_of_rollback
from hcx_airflow.gates import table
from hcx_airflow.gates.approval import require_approval
from hcx_airflow.hooks.sites import secrets_of
from hcx_airflow.operators.base import WaveOperator
from hcx_airflow.operators.plan import TEST_USER
from hcx_airflow.recoveries import records_of, rescuer_of
from hcx_airflow.results import Slot, decision_slot, failure_slot
from hcx_airflow.task import TaskRun
from hcx_airflow.work import Work, read_rollback, read_scope, read_wave, read_work
from hcx_waves.wavefile.gates import GatedStep

if TYPE_CHECKING:
    from hcx_waves.rescue.audit import Audit
    from hcx_waves.rescue.rollback import BackWay, ReturnedNetworks, Rollback, UnextendedAgain, VmsBack
    from hcx_waves.run.decisions import Decision

T = TypeVar("T")
ACTION = "rollback"
_STEPS = (
    names.RESOLVE_ROLLBACK, names.APPROVE_ROLLBACK, names.RETURN_NETWORKS, names.MIGRATE_BACK, names.UNEXTEND_AGAIN,
)  # fmt: skip
_PATIENT: Arguments = {"retries": 10, "delay": timedelta(seconds=10)}


class ResolveRollbackOperator(WaveOperator):
    """Look how far the wave's run has come, and say what goes back, what that costs, and what cannot.

    :raises RunRefusedError: if the form names no live run of this wave.
    :raises SourceSegmentGoneError: if a cleanup has deleted a source segment; says what to do first.
    :raises RollbackRefusedError: if migrations are in flight.
    """

    result: ClassVar[Slot[Any]] = results.ROLLBACK

    @override
    def act(self, run: TaskRun) -> Rollback:
        from hcx_waves.rescue.rollback import BackWay, chosen_run

        wave = read_wave(run)
        if run.started_by == TEST_USER:
            raise RunRefusedError("dag.test() never changes anything real. Start a run of this DAG")
        records, plan = records_of(run, chosen_run(run.params))
        with rescuer_of(run, wave, records, plan) as rescuer:
            found = BackWay(rescuer).look()
        if found.is_needless:
            why = f"run {found.run_id} has nothing to bring back: its VMs and gateways are at the source"
            run.results.leave(results.NOTHING_TO_ROLL_BACK, why)
            raise AirflowSkipException(why)
        work = Work(wave, plan, read_scope(run, wave), GatedStep.CUTOVER)
        back = [one.segment for one in found.networks if one.is_full]
        found = found.model_copy(update={"price": price_of_rollback(run, work, found.vms, back)})
        for name, reason in found.stays.items():
            self.log.warning("%s stays at the destination: %s", name, reason)
        return found


class _Step(WaveOperator):
    """A step of a rollback, approved by its gate; tells what it does in the audit of the wave's run."""

    retries_and_delay: ClassVar[Arguments] = _PATIENT

    @contextmanager
    def back_way(self, run: TaskRun, *, again: bool) -> Iterator[tuple[BackWay, Rollback]]:
        """Verify the approval, take the turns at all segments and migrations, and open the sites.

        :param again: whether an earlier step has used the approval, which this one completes.
        """
        from hcx_waves.cutover.turns import MIGRATIONS, taking_turn
        from hcx_waves.rescue.rollback import BackWay
        from hcx_waves.run.rescues import RescueStep

        agreed, work = read_rollback(run), read_work(run)
        decision = require_approval(run, work, table.ROLLBACK, again=again)
        self.log.info("The rollback was %s", decision.spoken)
        records, _ = records_of(run, agreed.run_id)
        audit = _audit(run, agreed, decision)
        audit.write(RescueStep.ANSWERED, text=decision.spoken)
        with ExitStack() as stack:
            for key in (*(agreed.plan.segment(one.segment).key for one in agreed.networks), MIGRATIONS):
                who = f"rollback ({decision.approver})"
                stack.enter_context(taking_turn(state_folder(), agreed.plan.wave, key, who))
            rescuer = stack.enter_context(rescuer_of(run, work.wave, records, agreed.plan))

            def tell(subject: str, text: str) -> None:
                audit.write(RescueStep.DONE, subject=subject, text=text)
                self.log.info("%s: %s", subject, text)

            yield BackWay(rescuer, tell), agreed


class ReturnNetworksOperator(_Step):
    """Let the source route the segments again: destination off, proven; source on; extended again."""

    result: ClassVar[Slot[Any]] = results.RETURNED

    @override
    def act(self, run: TaskRun) -> ReturnedNetworks:
        from hcx_waves.rescue.ledgers import GROUP_PREFIX, RECONNECTED, note_recovery

        with self.back_way(run, again=False) as (way, agreed):
            records, _ = records_of(run, agreed.run_id)
            for one in agreed.networks:
                # From now on no approval of its cutover counts: the wave's run must not cut it over again.
                subject = f"{GROUP_PREFIX}{agreed.plan.segment(one.segment).key}"
                note_recovery(records.ledgers[0], agreed.plan.wave, subject, RECONNECTED, run.now())
            return way.return_networks(agreed)


class MigrateBackOperator(_Step):
    """Migrate the VMs back, one at a time, each proven where the plan found it before the next begins.

    :raises NotBackError: naming the VM that did not come back; a clear goes on with it.
    """

    result: ClassVar[Slot[Any]] = results.VMS_BACK

    @override
    def act(self, run: TaskRun) -> VmsBack:
        with self.back_way(run, again=True) as (way, agreed):
            return way.return_vms(agreed)


class UnextendAgainOperator(_Step):
    """Unextend, without connecting the destination, what the rollback has extended again."""

    result: ClassVar[Slot[Any]] = results.UNEXTENDED_AGAIN

    @override
    def act(self, run: TaskRun) -> UnextendedAgain:
        from hcx_waves.rescue.rollback import ReturnedNetworks

        returned = run.results.read_here(results.RETURNED) or ReturnedNetworks()
        with self.back_way(run, again=True) as (way, _):
            done = way.unextend(returned)
        for name in done.left:
            self.log.warning("%s stays extended: VMs of it are at the destination", name)
        return done


class WriteRollbackReportOperator(WaveOperator):
    """Write what became of the rollback, beside the reports of the wave; a teardown, so that it always runs."""

    result: ClassVar[Slot[Any]] = results.REPORT

    @override
    def act(self, run: TaskRun) -> dict[str, str]:
        from hcx_waves.rescue.recovery_report import tell_in_report
        from hcx_waves.rescue.rollback_report import RollbackReport, write_rollback_report

        notes: list[str] = []

        def read(slot: Slot[T]) -> T | None:
            try:
                return run.results.read_here(slot)
            except UnreadableResultError as error:
                notes.append(str(error))
                return None

        failures = [read(failure_slot(task)) for task in _STEPS]
        report = RollbackReport(
            wave=run.wave_id,
            rollback=run.run_id,
            started_by=run.started_by or "",
            written_at=run.now(),
            found=read(results.ROLLBACK),
            decision=read(decision_slot(names.APPROVE_ROLLBACK)),
            networks=read(results.RETURNED),
            vms=read(results.VMS_BACK),
            unextended=read(results.UNEXTENDED_AGAIN),
            nothing=read(results.NOTHING_TO_ROLL_BACK) or "",
            failures=tuple(one for one in failures if one is not None),
            notes=tuple(notes),
        )
        secrets = secrets_of(read_wave(run), rehearsal=False)
        if report.found is not None:
            try:
                tell_in_report(reports_folder(), run.wave_id, report.found.run_id, secrets)
            except (OSError, ValueError) as error:
                told = f"the report of the wave's run does not tell it: {error}"
                report = report.model_copy(update={"notes": (*report.notes, told)})
        written = write_rollback_report(report, reports_folder(), secrets)
        run.results.leave(results.HEADLINE, report.headline)
        self.log.info("%s", report.headline)
        return written


def _audit(run: TaskRun, agreed: Rollback, decision: Decision) -> Audit:
    from hcx_waves.rescue.audit import Audit, audit_path

    return Audit(
        audit_path(reports_folder(), run.wave_id, agreed.run_id),
        run.wave_id,
        agreed.run_id,
        ACTION,
        run.now,
        "",
        tuple(secrets_of(read_wave(run), rehearsal=False)),
        who=decision.approver,
        recovery=run.run_id,
    )
