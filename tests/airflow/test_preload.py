"""Task starts are cheap: what tasks need is there before their processes are forked."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from typing import Any

import pytest

from hcx_airflow.airflow_private import TASK_MODULES
from hcx_airflow.ui.preload import listener, modules

PRELOADED = """
import os, sys, threading
from airflow.jobs.job import Job

Job()
names = ("hcx_airflow.operators.cutover", "hcx_airflow.dag_factory.loader", "hcx_waves.clients.vsphere.client",
         "hcx_waves.report.build", "hcx_airflow.clock.twin", "hcx_waves.rehearsals.store", "pyVmomi",
         "airflow.sdk.execution_time.task_runner")
print("missing", [name for name in names if name not in sys.modules])
print("threads", len(threading.enumerate()), len(os.listdir("/proc/self/task")))
print("unwanted", sorted({name.partition(".")[0] for name in sys.modules} & {"numpy", "matplotlib", "hcx_sim"}))
"""


def test_a_component_that_starts_imports_what_tasks_need_and_stays_safe_to_fork(tmp_path: Any) -> None:
    environment = {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "PATH": ""}
    command = [sys.executable, "-W", "ignore", "-c", PRELOADED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True, env=environment)  # noqa: S603
    assert done.stdout.splitlines()[-3:] == ["missing []", "threads 1 1", "unwanted []"]


def test_a_task_that_starts_preloads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class TaskRunnerMarker:
        """What listeners are given when a task starts."""

    def preload() -> int:
        raise AssertionError("called")

    monkeypatch.setattr(listener, "preload", preload)
    listener.on_starting(TaskRunnerMarker())


@pytest.mark.parametrize(("value", "wanted"), [("", True), ("1", True), ("0", False), (" Off ", False)])
def test_it_can_be_switched_off(value: str, wanted: bool) -> None:
    assert modules.is_wanted({modules.SWITCH: value}) is wanted
    assert modules.is_wanted({})


def test_a_module_that_cannot_be_imported_is_told_and_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(modules, "_PACKAGES", ("hcx_airflow.sensors",))
    everything = modules.preload()
    monkeypatch.setattr(modules, "_PACKAGES", ("hcx_airflow.no_such_package", "hcx_airflow.sensors"))
    assert modules.preload() == everything > len(TASK_MODULES)
    assert "hcx_airflow.no_such_package cannot be preloaded" in caplog.text


def test_airflow_finds_the_plugin() -> None:
    found = metadata.entry_points(group="airflow.plugins", name="hcx_waves_preload")
    assert [one.load().name for one in found] == ["hcx_waves_preload"]
