"""A step believes nothing that a user can write: every stored value that decides anything, altered in every way."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hcx_airflow import results
from hcx_airflow.errors import (
    BlockedError,
    LedgerError,
    NotApprovedError,
    PlanMissingError,
    RunRefusedError,
    UntrustedResultError,
    WaveTaskError,
)
from hcx_airflow.results import Results, Slot, decision_slot
from hcx_airflow.seal import SEAL
from support.airflow_tasks import AirflowRun, content_of, sealed_as
from support.wave_tasks import CUTOVER, UNTIL_VERIFIED, WaveTasks

SLOTS = [slot for slot in vars(results).values() if isinstance(slot, Slot)]
GATES = ("approve_wave", "approve_cutover")


@pytest.fixture
def played(airflow_run: AirflowRun) -> WaveTasks:
    """A run that has come to its end, with every value that its tasks have left."""
    tasks = WaveTasks(airflow_run)
    airflow_run.params = {"poll_interval_seconds": 1}
    tasks.do(*UNTIL_VERIFIED, *CUTOVER, "conclude_wave", "write_report")
    return tasks


def reader(run: AirflowRun) -> Results:
    """What a task at the end of the run reads by."""
    ti = run.task_instance("conclude_wave", run.tries.get("conclude_wave", 1))
    return Results({"ti": ti, "dag_run": SimpleNamespace(clear_number=run.clear_number)})


def stored(run: AirflowRun) -> Iterator[tuple[Slot[Any], str, str, Any]]:
    """Yield the values that a run has stored: slot, group, task and the document."""
    slots = [*SLOTS, *(decision_slot(gate) for gate in GATES)]
    for (task_id, key), value in list(run.xcoms.items()):
        group, _, task = task_id.rpartition(".")
        for slot in slots:
            if (slot.task, slot.key) == (task, key):
                yield slot, group, task_id, json.loads(value) if isinstance(value, str) else value


def mutants(document: Any) -> Iterator[Any]:
    """Yield a document with each of its members altered, and removed, at every depth; and without a seal."""
    for path in paths(document):
        for change in (_alter, _remove):
            mutant = copy.deepcopy(document)
            change(mutant, path)
            if mutant != document:
                yield mutant
    yield content_of(document)
    yield {**document, "another": "member"}


def paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield (*above, name)
        yield from paths(member, (*above, name))


def _alter(document: Any, path: tuple[Any, ...]) -> None:
    holder = _holder(document, path)
    old = holder[path[-1]]
    if isinstance(old, bool):
        holder[path[-1]] = not old
    elif isinstance(old, int | float):
        holder[path[-1]] = old + 1
    else:
        holder[path[-1]] = f"{old}x" if isinstance(old, str) else "x" if old is None else {"x": old}


def _remove(document: Any, path: tuple[Any, ...]) -> None:
    del _holder(document, path)[path[-1]]


def _holder(document: Any, path: tuple[Any, ...]) -> Any:
    for step in path[:-1]:
        document = document[step]
    return document


@pytest.mark.world(mode="scaled", speed=600.0)
def test_no_mutant_of_a_stored_value_is_believed(played: WaveTasks, record_property: Any) -> None:
    run, refused, ignored, seen = played.run, 0, 0, set()
    for slot, group, task_id, document in list(stored(run)):
        seen.add((task_id, slot.key))
        right = reader(run).read_here(slot, group)
        assert right is not None
        at, results_of_run = (task_id, slot.key), reader(run)
        for mutant in mutants(document):
            run.xcoms[at] = mutant
            if slot.kept:
                assert results_of_run.read_here(slot, group) == right, "the ledger has it, not the XCom"
                ignored += 1
                continue
            with pytest.raises(UntrustedResultError):
                results_of_run.read_here(slot, group)
            refused += 1
        run.xcoms[at] = document
    assert {slot for _, slot in seen} >= {"return_value", "decision", "snapshot", "removal", "acting_since", "started"}
    assert len(seen) >= 20
    assert refused > 2000
    record_property("mutants", refused + ignored)


@pytest.mark.world(mode="scaled", speed=600.0)
def test_nothing_of_another_place_is_believed(played: WaveTasks) -> None:
    run = played.run
    for slot, group, task_id, document in list(stored(run)):
        if slot.kept:
            continue
        content, at = content_of(document), (task_id, slot.key)
        for other in strangers(run, task_id, slot.key, content):
            run.xcoms[at] = other
            with pytest.raises(UntrustedResultError):
                reader(run).read_here(slot, group)
        assert [reader(run).read_here(slot, group) for run.xcoms[at] in [current(run, task_id, slot.key, content)]]


def strangers(run: AirflowRun, task_id: str, key: str, content: Any) -> Iterator[Any]:
    """Yield the same content with a valid seal of another place: run, wave, task, XCom, kind of run, and try."""
    asked = {"run_id": "manual__2"}, {"dag_id": "another-wave"}, {"task_id": f"other.{task_id}"}
    ti = run.task_instance(task_id, run.tries[task_id])
    for changes in asked:
        yield sealed_as(SimpleNamespace(**{**vars(ti), **changes}), content, key)
    yield sealed_as(ti, content, "another_key")
    yield sealed_as(ti, content, key, rehearsal=True)
    earlier = sealed_as(ti, content, key)
    run.tries[task_id] += 1
    current(run, task_id, key, content)
    yield earlier


def current(run: AirflowRun, task_id: str, key: str, content: Any) -> Any:
    """Return the content as the present try of the task would leave it."""
    return sealed_as(run.task_instance(task_id, run.tries[task_id]), content, key)


def test_the_plan_of_another_segment_cuts_nothing(played_until_cutover: WaveTasks, site_pair: Any) -> None:
    """A1: the plan is replaced between start and cutover, and everything looks approved."""
    tasks = played_until_cutover
    tasks.do("approve_cutover")
    forged = tasks.run.xcoms["resolve_plan", "return_value"]
    forged["segments"][0]["source"]["path"] = "/infra/segments/victim"
    mark = site_pair.mark()
    for step in ("disconnect_source_segment", "unextend_network", "reconnect_source_segment"):
        with pytest.raises(WaveTaskError, match="is not to be trusted: it is not what the task has left"):
            tasks.do(step)
    assert changing(site_pair, mark) == []


def test_a_snapshot_that_a_user_has_posted_connects_nothing(played_until_cutover: WaveTasks, site_pair: Any) -> None:
    """A1b: the way back acts on what its own run has kept, and on nothing else."""
    tasks = played_until_cutover
    tasks.run.xcoms[tasks.task_id("disconnect_source_segment"), "snapshot"] = {"path": "/infra/segments/victim"}
    mark = site_pair.mark()
    assert tasks.do("reconnect_source_segment")["acted"] is False
    assert changing(site_pair, mark) == []


@pytest.fixture
def played_until_cutover(airflow_run: AirflowRun) -> WaveTasks:
    tasks = WaveTasks(airflow_run)
    tasks.do("resolve_plan")
    return tasks


@pytest.mark.parametrize("cleared", [0, 1, 5])
@pytest.mark.parametrize("used", [False, True])
def test_a_run_that_was_made_again_has_nothing_of_the_first(
    airflow_run: AirflowRun, site_pair: Any, cleared: int, used: bool
) -> None:
    """A2: run deleted, made again with the same id, its XComs written back, its gates marked; cleared at will."""
    first = WaveTasks(airflow_run)
    first.do("resolve_plan", "run_preflight", "approve_wave")
    if used:
        first.do("start_migrations", "cancel_migrations")
    again = AirflowRun(airflow_run.bundle, xcoms=copy.deepcopy(airflow_run.xcoms), asked=airflow_run.asked)
    again.states = dict.fromkeys(("resolve_plan", "run_preflight", "approve_wave"), "success")
    for _ in range(cleared):
        again.clear("start_migrations")
    mark = site_pair.mark()
    with pytest.raises(RunRefusedError if cleared == 0 or used else NotApprovedError):
        WaveTasks(again).do("start_migrations")
    assert changing(site_pair, mark) == []
    if cleared == 0:
        with pytest.raises(RunRefusedError):
            WaveTasks(again).do("write_report")
        (note,) = (airflow_run.bundle / "reports").rglob("*.refused.md")
        assert "refused, started by carol: there was a run manual" in note.read_text()


def test_findings_that_a_user_has_erased_ask_nobody(airflow_run: AirflowRun, site_pair: Any) -> None:
    """A3: preflight fails, is marked success, and its findings are written anew; or are gone."""
    from hcx_airflow.dag_factory.loader import wave_dags

    tasks = WaveTasks(airflow_run)
    tasks.do("resolve_plan")
    blocking = {"finding_id": "vm-has-snapshots", "severity": "blocking", "subject": "db01", "message": "has 2"}
    airflow_run.leave("run_preflight", {"items": [{"finding": blocking}]})
    gate = wave_dags(airflow_run.bundle / "waves", only="seed-wave")["seed-wave"].get_task("approve_wave")
    with pytest.raises(BlockedError, match="1 finding of run_preflight that nobody has waived"):
        airflow_run.answer(gate)
    airflow_run.xcoms["run_preflight", "return_value"] = {"items": []}
    with pytest.raises(UntrustedResultError, match=r"the result of run_preflight \(XCom return_value\) is not to be"):
        airflow_run.answer(gate)
    del airflow_run.xcoms["run_preflight", "return_value"]
    with pytest.raises(UntrustedResultError, match="its task has left one, and it is gone: somebody has deleted it"):
        airflow_run.answer(gate)
    airflow_run.tries["run_preflight"] = airflow_run.tries.get("run_preflight", 1) + 1
    airflow_run.make_begin("run_preflight")
    with pytest.raises(BlockedError, match="run_preflight has left no result, so it did not succeed by itself"):
        airflow_run.answer(gate)
    assert airflow_run.asked == []


def test_an_approval_holds_for_the_findings_that_were_shown(airflow_run: AirflowRun, site_pair: Any) -> None:
    tasks = WaveTasks(airflow_run)
    tasks.do("resolve_plan", "run_preflight", "approve_wave", "run_preflight")
    mark = site_pair.mark()
    with pytest.raises(NotApprovedError, match="run_preflight has another result than the one that was shown"):
        tasks.do("start_migrations")
    assert changing(site_pair, mark) == []


def test_under_four_eyes_a_cleared_run_asks_nobody(airflow_run: AirflowRun, site_pair: Any) -> None:
    """A2b: the approver has started nothing, clears somebody else's run, and would approve it alone."""
    path = airflow_run.bundle / "waves" / "seed-wave.yaml"
    path.write_text(path.read_text().replace("cleanup:\n", "gates: {four_eyes: true}\n\ncleanup:\n"))
    tasks = WaveTasks(airflow_run)
    tasks.do("resolve_plan")
    airflow_run.clear("run_preflight")
    with pytest.raises(RunRefusedError, match="nobody can tell who the second person is"):
        tasks.do("approve_wave")
    assert airflow_run.asked == []


