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
from hcx_airflow.waits import WaitNote
from hcx_waves.run.stalls import Stall, StallId
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
    waiting: set[tuple[str, str, str]] = field(default_factory=set)

    def is_paused(self, dag_id: str) -> bool | None:
        return self.paused.get(dag_id)

    def count(self, dag_id: str, states: Sequence[str] | None = None, logical_date: datetime | None = None) -> int:
        return sum(
            (states is None or state in states) and logical_date in (None, date)
            for state, date in self.runs.get(dag_id, [])
        )

    def is_waiting(self, dag_id: str, run_id: str, task_id: str) -> bool:
        return (dag_id, run_id, task_id) in self.waiting


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


def noted(looked_at: datetime, **fields: Any) -> WaitNote:
    """Note a look of the wave's wait."""
    given = {"dag_id": "one", "run_id": "manual__1", "task_id": "await_migrations", "poll_seconds": 30.0, **fields}
    note = WaitNote(looked_at=looked_at, **given)
    note.write()
    return note


def test_what_stands_in_a_wait_is_shown_with_its_way_into_the_guide(waves: Waves) -> None:
    stall = Stall(
        stall_id=StallId.TRANSFER_STANDS,
        subject="db07",
        what="nothing has arrived of db07",
        since=START - timedelta(hours=2),
        seen_at=START,
        limit_seconds=3600.0,
    )
    folder, airflow = waves(minimal("one")), Runs({"one": False})
    noted(START, stalls=(stall.model_dump(mode="json"),))
    assert concerns_of(folder, airflow, START) == [], "a task that does not wait any more is nobody's concern"
    airflow.waiting.add(("one", "manual__1", "await_migrations"))
    [said] = concerns_of(folder, airflow, START)
    assert said.startswith("one, run manual__1, await_migrations: transfer-stands: nothing has arrived of db07, since ")
    assert "past its limit of 1h" in said
    assert said.endswith("(guide: transfer-stands, docs/guide/stalls.md#transfer-stands)")


@pytest.mark.parametrize(("minutes", "is_over", "away"), [(9, False, False), (11, False, True), (600, True, False)])
def test_a_triggerer_that_does_not_look_is_noticed(waves: Waves, minutes: int, is_over: bool, away: bool) -> None:
    folder, airflow = waves(minimal("one")), Runs({"one": False})
    airflow.waiting.add(("one", "manual__1", "await_migrations"))
    noted(START - timedelta(minutes=minutes), is_over=is_over)
    found = concerns_of(folder, airflow, START)
    assert ["triggerer-away: no triggerer has looked since 2026-10-23" in one for one in found] == [True] * away


def test_a_slow_poll_is_no_absence(waves: Waves) -> None:
    folder, airflow = waves(minimal("one")), Runs({"one": False})
    airflow.waiting.add(("one", "manual__1", "await_migrations"))
    noted(START - timedelta(minutes=40), poll_seconds=600.0)
    assert concerns_of(folder, airflow, START) == []


@pytest.mark.parametrize(("state", "waits"), [("deferred", True), ("running", True), ("success", False), (None, False)])
def test_whether_a_task_waits_is_asked_of_airflow(tmp_path: Path, state: str | None, waits: bool) -> None:
    ti: Any = Ti(tmp_path)
    ti.get_task_states = lambda **_asked: {"manual__1": {"await_migrations": state}}
    assert AirflowRuns(ti).is_waiting("one", "manual__1", "await_migrations") is waits


def test_a_note_that_cannot_be_read_is_none(waves: Waves) -> None:
    folder, airflow = waves(minimal("one")), Runs({"one": False})
    airflow.waiting.add(("one", "manual__1", "await_migrations"))
    noted(START - timedelta(days=1)).path.write_text("{")
    assert concerns_of(folder, airflow, START) == []
