"""Folding tasks into steps, and the orchestrator's own share of the time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hcx_demo.airflow_api import TaskState
from hcx_demo.steps import StepState, fold, own_seconds

T0 = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def task(
    task_id: str, state: str | None, began: float | None = None, ended: float | None = None, tries: int = 1
) -> TaskState:
    """A task with instants in seconds after T0."""
    instants = [None if second is None else T0 + timedelta(seconds=second) for second in (began, ended)]
    return TaskState(task_id, -1, state, tries, instants[0], instants[1])


WAVE = (
    "resolve_plan",
    "run_preflight",
    "approve_wave",
    "start_migrations",
    "await_migrations",
    "evaluate_migrations",
    "verify_virtual_machines",
    "cutover_seed-net.prove_segment_empty",
    "cutover_seed-net.approve_cutover",
    "cutover_seed-net.disconnect_source_segment",
    "cutover_seed-net.unextend_network",
    "cutover_seed-net.await_unextended",
    "cutover_seed-net.verify_destination_routed",
    "cutover_seed-net.reconnect_source_segment",
    "conclude_wave",
    "write_report",
)


def test_a_wave_reads_from_plan_to_report_whatever_order_the_tasks_come_in() -> None:
    assert [step.title for step in fold(task(name, None) for name in reversed(WAVE))] == [
        "Plan",
        "Preflight",
        "Approval of the wave",
        "Migration",
        "Verification of the VMs",
        "Cutover of seed-net",
        "Conclusion",
        "Report",
    ]


def test_a_cleanup_reads_from_approval_to_report() -> None:
    names = ("cleanup_seed-net.delete_source_segment", "approve_cleanup", "write_report")
    titles = [step.title for step in fold(task(name, None) for name in names)]
    assert titles == ["Approval of the cleanup", "Cleanup of seed-net", "Report"]


def test_an_unknown_task_is_a_step_of_its_own() -> None:
    assert [step.title for step in fold([task("warm_up", "running")])] == ["Warm up"]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((None, None), StepState.AHEAD),
        (("running", None), StepState.RUNNING),
        (("success", None), StepState.RUNNING),
        (("success", "deferred"), StepState.RUNNING),
        (("success", "awaiting_input"), StepState.ASKING),
        (("success", "success"), StepState.DONE),
        (("success", "skipped"), StepState.DONE),
        (("skipped", "skipped"), StepState.SKIPPED),
        (("removed", "skipped"), StepState.SKIPPED),
        (("upstream_failed", "upstream_failed"), StepState.SKIPPED),
        (("success", "failed"), StepState.FAILED),
        (("failed", "up_for_retry"), StepState.RUNNING),
    ],
)
def test_a_step_is_what_its_tasks_are(states: tuple[str | None, ...], expected: StepState) -> None:
    [step] = fold([task("start_migrations", states[0]), task("await_migrations", states[1])])
    assert step.state is expected


def test_a_step_says_what_is_being_done() -> None:
    [waiting] = fold([task("start_migrations", "success"), task("await_migrations", "deferred")])
    assert waiting.detail == "waiting for HCX"
    [retrying] = fold([task("cutover_a.unextend_network", "running", tries=2)])
    assert retrying.detail == "requesting the unextend (try 2)"
    [failed] = fold([task("cutover_a.unextend_network", "failed"), task("cutover_a.await_unextended", "skipped")])
    assert failed.detail == "unextend_network failed"


def test_a_step_lasts_from_its_first_task_to_its_last() -> None:
    [step] = fold([task("start_migrations", "success", 1, 2), task("await_migrations", "success", 3, 9.5)])
    assert step.seconds == 8.5
    [unfinished] = fold([task("start_migrations", "success", 1, 2), task("await_migrations", "running", 3)])
    assert unfinished.seconds is None


def test_the_own_share_leaves_out_waiting_for_sites_and_people_once() -> None:
    tasks = [
        task("resolve_plan", "success", 0, 2),
        task("approve_wave", "success", 3, 13),
        task("await_migrations", "success", 14, 44),
        # At the same time as the wait above: the seconds they share count once.
        task("cutover_a.approve_cutover", "success", 34, 54),
        task("write_report", "success", 55, 56),
    ]
    assert own_seconds(tasks) == (56.0, 6.0)


def test_nothing_has_been_spent_before_the_first_task() -> None:
    assert own_seconds([task("resolve_plan", None)]) == (0.0, 0.0)
