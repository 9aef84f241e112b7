"""The steps of a wave when something is in the way, is run again, or is not to be done at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowRuntimeError, AirflowSkipException
from airflow.sdk.execution_time.comms import ErrorResponse

from hcx_airflow.errors import (
    BlockedError,
    DriftedError,
    IncompleteError,
    NothingMigratedError,
    PlanMissingError,
    RejectedError,
    RunRefusedError,
)
from hcx_airflow.names import DECISION as DECISION_KEY
from hcx_airflow.operators.plan import refuse_wrong_run
from hcx_airflow.task import TaskRun
from hcx_airflow.ui import lending
from hcx_airflow.work import WaveFileMissingError
from hcx_waves.clients.errors import AuthenticationFailed, ClientError
from hcx_waves.cutover.errors import ReconnectRefusedError, SegmentNotEmptyError
from hcx_waves.model.plan import WavePlan
from hcx_waves.wavefile.loader import load_wave
from hcx_waves.wavefile.problems import WaveFileError
from support.airflow_tasks import AirflowRun
from support.wave_tasks import WaveTasks

BEFORE_END = ("resolve_plan", "approve_wave", "start_migrations")


@pytest.fixture
def tasks(airflow_run: AirflowRun) -> WaveTasks:
    return WaveTasks(airflow_run)


def starts(site_pair: Any) -> list[Any]:
    return [call for call in site_pair.calls() if call["data"]["operation"].endswith(".start")]


def moved(tasks: WaveTasks, site_pair: Any) -> None:
    """Run everything up to the proof that the VMs have arrived, on a clock that stands still otherwise."""
    tasks.do(*BEFORE_END)
    site_pair.run_until_idle()
    tasks.do("await_migrations", "evaluate_migrations", "verify_virtual_machines")


# -- the plan


def test_a_wave_without_a_file(tasks: WaveTasks) -> None:
    with pytest.raises(WaveFileMissingError, match=r"there is no other\.yaml in .*waves and "):
        tasks.run.execute(tasks.make("resolve_plan", wave_id="other"))


def test_a_broken_file_says_where(tasks: WaveTasks) -> None:
    path = tasks.run.bundle / "waves" / "seed-wave.yaml"
    path.write_text(path.read_text().replace("time_zone: UTC", "time_zone: Nowhere"))
    with pytest.raises(WaveFileError, match=r"seed-wave\.yaml:\d+:\d+ time_zone: "):
        tasks.do("resolve_plan")


def test_a_step_without_a_plan(tasks: WaveTasks) -> None:
    with pytest.raises(PlanMissingError, match="resolve_plan has stored no plan"):
        tasks.do("run_preflight")
    tasks.run.leave("resolve_plan", {"wave": "seed-wave"})
    with pytest.raises(
        PlanMissingError,
        match=r"the result of resolve_plan \(XCom return_value\) cannot be read: .* Clear resolve_plan",
    ):
        tasks.do("run_preflight")


def test_an_edited_wave_file_stops_the_run(tasks: WaveTasks, site_pair: Any) -> None:
    """T9: the bundle is not versioned, so a task sees the file as it is now."""
    tasks.do("resolve_plan", "approve_wave")
    path = tasks.run.bundle / "waves" / "seed-wave.yaml"
    path.write_text("# a comment changes nothing\n" + path.read_text())
    tasks.do("run_preflight")
    path.write_text(path.read_text().replace("lasts: 12h", "lasts: 11h"))
    for step in ("run_preflight", "start_migrations", "disconnect_source_segment", "evaluate_migrations"):
        with pytest.raises(DriftedError, match="the file of wave seed-wave has changed since this run was planned"):
            tasks.do(step)
    assert starts(site_pair) == []


@pytest.mark.parametrize(
    ("run_type", "user", "words"),
    [
        ("backfill", None, "a backfill run never moves real VMs"),
        ("asset_triggered", None, "a asset_triggered run never"),
        ("manual", "dag_test", r"dag\.test\(\) never moves real VMs"),
    ],
)
def test_runs_that_nobody_meant(tasks: WaveTasks, site_pair: Any, run_type: str, user: Any, words: str) -> None:
    tasks.run.run_type, tasks.run.triggering_user_name = run_type, user
    with pytest.raises(RunRefusedError, match=words):
        tasks.do("resolve_plan")
    assert site_pair.calls() == []


def test_a_scheduled_run_that_comes_too_late(tasks: WaveTasks) -> None:
    path = tasks.run.bundle / "waves" / "seed-wave.yaml"
    path.write_text(path.read_text().replace("time_zone: UTC", 'time_zone: UTC\nstart: "2026-02-01 20:00"'))
    wave = load_wave(path)
    tasks.run.run_type, tasks.run.triggering_user_name = "scheduled", None
    run = TaskRun("seed-wave", False, tasks.run.context(tasks.make("resolve_plan")))
    refuse_wrong_run(run, wave, datetime(2026, 2, 1, 20, 59, tzinfo=UTC))
    with pytest.raises(RunRefusedError, match="had to start by 2026-02-01 21:00 UTC"):
        refuse_wrong_run(run, wave, datetime(2026, 2, 1, 21, 1, tzinfo=UTC))
    tasks.run.run_type = "manual"
    run = TaskRun("seed-wave", False, tasks.run.context(tasks.make("resolve_plan")))
    refuse_wrong_run(run, wave, datetime(2026, 2, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"vms": ["web01", "nobody"]}, "name VMs that are not in wave seed-wave: nobody"),
        ({"cutover_only": True, "stop_before_cutover": True}, "both cutover_only and stop_before_cutover"),
        ({"poll_interval_seconds": 0.1}, "poll_interval_seconds: "),
        ({"vms": "web01"}, "vms: "),
    ],
)
def test_params_that_make_no_sense(tasks: WaveTasks, params: dict[str, Any], words: str) -> None:
    tasks.run.params = params
    with pytest.raises(RunRefusedError, match=words):
        tasks.do("resolve_plan")


def test_findings_that_block_are_listed(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.do("resolve_plan")
    site_pair.fault(product="hcx", call="l2_extensions.list", behaviour="status", status=403)
    with pytest.raises(BlockedError, match=r"blocking findings for wave seed-wave\. .*:\n- .*could not be checked"):
        tasks.do("run_preflight")
    listed = {item["finding"]["finding_id"] for item in tasks.left("run_preflight")["items"]}
    assert "check-incomplete" in listed


def test_a_vm_that_another_wave_moves_is_told_with_that_wave(tasks: WaveTasks) -> None:
    path = tasks.run.bundle / "waves" / "seed-wave.yaml"
    text = path.read_text()
    other = text.replace("name: seed-wave", "name: seed-later").replace("[web01, web02, app01, db01]", "[db01]")
    path.with_name("seed-later.yaml").write_text(other)
    path.with_name("broken.yaml").write_text("name: broken\n")
    elsewhere = other.replace("name: seed-later", "name: elsewhere").replace("vcenter_source", "vcenter_elsewhere")
    path.with_name("elsewhere.yaml").write_text(elsewhere)
    path.write_text(text.replace(", db01]", "]"))
    tasks.do("resolve_plan")
    with pytest.raises(BlockedError, match=r"seed-net: would lose its gateway under db01 \(moved by wave seed-later\)"):
        tasks.do("run_preflight")


# -- the migrations


def test_a_cleared_start_adopts(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.do(*BEFORE_END)
    first = tasks.left("start_migrations")
    assert len(starts(site_pair)) == 1
    again = tasks.do("start_migrations")
    assert again["adopted"] is True
    assert [vm["migration_id"] for vm in again["vms"]] == [vm["migration_id"] for vm in first["vms"]]
    assert len(starts(site_pair)) == 1
    assert tasks.left("start_migrations", "started")["group_id"] == first["group_id"]


def test_the_inventory_has_drifted_since_the_approval(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.do("resolve_plan", "approve_wave")
    vm = site_pair.vm("web01")
    site_pair.run(lambda: site_pair.world.update(vm, num_cpu=vm.num_cpu + 1))
    with pytest.raises(
        DriftedError, match=r"has changed since the approval\. Nothing was started\..*\n- vms web01 cpus: was"
    ):
        tasks.do("start_migrations")
    assert starts(site_pair) == []


def test_only_the_chosen_vms_move(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.run.params = {"vms": ["web01", "db01"]}
    moved(tasks, site_pair)
    assert [vm["name"] for vm in tasks.left("start_migrations")["vms"]] == ["web01", "db01"]
    evaluated = tasks.left("evaluate_migrations")
    assert evaluated["outcomes"] == {
        "web01": "migrated", "db01": "migrated", "web02": "left_out", "app01": "left_out",
    }  # fmt: skip
    with pytest.raises(BlockedError, match="web02: left out; app01: left out"):
        tasks.do("prove_segment_empty")


def test_a_failed_vm_blocks_its_segment(tasks: WaveTasks, site_pair: Any) -> None:
    site_pair.fault(product="engine", call="migration.base_sync", object="web02", behaviour="fail", message="No disk.")
    moved(tasks, site_pair)
    evaluated = tasks.left("evaluate_migrations")
    assert [name for name, outcome in evaluated["outcomes"].items() if outcome == "failed"] == ["web02"]
    assert evaluated["blocked_segments"] == {"seed-net": "web02: failed"}
    mark = site_pair.mark()
    for step in ("prove_segment_empty", "disconnect_source_segment"):
        with pytest.raises(BlockedError, match="segment seed-net keeps its gateway at the source: web02: failed"):
            tasks.do(*(("approve_cutover",) if step.startswith("disc") else ()), step)
    assert site_pair.vm("web02").site == "source"
    assert not [call for call in site_pair.calls(after=mark) if call["data"]["method"] == "PATCH"]
    with pytest.raises(IncompleteError, match=r"incomplete: .*web02: failed.*seed-net: blocked"):
        tasks.do("conclude_wave")


def test_more_failures_than_the_wave_allows_block_everything(tasks: WaveTasks, site_pair: Any) -> None:
    path = tasks.run.bundle / "waves" / "seed-wave.yaml"
    path.write_text(path.read_text() + "\nlimits: {max_failed_vms: 0}\n")
    site_pair.fault(product="engine", call="migration.base_sync", object="web02", behaviour="fail")
    moved(tasks, site_pair)
    reason = tasks.left("evaluate_migrations")["blocked_segments"]["seed-net"]
    assert reason == "1 VM failed, and the wave allows 0 (max_failed_vms): web02"


def test_nothing_has_arrived(tasks: WaveTasks, site_pair: Any) -> None:
    site_pair.fault(product="engine", call="migration.base_sync", object="", behaviour="fail", message="No disk.")
    tasks.do(*BEFORE_END)
    site_pair.run_until_idle()
    tasks.do("await_migrations")
    with pytest.raises(NothingMigratedError, match="no VM has arrived"):
        tasks.do("evaluate_migrations")
    assert set(tasks.left("evaluate_migrations")["outcomes"].values()) == {"failed"}


def test_a_sensor_that_failed_is_told_by_the_task_after_it(tasks: WaveTasks) -> None:
    tasks.do("resolve_plan")
    error = AuthenticationFailed('connection "hcx_source": no', system="hcx").to_dict()
    left = {"ended": "error", "error": error, "status": None, "at": "2026-02-01T20:00:00+00:00"}
    tasks.run.leave("await_migrations", left)
    with pytest.raises(AuthenticationFailed, match='connection "hcx_source": no'):
        tasks.do("evaluate_migrations")


def test_cancelling_touches_what_was_recorded_and_nothing_else(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.run.params = {"vms": ["web01"]}
    tasks.do(*BEFORE_END)
    recorded = set(tasks.left("start_migrations", "started")["migration_ids"].values())
    report = tasks.do("cancel_migrations")
    assert {item["migration_id"] for item in report["items"]} == recorded
    assert tasks.run.execute(tasks.make("cancel_migrations", start_task_id="nobody"))["items"] == []


def test_killing_the_start_cancels_nothing(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.do(*BEFORE_END)
    mark = site_pair.mark()
    tasks.make("start_migrations").on_kill()
    assert site_pair.calls(after=mark) == []


def test_a_second_run_adopts_what_has_arrived(tasks: WaveTasks, site_pair: Any) -> None:
    moved(tasks, site_pair)
    later = WaveTasks(AirflowRun(tasks.run.bundle, run_id="manual__later", asked=tasks.run.asked))
    later.do("resolve_plan", "approve_wave", "start_migrations", "await_migrations", "evaluate_migrations")
    assert set(later.left("evaluate_migrations")["outcomes"].values()) == {"already_there"}
    later.do("verify_virtual_machines", "prove_segment_empty")
    assert len(starts(site_pair)) == 1


# -- the cutover


def test_a_run_that_ends_before_the_cutover(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.run.params = {"stop_before_cutover": True}
    moved(tasks, site_pair)
    with pytest.raises(AirflowSkipException, match="stops before the cutover"):
        tasks.do("prove_segment_empty")
    assert tasks.do("conclude_wave")["segments"] == {"seed-net": "stretched"}


def test_a_segment_that_is_not_empty(tasks: WaveTasks) -> None:
    tasks.do("resolve_plan")
    with pytest.raises(SegmentNotEmptyError, match="web01"):
        tasks.do("prove_segment_empty")


def test_outside_its_window_no_gateway_moves(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.do("resolve_plan", "approve_cutover")
    begun = datetime.now(UTC) - timedelta(hours=13)
    other = WaveTasks(AirflowRun(tasks.run.bundle, run_id="manual__2", run_after=begun, asked=tasks.run.asked))
    other.do("resolve_plan")
    # Approved while the window was open, and only got to it now.
    digest = WavePlan.model_validate(other.left("resolve_plan")).digest()
    decision = {**tasks.left("approve_cutover", DECISION_KEY), "digest": digest, "run_id": other.run.run_id}
    other.run.leave(other.task_id("approve_cutover"), decision, DECISION_KEY)
    other.run.states[other.task_id("approve_cutover")] = "success"
    mark = site_pair.mark()
    with pytest.raises(BlockedError, match=r"the cutover window of segment seed-net is .* UTC, and it is "):
        other.do("disconnect_source_segment")
    assert site_pair.calls(after=mark) == []


def test_nothing_to_reconnect(tasks: WaveTasks, site_pair: Any) -> None:
    """The teardown also runs when nothing was ever touched, e.g. after a rejection."""
    tasks.do("resolve_plan")
    mark = site_pair.mark()
    assert tasks.do("reconnect_source_segment")["acted"] is False
    assert site_pair.calls(after=mark) == []


@pytest.mark.world(mode="scaled", speed=600.0)
def test_the_way_back_after_an_unextend_that_was_refused(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.run.params = {"poll_interval_seconds": 1}
    tasks.do(*BEFORE_END, "await_migrations", "evaluate_migrations", "verify_virtual_machines")
    tasks.do("prove_segment_empty", "approve_cutover", "disconnect_source_segment")
    site_pair.fault(product="hcx", call="*xtension*delete*", behaviour="status", status=500)
    with pytest.raises(ClientError):
        tasks.do("unextend_network")
    # A person may edit the wave file meanwhile; that must not be in the way of the way back.
    path = tasks.run.bundle / "waves" / "seed-wave.yaml"
    path.write_text(path.read_text().replace("lasts: 12h", "lasts: 11h"))
    back = tasks.do("reconnect_source_segment")
    assert (back["acted"], back["situation"]) == (True, "reconnectable")
    assert tasks.do("reconnect_source_segment")["acted"] is False
    truth = site_pair.oracle()["segments"]["seed-net"]
    assert len(truth["outage"]) == 1
    assert truth["outage"][0]["to"] is not None
    with pytest.raises(IncompleteError, match="seed-net: reconnected"):
        tasks.do("conclude_wave")


@pytest.mark.world(mode="scaled", speed=600.0)
def test_after_an_accepted_unextend_the_way_back_is_a_decision(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.run.params = {"poll_interval_seconds": 1}
    tasks.do(*BEFORE_END, "await_migrations", "evaluate_migrations", "verify_virtual_machines")
    tasks.do("prove_segment_empty", "approve_cutover", "disconnect_source_segment")
    site_pair.fault(product="engine", call="*unextend*", behaviour="stall", object="")
    tasks.do("unextend_network")
    with pytest.raises(ReconnectRefusedError, match="HCX has accepted the unextend"):
        tasks.do("reconnect_source_segment")
    with pytest.raises(IncompleteError, match=r"stranded: .*seed-net: unextending"):
        tasks.do("conclude_wave")


@pytest.mark.world(mode="scaled", speed=600.0)
def test_a_second_try_of_the_disconnect_keeps_what_restores_the_gateway(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.run.params = {"poll_interval_seconds": 1}
    tasks.do(*BEFORE_END, "await_migrations", "evaluate_migrations", "verify_virtual_machines")
    tasks.do("prove_segment_empty", "approve_cutover", "disconnect_source_segment")
    first = tasks.left("disconnect_source_segment", "snapshot")
    again = tasks.do("disconnect_source_segment")
    assert again["already"] is True
    assert tasks.left("disconnect_source_segment", "snapshot") == first
    assert tasks.do("reconnect_source_segment")["acted"] is True
    assert [span["to"] is not None for span in site_pair.oracle()["segments"]["seed-net"]["outage"]] == [True]


@pytest.mark.parametrize(
    ("left", "due"), [("cut_over", True), ("blocked", False), ("rejected", False), ("uncertain", False), (None, True)]
)
def test_a_cleanup_touches_what_the_run_has_cut_over(
    tasks: WaveTasks, site_pair: Any, left: str | None, due: bool
) -> None:
    """By what the run has left; without that, as by hand without a run's name, by what the sites say alone."""
    tasks.do("resolve_plan")
    if left is not None:
        tasks.run.leave("conclude_wave", an_ending(left))
    conf = {"wave_dag_id": "seed-wave", "wave_run_id": tasks.run.run_id}
    cleanup = AirflowRun(
        tasks.run.bundle, dag_id="cleanup__seed-wave", run_id="c", conf=conf, other_runs={tasks.run.run_id: tasks.run}
    )
    after = WaveTasks(cleanup)
    if due:
        with pytest.raises(SegmentNotEmptyError):
            after.do("prove_segment_empty", group="cleanup")
        return
    cleanup.asked = tasks.run.asked
    assert after.do("prove_segment_empty", group="cleanup") is None
    after.do("approve_cleanup")
    assert (
        f"| seed-net | Unchanged: the wave's run did not cut over segment seed-net (outcome: {left}"
        in cleanup.asked[-1]["body"]
    )
    mark = site_pair.mark()
    for step in ("delete_source_segment", "rename_destination_segment"):
        with pytest.raises(AirflowSkipException, match=rf"did not cut over segment seed-net \(outcome: {left}\)"):
            after.do(step)
    assert site_pair.calls(after=mark) == []


