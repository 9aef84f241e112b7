"""Fifty waves at once; ``make bench`` does it with two hundred and Airflow's own DAG processor.

Processor time is measured, not the clock on the wall, and the limits leave room for slow machines.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from airflow.serialization.serialized_objects import DagSerialization

from hcx_airflow.dag_factory.loader import check_waves, wave_dags
from support.many_waves import write_many_waves

WAVES = 50


def processor_seconds(action: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    result = action()
    return time.process_time() - began, result


def test_fifty_waves_are_parsed_checked_and_serialised_in_seconds(tmp_path: Path) -> None:
    write_many_waves(tmp_path, WAVES)
    parsing, dags = processor_seconds(lambda: wave_dags(tmp_path))
    checking, _ = processor_seconds(lambda: check_waves(tmp_path))
    storing, documents = processor_seconds(lambda: [DagSerialization.to_dict(dag) for dag in dags.values()])
    assert len(documents) == 5 * WAVES
    assert parsing < 3, "about 0.5 s"
    assert checking < 3, "about 0.4 s"
    assert storing < 4, "about 0.6 s; five times that when each task carries the DAG's params"


def test_a_task_start_costs_the_same_however_many_waves_there_are(tmp_path: Path) -> None:
    names = write_many_waves(tmp_path, WAVES)
    seconds, dags = processor_seconds(lambda: wave_dags(tmp_path, only=names[17]))
    assert sorted(dags) == [
        f"cleanup__{names[17]}", f"recover__{names[17]}", f"rehearsal__{names[17]}", f"rollback__{names[17]}",
        names[17],
    ]  # fmt: skip
    assert seconds < 0.5, "about 0.02 s"


def test_no_task_carries_the_params_of_its_dag(tmp_path: Path) -> None:
    write_many_waves(tmp_path, 1)
    dag = wave_dags(tmp_path)["wave-000"]
    assert set(dag.params) > {"vms", "cutover_only"}
    assert [task.task_id for task in dag.tasks if "vms" in task.params] == []
