"""Recover a wave: look, ask, act as was agreed to, read back, and tell it in the reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from hcx_airflow import names, results
from hcx_airflow.documents import Document
from hcx_airflow.errors import IncompleteError, RecoveryRefusedError, RunRefusedError, UnreadableResultError
from hcx_airflow.folders import reports_folder, state_folder
from hcx_airflow.gates import table
from hcx_airflow.gates.approval import require_approval
from hcx_airflow.hooks.sites import secrets_of
from hcx_airflow.operators.base import WaveOperator
from hcx_airflow.operators.plan import TEST_USER
from hcx_airflow.recoveries import records_of, rescuer_of
from hcx_airflow.results import Slot, decision_slot, failure_slot
from hcx_airflow.task import TaskRun
from hcx_airflow.work import read_recovery, read_wave, read_work

if TYPE_CHECKING:
    from hcx_waves.rescue.audit import Audit
    from hcx_waves.rescue.recovery import Recovery, RecoveryResult
    from hcx_waves.run.decisions import Decision

T = TypeVar("T")
_STEPS = (names.RESOLVE_RECOVERY, names.APPROVE_RECOVERY, names.RECOVER)


class ResolveRecoveryOperator(WaveOperator):
    """Check what is asked for, look at the wave's run and at the sites, and say what would be done to each object.

    :raises RunRefusedError: if the form makes no sense, with every problem, or names no live run of this wave.
    :raises RecoveryRefusedError: if nothing of it may be done; says why, and what to press.
    """

    result: ClassVar[Slot[Any]] = results.RECOVERY

    @override
    def act(self, run: TaskRun) -> Recovery:
        from hcx_waves.rescue.actions.table import intents
        from hcx_waves.rescue.recovery import Recovery
        from hcx_waves.rescue.request import RequestError, read_request

        wave = read_wave(run)
        if run.started_by == TEST_USER:
            raise RunRefusedError("dag.test() never changes anything real. Start a run of this DAG")
        try:
            wanted, run_id = read_request(run.params, wave, run.now())
        except RequestError as error:
            listed = "".join(f"\n- {problem}" for problem in error.problems)
            raise RunRefusedError(f"the form cannot be used. Start a new run with these corrected:{listed}") from error
        records, plan = records_of(run, run_id)
        with rescuer_of(run, wave, records, plan) as rescuer:
            look = rescuer.look()
            found = intents(rescuer, look, wanted)
        recovery = Recovery(run_id=records.run_id, wanted=wanted, plan=plan, look=look, intents=found)
        for one in found:
            self.log.info("%s", one)
        if not recovery.agreed:
            _refuse(run, recovery)
        return recovery


def _refuse(run: TaskRun, recovery: Recovery) -> None:
    """End a recovery that would do nothing: green if there is nothing to do, red if it must not be done.

    :raises AirflowSkipException: if there is nothing to do.
    :raises RecoveryRefusedError: if it must not be done.
    """
    refused = [one for one in recovery.intents if one.refused]
    if not refused:
        needless = "; ".join(str(one) for one in recovery.intents)
        why = f"{recovery.item.phrase}: {needless or 'there is nothing that it would be for'}"
        run.results.leave(results.NOTHING_TO_RECOVER, why)
        raise AirflowSkipException(why)
    listed = "".join(f"\n- {one.subject}: {one.refused}" for one in refused)
    raise RecoveryRefusedError(f"{recovery.item.phrase} must not be done now. Nothing was changed:{listed}")


class RecoverOperator(WaveOperator):
    """Do what was approved, for each object that is still as it was shown; read back.

    :raises NotApprovedError: if there is no valid approval.
    :raises IncompleteError: if an object was not recovered; names each, and why.
    """

    result: ClassVar[Slot[Any]] = results.RECOVERED

    @override
    def act(self, run: TaskRun) -> RecoveryResult:
        from hcx_waves.rescue.acting import Acting
        from hcx_waves.rescue.actions.table import ACTIONS
        from hcx_waves.rescue.findings import record_look
        from hcx_waves.rescue.recovery import RecoveryResult
        from hcx_waves.run.rescues import RescueStep

        recovery, work = read_recovery(run), read_work(run)
        decision = require_approval(run, work, table.RECOVERY)
        began_at = run.now()
        self.log.info("The recovery was %s", decision.spoken)
        records, _ = records_of(run, recovery.run_id)
        audit = _audit(run, recovery, decision)
        record_look(audit, RescueStep.LOOKED, recovery.look)
        agreed: Document = {"will": [str(one) for one in recovery.agreed]}
        audit.write(RescueStep.ANSWERED, text=decision.spoken, found=agreed)
        with rescuer_of(run, work.wave, records, recovery.plan) as rescuer:
            outcomes = Acting(rescuer, audit, state_folder()).act(recovery.wanted, recovery.agreed)
            after = rescuer.look()
        record_look(audit, RescueStep.READ_BACK, after)
        for one in outcomes:
            self.log.log(20 if one.done else 40, "%s: %s", one.subject, one.text)
        done = RecoveryResult(
            run_id=recovery.run_id,
            approved_by=decision.approver,
            began_at=began_at,
            outcomes=outcomes,
            after=after,
            is_well=ACTIONS[recovery.wanted.action].is_well(after, [one.subject for one in recovery.agreed]),
        )
        failed = [one for one in outcomes if not one.done]
        if failed:
            run.results.leave(results.RECOVERED, done)
            listed = "".join(f"\n- {one.subject}: {one.text}" for one in failed)
            raise IncompleteError(f"{recovery.item.phrase} was not done for all. Start a new run after a look:{listed}")
        return done


class WriteRecoveryReportOperator(WaveOperator):
    """Write what became of the recovery, beside the reports of the wave; a teardown, so that it always runs."""

    result: ClassVar[Slot[Any]] = results.REPORT

    @override
    def act(self, run: TaskRun) -> dict[str, str]:
        from hcx_waves.rescue.recovery_report import RecoveryReport, tell_in_report, write_recovery_report

        notes: list[str] = []

        def read(slot: Slot[T]) -> T | None:
            try:
                return run.results.read_here(slot)
            except UnreadableResultError as error:
                notes.append(str(error))
                return None

        failures = [read(failure_slot(task)) for task in _STEPS]
        report = RecoveryReport(
            wave=run.wave_id,
            recovery=run.run_id,
            started_by=run.started_by or "",
            written_at=run.now(),
            found=read(results.RECOVERY),
            decision=read(decision_slot(names.APPROVE_RECOVERY)),
            result=read(results.RECOVERED),
            nothing=read(results.NOTHING_TO_RECOVER) or "",
            failures=tuple(one for one in failures if one is not None),
            notes=tuple(notes),
        )
        secrets = secrets_of(read_wave(run), rehearsal=False)
        if report.found is not None and report.result is not None:
            try:
                tell_in_report(reports_folder(), run.wave_id, report.found.run_id, secrets)
            except (OSError, ValueError) as error:
                notes.append(f"the report of the wave's run does not tell it: {error}")
                report = report.model_copy(update={"notes": tuple(notes)})
        written = write_recovery_report(report, reports_folder(), secrets)
        run.results.leave(results.HEADLINE, report.headline)
        self.log.info("%s", report.headline)
        return written


def _audit(run: TaskRun, recovery: Recovery, decision: Decision) -> Audit:
    from hcx_waves.rescue.audit import Audit, audit_path

    return Audit(
        audit_path(reports_folder(), run.wave_id, recovery.run_id),
        run.wave_id,
        recovery.run_id,
        recovery.wanted.action.value,
        run.now,
        recovery.wanted.choices.decided_by,
        tuple(secrets_of(read_wave(run), rehearsal=False)),
        who=decision.approver,
        recovery=run.run_id,
    )