def an_ending(segment: str) -> dict[str, Any]:
    """What ``conclude_wave`` leaves of a run whose segment has ended like this."""
    return {"wave": "seed-wave", "outcome": "incomplete", "segments": {"seed-net": segment}}


def test_a_cleanup_leaves_alone_what_was_cut_over_after_it_was_scheduled(tasks: WaveTasks, site_pair: Any) -> None:
    """Else that segment would have a shorter hold than the wave file says."""
    tasks.do("resolve_plan")
    tasks.run.xcoms["conclude_wave", "return_value"] = an_ending("cut_over")
    conf = {"wave_dag_id": "seed-wave", "wave_run_id": tasks.run.run_id, "wave_segments": ["another"]}
    others = {tasks.run.run_id: tasks.run}
    after = WaveTasks(
        AirflowRun(tasks.run.bundle, dag_id="cleanup__seed-wave", run_id="c", conf=conf, other_runs=others)
    )
    mark = site_pair.mark()
    assert after.do("prove_segment_empty", group="cleanup") is None
    with pytest.raises(AirflowSkipException, match="seed-net was not cut over yet when this cleanup was scheduled"):
        after.do("delete_source_segment")
    assert site_pair.calls(after=mark) == []


# -- the end


def test_a_rejected_wave_is_said_to_be_rejected(tasks: WaveTasks) -> None:
    tasks.do("resolve_plan")
    with pytest.raises(RejectedError):
        tasks.run.answer(tasks.make("approve_wave"), "Reject", "alice", reason="not tonight")
    with pytest.raises(IncompleteError, match="did not end as planned; outcome rejected"):
        tasks.do("conclude_wave")
    written = tasks.do("write_report")
    assert written["outcome"] == "rejected"
    text = Path(written["markdown"]).read_text()
    assert "alice" in text
    assert "not tonight" in text


