"""What a report says of gates that were answered, and of those that somebody went round."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcx_airflow.errors import AnswerRefusedError
from hcx_waves.report.files import read_report
from hcx_waves.report.model import WaveReport
from support.airflow_tasks import AirflowRun
from support.wave_tasks import WaveTasks

CUTOVER_GATE = "cutover_seed-net.approve_cutover"


@pytest.fixture
def tasks(airflow_run: AirflowRun) -> WaveTasks:
    made = WaveTasks(airflow_run)
    made.do("resolve_plan")
    return made


def reported(tasks: WaveTasks) -> tuple[WaveReport, str]:
    written = tasks.do("write_report")
    return read_report(Path(written["json"])), Path(written["markdown"]).read_text()


@pytest.mark.parametrize("gate", ["approve_wave", CUTOVER_GATE, "cutover_seed-net.confirm_disconnected"])
def test_a_gate_that_was_marked_success_is_told(tasks: WaveTasks, gate: str) -> None:
    tasks.run.states[gate] = "success"
    report, text = reported(tasks)
    (line,) = report.approvals
    assert (line.gate, line.decision, line.by) == (gate, "no decision", None)
    assert line.note.startswith("the task was marked success without an answer, which approves nothing.")
    assert "event log" in line.note
    assert f"| `{gate}` | No decision | - |" in text


def test_an_answered_gate_is_told_once(tasks: WaveTasks) -> None:
    tasks.do("approve_wave")
    tasks.run.states["approve_wave"] = "success"
    report, _ = reported(tasks)
    assert [(one.gate, one.decision, one.by) for one in report.approvals] == [("approve_wave", "approve", "alice")]


def test_a_gate_that_failed_without_a_decision(tasks: WaveTasks) -> None:
    gate = tasks.make("approve_wave", four_eyes=True)
    with pytest.raises(AnswerRefusedError):
        tasks.run.answer(gate, "Approve", "carol")
    tasks.run.states["approve_wave"] = "failed"
    (line,) = reported(tasks)[0].approvals
    assert (line.decision, line.note.partition(".")[0]) == ("no decision", "no valid answer")


def test_gates_that_were_not_asked_are_not_told(tasks: WaveTasks) -> None:
    tasks.run.states.update({"approve_wave": "upstream_failed", CUTOVER_GATE: "awaiting_input"})
    assert reported(tasks)[0].approvals == ()


def test_a_cleanup_tells_of_the_gates_of_its_wave(tasks: WaveTasks) -> None:
    tasks.run.states["approve_wave"] = "success"
    cleanup = AirflowRun(
        tasks.run.bundle,
        dag_id="cleanup__seed-wave",
        run_id="manual__2",
        conf={"wave_dag_id": "seed-wave", "wave_run_id": tasks.run.run_id},
        other_runs={tasks.run.run_id: tasks.run},
        states={"approve_cleanup": "success"},
    )
    report, _ = reported(WaveTasks(cleanup))
    assert [(one.gate, one.decision) for one in report.approvals] == [
        ("approve_wave", "no decision"),
        ("approve_cleanup", "no decision"),
    ]
