"""A wave in two runs: the VMs first, the segment later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hcx_waves.report.files import read_report
from support.airflow_tasks import AirflowRun
from support.wave_tasks import CUTOVER, UNTIL_VERIFIED, WaveTasks

pytestmark = pytest.mark.world(mode="scaled", speed=600.0)


def test_the_second_run_finds_the_vms_there_cuts_over_and_reports(airflow_run: AirflowRun, site_pair: Any) -> None:
    airflow_run.params = {"poll_interval_seconds": 1, "stop_before_cutover": True}
    first = WaveTasks(airflow_run)
    first.do(*UNTIL_VERIFIED, "conclude_wave", "write_report")
    assert first.left("conclude_wave")["segments"] == {"seed-net": "stretched"}

    later = AirflowRun(airflow_run.bundle, run_id="manual__2", asked=airflow_run.asked)
    later.params = {"poll_interval_seconds": 1, "cutover_only": True}
    second = WaveTasks(later)
    mark = site_pair.mark()
    second.do(*UNTIL_VERIFIED, *CUTOVER, "conclude_wave", "write_report")
    assert not [call for call in site_pair.calls(after=mark) if "start" in call["data"]["operation"].lower()]
    assert second.left("conclude_wave")["outcome"] == "as_planned"
    report = read_report(Path(second.left("write_report")["json"]))
    assert {vm.outcome.value for vm in report.vms} == {"already_there"}
    assert {vm.before.site for vm in report.vms} == {"destination"}
