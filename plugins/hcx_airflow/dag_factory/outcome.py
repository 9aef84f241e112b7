"""The last word on the colour of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import BaseOperator, Context
from typing_extensions import override

from hcx_airflow.common.errors import IncompleteError
from hcx_airflow.common.retries import retry_arguments
from hcx_airflow.dag_factory import names


class ConfirmOutcomeOperator(BaseOperator):
    """Fail unless all the tasks that decide have succeeded; a teardown that decides the run's colour.

    When somebody marks a run failed, Airflow skips what has not run yet, lets the teardowns run, and then judges the
    run by its last tasks; skipped ones are no failure to it, so the run would end green.

    :param required: ids of the tasks that decide.
    :raises IncompleteError: naming those that have not succeeded.
    """

    template_fields: Sequence[str] = ("required",)

    def __init__(self, *, required: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**{**retry_arguments(), **kwargs})
        self.required = list(required)

    @override
    def execute(self, context: Context) -> None:
        ti: Any = context["ti"]
        states: Mapping[str, Mapping[str, Any]] = ti.get_task_states(
            dag_id=ti.dag_id, task_ids=self.required, run_ids=[ti.run_id]
        )
        ended = states.get(ti.run_id, {})
        wrong = {task_id: ended.get(task_id) for task_id in self.required if str(ended.get(task_id)) != "success"}
        if wrong:
            listed = ", ".join(f"{task_id} ({state or 'not run'})" for task_id, state in wrong.items())
            raise IncompleteError(f"this run has not done what it was to do: {listed}")


def add_confirmation(deciders: Sequence[BaseOperator]) -> None:
    """Add the confirmation of a run behind the tasks that decide its colour."""
    confirm = ConfirmOutcomeOperator(task_id=names.CONFIRM_OUTCOME, required=[decider.task_id for decider in deciders])
    list(deciders) >> confirm
    confirm.as_teardown(on_failure_fail_dagrun=True)
