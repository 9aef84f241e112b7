"""The whole seed wave by its operators, against the simulated sites: what each leaves, and what the sites say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hcx_airflow.operators.cutover import (
    DisconnectSourceSegmentOperator,
    ProveSegmentEmptyOperator,
    ReconnectSourceSegmentOperator,
    UnextendNetworkOperator,
    VerifyDestinationRoutedOperator,
)
from hcx_airflow.operators.gates import WaveGate
from hcx_airflow.operators.migration import (
    EvaluateMigrationsOperator,
    StartMigrationsOperator,
    VerifyVirtualMachinesOperator,
)
from hcx_airflow.operators.plan import ResolvePlanOperator, RunPreflightOperator
from hcx_airflow.operators.report import ConcludeWaveOperator, WriteReportOperator
from hcx_airflow.sensors.migration import AwaitMigrationsSensor
from hcx_airflow.sensors.unextend import AwaitUnextendedSensor

WAVE = {"wave_id": "seed-wave"}
SEGMENT = {**WAVE, "segment": "seed-net"}


@pytest.mark.world(mode="scaled", speed=600.0)
def test_the_seed_wave(airflow_run: Any, site_pair: Any) -> None:
    run = airflow_run
    run.params = {"poll_interval_seconds": 1}
    run.execute(ResolvePlanOperator(task_id="resolve_plan", **WAVE))
    run.execute(RunPreflightOperator(task_id="run_preflight", **WAVE))
    run.answer(WaveGate(task_id="approve_wave", gate="approve_wave", **WAVE), change_reference="CHG1")
    run.execute(StartMigrationsOperator(task_id="start_migrations", **WAVE))
    run.execute(AwaitMigrationsSensor(task_id="await_migrations", **WAVE))
    run.execute(EvaluateMigrationsOperator(task_id="evaluate_migrations", **WAVE))
    run.execute(VerifyVirtualMachinesOperator(task_id="verify_virtual_machines", **WAVE))
    group = "cutover_seed-net."
    run.execute(ProveSegmentEmptyOperator(task_id=f"{group}prove_segment_empty", **SEGMENT))
    run.answer(WaveGate(task_id=f"{group}approve_cutover", gate="approve_cutover", **SEGMENT))
    run.execute(DisconnectSourceSegmentOperator(task_id=f"{group}disconnect_source_segment", **SEGMENT))
    run.execute(UnextendNetworkOperator(task_id=f"{group}unextend_network", **SEGMENT))
    run.execute(AwaitUnextendedSensor(task_id=f"{group}await_unextended", **SEGMENT))
    run.execute(VerifyDestinationRoutedOperator(task_id=f"{group}verify_destination_routed", **SEGMENT))
    run.execute(ReconnectSourceSegmentOperator(task_id=f"{group}reconnect_source_segment", **SEGMENT))
    ending = run.execute(ConcludeWaveOperator(task_id="conclude_wave", **WAVE))
    assert ending["outcome"] == "as_planned"
    written = run.execute(WriteReportOperator(task_id="write_report", **WAVE))
    assert written["outcome"] == "as_planned"
    print(Path(written["markdown"]).read_text())
    for (task, key), value in run.xcoms.items():
        print(task, key, json.dumps(value)[:300])
