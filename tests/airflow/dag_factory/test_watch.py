"""The watchdog: waves that are due but paused, missed, or broken; and silence about all others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time.comms import ErrorResponse

from hcx_airflow.dag_factory.watch import concerns_of
from hcx_airflow.dag_factory.watchdog import AirflowRuns, ReportWavesOperator, build_watchdog_dag
from support.wave_files import minimal

Waves = Callable[..., Path]
START = datetime(2026, 10, 23, 18, 0, tzinfo=UTC)
SCHEDULED = minimal("night", more="start: 2026-10-23 18:00\nstart_tolerance: 1h\n")
CUT = "segments:\n  - {name: net, cutover: now, cutover_window: {opens: +0m, lasts: 2h}}\n"


@dataclass
class Runs:
    """Airflow as the watchdog sees it: DAGs by id, and their runs as (state, logical date)."""

    paused: dict[str, bool] = field(default_factory=dict)
    runs: dict[str, list[tuple[str, datetime | None]]] = field(default_factory=dict)

    def is_paused(self, dag_id: str) -> bool | None:
        return self.paused.get(dag_id)

    def count(self, dag_id: str, states: Sequence[str] | None = None, logical_date: datetime | None = None) -> int:
        return sum(
            (states is None or state in states) and logical_date in (None, date)
            for state, date in self.runs.get(dag_id, [])
        )


@pytest.mark.parametrize(
    ("since_start", "paused", "runs", "said"),
    [
        (timedelta(hours=-3), True, [], ""),
        (timedelta(hours=-1), True, [], "due at 2026-10-23 18:00 UTC, but the DAG is paused. Unpause it, or the wave"),
        (timedelta(hours=-1), False, [], ""),
        (timedelta(minutes=30), True, [], "due at 2026-10-23 18:00 UTC, but the DAG is paused"),
        (timedelta(minutes=3), False, [], ""),
        (timedelta(minutes=6), False, [], "due at 2026-10-23 18:00 UTC, but not started"),
        (timedelta(minutes=30), False, [("running", START)], ""),
        (timedelta(hours=2), False, [], "did not start at 2026-10-23 18:00 UTC. Start it by hand"),
        (timedelta(hours=2), True, [], "did not start"),
        (timedelta(hours=2), False, [("failed", START)], ""),
        (timedelta(hours=2), False, [("failed", START - timedelta(days=9))], "did not start"),
        (timedelta(hours=2), False, [("success", None)], ""),
        (timedelta(days=8), False, [], ""),
    ],
)
def test_a_wave_with_a_start(
    waves: Waves, since_start: timedelta, paused: bool, runs: list[tuple[str, datetime | None]], said: str
) -> None:
    found = concerns_of(waves(SCHEDULED), Runs({"night": paused}, {"night": runs}), START + since_start)
    assert [one.partition(": ")[2].startswith(said) for one in found] == ([True] if said else [])


def test_a_run_that_waits_for_a_paused_dag_is_told_about(waves: Waves) -> None:
    folder = waves(minimal("first", more=CUT), minimal("next", vms="[z]", more="after: [first]\n"))
    airflow = Runs(
        {"first": False, "cleanup__first": True, "recover__first": True, "next": True},
        {name: [("queued", None)] for name in ("next", "cleanup__first", "recover__first")},
    )
    assert concerns_of(folder, airflow, START) == [
        "cleanup__first: a run waits for the end of the hold, but the DAG is paused. Unpause it, or delete the run",
        "recover__first: a way back waits, but the DAG is paused. Unpause it, or delete the run",
        "next: a run is queued, but the DAG is paused. Unpause the DAG, or delete the run",
    ]
    airflow.paused = dict.fromkeys(airflow.paused, False)
    assert concerns_of(folder, airflow, START) == []


def test_broken_and_contradicting_files_are_told_about(waves: Waves) -> None:
    folder = waves(minimal("one"), minimal("two"), minimal("odd", vms="[b]").replace("UTC", "Mars"))
    found = concerns_of(folder, Runs({"one": False, "two": False}), START)
    assert len(found) == 3
    assert found[0].startswith('waves/odd.yaml:3:12 time_zone: "Mars"')
    assert all("is also moved by wave" in one for one in found[1:])


def test_a_wave_without_a_dag_is_told_about(waves: Waves) -> None:
    found = concerns_of(waves(minimal("one")), Runs(), START)
    assert found == ["one: Airflow has no DAG for this wave. See the import errors"]


class Ti:
    """A task instance in a bundle."""

    def __init__(self, bundle: Path, missing: bool = False) -> None:
        self.bundle_instance = SimpleNamespace(path=bundle)
        self.missing = missing
        self.counted: list[dict[str, Any]] = []

    def get_dag(self, dag_id: str) -> Any:
        if self.missing:
            detail = {"status_code": 404, "message": f"{dag_id} not found"}
            raise AirflowRuntimeError(ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail=detail))
        return SimpleNamespace(is_paused=False)

    def get_dr_count(self, dag_id: str, **given: Any) -> int:
        self.counted.append({"dag_id": dag_id, **given})
        return 0


def test_the_task_is_red_at_once_and_lists_what_there_is_to_see_to(waves: Waves) -> None:
    folder = waves(minimal("one"), minimal("two"))
    with pytest.raises(AirflowFailException, match=r"^2 problems with waves:\n- waves/one\.yaml:8:7 vms\[0\]"):
        ReportWavesOperator(task_id="report_waves").execute({"ti": Ti(folder.parent)})  # type: ignore[typeddict-item]


def test_the_task_is_green_when_there_is_nothing(waves: Waves) -> None:
    ti: Any = Ti(waves(minimal("one")).parent)
    ReportWavesOperator(task_id="report_waves").execute({"ti": ti})  # type: ignore[typeddict-item]


def test_what_is_asked_of_airflow(tmp_path: Path) -> None:
    ti = Ti(tmp_path)
    runs = AirflowRuns(ti)
    assert runs.is_paused("one") is False
    assert AirflowRuns(Ti(tmp_path, missing=True)).is_paused("one") is None
    runs.count("one", ["queued"])
    runs.count("one", logical_date=START)
    assert ti.counted == [
        {"dag_id": "one", "states": ["queued"], "logical_dates": None},
        {"dag_id": "one", "states": None, "logical_dates": [START]},
    ]


def test_the_watchdog_does_not_pile_up() -> None:
    dag = build_watchdog_dag()
    assert (dag.dag_id, dag.catchup, dag.max_active_runs) == ("hcx_waves_watchdog", False, 1)
