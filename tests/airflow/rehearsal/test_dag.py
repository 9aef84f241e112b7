"""The rehearsal DAG: the live graph on twins, when it runs, and what decides the colour of a run."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pendulum
import pytest
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import DataInterval, TimeRestriction

from hcx_airflow.dag_factory.live import build_live_dag
from hcx_airflow.dag_factory.rehearsal import build_rehearsal_dag, last_rehearsal
from hcx_waves.wavefile.loader import load_wave, read_wave
from hcx_waves.wavefile.wave import Wave
from support.airflow_home import DAGS
from support.dag_player import new_run
from support.wave_files import FULL, full_wave, minimal

AROUND = {"take_snapshot", "open_twin", "close_twin", "summarise_rehearsals"}
FOLLOWERS = {"schedule_cleanup", "start_wave__next"}
CUT = "segments:\n  - {name: net, cutover: now, cutover_window: {opens: +0m, lasts: 2h}}\n"
NEXT = read_wave(minimal("next", vms="[z]", more="after: [small]\n"))


def waves() -> list[Wave]:
    return [*(load_wave(path) for path in sorted((DAGS / "waves").glob("*.yaml"))), full_wave()]


def edges(dag: DAG, without: set[str]) -> dict[str, Any]:
    return {
        task.task_id: (
            type(task),
            sorted(task.upstream_task_ids - without),
            str(task.trigger_rule.value),
            task.is_setup,
            task.is_teardown,
            getattr(task.retry_policy, "tries", task.retries),
        )
        for task in dag.tasks
        if task.task_id not in without
    }


def stored(dag: DAG) -> Any:
    """Return a DAG as the scheduler has it."""
    return DagSerialization.from_dict(DagSerialization.to_dict(dag))


@pytest.mark.parametrize("wave", waves(), ids=lambda wave: wave.name)
def test_it_is_the_live_graph_with_a_twin_around_it(wave: Wave) -> None:
    live, rehearsal = build_live_dag(wave, next_waves=[NEXT]), build_rehearsal_dag(wave)
    assert edges(rehearsal, AROUND) == edges(live, FOLLOWERS)
    assert set(rehearsal.task_ids) - set(live.task_ids) == AROUND
    assert rehearsal.get_task("open_twin").upstream_task_ids == {"take_snapshot"}
    assert rehearsal.get_task("resolve_plan").upstream_task_ids == {"open_twin"}
    assert rehearsal.get_task("close_twin").upstream_task_ids == {"write_report"}
    assert rehearsal.get_task("summarise_rehearsals").upstream_task_ids == {"close_twin"}
    below = rehearsal.get_task("open_twin").get_flat_relative_ids(upstream=False)
    assert below == set(rehearsal.task_ids) - {"take_snapshot", "open_twin"}, "nothing runs without its twin"
    above = rehearsal.get_task("close_twin").get_flat_relative_ids(upstream=True)
    assert above == set(rehearsal.task_ids) - {"close_twin", "summarise_rehearsals", "confirm_outcome"}


@pytest.mark.parametrize("wave", waves(), ids=lambda wave: wave.name)
def test_rehearsal_is_baked_into_every_task_and_into_none_of_the_live_dag(wave: Wave) -> None:
    for dag, expected in ((build_live_dag(wave), False), (build_rehearsal_dag(wave), True)):
        for task in dag.tasks:
            if task.task_id == "confirm_outcome" or task.task_id in FOLLOWERS:
                continue
            assert task.rehearsal is expected, task.task_id
            if task.start_trigger_args is not None:
                assert task.start_trigger_args.trigger_kwargs["rehearsal"] is expected, task.task_id


@pytest.mark.parametrize("wave", waves(), ids=lambda wave: wave.name)
def test_it_starts_nothing_and_emits_nothing(wave: Wave) -> None:
    for task in build_rehearsal_dag(wave).tasks:
        assert not isinstance(task, TriggerDagRunOperator)
        assert (task.outlets, task.inlets) == ([], [])


def test_it_takes_backfills_and_the_live_dag_does_not() -> None:
    live, rehearsal = stored(build_live_dag(full_wave())), stored(build_rehearsal_dag(full_wave()))
    kinds = [{str(getattr(kind, "value", kind)) for kind in dag.allowed_run_types} for dag in (live, rehearsal)]
    assert kinds == [{"scheduled", "manual", "operator_triggered"}, {"scheduled", "manual", "backfill"}]
    assert rehearsal.timetable.periodic, "Airflow backfills nothing else"
    assert rehearsal.catchup is False
    assert rehearsal.is_paused_upon_creation is None, "Airflow's own setting, which pauses"


def test_tags_and_page_say_what_it_is() -> None:
    dag = build_rehearsal_dag(full_wave(), text=FULL)
    assert dag.tags == {"hcx-waves", "rehearsal", "twin", "wave:erp-1"}
    page = dag.doc_md or ""
    for passage in (
        "- **This DAG changes nothing real.** It runs the tasks of `erp-1` on a twin, in virtual time.",
        "rehearses 2026-10-24, unless its form names another night",
        "every day at noon (Europe/Berlin), if this DAG is unpaused, up to 2026-10-23; or by hand",
        "airflow backfill create --dag-id rehearsal__erp-1 --from-date 2026-10-01 --to-date 2026-10-31",
        FULL.strip(),
    ):
        assert passage in page


def infos(dag: Any, first: str, end: str) -> list[datetime]:
    """Return the logical dates that a backfill between two dates has, as Airflow's command reads them."""
    dates = (pendulum.parse(one, tz="UTC") for one in (first, end))
    return [info.logical_date for info in dag.iter_dagrun_infos_between(*dates)]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC", "Pacific/Honolulu"])
