"""``recover__<wave>``: each action through its tasks, and what the simulator saw of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from hcx_airflow.dag_factory.recovery import build_recovery_dag
from hcx_airflow.dag_factory.texts import recovery_face
from hcx_airflow.errors import (
    AnswerRefusedError,
    IncompleteError,
    NotApprovedError,
    RecoveryRefusedError,
    RunRefusedError,
    WaveTaskError,
)
from hcx_waves.clients.errors import ClientError
from hcx_waves.clients.nsx import Connectivity
from hcx_waves.cutover.errors import TurnTakenError, UnextendFailedError
from hcx_waves.cutover.turns import taking_turn
from hcx_waves.report.files import read_report
from hcx_waves.wavefile.loader import load_wave
from support.airflow_tasks import AirflowRun
from support.procedures import sites_of
from support.recovering import Recovering, changes
from support.wave_tasks import CUTOVER, UNTIL_VERIFIED, WaveTasks

pytestmark = pytest.mark.world(mode="scaled", speed=600.0)
SEGMENT = "seed-net"
TOLD = "recovery, reconnect-source: the source gateway is on again"


@pytest.fixture
def tasks(airflow_run: AirflowRun) -> WaveTasks:
    airflow_run.params = {"poll_interval_seconds": 1}
    return WaveTasks(airflow_run)


@pytest.fixture
def cut(tasks: WaveTasks) -> WaveTasks:
    """The outage runs: the source gateway is off, and HCX has not been asked to unextend."""
    tasks.do(*UNTIL_VERIFIED, *CUTOVER[:3])
    return tasks


def set_destination(pair: Any, connectivity: Connectivity) -> None:
    with sites_of(pair) as clients:
        path = next(one.path for one in clients.destination_nsx.segments() if SEGMENT in one.display_name)
        clients.destination_nsx.set_connectivity(clients.destination_nsx.segment(path), connectivity)
    pair.advance(10)


def facts(pair: Any) -> Any:
    return pair.oracle()["segments"][SEGMENT]


def test_the_source_is_reconnected_and_the_run_goes_on_by_no_old_approval(
    cut: WaveTasks, site_pair: Any, tmp_path: Path
) -> None:
    mark = site_pair.mark()
    recovery = Recovering(cut.run, action="reconnect-source")
    recovery.resolve()
    body = recovery.approve()
    for shown in ("Reconnect source", "manual\\_\\_1", "switch the source gateway on again", "ends the outage"):
        assert shown.replace("\\", "") in body.replace("\\", "")
    assert changes(site_pair, mark) == []
    done = recovery.recover()
    assert [one["text"] for one in done["outcomes"]] == ["the source gateway is on again"]
    assert (done["approved_by"], done["is_well"]) == ("alice", True)
    assert (facts(site_pair)["two_gateways"], len(changes(site_pair, mark))) == ([], 1)
    assert facts(site_pair)["outage"][-1]["to"] is not None

    with pytest.raises(NotApprovedError, match="the source gateway was connected again since"):
        cut.do("unextend_network")
    assert cut.do("reconnect_source_segment")["situation"] == "connected"
    assert len(changes(site_pair, mark)) == 1
    before = read_report(Path(cut.do("write_report")["json"]))
    assert [one.what for one in before.timeline if one.what.startswith("recovery")] == [TOLD]


def test_it_is_told_in_its_own_report_and_in_that_of_the_run(cut: WaveTasks, tmp_path: Path) -> None:
    path = Path(cut.do("write_report")["json"])
    assert TOLD not in [one.what for one in read_report(path).timeline]
    recovery = Recovering(cut.run, action="reconnect-source")
    recovery.all()
    written = recovery.report()
    [event] = [one for one in read_report(path).timeline if one.what == TOLD]
    assert (event.subject, event.by) == (SEGMENT, "alice")
    assert TOLD in path.with_suffix(".md").read_text()
    own = json.loads(Path(written["json"]).read_text())
    assert own["result"]["outcomes"][0]["done"]
    assert "approved by alice" in Path(written["markdown"]).read_text()
    audit = tmp_path / "reports" / "seed-wave" / "manual__1.rescue.jsonl"
    lines = [json.loads(line) for line in audit.read_text().splitlines()]
    assert [line["step"] for line in lines] == ["looked", "answered", "acting", "done", "read_back"]
    assert {(line["who"], line["recovery"]) for line in lines} == {("alice", "r1")}


def test_the_destination_is_connected_and_the_run_adopts_it(cut: WaveTasks, site_pair: Any, tmp_path: Path) -> None:
    site_pair.fault(product="engine", call="extension.connect", behaviour="fail", message="edge says no")
    cut.do("unextend_network", "await_unextended")
    with pytest.raises(UnextendFailedError, match="edge says no"):
        cut.do("verify_destination_routed")
    mark = site_pair.mark()
    with pytest.raises(RecoveryRefusedError, match="no longer reaches the VMs"):
        Recovering(cut.run, run_id="r0", action="reconnect-source").resolve()
    done = Recovering(cut.run, action="connect-destination", objects=[SEGMENT]).all()
    assert done["is_well"]
    assert cut.do("verify_destination_routed")["outage"] is not None
    cut.do("reconnect_source_segment")
    assert cut.do("conclude_wave")["segments"] == {SEGMENT: "cut_over"}
    assert (facts(site_pair)["two_gateways"], len(changes(site_pair, mark))) == ([], 1)
    assert facts(site_pair)["outage"][-1]["to"] is not None


@pytest.mark.world(mode="scaled", speed=20.0)
def test_migrations_are_cancelled_by_those_who_may_start_them(tasks: WaveTasks, site_pair: Any, tmp_path: Path) -> None:
    tasks.do(*UNTIL_VERIFIED[:4])
    recovery = Recovering(tasks.run, action="cancel", objects=["web01"])
    done = recovery.all()
    assert [(one["subject"], one["done"]) for one in done["outcomes"]] == [("web01", True)]
    [web] = [one for one in done["after"]["vms"] if one["name"] == "web01"]
    assert web["phase"] == "cancelled"
    assert any(one.get("in_flight") for one in done["after"]["vms"]), "the others go on"


def test_four_eyes_and_no_second_use(cut: WaveTasks, site_pair: Any, tmp_path: Path) -> None:
    wave = tmp_path / "waves" / "seed-wave.yaml"
    wave.write_text(wave.read_text().replace("cleanup:\n", "gates: {four_eyes: true}\n\ncleanup:\n"))
    mark = site_pair.mark()
    recovery = Recovering(cut.run, action="reconnect-source")
    recovery.resolve()
    with pytest.raises(NotApprovedError):
        recovery.recover()
    with pytest.raises(AnswerRefusedError, match="carol started the run"):
        recovery.approve("carol")
    recovery.approve("alice")
    recovery.recover()
    recovery.run.clear("recover")
    with pytest.raises(NotApprovedError):
        recovery.recover()
    assert len(changes(site_pair, mark)) == 1


def test_what_has_changed_since_the_approval_is_not_done(cut: WaveTasks, site_pair: Any, tmp_path: Path) -> None:
    recovery = Recovering(cut.run, action="reconnect-source")
    recovery.resolve()
    recovery.approve()
    cut.do("unextend_network")
    mark = site_pair.mark()
    with pytest.raises(IncompleteError, match="the situation has changed"):
        recovery.recover()
    assert changes(site_pair, mark) == []


@pytest.mark.parametrize("run", ["manual__2", "scheduled__x", "../../etc"])
def test_a_run_of_another_wave_is_refused(cut: WaveTasks, site_pair: Any, tmp_path: Path, run: str) -> None:
    with pytest.raises(RunRefusedError, match="no live run"):
        Recovering(cut.run, action="reconnect-source", run=run).resolve()


def test_all_that_is_wrong_with_a_form_is_told_at_once(cut: WaveTasks, tmp_path: Path) -> None:
    given = {"objects": ["sed-net"], "force": True, "deadline": "soon", "run": 3, "while_extended": "yes"}
    with pytest.raises(RunRefusedError) as refused:
        Recovering(cut.run, action="reconnect-source", **given).resolve()
    said = str(refused.value)
    for problem in ("none named sed-net (did you mean seed-net?)", "force means nothing", "deadline must", "run must"):
        assert problem in said
    assert "while_extended must be true or false" in said
    with pytest.raises(
        RunRefusedError,
        match="action must be one of reconnect-source, connect-destination, restore-source-segment, cancel",
    ):
        Recovering(cut.run, run_id="r2", action="explode").resolve()


def test_a_forged_result_is_not_acted_on(cut: WaveTasks, site_pair: Any, tmp_path: Path) -> None:
    recovery = Recovering(cut.run, action="reconnect-source")
    recovery.resolve()
    recovery.approve()
    left = recovery.run.xcoms["resolve_recovery", "return_value"]
    recovery.run.xcoms["resolve_recovery", "return_value"] = json.loads(
        json.dumps(left).replace("reconnect-source", "connect-destination")
    )
    mark = site_pair.mark()
    with pytest.raises(WaveTaskError, match="somebody has changed it"):
        recovery.recover()
    assert changes(site_pair, mark) == []


@pytest.fixture
def cleaned(cut: WaveTasks) -> WaveTasks:
    """The wave is over, and its cleanup has deleted the source segment; its run."""
    cut.do(*CUTOVER[3:], "conclude_wave")
    conf = {"wave_dag_id": "seed-wave", "wave_run_id": cut.run.run_id}
    others = {cut.run.run_id: cut.run}
    cleanup = AirflowRun(cut.run.bundle, dag_id="cleanup__seed-wave", run_id="c", conf=conf, other_runs=others)
    cleanup.asked = cut.run.asked
    after = WaveTasks(cleanup)
    after.do("prove_segment_empty", group="cleanup")
    after.do("approve_cleanup", "delete_source_segment")
    return after


def source_segment(pair: Any) -> Any:
    with sites_of(pair) as clients:
        return next((one for one in clients.source_nsx.segments() if one.segment_id == SEGMENT), None)


def test_a_deleted_source_segment_is_restored_with_its_gateway_off(
    cut: WaveTasks, request: pytest.FixtureRequest, site_pair: Any, tmp_path: Path
) -> None:
    before = dict(source_segment(site_pair).raw)
    cleaned = request.getfixturevalue("cleaned")
    assert source_segment(site_pair) is None
    assert cleaned.left("delete_source_segment")["definition"]["subnets"] == before["subnets"]
    site_pair.advance(3600)
    recovery = Recovering(cut.run, action="restore-source-segment")
    recovery.resolve()
    assert "with its gateway off, as " in recovery.approve()
    done = recovery.recover()
    assert [one["done"] for one in done["outcomes"]] == [True], done
    found = source_segment(site_pair)
    for name in ("display_name", "subnets", "id", "path"):
        assert found.raw[name] == before[name]
    assert found.is_disconnected
    assert facts(site_pair)["two_gateways"] == []
    again = Recovering(cut.run, run_id="r2", action="restore-source-segment", objects=[SEGMENT])
    with pytest.raises(AirflowSkipException, match="the source segment is there"):
        again.resolve()


def test_what_was_deleted_is_restored_with_its_gateway_on_if_nobody_routes_it(
    cleaned: WaveTasks, cut: WaveTasks, site_pair: Any
) -> None:
    set_destination(site_pair, Connectivity.OFF)
    site_pair.advance(3600)
    mark = site_pair.mark()
    with pytest.raises(RecoveryRefusedError, match="a cleanup has deleted the source segment"):
        Recovering(cut.run, run_id="r0", action="reconnect-source").resolve()
    assert changes(site_pair, mark) == []
    assert Recovering(cut.run, action="restore-source-segment").all()["outcomes"][0]["done"]
    assert not source_segment(site_pair).is_disconnected
    assert facts(site_pair)["two_gateways"] == []


def test_the_destination_is_connected_after_a_cleanup(cleaned: WaveTasks, cut: WaveTasks, site_pair: Any) -> None:
    set_destination(site_pair, Connectivity.OFF)
    done = Recovering(cut.run, action="connect-destination").all()
    assert done["is_well"]
    assert source_segment(site_pair) is None


def test_a_segment_is_not_restored_over_another_with_its_subnet(
    cleaned: WaveTasks, cut: WaveTasks, site_pair: Any
) -> None:
    definition = cleaned.left("delete_source_segment")["definition"]
    site_pair.advance(3600)
    with sites_of(site_pair) as clients:
        other = {**definition, "id": "other", "display_name": "other"}
        other["path"] = definition["path"].replace(SEGMENT, "other")
        clients.source_nsx.create_segment(other, Connectivity.OFF)
    with pytest.raises(RecoveryRefusedError, match="another segment at the source has its subnet"):
        Recovering(cut.run, action="restore-source-segment").resolve()


def test_a_step_of_the_run_and_a_recovery_take_turns(cut: WaveTasks, site_pair: Any, tmp_path: Path) -> None:
    recovery = Recovering(cut.run, action="reconnect-source")
    recovery.resolve()
    recovery.approve()
    mark = site_pair.mark()
    with taking_turn(tmp_path / "state", "seed-wave", SEGMENT, "unextend_network of run manual__1"):
        with pytest.raises(IncompleteError, match="unextend_network of run manual__1 is at work on seed-net"):
            recovery.recover()
        for step in ("unextend_network", "reconnect_source_segment"):
            with pytest.raises(TurnTakenError):
                cut.run.execute_once(cut.make(step))
    assert changes(site_pair, mark) == []
    cut.do("reconnect_source_segment")
    assert len(changes(site_pair, mark)) == 1


def test_one_of_two_segments_names_is_not_guessed(cut: WaveTasks) -> None:
    given = Recovering(cut.run, action="reconnect-source", objects=["web01"])
    with pytest.raises(RunRefusedError, match="is for segments, and wave seed-wave has none named web01"):
        given.resolve()


def test_where_there_is_nothing_to_do_the_run_is_green(cut: WaveTasks, site_pair: Any) -> None:
    cut.do("reconnect_source_segment")
    recovery = Recovering(cut.run, action="reconnect-source", objects=[SEGMENT])
    with pytest.raises(AirflowSkipException, match="the source gateway is on"):
        recovery.resolve()
    recovery.run.states = dict.fromkeys(("resolve_recovery", "approve_recovery", "recover"), "skipped")
    dag = build_recovery_dag(recovery_face(load_wave(cut.run.bundle / "waves" / "seed-wave.yaml"), ""))
    recovery.run.execute(dag.get_task("confirm_outcome"))
    report = json.loads(Path(recovery.report()["json"]).read_text())
    assert "the source gateway is on" in report["nothing"]
    recovery.run.states["recover"] = "failed"
    with pytest.raises(IncompleteError, match="recover"):
        recovery.run.execute(dag.get_task("confirm_outcome"))


def test_an_unextend_of_which_nothing_is_seen_is_decided_by_a_named_person(cut: WaveTasks, site_pair: Any) -> None:
    site_pair.fault(product="hcx", call="l2_extensions.delete", behaviour="reset_before")
    with pytest.raises(ClientError, match="lost"):
        cut.run.execute_once(cut.make("unextend_network"))
    mark = site_pair.mark()
    with pytest.raises(RecoveryRefusedError, match="HCX has accepted the unextend"):
        Recovering(cut.run, run_id="r0", action="reconnect-source").resolve()
    recovery = Recovering(cut.run, action="reconnect-source", decided_by="bob")
    recovery.resolve()
    assert "Decided by bob" in recovery.approve()
    assert recovery.recover()["is_well"]
    assert (facts(site_pair)["two_gateways"], len(changes(site_pair, mark))) == ([], 1)


def test_one_that_must_not_be_done_now_is_not_asked_about(cut: WaveTasks, site_pair: Any) -> None:
    site_pair.fault(product="engine", call="extension.unextend", behaviour="stall")
    cut.do("unextend_network")
    for choices in ({}, {"decided_by": "bob"}):
        with pytest.raises(RecoveryRefusedError, match="may connect the destination at any moment"):
            Recovering(cut.run, run_id=f"r{len(choices)}", action="reconnect-source", **choices).resolve()
    with pytest.raises(RecoveryRefusedError, match="still extended"):
        Recovering(cut.run, run_id="r3", action="connect-destination").resolve()
    done = Recovering(cut.run, run_id="r4", action="connect-destination", while_extended=True).all()
    assert done["is_well"]
    assert facts(site_pair)["two_gateways"] == []


def test_without_the_file_of_the_plan_its_sealed_result_is_gone_by(
    cut: WaveTasks, site_pair: Any, tmp_path: Path
) -> None:
    [plan] = (tmp_path / "state" / "plans").rglob("*.json")
    plan.unlink()
    forged = Recovering(cut.run, run_id="r0", action="reconnect-source")
    sealed = cut.run.xcoms["resolve_plan", "return_value"]
    cut.run.xcoms["resolve_plan", "return_value"] = {**sealed, "mobility_group": "another"}
    with pytest.raises(RunRefusedError, match="has left no plan that can be read"):
        forged.resolve()
    cut.run.xcoms["resolve_plan", "return_value"] = sealed
    assert Recovering(cut.run, action="reconnect-source").all()["is_well"]
    assert facts(site_pair)["two_gateways"] == []
