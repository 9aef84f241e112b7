"""Store links for tasks that end in the triggerer, as no worker runs them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from hcx_airflow.airflow_private import store_xcom
from hcx_airflow.ui.links import LINKS

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
                store_xcom(ti, task_id, link.xcom_key, link.address(pages))
    except Exception:
        # The step itself is done by now; were it to fail here, what it has started would look as if it had not been.
        logger.warning("%s get no links, as they could not be stored", ", ".join(wanted), exc_info=True)
