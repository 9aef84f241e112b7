"""Preloads when scheduler, dag-processor or triggerer starts, before it forks anything."""

from __future__ import annotations

import logging
import time
from typing import Any

from airflow.listeners import hookimpl

from hcx_airflow.ui.preload.modules import is_wanted, preload

log = logging.getLogger(__name__)


@hookimpl
def on_starting(component: Any) -> None:
    """Preload in a component of Airflow; a task, which is told to listeners here too, needs nothing more."""
    if type(component).__name__ != "Job" or not is_wanted():
        return
    began = time.monotonic()
    count = preload()
    log.info("Preloaded %d modules for tasks in %.2f s", count, time.monotonic() - began)
