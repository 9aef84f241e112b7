"""What measurements share: a clock, a way past pytest's capturing, and the simulator as a process of its own."""

from __future__ import annotations

import json
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.waiting import HANG_SECONDS


def say(*lines: str) -> None:
    """Print past pytest's capturing: the tables are what this is for."""
    sys.__stdout__.write("\n".join(("", *lines, "")))
    sys.__stdout__.flush()


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that an action took, and its result."""
    began = time.perf_counter()
    result = action()
    return time.perf_counter() - began, result


@contextmanager
def served(scenario: Path, state: Path) -> Iterator[tuple[float, subprocess.Popen[str], dict[str, Any]]]:
    """``hcx-sim serve`` as a process: seconds until ready, the process, its endpoints."""
    endpoints = state / "endpoints.json"
    command = [Path(sys.executable).with_name("hcx-sim"), "serve", "--scenario", scenario, "--port-base", "0"]
    command += ["--clock", "paused", "--endpoints-file", endpoints, "--state-dir", state]
    began = time.perf_counter()
    arguments = [str(part) for part in command]
    with (
        subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process,  # noqa: S603 - our own program
        ExitStack() as stack,
    ):
        stack.callback(process.kill)
        if process.stdout is None or not select.select([process.stdout], [], [], HANG_SECONDS)[0]:
            process.kill()
            pytest.fail("the simulator did not say that it is ready")
        line = process.stdout.readline()
        ready_seconds = time.perf_counter() - began
        assert re.search("ready", line), line
        yield ready_seconds, process, json.loads(endpoints.read_text())
        process.send_signal(signal.SIGTERM)
        assert process.wait(HANG_SECONDS) == 0
