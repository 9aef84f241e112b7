"""What runs after something went wrong, and the colour of the run, by Airflow's own rules."""

from __future__ import annotations

import pytest
from airflow.sdk import DAG

from hcx_airflow.dag_factory.cleanup import build_cleanup_dag
from hcx_airflow.dag_factory.live import build_live_dag
from hcx_waves.wavefile.loader import read_wave
from support.dag_player import new_run
from support.wave_files import minimal

pytestmark = pytest.mark.usefixtures("airflow_database")

TEXT = minimal(
    "coloured",
    more="segments:\n"
    "  - {name: a, cutover: now, cutover_window: {opens: +0m, lasts: 2h}}\n"
    "  - {name: b, cutover: now, cutover_window: {opens: +0m, lasts: 2h}}\n",
)
FOLLOWERS = {"schedule_cleanup", "start_wave__next"}
NEXT = {"start_wave__next"}
NOT_AS_PLANNED = {"conclude_wave": "failed", "confirm_outcome": "failed", "schedule_cleanup": "skipped"}
SEGMENT_A = {
    f"cutover_a.{one}" for one in ("disconnect_source_segment", "unextend_network", "verify_destination_routed")
}
SEGMENT_B = {one.replace("_a.", "_b.") for one in SEGMENT_A}


def live() -> DAG:
    following = read_wave(minimal("next", vms="[z]", more="after: [coloured]\n"))
    return build_live_dag(read_wave(TEXT), next_waves=[following])


def test_a_wave_that_ends_as_planned_is_green_and_starts_what_follows() -> None:
    with new_run(live()) as run:
        run.play()
        assert run.state == "success"
        assert run.ended("success") == set(run.tasks), "reconnect looks, finds nothing to do and is green as well"


@pytest.mark.parametrize(
    ("failed", "untouched"),
    [
        ("resolve_plan", {"approve_wave", "start_migrations"} | SEGMENT_A | SEGMENT_B),
        ("run_preflight", {"approve_wave", "start_migrations"} | SEGMENT_A | SEGMENT_B),
        ("approve_wave", {"start_migrations", "await_migrations"} | SEGMENT_A | SEGMENT_B),
        ("start_migrations", SEGMENT_A | SEGMENT_B),
        ("evaluate_migrations", SEGMENT_A | SEGMENT_B),
        ("verify_virtual_machines", SEGMENT_A | SEGMENT_B),
        ("cutover_a.prove_segment_empty", SEGMENT_A | {"cutover_a.reconnect_source_segment"}),
        ("cutover_a.approve_cutover", SEGMENT_A),
    ],
)
def test_what_fails_lets_nothing_behind_it_run_and_the_run_is_red(failed: str, untouched: set[str]) -> None:
    with new_run(live()) as run:
        run.play({failed: "failed", **NOT_AS_PLANNED})
        assert run.state == "failed"
        assert untouched | NEXT == run.ended("upstream_failed") & (untouched | FOLLOWERS)
        assert run.tasks["write_report"] == "success"
        assert run.tasks["conclude_wave"] == "failed", "it is asked in any case"


def test_a_segment_that_is_blocked_or_rejected_stops_no_other() -> None:
    for failed in ("cutover_a.prove_segment_empty", "cutover_a.approve_cutover"):
        with new_run(live()) as run:
            run.play({failed: "failed", **NOT_AS_PLANNED})
            assert run.ended("success") >= SEGMENT_B
            assert run.state == "failed"


@pytest.mark.parametrize(
    "failed", ["disconnect_source_segment", "unextend_network", "await_unextended", "verify_destination_routed"]
)
def test_whatever_fails_in_a_cutover_the_way_back_is_looked_at(failed: str) -> None:
    with new_run(live()) as run:
        run.play({f"cutover_a.{failed}": "failed", **NOT_AS_PLANNED})
        assert run.tasks["cutover_a.reconnect_source_segment"] == "success"
        assert run.state == "failed"


def test_a_run_that_is_marked_failed_in_an_outage_still_looks_at_the_way_back_and_reports() -> None:
    with new_run(live()) as run:
        run.play(until="cutover_a.unextend_network")
        run.mark_failed()
        run.play({"confirm_outcome": "failed"})
        assert run.tasks["cutover_a.reconnect_source_segment"] == "success"
        assert run.tasks["write_report"] == "success"
        assert not run.ended("success") & (FOLLOWERS | {"cutover_a.verify_destination_routed"})
        assert run.state == "failed"