def test_without_its_ledger_a_run_changes_nothing(airflow_run: AirflowRun, site_pair: Any, tmp_path: Path) -> None:
    tasks = WaveTasks(airflow_run)
    tasks.do("resolve_plan", "approve_wave")
    (file,) = (tmp_path / "state" / "ledger").iterdir()
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    kept, mark = file.read_text(), site_pair.mark()
    file.unlink()
    with pytest.raises(WaveTaskError, match="the ledger of its run does not know it"):
        tasks.do("start_migrations")
    file.write_text(kept + "{broken\n")
    with pytest.raises(
        LedgerError, match=r"line \d+ of the ledger of this run, .* cannot be read. Nothing was changed"
    ):
        tasks.do("start_migrations")
    file.unlink()
    file.mkdir()
    with pytest.raises(LedgerError, match="cannot be used: Is a directory"):
        tasks.do("start_migrations")
    assert changing(site_pair, mark) == []


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"HCX_WAVES_SIGNING_KEY": "another key of more than 32 characters"}, "a key that this worker does not have"),
        (None, "no key to sign with"),
    ],
)
def test_keys_that_are_changed_or_lost(
    airflow_run: AirflowRun,
    site_pair: Any,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str] | None,
    words: str,
) -> None:
    tasks = WaveTasks(airflow_run)
    tasks.do("resolve_plan", "run_preflight", "approve_wave")
    key = "a-key-for-tests-that-is-long-enough-for-anybody"
    monkeypatch.delenv("HCX_WAVES_SIGNING_KEY")
    for name, value in (environment or {}).items():
        monkeypatch.setenv(name, value)
    mark = site_pair.mark()
    with pytest.raises(WaveTaskError, match=words):
        tasks.do("start_migrations")
    assert changing(site_pair, mark) == []
    if environment is not None:
        monkeypatch.setenv("HCX_WAVES_SIGNING_KEY_PREVIOUS", key)
        assert tasks.do("start_migrations")["adopted"] is False, "an approval in flight outlives a change of keys"


