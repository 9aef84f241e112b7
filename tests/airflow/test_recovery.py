"""``recover__<wave>``: each action through its tasks, and what the simulator saw of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hcx_airflow.errors import (
    AnswerRefusedError,
    IncompleteError,
    NotApprovedError,
    RecoveryRefusedError,
    RunRefusedError,
)
from support.airflow_tasks import AirflowRun
from support.recovering import Recovering, changes
from support.wave_tasks import CUTOVER, UNTIL_VERIFIED, WaveTasks

pytestmark = pytest.mark.world(mode="scaled", speed=600.0)
SEGMENT = "seed-net"


@pytest.fixture
def tasks(airflow_run: AirflowRun) -> WaveTasks:
    airflow_run.params = {"poll_interval_seconds": 1}
    return WaveTasks(airflow_run)


@pytest.fixture
def cut(tasks: WaveTasks) -> WaveTasks:
    """The outage runs: the source gateway is off, and HCX has not been asked to unextend."""
    tasks.do(*UNTIL_VERIFIED, *CUTOVER[:3])
    return tasks


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
    report = json.loads(Path(recovery.report()["json"]).read_text())
    assert report["result"]["outcomes"][0]["done"]


def test_the_destination_is_connected_and_the_run_adopts_it(cut: WaveTasks, site_pair: Any, tmp_path: Path) -> None:
    site_pair.fault(product="engine", call="extension.connect", behaviour="fail", message="edge says no")
    cut.do("unextend_network", "await_unextended")
    mark = site_pair.mark()
    with pytest.raises(RecoveryRefusedError, match="no longer reaches the VMs"):
        Recovering(cut.run, run_id="r0", action="reconnect-source").resolve()
    done = Recovering(cut.run, action="connect-destination", objects=[SEGMENT]).all()
    assert done["is_well"]
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
    with pytest.raises(RunRefusedError, match="action must be one of reconnect-source, connect-destination, cancel"):
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
    with pytest.raises(Exception, match="somebody has changed it"):
        recovery.recover()
    assert changes(site_pair, mark) == []
