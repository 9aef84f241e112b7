"""What a user writes in the place of a task's result decides nothing: A1, A1b and A3 of the attacks."""

from __future__ import annotations

from typing import Any

import pytest

from support.attackers import AttackedRun, Attacker, altered
from support.siege import Siege

pytestmark = [pytest.mark.attacks, pytest.mark.timeout(1800)]
WAVE, BLOCKED = "moved-wave", "blocked-wave"
GROUP = "cutover_moved-net"
CUTOVER = f"{GROUP}.approve_cutover"


def points_at(segment: str) -> Any:
    """Return what makes a planned segment act on another one."""

    def alter(planned: dict[str, Any]) -> None:
        path = str(planned["source_segment_path"]).replace("moved-net", segment)
        planned["source_segment_path"] = path
        planned["source"] = {**planned["source"], "network_id": path}

    return alter


def forge_plan(run: AttackedRun, segment: str) -> None:
    """Put a plan in the place of the run's that has another source segment."""
    plan = run.xcom("resolve_plan")
    forged = altered(plan, points_at(segment), "source_segment_path")
    assert forged != plan
    run.write_xcom("resolve_plan", forged)
    assert run.xcom("resolve_plan") == forged


def under_way(siege: Siege, attacker: Attacker) -> AttackedRun:
    """Return an approved run that has started its migrations, in the attacker's hands."""
    run = siege.start_as(siege.user("starter"), WAVE)
    siege.approve(run, "approve_wave")
    assert siege.ended(run, "start_migrations") == "success"
    return attacker.run(run.dag_id, run.run_id)


def test_a_plan_of_another_segment_cuts_nothing(siege: Siege, who: str) -> None:
    attacker = siege.user(who)
    run = under_way(siege, attacker)
    mark = siege.mark()
    forge_plan(run, "victim-net")
    siege.approve_if_asked(run, CUTOVER)
    state = siege.finish(run)
    assert siege.changes(mark) == []
    assert siege.two_gateways() == {}
    assert state == "failed"
    assert says(siege.report(run), "resolve_plan", "somebody has changed it")


def test_a_snapshot_of_another_gateway_connects_nothing(siege: Siege, who: str) -> None:
    attacker = siege.user(who)
    run = under_way(siege, attacker)
    mark = siege.mark()
    forge_plan(run, "off-net")
    if siege.await_question(run, CUTOVER):
        run.mark(CUTOVER, "failed")
    siege.finish(run)
    run.write_xcom(f"{GROUP}.disconnect_source_segment", {"connectivity": "ON"}, "snapshot")
    run.mark(f"{GROUP}.prove_segment_empty", "success")
    run.clear(f"{GROUP}.reconnect_source_segment")
    siege.finish(run)
    assert attacker.succeeded("xcom")
    assert attacker.succeeded("clear")
    assert siege.changes(mark) == []
    assert siege.two_gateways() == {}


def test_erased_findings_start_nothing(siege: Siege, who: str) -> None:
    attacker = siege.user(who)
    mark = siege.mark()
    started = siege.start_as(siege.user("starter"), BLOCKED)
    run = attacker.run(started.dag_id, started.run_id)
    assert siege.finish(run) == "failed"
    assert siege.ended(run, "run_preflight") == "failed"
    run.mark("run_preflight", "success")
    run.write_xcom("run_preflight", {"items": []})
    run.clear("approve_wave", downstream=True)
    siege.approve_if_asked(run, "approve_wave")
    assert siege.ended(run, "start_migrations") != "success"
    assert attacker.succeeded("xcom")
    assert siege.changes(mark) == []
    assert siege.finish(run) == "failed"
    assert says(siege.report(run), "run_preflight", "it has no seal: a user has written it")


def test_a_start_that_was_deleted_is_not_forgotten(siege: Siege, who: str) -> None:
    """Nothing that was started may mean that there is nothing to wait for, and a segment to cut."""
    attacker = siege.user(who)
    run = under_way(siege, attacker)
    mark = siege.mark()
    run.delete_xcom("start_migrations")
    siege.approve_if_asked(run, CUTOVER)
    assert siege.finish(run) == "failed"
    assert attacker.succeeded("delete")
    assert siege.changes(mark) == []
    assert says(siege.report(run), "start_migrations", "somebody has deleted it")


def test_a_disconnect_that_was_only_marked_unextends_nothing(siege: Siege, who: str) -> None:
    attacker = siege.user(who)
    run = under_way(siege, attacker)
    assert siege.await_question(run, CUTOVER)
    mark = siege.mark()
    run.mark(CUTOVER, "success")
    run.mark(f"{GROUP}.disconnect_source_segment", "success")
    run.clear(f"{GROUP}.unextend_network", downstream=True)
    assert siege.finish(run) == "failed"
    assert attacker.succeeded("mark")
    assert siege.changes(mark) == []
    assert siege.two_gateways() == {}


def says(report: str, task_id: str, words: str) -> bool:
    """Whether a report says of a task's result what was done to it."""
    return any(task_id in line and words in line for line in report.splitlines())
