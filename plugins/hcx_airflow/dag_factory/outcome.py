"""The task that confirms the colour of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from airflow.sdk import BaseOperator

from hcx_airflow import names
from hcx_airflow.operators.report import ConfirmOutcomeOperator


def add_confirmation(deciders: Sequence[BaseOperator], excuses: Mapping[str, str] | None = None) -> None:
    """Add the confirmation of a run behind the tasks that decide its colour.

    :param excuses: see :class:`~hcx_airflow.operators.report.ConfirmOutcomeOperator`.
    """
    required = [decider.task_id for decider in deciders]
    confirm = ConfirmOutcomeOperator(task_id=names.CONFIRM_OUTCOME, required=required, excuses=excuses)
    list(deciders) >> confirm
    confirm.as_teardown(on_failure_fail_dagrun=True)
