"""Gates: what they show, whom they believe, and that nothing but a valid approval lets a change through (T2 to T4)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskAwaitingInput

from hcx_airflow.errors import (
    AnswerRefusedError,
    DriftedError,
    NotApprovedError,
    RejectedError,
    RunRefusedError,
    SigningKeyError,
    UnansweredError,
)
from hcx_airflow.retries import LOST_STARTS, TransientRetryPolicy
from support.airflow_tasks import AirflowRun
from support.wave_tasks import WaveTasks

MUTATING = (
    "start_migrations",
    "disconnect_source_segment",
    "unextend_network",
    "delete_source_segment",
    "rename_destination_segment",
)
GATE_OF = {
    "start_migrations": "approve_wave",
    "disconnect_source_segment": "approve_cutover",
    "unextend_network": "approve_cutover",
    "delete_source_segment": "approve_cleanup",
    "rename_destination_segment": "approve_cleanup",
}


@pytest.fixture
def tasks(airflow_run: AirflowRun) -> WaveTasks:
    made = WaveTasks(airflow_run)
    made.do("resolve_plan")
    return made


def edit_wave(run: AirflowRun, old: str, new: str) -> None:
    path = run.bundle / "waves" / "seed-wave.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def changes(site_pair: Any, mark: int) -> list[str]:
    """Return the calls that change something, but for log-ins."""
    reads = ("query", "validate", "session", "authorize", "sdk", "realized")
    return [
        call["data"]["path"]
        for call in site_pair.calls(after=mark)
        if call["data"]["method"] != "GET" and not any(word in call["data"]["path"].lower() for word in reads)
    ]


@pytest.mark.parametrize("step", MUTATING)
@pytest.mark.parametrize("how", ["nothing", "rejected", "timed out", "forged", "unsigned", "of another run", "turned"])
def test_nothing_but_a_valid_approval_lets_a_change_through(
    tasks: WaveTasks, site_pair: Any, step: str, how: str
) -> None:
    """A reject, a time-out, a gate that was marked success (nothing is left then), and XComs written by hand."""
    gate, run = GATE_OF[step], tasks.run
    key = (tasks.task_id(gate), "decision")
    if how == "rejected":
        with pytest.raises(RejectedError):
            run.answer(tasks.make(gate), "Reject", reason="no")
    elif how == "timed out":
        with pytest.raises(UnansweredError, match="was not answered in time"):
            run.time_out(tasks.make(gate))
    elif how in ("forged", "turned", "of another run"):
        run.answer(tasks.make(gate))
        document = run.xcoms[key]
        if how == "forged":
            document["hcx_seal"]["code"] = "0" * 64
        elif how == "of another run":
            other = WaveTasks(AirflowRun(run.bundle, run_id="manual__later", asked=run.asked))
            other.do("resolve_plan", gate)
            document = other.run.xcoms[key]
            run.xcoms[key] = {**document, "run_id": run.run_id}
        else:
            with pytest.raises(RejectedError):
                run.answer(tasks.make(gate), "Reject")
            run.xcoms[key] = {**run.xcoms[key], "choice": "approved"}
    elif how == "unsigned":
        run.xcoms[key] = {"chosen_options": ["Approve"], "responded_by_user": {"id": "mallory", "name": "mallory"}}
        run.xcoms[key[0], "return_value"] = run.xcoms[key]
    mark = site_pair.mark()
    with pytest.raises(NotApprovedError, match=f"{gate} has no valid approval"):
        run.execute(tasks.make(step))
    assert changes(site_pair, mark) == []


def test_an_approval_lets_the_start_through(tasks: WaveTasks, site_pair: Any) -> None:
    decision = tasks.do("approve_wave")
    assert (decision["user_name"], decision["choice"], decision["change_reference"]) == ("alice", "approved", "CHG1")
    mark = site_pair.mark()
    tasks.do("start_migrations")
    assert changes(site_pair, mark)


def test_an_approval_of_one_segment_is_none_of_another(tasks: WaveTasks) -> None:
    tasks.do("approve_cutover")
    other = ("cutover_other.approve_cutover", "decision")
    tasks.run.xcoms[other] = tasks.run.xcoms[tasks.task_id("approve_cutover"), "decision"]
    with pytest.raises(NotApprovedError, match="from another task"):
        tasks.run.execute(tasks.make("disconnect_source_segment", task_id="cutover_other.disconnect_source_segment"))


def test_the_body_shows_the_plan(tasks: WaveTasks) -> None:
    tasks.do("run_preflight", "approve_wave")
    (asked,) = tasks.run.asked
    plan = tasks.left("resolve_plan")
    assert asked["subject"] == "Start wave seed-wave?"
    assert asked["options"] == ["Approve", "Reject"]
    assert sorted(asked["params"]) == ["change_reference", "reason"]
    for words in (
        "web01",
        "db01",
        "migration type **RAV**",
        "seed-net",
        "192.168.1.1/24",
        "Compute-ResourcePool",
        "| Wave complete |",
    ):
        assert words in asked["body"], words
    assert "segment-dhcp" not in asked["body"]
    assert "DHCP is configured at both sites" in asked["body"]
    decision = tasks.left("approve_wave", "decision")
    assert decision["digest"] in asked["body"]
    assert decision["digest"] not in json.dumps(plan)


def test_names_cannot_break_out_of_the_table(tasks: WaveTasks) -> None:
    tasks.run.params = {"notes": "|x|\n# <b>[yes](http://evil)</b>"}
    tasks.do("approve_wave")
    body = tasks.run.asked[0]["body"]
    assert "\\|x\\| # &lt;b&gt;\\[yes\\](`http://evil`)&lt;/b&gt;" in body


def test_only_a_named_approver_may_answer(tasks: WaveTasks) -> None:
    edit_wave(tasks.run, "cleanup:\n", "gates:\n  approve_wave: {approvers: [bob]}\n\ncleanup:\n")
    tasks.do("resolve_plan")
    gate = tasks.make("approve_wave")
    with pytest.raises(AnswerRefusedError, match="alice is not one of the approvers of approve_wave"):
        tasks.run.answer(gate, "Approve", "alice")
    with pytest.raises(AnswerRefusedError, match="alice is not one of the approvers"):
        tasks.run.answer(gate, "Reject", "alice")
    assert ("approve_wave", "decision") not in tasks.run.xcoms
    assert tasks.run.asked[0]["assigned_users"] == [{"id": "bob", "name": "bob"}]
    assert tasks.run.answer(gate, "Approve", "bob")["user_name"] == "bob"


def test_other_auth_managers_know_users_by_number(tasks: WaveTasks, monkeypatch: pytest.MonkeyPatch) -> None:
    edit_wave(tasks.run, "cleanup:\n", "gates:\n  approve_wave: {approvers: [bob]}\n\ncleanup:\n")
    tasks.do("resolve_plan")
    manager = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
    monkeypatch.setenv("AIRFLOW__CORE__AUTH_MANAGER", manager)
    tasks.run.answer(tasks.make("approve_wave"), "Approve", "bob")
    assert tasks.run.asked[0]["assigned_users"] is None


def test_a_change_reference_that_is_demanded(tasks: WaveTasks) -> None:
    edit_wave(
        tasks.run, "cleanup:\n", 'gates:\n  approve_wave: {change_reference_pattern: "CHG[0-9]{4}"}\n\ncleanup:\n'
    )
    tasks.do("resolve_plan")
    gate = tasks.make("approve_wave")
    for reference in (None, "", "CHG1", "xCHG0001", 7):
        with pytest.raises(AnswerRefusedError, match=r"change.reference"):
            tasks.run.answer(gate, "Approve", change_reference=reference)
    assert tasks.run.answer(gate, "Approve", change_reference=" CHG0001 ")["change_reference"] == "CHG0001"
    with pytest.raises(RejectedError, match="alice rejected approve_wave: too late"):
        tasks.run.answer(gate, "Reject", reason="too late")
    assert tasks.left("approve_wave", "decision")["choice"] == "rejected"


def test_a_gate_that_would_show_an_old_text_fails(tasks: WaveTasks) -> None:
    with pytest.raises(TaskAwaitingInput):
        tasks.run.execute(tasks.make("approve_wave"))
    with pytest.raises(TaskAwaitingInput):
        tasks.run.execute(tasks.make("approve_wave"))
    edit_wave(tasks.run, "lasts: 12h", "lasts: 11h")
    tasks.do("resolve_plan")
    with pytest.raises(DriftedError, match="Start a new run: it adopts what is under way and asks again"):
        tasks.run.execute(tasks.make("approve_wave"))


def test_a_plan_that_changes_while_it_is_asked_about(tasks: WaveTasks) -> None:
    gate = tasks.make("approve_wave")

    def resolve_again() -> None:
        edit_wave(tasks.run, "lasts: 12h", "lasts: 11h")
        tasks.do("resolve_plan")

    with pytest.raises(DriftedError, match="have changed since approve_wave showed them"):
        tasks.run.answer(gate, meanwhile=resolve_again)
    assert ("approve_wave", "decision") not in tasks.run.xcoms


def test_without_a_key_nobody_is_asked(tasks: WaveTasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HCX_WAVES_SIGNING_KEY")
    with pytest.raises(SigningKeyError, match="HCX_WAVES_SIGNING_KEY"):
        tasks.run.execute(tasks.make("approve_wave"))
    assert tasks.run.asked == []


def test_a_gate_is_asked_until_its_window_closes(tasks: WaveTasks) -> None:
    with pytest.raises(TaskAwaitingInput) as parked:
        tasks.run.execute(tasks.make("approve_cutover"))
    assert timedelta(hours=11) < parked.value.timeout <= timedelta(hours=12)
    with pytest.raises(TaskAwaitingInput) as parked:
        tasks.run.execute(tasks.make("approve_wave"))
    assert parked.value.timeout == timedelta(hours=24)
    with pytest.raises(TaskAwaitingInput) as parked:
        tasks.run.execute(tasks.make("approve_cleanup"))
    assert parked.value.timeout == timedelta(days=7)


def test_after_its_window_a_gate_asks_nobody(tasks: WaveTasks) -> None:
    tasks.run.run_after = datetime.now(UTC) - timedelta(hours=13)
    tasks.do("resolve_plan")
    with pytest.raises(UnansweredError, match="the window for the step after approve_cutover has closed"):
        tasks.run.execute(tasks.make("approve_cutover"))
    assert tasks.run.asked == []
    assert tasks.left("approve_cutover", "decision")["choice"] == "unanswered"


def test_gates_retry_losses_only_whatever_a_dag_says(tasks: WaveTasks) -> None:
    from airflow.sdk import DAG

    with DAG("d", schedule=None, default_args={"retries": 0, "retry_policy": None, "pool": "full"}):
        gate = tasks.make("approve_wave")
    assert (gate.retries, gate.pool) == (LOST_STARTS, "default_pool")
    assert isinstance(gate.retry_policy, TransientRetryPolicy)


def test_a_rehearsed_yes_is_none_in_a_live_run(tasks: WaveTasks) -> None:
    tasks.do("approve_wave")
    tasks.run.leave("approve_wave", {**tasks.left("approve_wave"), "rehearsal": True}, "decision")
    with pytest.raises(NotApprovedError, match="from a rehearsal"):
        tasks.run.execute(tasks.make("start_migrations"))


def test_nobody_rehearses_outside_a_rehearsal_dag(tasks: WaveTasks) -> None:
    with pytest.raises(RunRefusedError, match="seed-wave is not a rehearsal DAG, so it has no twin"):
        tasks.run.execute(tasks.make("approve_wave", rehearsal=True))
    assert tasks.run.asked == []


def test_an_unknown_gate() -> None:
    with pytest.raises(ValueError, match='unknown gate "approve_lunch"'):
        WaveTasks(AirflowRun(Path())).make("approve_lunch")
