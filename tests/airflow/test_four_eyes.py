"""Whoever has started a run does not approve it, where a wave demands four eyes."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_airflow.errors import AnswerRefusedError, NotApprovedError, RejectedError
from hcx_airflow.names import DECISION as DECISION_KEY
from support.airflow_tasks import AirflowRun
from support.wave_tasks import WaveTasks


@pytest.fixture
def tasks(airflow_run: AirflowRun) -> WaveTasks:
    made = WaveTasks(airflow_run)
    made.do("resolve_plan")
    return made


def edit_wave(run: AirflowRun, old: str, new: str) -> None:
    path = run.bundle / "waves" / "seed-wave.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_four_eyes_as_an_option_of_the_operator(tasks: WaveTasks) -> None:
    gate = tasks.make("approve_wave", four_eyes=True)
    with pytest.raises(AnswerRefusedError, match="carol started the run, so another person must approve it"):
        tasks.run.answer(gate, "Approve", "carol")
    assert tasks.run.answer(gate, "Approve", "alice")["choice"] == "approved"


@pytest.mark.parametrize(
    ("gates", "demanded"),
    [
        ("{}", False),
        ("{four_eyes: true}", True),
        ("{approve_wave: {four_eyes: true}}", True),
        ("{four_eyes: true, approve_wave: {four_eyes: false}}", False),
    ],
)
def test_four_eyes_as_the_wave_file_says(tasks: WaveTasks, gates: str, demanded: bool) -> None:
    edit_wave(tasks.run, "cleanup:\n", f"gates: {gates}\n\ncleanup:\n")
    tasks.do("resolve_plan")
    gate = tasks.make("approve_wave")
    if demanded:
        with pytest.raises(AnswerRefusedError, match="carol started the run, so another person must approve it"):
            tasks.run.answer(gate, "Approve", "carol")
        assert "`carol` started this run, so another person must approve it" in tasks.run.asked[0]["body"]
    else:
        assert tasks.run.answer(gate, "Approve", "carol")["started_by"] == "carol"
        assert "four-eyes rule" not in tasks.run.asked[0]["body"]
    assert tasks.run.answer(gate, "Approve", "alice")["choice"] == "approved"
    with pytest.raises(RejectedError):
        tasks.run.answer(gate, "Reject", "carol")


def test_four_eyes_of_a_run_that_nobody_has_started(tasks: WaveTasks) -> None:
    edit_wave(tasks.run, "cleanup:\n", "gates: {four_eyes: true}\n\ncleanup:\n")
    tasks.run.triggering_user_name = None
    tasks.do("resolve_plan")
    assert tasks.run.answer(tasks.make("approve_wave"), "Approve", "carol")["started_by"] is None
    assert "four-eyes rule" not in tasks.run.asked[0]["body"]
    tasks.do("start_migrations")


def test_four_eyes_hold_for_the_step_as_well(tasks: WaveTasks, site_pair: Any) -> None:
    """Whatever let the gate itself through: an operator of another DAG, or a run that looks as if nobody started it."""
    edit_wave(tasks.run, "cleanup:\n", "gates: {four_eyes: true}\n\ncleanup:\n")
    tasks.do("resolve_plan")
    tasks.run.triggering_user_name = None
    tasks.run.answer(tasks.make("approve_wave"), "Approve", "carol")
    tasks.run.triggering_user_name = "carol"
    with pytest.raises(NotApprovedError, match="carol started the run, so another person must approve it"):
        tasks.do("start_migrations")
    tasks.run.triggering_user_name = "alice"
    tasks.do("start_migrations")
    tasks.run.leave("approve_wave", {**tasks.left("approve_wave", DECISION_KEY), "started_by": "carol"}, DECISION_KEY)
    with pytest.raises(NotApprovedError, match="carol started the run"):
        tasks.do("start_migrations")