def test_a_report_is_written_even_without_a_plan(tasks: WaveTasks) -> None:
    written = tasks.do("write_report")
    assert written["outcome"] == "blocked"
    with pytest.raises(PlanMissingError):
        tasks.do("conclude_wave")


def test_links_lead_to_the_managers(tasks: WaveTasks, site_pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCX_WAVES_GUIDE_URL", "https://127.0.0.1:1/guide")
    task = tasks.make("resolve_plan")
    tasks.run.execute(task)
    links = {link.name: link.get_link(task, ti_key=None) for link in task.operator_extra_links}
    assert links == {
        "HCX": site_pair.url("hcx", "source"),
        "NSX": links["NSX"],
        "vCenter": site_pair.url("vcenter", "destination"),
        "Guide": "https://127.0.0.1:1/guide/README.md",
    }
    assert all(link.startswith("https://127.0.0.1:") for link in links.values())
    monkeypatch.delenv("HCX_WAVES_GUIDE_URL")
    assert [link.get_link(task, ti_key=None) for link in task.operator_extra_links if link.name == "Guide"] == [""]


def test_tasks_that_end_in_the_triggerer_have_links_too(tasks: WaveTasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCX_WAVES_GUIDE_URL", "https://127.0.0.1:1/guide")
    left: dict[tuple[str, str], str] = {}
    store = lambda _ti, task_id, key, value: left.setdefault((task_id, key), value)  # noqa: E731
    monkeypatch.setattr(lending, "store_xcom", store)
    tasks.run.states.update({"await_migrations": "none", "cutover_seed-net.await_unextended": "none"})
    tasks.do("resolve_plan", "approve_wave", "start_migrations")
    sensor = tasks.make("await_migrations")
    assert {link.xcom_key for link in sensor.operator_extra_links} == {key for _, key in left}
    assert {task_id for task_id, _ in left} == {"await_migrations"}, "this wave has no await_seeded"
    assert all(link.startswith("https://") for link in left.values())


@pytest.mark.parametrize(
    "error", [AirflowRuntimeError(ErrorResponse(detail={"message": "no"})), TypeError("of another release")], ids=str
)
def test_a_step_does_not_fail_for_want_of_links(
    tasks: WaveTasks, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: Any) -> None:
        raise error

    monkeypatch.setattr(lending, "store_xcom", refuse)
    tasks.run.states["await_migrations"] = "none"
    tasks.do("resolve_plan", "approve_wave", "start_migrations")
