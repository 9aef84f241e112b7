"""How a run has ended becomes its note, and why a task has failed the note of the task."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from sqlalchemy import select

from hcx_airflow.dag_factory.live import build_live_dag
from hcx_airflow.ui.notes import LONGEST, with_line
from hcx_airflow.ui.preload.plugin import PreloadPlugin
from hcx_waves.wavefile.loader import read_wave
from support.dag_player import PlayedRun, new_run
from support.wave_files import minimal

pytestmark = pytest.mark.usefixtures("airflow_database", "listening")
SENTENCE = "Rejected: bob rejected approve_wave (not tonight); 0 of 1 VM moved"
ERROR = {"type": "RejectedError", "message": "bob rejected approve_wave: not tonight", "vendor_message": None}


@pytest.fixture
def listening() -> Any:
    """Airflow's listeners, as the plugin registers them in the scheduler."""
    from airflow.listeners.listener import get_listener_manager

    manager = get_listener_manager()
    for listener in PreloadPlugin.listeners:
        manager.add_listener(listener)
    yield
    manager.clear()


def leave(run: PlayedRun, task_id: str, key: str, value: Any) -> None:
    row = run._run
    value = {**(value if isinstance(value, dict) else {"value": value}), "hcx_seal": {"code": "x"}}
    XComModel.set(
        key=key, value=value, dag_id=row.dag_id, task_id=task_id, run_id=row.run_id, serialize=False,
        session=run._session,
    )  # fmt: skip


def noted(run: PlayedRun) -> tuple[str | None, dict[str, str | None]]:
    run._session.flush()
    listed = run._session.scalars(select(TaskInstance).where(TaskInstance.run_id == run._run.run_id)).all()
    return run._run.note, {ti.task_id: ti.note for ti in listed if ti.dag_id == run._run.dag_id}


def test_a_run_that_ended_red_says_why() -> None:
    with new_run(build_live_dag(read_wave(minimal("noted")))) as run:
        leave(run, "write_report", "headline", SENTENCE)
        leave(run, "approve_wave", "failure", {"task_id": "approve_wave", "at": "2026-03-01T22:00:00Z", "error": ERROR})
        run.play({"approve_wave": "failed", "conclude_wave": "failed", "confirm_outcome": "failed"})
        assert run.state == "failed"
        note, tasks = noted(run)
        assert note == f"Outcome: {SENTENCE}"
        assert tasks["approve_wave"] == "Outcome: bob rejected approve_wave: not tonight"
        assert tasks["resolve_plan"] is None


def test_a_green_run_has_a_note_as_well_and_keeps_what_a_user_wrote() -> None:
    with new_run(build_live_dag(read_wave(minimal("noted-green")))) as run:
        run._run.note = "CHG0042, see the ticket"
        leave(run, "write_report", "headline", "As planned: 1 of 1 VM moved")
        run.play()
        assert run.state == "success"
        assert noted(run)[0] == "Outcome: As planned: 1 of 1 VM moved\nCHG0042, see the ticket"


def test_a_run_without_a_sentence_keeps_its_note() -> None:
    with new_run(build_live_dag(read_wave(minimal("noted-none")))) as run:
        run.play()
        assert noted(run)[0] is None


def test_a_later_end_replaces_what_an_earlier_one_has_noted() -> None:
    assert with_line("Outcome: Incomplete\nby hand", "As planned") == "Outcome: As planned\nby hand"
    assert len(with_line("x" * 2000, "As planned")) == LONGEST
