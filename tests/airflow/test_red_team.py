"""What a red team has tried with no more rights than a user of Airflow: write, delete, mark, clear, make again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hcx_airflow.errors import BlockedError, NotApprovedError, RejectedError, UntrustedResultError, WaveTaskError
from hcx_airflow.seal import SEAL
from hcx_waves.clients.errors import ClientError
from support.airflow_tasks import AirflowRun, class_at, content_of, fire
from support.wave_tasks import CUTOVER, UNTIL_VERIFIED, WaveTasks

scaled = pytest.mark.world(mode="scaled", speed=600.0)
NETWORK = "seed-net"


@pytest.fixture
def tasks(airflow_run: AirflowRun) -> WaveTasks:
    airflow_run.params = {"poll_interval_seconds": 1}
    return WaveTasks(airflow_run)


def cleanup_of(finished: WaveTasks, **conf: Any) -> WaveTasks:
    """Return a cleanup of a run."""
    run = finished.run
    given = {"wave_dag_id": run.dag_id, "wave_run_id": run.run_id, **conf}
    cleanup = AirflowRun(
        run.bundle, dag_id=f"cleanup__{run.dag_id}", run_id="c", conf=given, other_runs={run.run_id: run}
    )
    cleanup.asked = run.asked
    return WaveTasks(cleanup)


def writes(site_pair: Any, after: int) -> list[str]:
    """Return the calls to the NSX managers that change something."""
    return [
        f"{call['data']['method']} {call['data']['path']}"
        for call in site_pair.calls(after=after)
        if call["data"]["method"] in ("PATCH", "PUT", "DELETE") and "sessions" not in call["data"]["path"]
    ]


def is_routed_at_source(site_pair: Any) -> bool:
    """Whether the source's gateway of the network is on: every outage has ended, and it was not cut over."""
    outages = site_pair.oracle()["segments"][NETWORK]["outage"]
    return all(span["to"] is not None for span in outages)


# -- what is deleted


@scaled
def test_a_reason_to_leave_a_segment_alone_that_was_deleted(tasks: WaveTasks, site_pair: Any) -> None:
    """The gate shows "Unchanged", and then the reason is deleted: the segment would lose its source before its hold."""
    tasks.do(*UNTIL_VERIFIED, *CUTOVER, "conclude_wave")
    cleanup = cleanup_of(tasks, wave_segments=["another"])
    cleanup.do("prove_segment_empty", group="cleanup")
    cleanup.do("approve_cleanup")
    assert f"| {NETWORK} | Unchanged: segment {NETWORK} was not cut over yet" in cleanup.run.asked[-1]["body"]
    del cleanup.run.xcoms[f"cleanup_{NETWORK}.prove_segment_empty", "not_due"]
    mark = site_pair.mark()
    for step in ("delete_source_segment", "rename_destination_segment"):
        with pytest.raises(
            UntrustedResultError, match="its task has left one, and it is gone: somebody has deleted it"
        ):
            cleanup.do(step)
    assert writes(site_pair, mark) == []


