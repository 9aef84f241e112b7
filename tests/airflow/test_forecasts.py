"""The forecast of a run: left before the gate asks, shown by it, kept when tasks run again, and never in the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hcx_airflow import forecasts
from hcx_airflow.rehearsal.twin import PARAMETERS_VARIABLE
from hcx_waves.model.expectation import Expectation
from support.airflow_tasks import AirflowRun
from support.wave_tasks import WaveTasks


@pytest.fixture
def tasks(airflow_run: AirflowRun) -> WaveTasks:
    made = WaveTasks(airflow_run)
    made.do("resolve_plan")
    return made


def forecast_left(tasks: WaveTasks) -> Expectation | None:
    left = tasks.left("run_preflight", "forecast")
    return None if left is None else Expectation.model_validate(left)


def body_of(tasks: WaveTasks) -> str:
    tasks.do("approve_wave")
    return str(tasks.run.asked[-1]["body"])


def test_the_gate_shows_the_forecast_that_was_made_before_it(tasks: WaveTasks) -> None:
    tasks.do("run_preflight")
    forecast = forecast_left(tasks)
    assert forecast is not None
    assert forecast.nights == forecasts.NIGHTS
    assert [vm.name for vm in forecast.vms] == ["web01", "web02", "app01", "db01"]
    assert all(vm.bytes_total and vm.stands_in_line for vm in forecast.vms)
    outage = forecast.outage_of("seed-net")
    assert outage is not None
    body = body_of(tasks)
    assert f"Based on {forecasts.NIGHTS} simulated nights" in body
    for words in ("| Base syncs complete |", "| First gateway disconnected |", "| Wave complete |"):
        assert words in body
    assert f"{forecasts_length(outage.p50_seconds)} (P50), {forecasts_length(outage.p90_seconds)} (P90)" in body
    assert "VMs that determine the end: " in body
    assert "usually a few minutes" not in body


def forecasts_length(seconds: float) -> str:
    from hcx_airflow.gates.forecast_body import _length

    return _length(seconds)


def test_what_runs_again_shows_the_same(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.do("run_preflight")
    before = forecast_left(tasks)
    # Sizes grow; the gate must not ask about something else for that.
    site_pair.run(lambda: _grow_disks(site_pair))
    tasks.do("run_preflight")
    after = forecast_left(tasks)
    assert before is not None
    assert after is not None
    assert after.model_copy(update={"vms": ()}) == before.model_copy(update={"vms": ()})
    assert after.vms != before.vms
    first, second = body_of(tasks), body_of(tasks)
    assert first == second


def _grow_disks(pair: Any) -> None:
    from dataclasses import replace

    vm = pair.vm("web01")
    disks = tuple(replace(one, used_bytes=one.capacity_bytes) for one in vm.disks)
    pair.world.update(vm, disks=type(vm.disks)(disks))


def test_a_forecast_that_cannot_be_made_is_logged_and_the_wave_goes_on(
    tasks: WaveTasks, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("no such night")

    monkeypatch.setattr(forecasts, "make_forecast", fail)
    tasks.do("run_preflight")
    assert forecast_left(tasks) is None
    assert "No forecast could be made: no such night" in caplog.text
    body = body_of(tasks)
    assert "No forecast: it could not be made (no such night)." in body
    assert "usually a few minutes" in body
    assert tasks.do("start_migrations")["expected_vms"] == []


def test_a_parameters_file_is_used_and_a_broken_one_is_told(
    tasks: WaveTasks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    parameters = tmp_path / "parameters.yaml"
    parameters.write_text("network: {unextend: {kind: fixed, seconds: 1000}}")
    monkeypatch.setenv(PARAMETERS_VARIABLE, str(parameters))
    tasks.do("run_preflight")
    forecast = forecast_left(tasks)
    assert forecast is not None
    outage = forecast.outage_of("seed-net")
    assert outage is not None
    assert outage.p50_seconds > 1000
    assert forecast.parameters_digest is not None
    parameters.write_text("network: {unextended: 3}")
    monkeypatch.setenv("HCX_WAVES_STATE_FOLDER", str(tmp_path / "nothing is kept here"))
    tasks.do("resolve_plan", "run_preflight")
    assert forecast_left(tasks) is None
    assert "network.unextended: is not a parameter" in caplog.text


def test_the_gate_and_the_report_say_what_would_fit(
    tasks: WaveTasks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = tmp_path / "parameters.yaml"
    parameters.write_text("network: {unextend: {kind: fixed, seconds: 46800}}")
    monkeypatch.setenv(PARAMETERS_VARIABLE, str(parameters))
    tasks.do("run_preflight")
    forecast = forecast_left(tasks)
    assert forecast is not None
    assert forecast.window_fit is not None
    assert (forecast.window_fit.vms_fitting, forecast.window_fit.vms) == (0, 4)
    said = "Widen the cutover window of seed-net to 14h (until"
    assert f"0 of 4 VMs would fit the windows as a wave of their own. {said}" in body_of(tasks)
    written = tasks.do("write_report")
    assert said in Path(written["markdown"]).read_text(encoding="utf-8")


def test_a_run_that_does_a_part_forecasts_that_part(tasks: WaveTasks) -> None:
    tasks.run.params = {"vms": ["web01"], "stop_before_cutover": True}
    tasks.do("run_preflight")
    forecast = forecast_left(tasks)
    assert forecast is not None
    assert [vm.name for vm in forecast.vms] == ["web01"]
    assert (forecast.outages, forecast.cutover_start) == ((), None)


def test_a_run_that_moves_nothing_has_no_forecast(tasks: WaveTasks, caplog: pytest.LogCaptureFixture) -> None:
    tasks.run.params = {"cutover_only": True}
    tasks.do("run_preflight")
    assert forecast_left(tasks) is None
    assert "No forecast could be made" not in caplog.text


def test_what_another_version_has_left_is_no_forecast(tasks: WaveTasks, caplog: pytest.LogCaptureFixture) -> None:
    tasks.do("run_preflight")
    tasks.run.xcoms["run_preflight", "forecast"] = {"nights": 1}
    assert "No forecast." in body_of(tasks)
    assert "the result of run_preflight (XCom forecast) is not to be trusted: it has no seal" in caplog.text


def test_migrations_start_with_what_is_expected_of_each_vm(tasks: WaveTasks) -> None:
    tasks.do("run_preflight", "approve_wave")
    started = tasks.do("start_migrations")
    assert [one["name"] for one in started["expected_vms"]] == ["web01", "web02", "app01", "db01"]
    assert started["switchover_order"] == []
    assert len(json.dumps(started["expected_vms"])) < 1000
