"""Conclude the run: judge its outcome, write its report, decide its colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator, Context
from typing_extensions import override

from hcx_airflow import names, results
from hcx_airflow.errors import IncompleteError, PlanMissingError, RunRefusedError
from hcx_airflow.operators.base import WaveOperator
from hcx_airflow.reports import collect, note_refusal, write_report
from hcx_airflow.results import Results, Slot
from hcx_airflow.retries import retry_arguments
from hcx_airflow.task import TaskRun
from hcx_airflow.tries import saying_why

if TYPE_CHECKING:
    from hcx_waves.run.results import RunEnding


class ConcludeWaveOperator(WaveOperator):
    """Succeed only if everything ended as planned; stores the outcome of each VM and segment.

    :raises PlanMissingError: if there is no plan.
    :raises IncompleteError: if a VM or a segment was left behind, rejected or is in an outage; names them.
    """

    result: ClassVar[Slot[Any]] = results.ENDING

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trigger_rule": "all_done", **kwargs})

    @override
    def act(self, run: TaskRun) -> RunEnding:
        from hcx_waves.run.ending import judge, verdict

        found = collect(run)
        ending = judge(found)
        if found.plan is None:
            run.results.leave(results.ENDING, ending)
            raise PlanMissingError("; ".join(("there is no plan, so nothing was judged", *ending.causes)))
        if not ending.outcome.is_green:
            run.results.leave(results.ENDING, ending)
            raise IncompleteError(verdict(ending))
        self.log.info("%s", verdict(ending))
        return ending


class WriteReportOperator(WaveOperator):
    """Write the report of the run; meant as a teardown, so that it always runs and never decides the colour."""

    result: ClassVar[Slot[Any]] = results.REPORT

    @override
    def execute(self, context: Context) -> Any:
        try:
            return super().execute(context)
        except RunRefusedError as error:
            # A run that was made again has no report of its own, and must not replace that of the first.
            path = note_refusal(TaskRun(self.wave_id, self.rehearsal, context), error)
            self.log.error("Noted in %s", path)
            raise

    @override
    def act(self, run: TaskRun) -> dict[str, str]:
        written, sentence = write_report(run)
        run.results.leave(results.HEADLINE, sentence)
        self.log.info("%s", sentence)
        self.log.info("Report: %s", ", ".join(written.values()))
        return written


class ConfirmOutcomeOperator(BaseOperator):
    """Fail unless all required tasks have succeeded; a teardown that decides the run's colour.

    When a user marks a run failed, Airflow skips what has not run yet, lets the teardowns run, and then judges the run
    by its last tasks. Skipped tasks do not count as failed, so the run would end green.

    :param required: ids of the required tasks.
    :param excuses: for some of them, the task before it: if that one found nothing to do, the required task may have
        been skipped.
    :raises IncompleteError: naming those that have not succeeded.
    """

    template_fields: Sequence[str] = ("required",)

    def __init__(self, *, required: Sequence[str], excuses: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(**{**retry_arguments(), **kwargs})
        self.required = list(required)
        self.excuses = dict(excuses or {})

    @override
    def execute(self, context: Context) -> None:
        run = TaskRun("", False, context)
        with saying_why(run):
            self._confirm(run)

    def _confirm(self, run: TaskRun) -> None:
        ended = run.task_states(self.required)
        wrong = {task_id: ended.get(task_id) for task_id in self.required if ended.get(task_id) != "success"}
        wrong = {name: state for name, state in wrong.items() if not self._is_excused(run.results, name, state)}
        if wrong:
            listed = ", ".join(f"{task_id} ({state or 'not run'})" for task_id, state in wrong.items())
            raise IncompleteError(f"these tasks have not succeeded: {listed}. See their logs and the run's report")

    def _is_excused(self, left: Results, task_id: str, state: str | None) -> bool:
        if state != "skipped" or task_id not in self.excuses:
            return False
        group, _, task = self.excuses[task_id].rpartition(".")
        return left.read_here(replace(results.NOT_DUE, task=task), group) is not None


def add_confirmation(deciders: Sequence[BaseOperator], excuses: Mapping[str, str] | None = None) -> None:
    """Add the confirmation of a run behind the tasks that decide its colour.

    :param excuses: see :class:`ConfirmOutcomeOperator`.
    """
    required = [decider.task_id for decider in deciders]
    confirm = ConfirmOutcomeOperator(task_id=names.CONFIRM_OUTCOME, required=required, excuses=excuses)
    list(deciders) >> confirm
    confirm.as_teardown(on_failure_fail_dagrun=True)
