"""The last word on the colour of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import BaseOperator, Context
from typing_extensions import override

from hcx_airflow.common.errors import IncompleteError
from hcx_airflow.common.retries import retry_arguments
from hcx_airflow.dag_factory import names
from hcx_airflow.runs.leftovers import NOT_DUE_KEY


class ConfirmOutcomeOperator(BaseOperator):
    """Fail unless all the tasks that decide have succeeded; a teardown that decides the run's colour.

    When somebody marks a run failed, Airflow skips what has not run yet, lets the teardowns run, and then judges the
    run by its last tasks; skipped ones are no failure to it, so the run would end green.

    :param required: ids of the tasks that decide.
    :param excuses: for some of them the task before it; if that has left that there was nothing to do, the one may have
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
        ti: Any = context["ti"]
        states: Mapping[str, Mapping[str, Any]] = ti.get_task_states(
            dag_id=ti.dag_id, task_ids=self.required, run_ids=[ti.run_id]
        )
        ended = states.get(ti.run_id, {})
        wrong = {task_id: ended.get(task_id) for task_id in self.required if str(ended.get(task_id)) != "success"}
        wrong = {task_id: state for task_id, state in wrong.items() if not self._is_excused(ti, task_id, state)}
        if wrong:
            listed = ", ".join(f"{task_id} ({state or 'not run'})" for task_id, state in wrong.items())
            raise IncompleteError(f"this run has not done what it was to do: {listed}")

    def _is_excused(self, ti: Any, task_id: str, state: Any) -> bool:
        if str(state) != "skipped" or task_id not in self.excuses:
            return False
        return ti.xcom_pull(task_ids=self.excuses[task_id], key=NOT_DUE_KEY, map_indexes=-1) is not None


def add_confirmation(deciders: Sequence[BaseOperator], excuses: Mapping[str, str] | None = None) -> None:
    """Add the confirmation of a run behind the tasks that decide its colour.

    :param excuses: see :class:`ConfirmOutcomeOperator`.
    """
    required = [decider.task_id for decider in deciders]
    confirm = ConfirmOutcomeOperator(task_id=names.CONFIRM_OUTCOME, required=required, excuses=excuses)
    list(deciders) >> confirm
    confirm.as_teardown(on_failure_fail_dagrun=True)
