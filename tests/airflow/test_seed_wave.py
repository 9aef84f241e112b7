"""The whole seed wave by its operators, against the simulated sites: what each leaves, and what the sites say."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hcx_airflow.errors import RejectedError
from hcx_waves.report.files import read_report
from support.airflow_tasks import AirflowRun
from support.wave_tasks import CUTOVER, UNTIL_VERIFIED, WaveTasks

pytestmark = pytest.mark.world(mode="scaled", speed=600.0)


@pytest.fixture
def finished(airflow_run: AirflowRun) -> WaveTasks:
    airflow_run.params = {"poll_interval_seconds": 1}
    tasks = WaveTasks(airflow_run)
    tasks.do(*UNTIL_VERIFIED, *CUTOVER, "conclude_wave", "write_report")
    return tasks


def test_the_wave_and_its_cleanup_end_as_planned(
    finished: WaveTasks, site_pair: Any, connections: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert finished.left("conclude_wave")["outcome"] == "as_planned"
    assert finished.left("conclude_wave")["segments"] == {"seed-net": "cut_over"}
    proofs = finished.left("verify_virtual_machines")["proofs"]
    assert [proof["name"] for proof in proofs] == ["web01", "web02", "app01", "db01"]
    assert all(proof["outcome"] == "migrated" and not proof["reasons"] for proof in proofs)
    outage = finished.left("verify_destination_routed")["outage"]
    assert 0 <= outage["lower_seconds"] <= outage["upper_seconds"]
    assert outage["upper_seconds"] - outage["lower_seconds"] <= 60, "as long as the calls take, not as the wave"
    assert finished.left("reconnect_source_segment")["acted"] is False

    cleanup = AirflowRun(
        finished.run.bundle,
        dag_id="cleanup__seed-wave",
        run_id="manual__2",
        conf={"wave_dag_id": "seed-wave", "wave_run_id": finished.run.run_id},
        other_runs={finished.run.run_id: finished.run},
    )
    _assert_that_a_refused_cleanup_leaves_the_wave_as_it_ended(cleanup, finished.run.asked)
    after = WaveTasks(cleanup)
    after.do("prove_segment_empty", group="cleanup")
    cleanup.asked = finished.run.asked
    after.do("approve_cleanup")
    assert after.do("write_report")["outcome"] == "incomplete"
    deleted = after.do("delete_source_segment")
    renamed = after.do("rename_destination_segment")
    assert (deleted["already_gone"], renamed["name"]) == (False, "seed-net-cloud")
    written = after.do("write_report")
    assert written["outcome"] == "as_planned"
    report = read_report(Path(written["json"]))
    assert [one.gate for one in report.approvals][-1] == "cutover_seed-net.approve_cutover"
    assert {one.gate for one in report.approvals} >= {"approve_wave", "approve_cleanup"}
    assert {vm.outcome.value for vm in report.vms} == {"migrated"}
    (segment,) = report.segments
    assert segment.deletion is not None
    assert segment.outage is not None

    truth = site_pair.oracle()["segments"]["seed-net"]
    assert len(truth["outage"]) == 1
    assert (truth["two_gateways"], truth["source_cut"]) == ([], [])
    _assert_no_secrets(finished.run, connections, caplog)
    _assert_no_secrets(cleanup, connections, caplog)


def _assert_that_a_refused_cleanup_leaves_the_wave_as_it_ended(cleanup: AirflowRun, asked: Any) -> None:
    refused = replace(cleanup, run_id="manual__refused", xcoms={}, asked=asked)
    tasks = WaveTasks(refused)
    with pytest.raises(RejectedError, match="alice rejected approve_cleanup: not this week"):
        refused.answer(tasks.make("approve_cleanup"), "Reject", change_reference="CHG1", reason="not this week")
    report = read_report(Path(tasks.do("write_report")["json"]))
    assert report.outcome == "rejected"
    assert [segment.outcome for segment in report.segments] == ["cut_over"]
    assert {vm.outcome.value for vm in report.vms} == {"migrated"}
    assert report.deviations == ()


def _assert_no_secrets(run: AirflowRun, connections: Any, caplog: pytest.LogCaptureFixture) -> None:
    secrets = {document["password"] for document in connections.values()}
    reports = "".join(path.read_text() for path in (run.bundle / "reports").rglob("*.*"))
    texts = {
        "XComs": json.dumps([[*key, value] for key, value in run.xcoms.items()]),
        "state stores": json.dumps({task: store.values for task, store in run.stores.items()}),
        "rendered fields": json.dumps(run.rendered, default=str),
        "gates": json.dumps(run.asked, default=str),
        "reports": reports,
        "logs": caplog.text,
    }
    assert secrets
    for place, text in texts.items():
        assert not [secret for secret in secrets if secret in text], place


def test_the_report_holds_all_that_matters(finished: WaveTasks) -> None:
    report = read_report(Path(finished.left("write_report")["json"]))
    plan = finished.left("resolve_plan")
    assert report.outcome == "as_planned"
    assert [(one.gate, one.decision, one.by, one.change_reference) for one in report.approvals] == [
        ("approve_wave", "approve", "alice", "CHG1"),
        ("cutover_seed-net.approve_cutover", "approve", "alice", "CHG1"),
    ]
    assert {one.digest for one in report.approvals} == {report.plan_digest}
    assert report.wave_hash == plan["wave_hash"]
    assert {vm.name: vm.outcome.value for vm in report.vms} == dict.fromkeys(
        ["web01", "web02", "app01", "db01"], "migrated"
    )


def test_one_start_call_only_whatever_is_run_again(finished: WaveTasks, site_pair: Any) -> None:
    mark = site_pair.mark()
    again = finished.do("start_migrations")
    assert again["adopted"] is True
    assert not [call for call in site_pair.calls(after=mark) if "start" in call["data"]["operation"].lower()]


def test_the_timeline_of_simulated_sites_keeps_their_time_apart(finished: WaveTasks) -> None:
    report = read_report(Path(finished.left("write_report")["json"]))
    assert report.virtual_sites
    clocks = [one.clock.value for one in report.timeline]
    assert clocks == sorted(clocks, reverse=True)
    assert clocks.count("hcx") == 8
