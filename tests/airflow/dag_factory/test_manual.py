"""A segment that a person disconnects: instructions only with an approval, and a check that decides."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from hcx_airflow.errors import (
    BlockedError,
    IncompleteError,
    NotApprovedError,
    RejectedError,
    UnansweredError,
)
from hcx_airflow.gates.manual import ConfirmDisconnectedGate
from hcx_waves.cutover.errors import ManualStepOutstandingError, ReconnectRefusedError
from hcx_waves.procedure_errors import ProcedureError
from hcx_waves.report.files import read_report
from support.airflow_tasks import AirflowRun
from support.wave_tasks import UNTIL_VERIFIED, WaveTasks

SEGMENT = "seed-net"


@pytest.fixture
def switch(tmp_path: Path) -> Path:
    """The physical gateway: it is off while this file is there."""
    return tmp_path / "off"


@pytest.fixture
def tasks(airflow_run: AirflowRun, switch: Path) -> WaveTasks:
    path = airflow_run.bundle / "waves" / "seed-wave.yaml"
    check = f"import os, sys; sys.exit(0 if os.path.exists({str(switch)!r}) else 1)"
    manual = (
        "    disconnect: manual\n"
        "    manual:\n"
        "      instructions: Shut interface vlan 7.\n"
        "      undo_instructions: Open interface vlan 7.\n"
        f'      check: ["{sys.executable}", -c, "{check}"]\n'
    )
    path.write_text(path.read_text().replace("    rename_destination:", manual + "    rename_destination:"))
    made = WaveTasks(airflow_run)
    made.do("resolve_plan")
    return made


def confirm(tasks: WaveTasks) -> ConfirmDisconnectedGate:
    return ConfirmDisconnectedGate(
        task_id=tasks.task_id("confirm_disconnected"), wave_id=tasks.wave, segment=tasks.segment
    )


def test_instructions_are_shown_once_the_cutover_is_approved(tasks: WaveTasks) -> None:
    tasks.do("approve_cutover")
    tasks.run.answer(confirm(tasks))
    body = tasks.run.asked[-1]["body"]
    assert "Shut interface vlan 7." in body
    assert "Open interface vlan 7." in body


def test_nobody_is_told_to_disconnect_what_nobody_has_approved(tasks: WaveTasks) -> None:
    with pytest.raises(NotApprovedError, match="approve_cutover has no valid approval"):
        tasks.run.answer(confirm(tasks))
    assert tasks.run.asked == []


def test_nobody_is_told_to_disconnect_a_segment_whose_vm_was_left_behind(tasks: WaveTasks) -> None:
    tasks.do("approve_cutover")
    tasks.run.leave("evaluate_migrations", {"outcomes": {}, "blocked_segments": {SEGMENT: "db01 failed"}})
    asked = len(tasks.run.asked)
    with pytest.raises(BlockedError, match="db01 failed"):
        tasks.run.answer(confirm(tasks))
    assert len(tasks.run.asked) == asked


def test_a_no_fails_the_task(tasks: WaveTasks) -> None:
    tasks.do("approve_cutover")
    with pytest.raises(RejectedError, match="rejected confirm_disconnected"):
        tasks.run.answer(confirm(tasks), "Reject")


@pytest.mark.world(mode="scaled", speed=600.0)
def test_a_word_is_not_believed_until_the_check_agrees(tasks: WaveTasks, switch: Path) -> None:
    tasks.run.params = {"poll_interval_seconds": 1}
    tasks.do(*UNTIL_VERIFIED, "prove_segment_empty", "approve_cutover")
    tasks.run.answer(confirm(tasks))
    disconnect = tasks.make("disconnect_source_segment")
    with pytest.raises(ProcedureError, match="is still connected, according to its check command"):
        tasks.run.execute(disconnect)
    switch.touch()
    assert tasks.run.execute(disconnect)["already"] is True


# -- the way back, which nothing that the run kept leads to


def switched_off_and_then(tasks: WaveTasks, switch: Path, ending: str) -> None:
    """Let a person follow the instructions and then end the gate otherwise than by a yes."""
    tasks.do("approve_cutover")
    switch.touch()
    if ending == "rejected":
        with pytest.raises(RejectedError):
            tasks.run.answer(confirm(tasks), "Reject", "bob", reason="the wrong switch")
    elif ending == "unanswered":
        with pytest.raises(UnansweredError):
            tasks.run.time_out(confirm(tasks))


@pytest.mark.parametrize(
    ("ending", "who"),
    [
        ("rejected", "Undo the disconnect by hand (bob answered confirm_disconnected)"),
        ("unanswered", "Undo the disconnect by hand"),
        ("broken off", "Undo the disconnect by hand"),
    ],
)
def test_what_was_switched_off_by_hand_is_never_forgotten(
    tasks: WaveTasks, switch: Path, ending: str, who: str
) -> None:
    switched_off_and_then(tasks, switch, ending)
    with pytest.raises(ManualStepOutstandingError, match="is still disconnected, according to its check command"):
        tasks.do("reconnect_source_segment")
    undo = f"{who}, then clear {tasks.task_id('reconnect_source_segment')}: Open interface vlan 7."
    with pytest.raises(IncompleteError, match=re.escape(undo)) as verdict:
        tasks.do("conclude_wave")
    assert "stranded" in str(verdict.value)
    written = tasks.do("write_report")
    assert written["outcome"] == "stranded"
    report = read_report(Path(written["json"]))
    assert report.segments[0].outcome == "uncertain"
    assert undo in report.segments[0].reasons[0]
    assert "Open interface vlan 7." in Path(written["markdown"]).read_text()

    switch.unlink()
    assert tasks.do("reconnect_source_segment")["acted"] is True
    assert tasks.do("reconnect_source_segment")["acted"] is True, "cleared once more it is no other story"
    with pytest.raises(IncompleteError, match="seed-net: reconnected"):
        tasks.do("conclude_wave")


def test_a_rejection_that_touched_nothing_is_a_rejection(tasks: WaveTasks) -> None:
    tasks.do("approve_cutover")
    with pytest.raises(RejectedError):
        tasks.run.answer(confirm(tasks), "Reject", "bob")
    left = tasks.do("reconnect_source_segment")
    assert (left["segment"], left["acted"], left["situation"]) == (SEGMENT, False, "connected")
    with pytest.raises(IncompleteError, match="seed-net: rejected"):
        tasks.do("conclude_wave")


def test_a_way_back_that_could_not_look_leaves_the_segment_uncertain(tasks: WaveTasks) -> None:
    switch_unknown = tasks.run.bundle / "waves" / "seed-wave.yaml"
    tasks.do("approve_cutover")
    with pytest.raises(RejectedError):
        tasks.run.answer(confirm(tasks), "Reject", "bob")
    switch_unknown.write_text(switch_unknown.read_text().replace("else 1)", "else 9)"))
    with pytest.raises(ReconnectRefusedError, match="could not be read"):
        tasks.do("reconnect_source_segment")
    with pytest.raises(IncompleteError, match=r"seed-net: uncertain.*bob.*Open interface vlan 7"):
        tasks.do("conclude_wave")