def test_a_run_of_the_release_before_asks_anew(airflow_run: AirflowRun, site_pair: Any) -> None:
    tasks = WaveTasks(airflow_run)
    tasks.do("resolve_plan", "run_preflight", "approve_wave", "start_migrations")
    airflow_run.xcoms = {key: content_of(value) for key, value in airflow_run.xcoms.items()}
    with pytest.raises(WaveTaskError, match=r"an earlier release has left it\. Clear resolve_plan and all tasks after"):
        tasks.do("start_migrations")
    later = WaveTasks(AirflowRun(airflow_run.bundle, run_id="manual__2", asked=airflow_run.asked))
    later.do("resolve_plan", "run_preflight", "approve_wave")
    assert later.do("start_migrations")["adopted"] is True, "nothing is lost"


def changing(site_pair: Any, mark: int) -> list[str]:
    """Return the calls that change something at the sites."""
    reads = ("query", "sessions", "/sdk", "inventory", "validate", "search", "auth", "login")
    return [
        call["data"]["path"]
        for call in site_pair.calls(after=mark)
        if call["data"]["method"] != "GET" and not any(word in call["data"]["path"].lower() for word in reads)
    ]


def test_the_instants_of_a_ledger_are_aware(airflow_run: AirflowRun, tmp_path: Path) -> None:
    WaveTasks(airflow_run).do("resolve_plan")
    (file,) = (tmp_path / "state" / "ledger").iterdir()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["begun", "left"]
    assert all(datetime.fromisoformat(line["at"]).tzinfo is not None for line in lines)
    assert all(line["run_id"] == airflow_run.run_id for line in lines)
    assert SEAL not in lines[0]
    assert datetime.fromisoformat(lines[0]["at"]) <= datetime.now(UTC)


def test_conf_makes_no_cleanup_of_a_live_run(airflow_run: AirflowRun, site_pair: Any) -> None:
    """Otherwise a user could have a run work by the plan of another one."""
    tasks = WaveTasks(airflow_run)
    tasks.do("resolve_plan")
    conf = {"wave_dag_id": "another-dag", "wave_run_id": airflow_run.run_id}
    other = AirflowRun(airflow_run.bundle, run_id="manual__2", conf=conf, other_runs={airflow_run.run_id: airflow_run})
    with pytest.raises(PlanMissingError, match="resolve_plan has stored no plan"):
        WaveTasks(other).do("run_preflight")
