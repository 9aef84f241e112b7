"""``rollback__<wave>``: from each point of a run through its tasks, judged by the simulator's oracle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from hcx_airflow import names
from hcx_airflow.errors import AnswerRefusedError, NotApprovedError
from hcx_airflow.gates.operator import WaveGate
from hcx_airflow.operators.rollback import (
    MigrateBackOperator,
    ResolveRollbackOperator,
    ReturnNetworksOperator,
    UnextendAgainOperator,
    WriteRollbackReportOperator,
)
from hcx_waves.cutover.cleanup import delete_source_segment
from hcx_waves.cutover.errors import SourceSegmentGoneError
from hcx_waves.model.plan import WavePlan
from hcx_waves.rescue.rollback import RollbackRefusedError
from support.airflow_tasks import AirflowRun, content_of
from support.procedures import sites_of
from support.wave_tasks import CUTOVER, UNTIL_VERIFIED, WaveTasks

pytestmark = pytest.mark.world(mode="scaled", speed=600.0)
SEGMENT = "seed-net"
TASKS: dict[str, Any] = {
    names.RESOLVE_ROLLBACK: ResolveRollbackOperator,
    names.RETURN_NETWORKS: ReturnNetworksOperator,
    names.MIGRATE_BACK: MigrateBackOperator,
    names.UNEXTEND_AGAIN: UnextendAgainOperator,
    names.WRITE_REPORT: WriteRollbackReportOperator,
}
STEPS = (names.RETURN_NETWORKS, names.MIGRATE_BACK, names.UNEXTEND_AGAIN)


class Back:
    """One run of a rollback DAG, for a run of its wave."""

    def __init__(self, origin: AirflowRun, run_id: str = "b1", **params: Any) -> None:
        facts: Any = {"dag_id": names.rollback_dag_id("seed-wave"), "run_id": run_id, "params": params}
        self.run = AirflowRun(origin.bundle, asked=origin.asked, **facts)

    def do(self, name: str) -> Any:
        return self.run.execute(TASKS[name](task_id=name, wave_id="seed-wave"))

    def approve(self, user: str = "alice") -> str:
        gate = WaveGate(task_id=names.APPROVE_ROLLBACK, gate=names.APPROVE_ROLLBACK, wave_id="seed-wave")
        self.run.answer(gate, user=user)
        return str(self.run.asked[-1]["body"])

    def all(self) -> str:
        self.do(names.RESOLVE_ROLLBACK)
        body = self.approve()
        for step in STEPS:
            self.do(step)
        return body

    def left(self, name: str) -> Any:
        return content_of(self.run.xcoms.get((name, "return_value")))


@pytest.fixture
def tasks(airflow_run: AirflowRun) -> WaveTasks:
    airflow_run.params = {"poll_interval_seconds": 1}
    return WaveTasks(airflow_run)


def assert_at_source(pair: Any) -> None:
    oracle = pair.oracle()
    segment = oracle["segments"][SEGMENT]
    assert segment["two_gateways"] == []
    assert all(span["to"] is not None for span in segment["outage"])
    for name in ("web01", "web02", "app01", "db01"):
        vm = oracle["vms"][name]
        assert (vm["now"]["site"], vm["power_off"], vm["gateways"]) == ("source", [], {SEGMENT: "source"})
    assert len([vm for vm in pair.world.vms.values() if vm.name in ("web01", "web02", "app01", "db01")]) == 4


def test_back_after_the_unextend_with_price_and_deadline_and_in_both_reports(
    tasks: WaveTasks, site_pair: Any, tmp_path: Path
) -> None:
    tasks.do(*UNTIL_VERIFIED, *CUTOVER)
    told = Path(tasks.do("write_report")["json"])
    back = Back(tasks.run)
    body = back.all()
    assert "4 VMs migrated back, one at a time" in body
    assert "or it no longer fits the window" in body
    assert "destination gateway off, proven; source gateway on; extend again" in body
    assert back.left(names.UNEXTEND_AGAIN) == {"done": [SEGMENT], "left": []}
    assert_at_source(site_pair)
    assert site_pair.world.bridges == {}
    own = json.loads(Path(back.do(names.WRITE_REPORT)["json"]).read_text())
    assert own["vms"]["proven"] == ["app01", "db01", "web01", "web02"]
    assert own["found"]["price"]["vms"] == 4
    said = [one["what"] for one in json.loads(told.read_text())["timeline"] if one["what"].startswith("recovery")]
    assert any("migrated back" in one for one in said)
    with pytest.raises(AirflowSkipException, match="nothing to bring back"):
        Back(tasks.run, "b2").do(names.RESOLVE_ROLLBACK)


def test_back_in_the_outage_before_the_unextend(tasks: WaveTasks, site_pair: Any) -> None:
    extensions = set(site_pair.world.bridges)
    tasks.do(*UNTIL_VERIFIED, *CUTOVER[:3])
    back = Back(tasks.run)
    assert "The source gateway is off, the extension is whole" in back.all()
    assert set(site_pair.world.bridges) == extensions, "it stays extended, as it was"
    assert_at_source(site_pair)
    with pytest.raises(NotApprovedError):
        tasks.do("unextend_network")


def test_nobody_goes_back_without_an_approval_and_under_four_eyes_not_by_oneself(
    tasks: WaveTasks, site_pair: Any, tmp_path: Path
) -> None:
    wave = tasks.run.bundle / "waves" / "seed-wave.yaml"
    wave.write_text(wave.read_text().replace("cleanup:\n", "gates: {four_eyes: true}\n\ncleanup:\n"))
    tasks.do(*UNTIL_VERIFIED)
    mark = site_pair.mark()
    back = Back(tasks.run)
    back.do(names.RESOLVE_ROLLBACK)
    for step in STEPS:
        with pytest.raises(NotApprovedError):
            back.do(step)
    with pytest.raises(AnswerRefusedError, match="carol started the run"):
        back.approve("carol")
    changing = ("start", "segments.patch", "l2_extensions.create", "l2_extensions.delete")
    assert not [one for one in site_pair.calls(after=mark) if one["data"]["operation"].endswith(changing)]


def test_without_room_at_the_source_nothing_comes_back(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.do(*UNTIL_VERIFIED)
    store = next(one for one in site_pair.world.datastores.values() if one.site.value == "source")
    site_pair.run(lambda: site_pair.world.update(store, free_bytes=0))
    with pytest.raises(RollbackRefusedError, match=r"no VM can come back: app01: .*GiB free"):
        Back(tasks.run).do(names.RESOLVE_ROLLBACK)


def test_one_that_cannot_come_back_stays_and_keeps_its_segment_extended(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.do(*UNTIL_VERIFIED, *CUTOVER)
    # Hardware that no host at the source runs.
    site_pair.run(lambda: site_pair.world.update(site_pair.vm("db01"), hardware_version="vmx-99"))
    back = Back(tasks.run)
    assert "db01: " in back.all()
    assert back.left(names.MIGRATE_BACK) == {"proven": ["app01", "web01", "web02"]}
    assert back.left(names.UNEXTEND_AGAIN) == {"done": [], "left": [SEGMENT]}
    oracle = site_pair.oracle()
    assert oracle["vms"]["db01"]["gateways"] == {SEGMENT: "source"}, "it reaches its gateway over the extension"
    assert oracle["segments"][SEGMENT]["two_gateways"] == []


def test_after_the_cleanup_it_refuses_and_says_what_to_do(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.do(*UNTIL_VERIFIED, *CUTOVER)
    site_pair.advance(600)
    with sites_of(site_pair) as clients:
        delete_source_segment(WavePlan.model_validate(tasks.left("resolve_plan")), SEGMENT, clients)
    mark = site_pair.mark()
    with pytest.raises(SourceSegmentGoneError) as refused:
        Back(tasks.run).do(names.RESOLVE_ROLLBACK)
    assert "action restore-source-segment first" in refused.value.hint
    assert not [one for one in site_pair.calls(after=mark) if one["data"]["operation"].endswith("segments.patch")]
