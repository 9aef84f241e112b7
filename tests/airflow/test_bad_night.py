"""Bad nights, one by one: what the report of each says, held against what really happened."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from hcx_airflow.clock import base
from hcx_airflow.errors import PlanMissingError, RejectedError
from hcx_waves.clients.errors import PermissionDenied
from hcx_waves.cutover.errors import ReconnectRefusedError, UnextendFailedError
from hcx_waves.model.states import SegmentOutcome, VmOutcome, WaveOutcome
from hcx_waves.report.files import read_report
from hcx_waves.report.model import WaveReport
from hcx_waves.resolve.problems import PlanError
from hcx_waves.run import scope
from hcx_waves.run.observed import OutageState
from support.airflow_tasks import AirflowRun
from support.site_pair import SitePair
from support.wave_tasks import WaveTasks

pytestmark = pytest.mark.world(mode="scaled", speed=1.0)
UNTIL_MOVED = (
    "resolve_plan", "approve_wave", "start_migrations", "await_migrations", "evaluate_migrations",
    "verify_virtual_machines",
)  # fmt: skip
UNTIL_UNEXTENDED = (
    "prove_segment_empty", "approve_cutover", "disconnect_source_segment", "unextend_network", "await_unextended",
)  # fmt: skip
_RUNS = count(2)
ISOLATING = {"product": "engine", "call": "extension.connect", "behaviour": "fail", "message": "edge busy"}


@pytest.fixture
def tasks(airflow_run: AirflowRun, site_pair: SitePair, monkeypatch: pytest.MonkeyPatch) -> WaveTasks:
    """The wave's tasks, by the sites' clock, with few looks at an unextend."""
    monkeypatch.setattr(base, "utc_now", lambda: site_pair.now)
    monkeypatch.setattr(scope, "OUTAGE_POLL", 10.0)
    airflow_run.run_after = site_pair.now
    airflow_run.params = {"poll_interval_seconds": 60}
    return WaveTasks(airflow_run)


def written(tasks: WaveTasks) -> tuple[WaveReport, str]:
    """Write the report; return it, and its Markdown."""
    paths = tasks.do("write_report")
    return read_report(Path(paths["json"])), Path(paths["markdown"]).read_text().replace("\\", "")


def stranded(tasks: WaveTasks) -> None:
    """Unextend with a connection that fails: no gateway is on afterwards."""
    tasks.do(*UNTIL_MOVED, *UNTIL_UNEXTENDED)
    with pytest.raises(UnextendFailedError):
        tasks.do("verify_destination_routed")
    with pytest.raises(ReconnectRefusedError):
        tasks.do("reconnect_source_segment")


def again(tasks: WaveTasks, **params: Any) -> WaveTasks:
    """Return the tasks of another run."""
    run = AirflowRun(tasks.run.bundle, run_id=f"manual__{next(_RUNS)}", params=params)
    return WaveTasks(run)


def test_n1_an_outage_that_runs_is_the_first_line(tasks: WaveTasks, site_pair: SitePair) -> None:
    site_pair.fault(**ISOLATING)
    stranded(tasks)
    site_pair.advance(600)
    report, text = written(tasks)
    [span] = site_pair.oracle()["segments"]["seed-net"]["outage"]
    assert span["to"] is None, "it runs in truth"
    [one] = report.segments
    seen = one.seen_outage
    assert seen is not None
    assert seen.state is OutageState.RUNNING
    assert seen.since is not None
    assert seen.as_of is not None
    assert datetime.fromisoformat(span["from"]) <= seen.since < seen.as_of < report.ended_at
    assert one.outcome is SegmentOutcome.DISCONNECTED
    first = text.splitlines()[0]
    assert first.startswith(f"**OUTAGE RUNNING since {seen.since:%Y-%m-%d %H:%M:%S} UTC: segment seed-net, 4 VMs**")
    assert f"(at least {seen.at_least_seconds:.1f} s, as of " in first
    assert "Longest outage: seed-net running since" in text
    assert "Longest outage: none" not in text
    assert "| run | unextend failed after the extension was removed: Failed to connect the destination" in text
    assert "source off, destination off (" in text
    assert "in the destination's NSX (Networking &gt; Segments), switch its connectivity on." in text


def test_n1_what_nobody_has_seen_is_unknown_and_not_none(tasks: WaveTasks) -> None:
    tasks.do(*UNTIL_MOVED, *UNTIL_UNEXTENDED[:3])
    key = (tasks.task_id("disconnect_source_segment"), "return_value")
    del tasks.run.xcoms[key]
    report, text = written(tasks)
    assert report.segments[0].seen_outage is not None
    assert report.segments[0].seen_outage.state is OutageState.UNKNOWN
    assert "- Longest outage: seed-net: unknown" in text
    without_plan, text = written(again(tasks))
    assert "- Longest outage: unknown" in text
    assert without_plan.vms == ()


def test_n2_a_stranded_segment_is_named_with_its_repair(tasks: WaveTasks, site_pair: SitePair) -> None:
    site_pair.fault(**ISOLATING)
    stranded(tasks)
    second = again(tasks, cutover_only=True)
    with pytest.raises(PlanError) as refused:
        second.do("resolve_plan")
    [problem] = refused.value.problems
    assert problem.subject == "seed-net"
    assert problem.message.startswith("STRANDED: no gateway is on")
    assert 'switch the connectivity of "seed-net" on' in problem.suggestion
    with pytest.raises(PlanMissingError, match="STRANDED"):
        second.do("conclude_wave")
    report, text = written(second)
    assert report.outcome is WaveOutcome.BLOCKED
    assert any("STRANDED" in reason for reason in report.reasons)
    assert not any("stored no plan" in reason for reason in report.reasons)
    [failure] = report.failures
    assert (failure.subject, failure.step, failure.source) == ("seed-net", "resolve_plan", "the error of resolve_plan")
    assert [error["type"] for error in report.errors] == ["PlanError"]
    assert "Nothing was changed." in text
    # The repair that is named is one.
    world = site_pair.world
    segment = world.segments["destination/seed-net"]
    site_pair.run(lambda: world.update(segment, connectivity="ON", gateway_up=True))
    assert again(tasks, cutover_only=True).do("resolve_plan")["segments"][0]["extension_id"] == ""


def test_n3_a_site_is_where_somebody_has_looked(tasks: WaveTasks, site_pair: SitePair) -> None:
    tasks.do(*UNTIL_MOVED)
    second = again(tasks, cutover_only=True)
    second.do("resolve_plan")
    with pytest.raises(RejectedError):
        second.run.answer(second.make("approve_wave"), "Reject", "bob")
    report, text = written(second)
    assert report.outcome is WaveOutcome.REJECTED
    for vm in report.vms:
        assert site_pair.oracle()["vms"][vm.name]["now"]["site"] == "destination"
        assert (vm.outcome, vm.before.site) == (VmOutcome.ALREADY_THERE, "destination")
        assert vm.seen_site is not None
        assert (vm.seen_site.site, vm.seen_site.source, vm.seen_site.moved_since) == ("destination", "vCenter", False)
        assert f"| {vm.name} | Already there | RAV | destination |" in text
    assert "| Planned | RAV" not in text
    assert ("web01", "migrated", "not started") not in {(d.subject, d.planned, d.actual) for d in report.deviations}


def test_n4_a_run_that_was_marked_failed_says_what_hcx_said(tasks: WaveTasks, site_pair: SitePair) -> None:
    tasks.run.params["vms"] = ["web01", "web02"]
    tasks.do(*UNTIL_MOVED[:5])
    report, text = written(tasks)
    [moved] = [vm for vm in report.vms if vm.name == "web02"]
    assert site_pair.oracle()["vms"]["web02"]["now"]["site"] == "destination"
    assert moved.seen_site is not None
    assert (moved.seen_site.site, moved.seen_site.source) == ("destination", "HCX")
    assert moved.reasons == ("HCX reports that it has moved; no vCenter was asked",)
    assert "| web02 | Migrated | RAV | source → destination |" in text
    [left] = [vm for vm in report.vms if vm.name == "app01"]
    assert left.outcome is VmOutcome.LEFT_OUT
    assert left.seen_site is not None
    assert (left.seen_site.site, left.seen_site.moved_since) == ("source", False)


def test_n4_a_migration_that_nobody_has_looked_at_since_is_unknown(tasks: WaveTasks, site_pair: SitePair) -> None:
    tasks.do(*UNTIL_MOVED[:3])
    site_pair.advance(4 * 3600)
    report, text = written(tasks)
    assert {vm.outcome for vm in report.vms} == {VmOutcome.UNKNOWN}
    assert all(vm.seen_site is not None and vm.seen_site.moved_since for vm in report.vms)
    assert "| web01 | Unknown | RAV | unknown; source when planned |" in text
    assert "| run | mobility group started: 4 VMs | " in text
    assert report.changed_nothing is False


def test_n5_a_vm_that_failed_has_hcx_s_words_code_job_time_and_next_step(tasks: WaveTasks, site_pair: SitePair) -> None:
    words = "Relocating the virtual machine failed. Virtual machine app01 stays at the source."
    rule = {"call": "migration.switchover", "behaviour": "fail", "object": "app01", "exact": True}
    site_pair.fault(product="engine", **rule)
    tasks.do(*UNTIL_MOVED)
    report, text = written(tasks)
    [failure] = [one for one in report.failures if one.subject == "app01"]
    notes = site_pair.audit("note")
    real = [entry for entry in notes if entry["data"].get("vm") == "app01" and entry["data"].get("phase") == "failed"]
    assert real
    assert failure.job_id == real[0]["subject"].removeprefix("migration:")
    assert failure.at is not None
    assert abs((failure.at - datetime.fromisoformat(real[0]["virtual_time"])).total_seconds()) < 0.01
    assert failure.by_hcx_clock
    assert failure.code == "MIGRATION_FAILED"
    assert "app01" in failure.words or failure.words == words
    assert failure.next_step
    assert any(failure.words in reason for reason in report.reasons)
    row = next(line for line in text.splitlines() if line.startswith("| app01 | migration |"))
    assert failure.job_id in row
    assert failure.words in row
    assert "UTC (HCX)" in row
    [vm] = [one for one in report.vms if one.name == "app01"]
    assert vm.after is not None
    assert vm.after.site == "source", "verified there, not only said by HCX"
    assert "HCX: failed" not in text


def test_n5_an_unextend_that_failed_has_the_appliance_s_words(tasks: WaveTasks, site_pair: SitePair) -> None:
    words = "the appliance did not answer"
    site_pair.fault(product="engine", call="extension.unextend", behaviour="fail", message=words)
    tasks.do(*UNTIL_MOVED, *UNTIL_UNEXTENDED)
    with pytest.raises(UnextendFailedError):
        tasks.do("verify_destination_routed")
    tasks.do("reconnect_source_segment")
    report, text = written(tasks)
    [failure] = report.failures
    jobs = [entry["subject"] for entry in site_pair.audit("note") if entry["data"].get("error")]
    assert f"hcx.job:{failure.job_id}" in jobs
    assert words in failure.words
    assert (failure.subject, failure.code) == ("seed-net", "FAILED")
    assert any(words in reason for reason in report.reasons)
    assert [error["type"] for error in report.errors] == ["UnextendFailedError"]
    [one] = report.segments
    assert one.outcome is SegmentOutcome.RECONNECTED
    # N12: nothing asks for what has been done already.
    assert "clear task reconnect_source_segment" not in text.partition("## Errors")[0]
    assert failure.next_step == "The source gateway is on again. Correct the cause, then start a new run."
    [span] = site_pair.oracle()["segments"]["seed-net"]["outage"]
    assert one.outage is not None
    assert one.outage.lower_seconds <= span["seconds"] <= (one.outage.upper_seconds or 0)


def test_n6_what_a_cleanup_has_changed_is_in_its_timeline(tasks: WaveTasks, site_pair: SitePair) -> None:
    tasks.do(*UNTIL_MOVED, *UNTIL_UNEXTENDED, "verify_destination_routed", "reconnect_source_segment")
    tasks.do("conclude_wave")
    cleanup = AirflowRun(
        tasks.run.bundle, dag_id="cleanup__seed-wave", run_id="manual__9", run_after=site_pair.now,
        conf={"wave_dag_id": "seed-wave", "wave_run_id": tasks.run.run_id}, other_runs={tasks.run.run_id: tasks.run},
    )  # fmt: skip
    later = WaveTasks(cleanup)
    later.do("prove_segment_empty", group="cleanup")
    later.do("approve_cleanup", "delete_source_segment", "rename_destination_segment")
    report, text = written(later)
    assert not [key for key in site_pair.world.segments if key == "source/seed-net"]
    assert text.startswith("# Cleanup of wave seed-wave")
    changes = {one.what: one.by for one in report.timeline if one.by}
    assert changes["source segment deleted"] == "alice (CHG1)"
    assert changes["destination segment renamed to seed-net-cloud"] == "alice (CHG1)"
    assert changes["source gateway off"] == "alice (CHG1)"
    assert "| source segment deleted | seed-net | alice (CHG1) |" in text
    assert report.is_cleanup


def test_n7_instants_have_their_zone_and_values_are_words(tasks: WaveTasks, site_pair: SitePair) -> None:
    tasks.do(*UNTIL_MOVED, *UNTIL_UNEXTENDED, "verify_destination_routed", "reconnect_source_segment")
    _, text = written(tasks)
    rows = [line for line in text.splitlines() if "| run |" in line or "| HCX |" in line]
    assert len(rows) > 8
    assert all(" UTC |" in row for row in rows)
    assert "- Begun: " in text
    assert not {"as_planned", "cut_over", "hcx_appliance"} & set(text.replace("|", " ").replace("(", " ").split())


def test_a_step_that_failed_leaves_its_error_and_one_that_succeeds_takes_it_back(
    tasks: WaveTasks, site_pair: SitePair
) -> None:
    site_pair.fault(product="hcx", call="l2_extensions.list", behaviour="status", status=403)
    with pytest.raises(PermissionDenied, match="403"):
        tasks.do("resolve_plan")
    report, _ = written(tasks)
    [failure] = report.failures
    assert failure.step == "resolve_plan"
    assert report.reasons == (failure.short,)
    site_pair.run(lambda: site_pair.world.faults.clear())
    tasks.do("resolve_plan")
    assert written(tasks)[0].failures == ()
