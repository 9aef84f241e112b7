"""An approval that was taken back, or given by one person alone, lets nothing through: A2 and A2b of the attacks."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_demo.stack.state import APPROVER
from support.attack_stack import CLERK, STARTER
from support.attackers import AttackedRun
from support.siege import Siege

pytestmark = [pytest.mark.attacks, pytest.mark.timeout(1800)]
WAVE, GATE, START = "moved-wave", "approve_wave", "start_migrations"


def approved_and_held(siege: Siege, *, dated: bool = True) -> tuple[AttackedRun, Any]:
    """Return a run whose approver has approved it and held the start back, in the approver's hands; its approval."""
    started = siege.start_as(siege.user(STARTER), WAVE, dated=dated)
    run = siege.user(APPROVER).run(WAVE, started.run_id)
    siege.parked(WAVE, run.run_id, GATE)
    run.mark(START, "failed")
    siege.approve(run, GATE)
    assert siege.ended(run, GATE) == "success"
    approval = run.xcom(GATE, "decision")
    assert approval is not None
    return run, approval


@pytest.mark.parametrize(("dated", "clears"), [(True, 0), (False, 0), (True, 2)], ids=["dated", "undated", "cleared"])
def test_an_approval_that_was_taken_back_does_not_count_in_a_run_made_again(
    siege: Siege, who: str, *, dated: bool, clears: int
) -> None:
    mark = siege.mark()
    approved, approval = approved_and_held(siege, dated=dated)
    approved.clear(GATE)
    # Under four eyes a gate that somebody has cleared asks nobody: it fails, which takes the approval back as well.
    if siege.await_question(approved, GATE):
        siege.reject(approved, GATE)
    assert siege.finish(approved) == "failed"
    attacker = siege.user(who)
    run = attacker.run(WAVE, approved.run_id)
    run.make_again()
    assert attacker.succeeded("make again")
    if siege.await_question(run, GATE):
        # More clears than the run before has had, so that the count says nothing.
        for _ in range(clears):
            run.clear("write_report")
        run.write_xcom(GATE, approval, "decision")
        assert attacker.succeeded("xcom")
        run.mark(GATE, "success")
    assert siege.ended(run, START) != "success"
    assert siege.changes(mark) == []
    assert siege.finish(run) == "failed"
    assert "this one was made with its id" in siege.refusals(run)


@pytest.mark.parametrize("name", [STARTER, CLERK])
def test_an_approval_that_was_taken_back_is_not_brought_back_by_a_mark(siege: Siege, name: str) -> None:
    """Airflow removes what a task has left when its next try starts, so a mark before that restores it."""
    mark = siege.mark()
    approved, approval = approved_and_held(siege)
    siege.api.call("PATCH", f"/dags/{WAVE}", {"is_paused": True})
    approved.clear(GATE)
    attacker = siege.user(name)
    run = attacker.run(WAVE, approved.run_id)
    run.mark(GATE, "success")
    run.clear(START)
    assert run.xcom(GATE, "decision") == approval
    attacker.attempt("unpause", "PATCH", f"/dags/{WAVE}", {"is_paused": False})
    assert attacker.succeeded("unpause")
    assert siege.ended(run, START) != "success"
    assert siege.changes(mark) == []
    assert siege.finish(run) == "failed"
    assert f"{GATE} has no valid approval" in siege.log_of(run, START)


def test_who_clears_a_run_of_somebody_else_is_not_the_second_person(siege: Siege) -> None:
    approver = siege.user(APPROVER)
    mark = siege.mark()
    run = siege.start_as(siege.user(STARTER), WAVE)
    siege.reject(run, GATE)
    assert siege.finish(run) == "failed"
    approver.run(WAVE, run.run_id).clear()
    assert approver.succeeded("clear")
    siege.approve_if_asked(run, GATE)
    assert siege.ended(run, START) != "success"
    assert siege.changes(mark) == []
    assert siege.finish(run) == "failed"
    assert GATE in siege.report(run)