@pytest.mark.parametrize(("first", "end"), [("2026-10-10", "2026-11-09"), ("2027-03-10", "2027-04-09")])
def test_a_backfill_of_dates_is_their_nights_in_every_zone_whatever_the_clocks_do(
    zone: str, first: str, end: str
) -> None:
    dag = stored(build_rehearsal_dag(read_wave(minimal().replace("UTC", zone))))
    nights = [one.astimezone(ZoneInfo(zone)).date() for one in infos(dag, first, end)]
    assert nights == [date.fromisoformat(first) + timedelta(days=number) for number in range(30)]


def first_run(dag: Any, last: datetime | None = None) -> datetime | None:
    interval = None if last is None else DataInterval.exact(pendulum.instance(last))
    earliest = None if dag.start_date is None else pendulum.instance(dag.start_date)
    latest = None if dag.end_date is None else pendulum.instance(dag.end_date)
    info = dag.timetable.next_dagrun_info(
        last_automated_data_interval=interval, restriction=TimeRestriction(earliest, latest, dag.catchup)
    )
    return None if info is None else info.run_after


def test_unpausing_starts_nothing_at_once() -> None:
    dag = stored(build_rehearsal_dag(read_wave(minimal())))
    run = first_run(dag)
    assert run is not None
    assert run > datetime.now(UTC)
    assert (run.hour, run.minute) == (12, 0)


def test_a_wave_that_has_begun_is_no_longer_rehearsed_by_itself() -> None:
    dag = stored(build_rehearsal_dag(full_wave()))
    assert dag.end_date == full_wave().starts_at
    assert first_run(dag) is None, "its start has passed"
    assert len(infos(dag, "2026-10-20", "2026-11-19")) == 30, "and can be backfilled all the same"


@pytest.mark.parametrize(
    ("more", "end"),
    [
        ("", None),
        ('switchover_window: {opens: "22:00", closes: "04:00"}\n', None),
        ("switchover_window: {opens: 2027-01-09 22:00, lasts: 6h}\n", datetime(2027, 1, 9, 22, tzinfo=UTC)),
        (
            "start: 2027-01-09 08:00\nswitchover_window: {opens: 2027-01-09 22:00, lasts: 6h}\n",
            datetime(2027, 1, 9, 8, tzinfo=UTC),
        ),
    ],
)
def test_a_wave_with_a_date_is_rehearsed_up_to_it(more: str, end: datetime | None) -> None:
    assert last_rehearsal(read_wave(minimal(more=more))) == end


@pytest.mark.parametrize("wave", waves(), ids=lambda wave: wave.name)
def test_every_task_that_waits_at_the_same_time_gets_a_slot(wave: Wave) -> None:
    assert build_rehearsal_dag(wave).max_active_tasks > len(wave.segments_to_cut) + 1


def rehearsal() -> DAG:
    return build_rehearsal_dag(read_wave(minimal("rehearsed", more=CUT)))


@pytest.mark.usefixtures("airflow_database")
class TestColours:
    """By Airflow's own rules."""

    def test_a_night_as_planned_is_green(self) -> None:
        with new_run(rehearsal()) as run:
            run.play()
            assert run.state == "success"
            assert run.ended("success") == set(run.tasks)

    @pytest.mark.parametrize(
        "failed", ["resolve_plan", "run_preflight", "approve_wave", "cutover_net.unextend_network"]
    )
    def test_a_night_that_went_wrong_is_red_and_recorded(self, failed: str) -> None:
        with new_run(rehearsal()) as run:
            run.play({failed: "failed", "conclude_wave": "failed", "confirm_outcome": "failed"})
            assert run.state == "failed"
            assert {run.tasks[one] for one in ("write_report", "close_twin", "summarise_rehearsals")} == {"success"}

    @pytest.mark.parametrize("failed", ["take_snapshot", "open_twin"])
    def test_without_a_twin_nothing_is_rehearsed_and_the_run_is_red(self, failed: str) -> None:
        with new_run(rehearsal()) as run:
            run.play(
                {failed: "failed", "conclude_wave": "failed", "confirm_outcome": "failed", "close_twin": "skipped"}
            )
            assert run.state == "failed"
            assert run.tasks["resolve_plan"] == "upstream_failed"

    def test_a_night_without_a_record_is_red(self) -> None:
        with new_run(rehearsal()) as run:
            run.play({"close_twin": "failed"})
            assert run.state == "failed"

    def test_the_summary_decides_nothing(self) -> None:
        with new_run(rehearsal()) as run:
            run.play({"summarise_rehearsals": "failed"})
            assert run.state == "success"

    def test_a_run_that_is_marked_failed_closes_its_twin_and_is_red(self) -> None:
        with new_run(rehearsal()) as run:
            run.play(until="cutover_net.unextend_network")
            run.mark_failed()
            run.play({"confirm_outcome": "failed"})
            assert {run.tasks[one] for one in ("write_report", "close_twin", "summarise_rehearsals")} == {"success"}
            assert run.state == "failed"