@scaled
def test_an_evaluation_that_was_deleted_blocks_still(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.do(*UNTIL_VERIFIED, "prove_segment_empty", "approve_cutover")
    del tasks.run.xcoms["evaluate_migrations", "return_value"]
    mark = site_pair.mark()
    with pytest.raises(UntrustedResultError, match=r"the result of evaluate_migrations .* is not to be trusted"):
        tasks.do("disconnect_source_segment")
    assert writes(site_pair, mark) == []


@pytest.mark.parametrize("forged", [None, {}, {"vms": []}])
def test_a_start_that_was_deleted_is_awaited_by_nobody(
    tasks: WaveTasks, site_pair: Any, forged: dict[str, Any] | None
) -> None:
    """Else the run would go on as if nothing had been started, and its report would say so."""
    tasks.do("resolve_plan", "run_preflight", "approve_wave", "start_migrations")
    sensor = tasks.make("await_migrations")
    arguments = sensor.start_trigger_args
    trigger = class_at(arguments.trigger_cls)(**{**arguments.trigger_kwargs, "started": json.dumps(forged)})
    outcome = content_of(fire(trigger, tasks.run.task_instance("await_migrations", 1)))
    assert outcome["ended"] == "error"
    assert "UntrustedResultError" in outcome["error"]["message"]


@scaled
def test_a_report_says_what_was_deleted(tasks: WaveTasks, site_pair: Any) -> None:
    """Deleted results must not make a segment look as if nothing had been done to it."""
    tasks.do(*UNTIL_VERIFIED, *CUTOVER)
    group = f"cutover_{NETWORK}"
    for name in ("verify_destination_routed", "reconnect_source_segment", "disconnect_source_segment"):
        del tasks.run.xcoms[f"{group}.{name}", "return_value"]
    written = tasks.do("write_report")
    assert written["outcome"] == "stranded"
    text = Path(written["markdown"]).read_text()
    assert f"the result of {group}.verify_destination_routed (XCom return_value) is not to be trusted" in text


# -- what is only marked


@scaled
def test_a_proof_that_was_only_marked_deletes_nothing(tasks: WaveTasks, site_pair: Any) -> None:
    tasks.do(*UNTIL_VERIFIED, *CUTOVER, "conclude_wave")
    cleanup = cleanup_of(tasks)
    cleanup.run.states[f"cleanup_{NETWORK}.prove_segment_empty"] = "success"
    cleanup.do("approve_cleanup")
    assert f"| {NETWORK} | Unchanged: it was not proven empty | Unchanged |" in cleanup.run.asked[-1]["body"]
    mark = site_pair.mark()
    for step in ("delete_source_segment", "rename_destination_segment"):
        with pytest.raises(NotApprovedError, match="prove_segment_empty has left no result, so it did not succeed by"):
            cleanup.do(step)
    assert writes(site_pair, mark) == []


@scaled
def test_a_cleanup_does_what_its_gate_has_shown(tasks: WaveTasks, site_pair: Any) -> None:
    """The ending is hidden while the proof is made, and back when the gate asks: it would show what is not done."""
    tasks.do(*UNTIL_VERIFIED, *CUTOVER)
    tasks.run.leave("conclude_wave", {"wave": "seed-wave", "outcome": "incomplete", "segments": {NETWORK: "blocked"}})
    cleanup, at = cleanup_of(tasks), ("conclude_wave", "return_value")
    kept = tasks.run.xcoms.pop(at)
    with pytest.raises(UntrustedResultError, match="somebody has deleted it"):
        cleanup.do("prove_segment_empty", group="cleanup")
    tasks.run.xcoms[at] = kept
    cleanup.do("approve_cleanup")
    assert f"| {NETWORK} | Unchanged: " in cleanup.run.asked[-1]["body"]
    mark = site_pair.mark()
    with pytest.raises(NotApprovedError, match="has left no result"):
        cleanup.do("delete_source_segment")
    assert writes(site_pair, mark) == []


def with_switchovers(tasks: WaveTasks, text: str) -> None:
    path = tasks.run.bundle / "waves" / "seed-wave.yaml"
    path.write_text(f"{path.read_text()}\n{text}\n")


def test_a_gate_does_not_ask_to_let_go_what_it_cannot_show(tasks: WaveTasks, site_pair: Any) -> None:
    """await_seeded was marked success while it waited: the gate would show no VM, and all would switch over."""
    from hcx_airflow.dag_factory.loader import wave_dags

    with_switchovers(tasks, "gates: {approve_switchover: {}}")
    tasks.do("resolve_plan", "run_preflight", "approve_wave", "start_migrations")
    tasks.run.states["await_seeded"] = "success"
    asked = len(tasks.run.asked)
    gate = wave_dags(tasks.run.bundle / "waves", only="seed-wave")["seed-wave"].get_task("approve_switchover")
    with pytest.raises(BlockedError, match="await_seeded has left no result, so it did not succeed by itself"):
        tasks.run.answer(gate)
    assert len(tasks.run.asked) == asked


@scaled
def test_a_wave_that_was_taken_back_lets_nothing_go(tasks: WaveTasks, site_pair: Any) -> None:
    """With an order and no gate of its own: the approver rejects after the start, and the rest is marked success."""
    with_switchovers(tasks, "switchover_order: [db01]")
    tasks.do("resolve_plan", "run_preflight", "approve_wave", "start_migrations")
    started = tasks.run.xcoms["start_migrations", "return_value"]
    tasks.run.execute(tasks.make("await_migrations", task_id="await_seeded", until_seeded=True))
    tasks.run.clear("approve_wave", "start_migrations", "await_seeded", "release_switchovers")
    with pytest.raises(RejectedError, match="rejected"):
        tasks.run.answer(tasks.make("approve_wave"), "Reject")
    tasks.run.xcoms["start_migrations", "return_value"] = started
    tasks.run.states.update({"approve_wave": "success", "start_migrations": "success", "await_seeded": "success"})
    with pytest.raises(NotApprovedError, match="approve_wave has no valid approval: rejected by alice"):
        tasks.do("release_switchovers")
    sites = site_pair.oracle()["vms"]
    assert all(len(vm["sites"]) == 1 for vm in sites.values()), "nothing has moved"


@scaled
def test_a_disconnect_that_was_only_marked_unextends_nothing(tasks: WaveTasks, site_pair: Any) -> None:
    """Approved, the gateway off by other means, and the step with the last proof and the window left out."""
    tasks.do(*UNTIL_VERIFIED, "prove_segment_empty", "approve_cutover")
    tasks.run.states[f"cutover_{NETWORK}.disconnect_source_segment"] = "success"
    mark = site_pair.mark()
    with pytest.raises(NotApprovedError, match="disconnect_source_segment has not succeeded by itself"):
        tasks.do("unextend_network")
    assert writes(site_pair, mark) == []


# -- the way back


FORGERIES = [{"segments": []}, "no plan", {"__classname__": "os.system", "__version__": 1, "__data__": "x"}, None]


@scaled
@pytest.mark.parametrize("forged", FORGERIES, ids=["forged", "text", "class", "deleted"])
def test_no_forgery_keeps_a_network_off(tasks: WaveTasks, site_pair: Any, forged: Any) -> None:
    """In an outage the plan and all results are destroyed: the cutover stops, and the way back is gone all the same."""
    tasks.do(*UNTIL_VERIFIED, "prove_segment_empty", "approve_cutover", "disconnect_source_segment")
    assert not is_routed_at_source(site_pair)
    for key in list(tasks.run.xcoms):
        tasks.run.xcoms[key] = forged
    with pytest.raises(WaveTaskError, match="not to be trusted"):
        tasks.do("unextend_network")
    assert tasks.do("reconnect_source_segment")["acted"] is True
    assert is_routed_at_source(site_pair)


@scaled
def test_a_way_back_that_was_gone_is_not_gone_again(tasks: WaveTasks, site_pair: Any) -> None:
    """Later somebody switches the gateway off for a reason of their own; a user clears the old run's last steps."""
    tasks.do(*UNTIL_VERIFIED, "prove_segment_empty", "approve_cutover", "disconnect_source_segment")
    site_pair.fault(product="hcx", call="*xtension*delete*", behaviour="status", status=500)
    with pytest.raises(ClientError):
        tasks.do("unextend_network")
    assert tasks.do("reconnect_source_segment")["acted"] is True
    switch_off(site_pair, tasks)
    group, mark = f"cutover_{NETWORK}", site_pair.mark()
    tasks.run.clear(f"{group}.unextend_network", f"{group}.reconnect_source_segment")
    with pytest.raises(NotApprovedError, match="the source gateway was connected again since"):
        tasks.do("unextend_network")
    assert tasks.do("reconnect_source_segment")["acted"] is False
    assert writes(site_pair, mark) == []


def switch_off(site_pair: Any, tasks: WaveTasks) -> None:
    """Switch the source's gateway off, as an administrator does who knows of no wave."""
    from hcx_waves.clients.nsx import Connectivity
    from support.waves import opened

    with opened(site_pair) as clients:
        nsx = clients.source_nsx
        assert nsx is not None
        path = tasks.left("resolve_plan")["segments"][0]["source_segment_path"]
        nsx.set_connectivity(nsx.segment(path), Connectivity.OFF)


# -- what cannot be read


def deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {"x": value}
    return value


@pytest.mark.parametrize("what", ["deep", "surrogate", "code", "nan", "huge"])
def test_what_cannot_be_read_is_refused_like_any_other_forgery(tasks: WaveTasks, site_pair: Any, what: str) -> None:
    tasks.do("resolve_plan")
    at = ("resolve_plan", "return_value")
    real = tasks.run.xcoms[at]
    seal = real[SEAL]
    forged = {
        "deep": {**real, "x": deep(3000)},
        "surrogate": {**real, "wave": "\ud800"},
        "code": {**real, SEAL: {**seal, "code": "ü" * 64}},
        "nan": {**real, "wave": float("nan")},
        "huge": {**real, "wave": 10**5000},
    }[what]
    tasks.run.xcoms[at] = forged
    with pytest.raises(WaveTaskError, match=r"the result of resolve_plan \(XCom return_value\) is not to be"):
        tasks.do("run_preflight")
    assert tasks.do("write_report")["outcome"] == "blocked", "there is a report all the same"


def test_what_could_not_be_read_again_is_not_kept(tasks: WaveTasks) -> None:
    """A product's answer that is nested as deep as is read: kept, it would make the ledger unreadable in an outage."""
    from hcx_airflow.errors import LedgerError
    from hcx_airflow.results import SNAPSHOT, Results

    tasks.do("resolve_plan")
    ti = tasks.run.task_instance(tasks.task_id("disconnect_source_segment"), 1)
    results = Results({"ti": ti})
    with pytest.raises(LedgerError, match="could not be read again: it is nested more than 64 levels deep"):
        results.keep(SNAPSHOT, deep(64))
    assert results.recall(SNAPSHOT) is None, "the ledger can be read"


def test_a_key_file_that_is_no_text_is_named_and_not_quoted(tmp_path: Path) -> None:
    from hcx_airflow.errors import SigningKeyError
    from hcx_airflow.signing import KEY_FILE_VARIABLE, signing_key

    path = tmp_path / "key"
    path.write_bytes(b"\xff" * 40)
    with pytest.raises(SigningKeyError, match="is not a text in UTF-8") as caught:
        signing_key({KEY_FILE_VARIABLE: str(path)})
    assert caught.value.__cause__ is None
    assert "xff" not in str(caught.value)