def test_a_run_that_stops_before_the_cutover_is_green_and_touches_no_segment() -> None:
    skips = {f"cutover_{one}.prove_segment_empty": "skipped" for one in "ab"} | dict.fromkeys(FOLLOWERS, "skipped")
    with new_run(live()) as run:
        run.play(skips)
        assert run.ended("skipped") >= SEGMENT_A | SEGMENT_B | {"cutover_a.reconnect_source_segment"}
        assert run.tasks["write_report"] == "success"
        assert run.state == "success"


def test_a_run_that_left_something_behind_is_red_though_no_task_failed() -> None:
    with new_run(live()) as run:
        run.play(NOT_AS_PLANNED)
        assert run.ended("upstream_failed") == NEXT
        assert run.state == "failed"


def test_a_run_that_left_something_behind_cleans_up_what_it_has_cut_over_and_is_red() -> None:
    with new_run(live()) as run:
        run.play({**NOT_AS_PLANNED, "schedule_cleanup": "success"})
        assert run.ended("success") >= {"schedule_cleanup", "write_report"}
        assert run.ended("upstream_failed") == NEXT
        assert run.state == "failed"


@pytest.mark.parametrize("task", ["write_report", "cutover_b.reconnect_source_segment"])
def test_neither_the_report_nor_the_look_back_decides_the_colour(task: str) -> None:
    with new_run(live()) as run:
        run.play({task: "failed"})
        assert run.state == "success"


@pytest.mark.parametrize("task", sorted(FOLLOWERS))
def test_a_wave_whose_followers_could_not_be_started_is_red(task: str) -> None:
    with new_run(live()) as run:
        run.play({task: "failed"})
        assert run.state == "failed"


def test_a_cleanup_that_is_marked_failed_is_red() -> None:
    with new_run(build_cleanup_dag(read_wave(TEXT))) as run:
        run.play(until="approve_cleanup")
        run.mark_failed()
        run.play({"confirm_outcome": "failed"})
        assert run.ended("skipped") == {"cleanup_a.delete_source_segment", "cleanup_b.delete_source_segment"}
        assert run.tasks["write_report"] == "success"
        assert run.state == "failed"


@pytest.mark.parametrize(
    ("failed", "deleted", "asked"),
    [
        ((), {"a", "b"}, True),
        (("approve_cleanup",), set(), True),
        (("cleanup_a.prove_segment_empty",), {"b"}, True),
        (("cleanup_a.prove_segment_empty", "cleanup_b.prove_segment_empty"), set(), False),
        (("cleanup_a.delete_source_segment",), {"b"}, True),
    ],
)
def test_a_cleanup_deletes_what_is_proven_empty_and_approved(
    failed: tuple[str, ...], deleted: set[str], asked: bool
) -> None:
    with new_run(build_cleanup_dag(read_wave(TEXT))) as run:
        run.play(dict.fromkeys([*failed, *(["confirm_outcome"] if failed else [])], "failed"))
        done = {one.partition(".")[0].removeprefix("cleanup_") for one in run.ended("success") if "delete" in one}
        assert done == deleted
        assert (run.tasks["approve_cleanup"] in ("success", "failed")) is asked
        assert run.tasks["write_report"] == "success"
        assert run.state == ("failed" if failed else "success")


def test_a_cleanup_leaves_what_was_not_cut_over() -> None:
    with new_run(build_cleanup_dag(read_wave(TEXT))) as run:
        run.play({"cleanup_a.delete_source_segment": "skipped"})
        assert run.tasks["approve_cleanup"] == "success"
        assert run.tasks["cleanup_b.delete_source_segment"] == "success"
        assert run.state == "success"


def test_a_late_event_of_the_executor_fails_no_gate() -> None:
    """The success of the worker that parked the gate arrives while the worker with the answer runs (airflow #71580)."""
    with new_run(live()) as run:
        run.play(until="approve_wave")
        run.report_late("approve_wave")
        assert run.tasks["approve_wave"] == "up_for_retry"
        assert run.state == "running"
