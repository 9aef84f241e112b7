"""The modules that tasks work with, imported ahead of time.

Airflow forks a process for every task start and every parsed file. What its parent has imported already costs the
child nothing; the rest, half a second of processor time, would be paid again by each.
"""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
from collections.abc import Iterator, Mapping

from hcx_airflow.airflow_private import TASK_MODULES

SWITCH = "HCX_WAVES_PRELOAD"
_OFF = frozenset({"0", "false", "no", "off"})
_PACKAGES = (
    "hcx_airflow.dag_factory",
    "hcx_airflow.operators",
    "hcx_airflow.sensors",
    "hcx_airflow.triggers",
    "hcx_airflow.gates",
    "hcx_airflow.rehearsal",
    "hcx_airflow.clock",
    "hcx_airflow.hooks",
    "hcx_waves.clients",
    "hcx_waves.resolve",
    "hcx_waves.preflight",
    "hcx_waves.migration",
    "hcx_waves.cutover",
    "hcx_waves.run",
    "hcx_waves.report",
    "hcx_waves.twin",
    "hcx_waves.snapshot",
    "hcx_snapshot",
)
# Not their whole packages: numpy and matplotlib make threads, and a process with threads is not to be forked.
_SINGLE = ("hcx_waves.rehearsals.build", "hcx_waves.rehearsals.store", "hcx_waves.rehearsals.summary")


log = logging.getLogger(__name__)


def is_wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether to preload at all; ``HCX_WAVES_PRELOAD=0`` is for people who edit the code while Airflow runs."""
    return environment.get(SWITCH, "").strip().lower() not in _OFF


def preload() -> int:
    """Import the modules; one that cannot be imported is logged and left to the task that needs it.

    :returns: how many were imported.
    """
    count = 0
    for name in _names():
        try:
            importlib.import_module(name)
        except Exception:
            log.warning("%s cannot be preloaded; tasks that need it import it themselves", name, exc_info=True)
        else:
            count += 1
    return count


def _names() -> Iterator[str]:
    yield from TASK_MODULES
    yield from _SINGLE
    for package in _PACKAGES:
        yield from _below(package)


def _below(package: str) -> Iterator[str]:
    """Yield a package and all modules in it; none if it cannot be imported, as a task will say."""
    yield package
    try:
        folders = importlib.import_module(package).__path__
    except ImportError:
        return
    for found in pkgutil.iter_modules(folders, f"{package}."):
        if found.ispkg:
            yield from _below(found.name)
        else:
            yield found.name
