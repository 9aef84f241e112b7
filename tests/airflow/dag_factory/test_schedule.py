"""When a wave's DAG runs, by whom it may be started, and what its pages say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pendulum
import pytest
from airflow.sdk import DAG
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import DataInterval, TimeRestriction

from hcx_airflow.dag_factory.cleanup import build_cleanup_dag
from hcx_airflow.dag_factory.live import build_live_dag
from hcx_airflow.dag_factory.watchdog import build_watchdog_dag
from hcx_airflow.errors import RunRefusedError
from hcx_airflow.operators.plan import refuse_wrong_run
from hcx_airflow.task import TaskRun
from hcx_waves.wavefile.loader import read_wave
from support.wave_files import FULL, changed, full_wave, minimal

# 2026-10-23 20:00 in Berlin, still summer time.
START = datetime(2026, 10, 23, 18, 0, tzinfo=UTC)


def stored(dag: DAG) -> Any:
    """Return a DAG as the scheduler has it."""
    return DagSerialization.from_dict(DagSerialization.to_dict(dag))


def next_run(dag: Any, after: datetime | None = None) -> datetime | None:
    last = None if after is None else DataInterval.exact(pendulum.instance(after))
    restriction = TimeRestriction(pendulum.instance(dag.start_date), None, dag.catchup)
    info = dag.timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
    return None if info is None else info.run_after


def test_a_wave_with_a_start_runs_once_even_if_the_scheduler_was_away() -> None:
    dag = stored(build_live_dag(full_wave()))
    assert dag.catchup is True, "without it a scheduler that is away at that second loses the wave"
    assert next_run(dag) == START, "also if that has long passed: the tolerance is resolve_plan's to judge"
    assert next_run(dag, after=START) is None
    assert dag.timetable.summary == "Once, 2026-10-23 20:00 Europe/Berlin"


def test_a_wave_that_is_given_a_later_date_runs_again() -> None:
    later = changed("start: 2026-10-23 20:00", "start: 2026-10-24 20:00")
    assert next_run(stored(build_live_dag(read_wave(later))), after=START) == START + timedelta(days=1)


def test_a_wave_without_a_start_waits_for_somebody() -> None:
    dag = stored(build_live_dag(read_wave(minimal())))
    assert next_run(dag) is None
    assert dag.timetable.can_be_scheduled is False


def test_a_wave_can_be_started_by_hand_before_its_start() -> None:
    """Airflow never begins tasks of a run whose logical date is before the DAG's start date."""
    assert stored(build_live_dag(full_wave())).start_date < START - timedelta(days=3650)


@pytest.mark.parametrize(
    ("dag", "kinds"),
    [
        (build_live_dag(full_wave()), {"scheduled", "manual", "operator_triggered"}),
        (build_cleanup_dag(full_wave()), {"manual", "operator_triggered"}),
    ],
    ids=lambda value: getattr(value, "dag_id", ""),
)
def test_no_backfill_and_no_asset_starts_a_wave_and_only_one_run_at_a_time(dag: DAG, kinds: set[str]) -> None:
    scheduled = stored(dag)
    assert {str(getattr(kind, "value", kind)) for kind in scheduled.allowed_run_types} == kinds
    assert scheduled.max_active_runs == 1


@pytest.mark.parametrize(("kind", "user"), [("backfill", None), ("manual", "dag_test")])
def test_a_run_that_is_no_real_one_is_told_where_to_go(kind: str, user: str | None) -> None:
    dag_run = SimpleNamespace(run_type=kind, triggering_user_name=user)
    run = TaskRun("erp-1", False, {"dag_run": dag_run})
    with pytest.raises(RunRefusedError, match=r"never moves real VMs\. To rehearse the wave, run rehearsal__erp-1$"):
        refuse_wrong_run(run, full_wave(), START)


def test_only_what_starts_nothing_by_itself_is_born_unpaused() -> None:
    assert build_live_dag(full_wave()).is_paused_upon_creation is None, "Airflow's own setting, which pauses"
    assert build_cleanup_dag(full_wave()).is_paused_upon_creation is False
    assert build_watchdog_dag().is_paused_upon_creation is False


def test_a_dag_belongs_to_the_first_approver_and_has_the_waves_tags() -> None:
    dag = build_live_dag(full_wave())
    assert dag.owner == "alice"
    assert dag.tags == {"hcx-waves", "live", "wave:erp-1"}
    assert build_live_dag(read_wave(minimal())).owner == "hcx-waves"


def test_the_page_describes_the_wave_and_shows_the_file() -> None:
    page = build_live_dag(full_wave(), text=FULL).doc_md or ""
    for passage in (
        "The first half of the ERP system.",
        "- **Start**: 2026-10-23 20:00 Europe/Berlin, at most 1h30m late, if this DAG is unpaused.",
        "- **VMs** (3): erp01, erp02, erp03.",
        "- **Segment erp**: cut over 2026-10-25 04:00 for 3h (Europe/Berlin), source gateway disconnected by a "
        "command; fw01 "
        "may stay at the",
        "- **Segment shared**: stays stretched; wave erp-2 cuts it over.",
        "- **Gates**: approve_wave, approve_switchover, approve_cutover for each segment, confirm_disconnected for "
        "each segment that is disconnected by hand.",
        "- **Cleanup**: `cleanup__erp-1`, 14d after this wave.",
        "- **This DAG moves real VMs.** To rehearse the wave, run `rehearsal__erp-1`.",
        FULL.strip(),
    ):
        assert passage in page


def test_nothing_in_the_file_can_end_its_frame_on_the_page() -> None:
    text = minimal() + "# ``` and ````\n"
    page = build_live_dag(read_wave(text), text=text).doc_md or ""
    assert page.count("`````") == 2
    assert page.endswith("`````\n"), "Airflow takes a page that ends in .md for a path"


def test_a_long_file_is_shown_in_part() -> None:
    text = minimal() + "# x\n" * 20_000
    assert len(build_live_dag(read_wave(text), text=text).doc_md or "") < 25_000


def test_only_waves_with_something_to_clean_up_speak_of_a_cleanup() -> None:
    page = build_live_dag(read_wave(minimal())).doc_md or ""
    assert "Cleanup" not in page
