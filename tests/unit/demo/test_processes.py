"""Processes of the demo: started apart, stopped whole, never forgotten."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from hcx_demo.errors import DemoError
from hcx_demo.stack.processes import (
    MARKER,
    Command,
    ManagedProcess,
    StopStep,
    marked_processes,
    members_of_group,
    sweep,
    wait_until,
)
from support.waiting import HANG_SECONDS

# A parent that dies of SIGTERM at once, with a child that says what it got and takes no notice of SIGINT.
FAMILY = """
import signal, subprocess, sys
child = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); print('ready', flush=True); signal.pause()"
subprocess.Popen([sys.executable, "-c", child])
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.pause()
"""


def start(tmp_path: Path, program: str, marker: str = "none", *steps: StopStep) -> ManagedProcess:
    """Start a Python program as the demo would, with its own group."""
    options = {"stop_steps": steps} if steps else {}
    environment = {**os.environ, MARKER: marker}
    return ManagedProcess(
        Command("the program", [sys.executable, "-c", program], environment, tmp_path / "program.log", **options)
    )


def wait_for_log(process: ManagedProcess, word: str) -> None:
    """Wait until the program has written that."""
    log = process.command.log_file
    wait_until("the program", lambda: word in log.read_text(encoding="utf-8"), process, HANG_SECONDS, 0.02)


def test_a_process_and_its_children_are_stopped_together(tmp_path: Path) -> None:
    process = start(tmp_path, FAMILY)
    wait_for_log(process, "ready")
    assert len(members_of_group(process.pid)) == 2
    process.stop()
    assert members_of_group(process.pid) == []
    assert process.exit_code == -signal.SIGTERM


def test_what_the_first_signal_leaves_behind_gets_the_next_one(tmp_path: Path) -> None:
    steps = (StopStep(signal.SIGINT, 0.3), StopStep(signal.SIGKILL, 5.0))
    process = start(tmp_path, FAMILY, "none", *steps)
    wait_for_log(process, "ready")
    process.stop()
    assert members_of_group(process.pid) == []
    assert process.exit_code != -signal.SIGKILL


def test_a_signal_can_go_to_the_first_process_alone(tmp_path: Path) -> None:
    steps = (StopStep(signal.SIGTERM, 0.3, to_group=False),)
    process = start(tmp_path, FAMILY, "none", *steps)
    wait_for_log(process, "ready")
    process.stop()
    [child] = members_of_group(process.pid)
    assert child != process.pid
    os.kill(child, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(child)], timeout=HANG_SECONDS)


def test_it_is_not_in_the_group_that_ctrl_c_reaches(tmp_path: Path) -> None:
    process = start(tmp_path, "import signal; signal.pause()")
    assert os.getpgid(process.pid) == process.pid != os.getpgid(0)
    process.stop()


def test_a_process_that_ends_by_itself_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    process = start(tmp_path, "import sys; print('port 8440 is in use'); sys.exit(3)")
    with pytest.raises(DemoError) as caught:
        wait_until("the program", lambda: False, process, HANG_SECONDS)
    assert "the program exited with 3; last lines of" in str(caught.value)
    assert str(caught.value).endswith("  port 8440 is in use")
    process.stop()


def test_waiting_has_an_end(tmp_path: Path) -> None:
    process = start(tmp_path, "import signal; signal.pause()")
    try:
        with pytest.raises(DemoError, match=r"^the program: not ready after 0 s; last lines of"):
            wait_until("the program", lambda: False, process, 0.0)
    finally:
        process.stop()


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=r"^the thing cannot be started: .*No such file"):
        ManagedProcess(Command("the thing", [str(tmp_path / "missing")], {}, tmp_path / "log"))


def test_a_sweep_ends_marked_processes_and_their_sessions_others(tmp_path: Path) -> None:
    marker = f"test-{os.getpid()}-{tmp_path.name}"
    # The child is not marked, as if it had set its title: it is found by its session.
    program = FAMILY.replace('"-c", child]', '"-c", child], env={}')
    process = start(tmp_path, program, marker)
    wait_for_log(process, "ready")
    assert len(marked_processes(marker)) == 2
    assert sweep(marker) == 2
    process.stop()
    assert marked_processes(marker) == []
    assert members_of_group(process.pid) == []


def test_a_sweep_ends_what_is_below_and_leaves_everybody_else_alone(tmp_path: Path) -> None:
    other = subprocess.run(  # noqa: S603 - our own program
        [
            sys.executable,
            "-c",
            f"""
import os, subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
from hcx_demo.stack.processes import MARKER, sweep
stranger = subprocess.Popen(["setsid", "--fork", sys.executable, "-c",
    "import os, time; print(os.getpid(), flush=True); time.sleep(300)"], env={{**os.environ, MARKER: "somebody else"}},
    stdout=subprocess.PIPE, text=True)
pid = int(stranger.stdout.readline())
print(sweep("{tmp_path.name}", children=True), os.path.exists(f"/proc/{{pid}}"))
os.kill(pid, 9)
""",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.split() == ["1", "True"]
