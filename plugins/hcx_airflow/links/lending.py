"""Links for tasks that end in the triggerer: no worker sees them, so a task before them leaves theirs."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from airflow.sdk.bases.xcom import BaseXCom

from hcx_airflow.links.managers import LINKS

logger = logging.getLogger(__name__)


def lend_links(ti: Any, pages: Mapping[str, str], task_ids: Iterable[str]) -> None:
    """Leave links for later tasks of the run; those that there are not are left out, and no failure matters.

    :param ti: the running task instance.
    :param pages: addresses by page, as the running task has used them.
    :param task_ids: tasks that start from their trigger; Airflow keeps what is there before, as no worker starts them.
    """
    wanted = list(task_ids)
    if not wanted or not pages:
        return
    try:
        there = ti.get_task_states(dag_id=ti.dag_id, task_ids=wanted, run_ids=[ti.run_id]).get(ti.run_id, {})
        for task_id in there:
            for link in LINKS:
                leave(link.xcom_key, link.address(pages), ti, task_id)
    except Exception:
        # The step itself is done by now; were it to fail here, what it has started would look as if it had not been.
        logger.warning("%s will have no links", ", ".join(wanted), exc_info=True)


def leave(key: str, value: str, ti: Any, task_id: str) -> None:
    """Store what Airflow would store if the task ended in a worker."""
    BaseXCom.set(key, value, dag_id=ti.dag_id, task_id=task_id, run_id=ti.run_id)
