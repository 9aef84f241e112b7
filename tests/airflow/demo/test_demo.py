"""The whole demo as a person starts it: real PostgreSQL, simulator and Airflow. Slow, so behind the marker ``demo``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from hcx_demo.stack.processes import marked_processes
from hcx_demo.stack.state import StateFolder

pytestmark = [pytest.mark.demo, pytest.mark.timeout(1800)]
LOOPBACK = ("127.0.0.1", "::1")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFolder]:
    """A state folder; whatever runs in it is ended at last."""
    folder = StateFolder(tmp_path / "state of the demo")
    yield folder
    for process in marked_processes(folder.recall("secrets").get("marker", "none")):
        process.kill()


def start(state: StateFolder, *arguments: str) -> subprocess.Popen[str]:
    """Start the demo with its output piped."""
    command = [sys.executable, "-m", "hcx_demo", "demo", "--state", str(state.root), *arguments]
    return subprocess.Popen(  # noqa: S603 - our own arguments
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def read_until(demo: subprocess.Popen[str], word: str) -> str:
    """Return the output up to the line that holds the word."""
    assert demo.stdout is not None
    lines = []
    for line in demo.stdout:
        lines.append(line)
        if word in line:
            return "".join(lines)
    raise AssertionError(f"{word!r} was not told:\n{''.join(lines)}")


def family_of(demo: subprocess.Popen[str]) -> list[psutil.Process]:
    """Every process of a demo."""
    return [psutil.Process(demo.pid), *psutil.Process(demo.pid).children(recursive=True)]


def secrets_of(state: StateFolder) -> list[str]:
    """Everything secret: the demo's own, and the log-ins of the simulated sites."""
    sites = json.loads((state.simulator / "secrets.json").read_text(encoding="utf-8"))
    texts: list[str] = []

    def collect(value: object, key: str = "") -> None:
        if isinstance(value, dict):
            for name, one in value.items():
                collect(one, name)
        elif isinstance(value, list):
            for one in value:
                collect(one, key)
        elif isinstance(value, str) and any(word in key for word in ("password", "token")):
            texts.append(value)

    collect(sites)
    assert texts
    return [*texts, *state.secrets().values()]


def leaks(state: StateFolder, folders: list[Path]) -> list[str]:
    """Files that hold a secret."""
    secrets = [secret.encode() for secret in secrets_of(state)]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert files
    return [str(path) for path in files if any(secret in path.read_bytes() for secret in secrets)]


def test_the_wave_ends_as_planned_and_nothing_is_left_behind(state: StateFolder) -> None:
    demo = start(state, "--auto", "--speed", "60")
    up = read_until(demo, "(kept in ")
    family = family_of(demo)
    listening = [
        connection.laddr
        for process in family
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 10
    assert [address for address in listening if address.ip not in LOOPBACK] == []
    arguments = " ".join(word for process in family for word in process.cmdline())
    assert [secret for secret in secrets_of(state) if secret in arguments] == []
    output, _ = demo.communicate()
    assert demo.returncode == 0, up + output
    assert "The wave and its cleanup ended as planned." in output
    assert "two gateways 0 s; disconnected with a VM still on it 0 s" in output
    assert psutil.wait_procs(family, timeout=30)[1] == []
    assert leaks(state, [state.logs, state.airflow_home, state.reports]) == []


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)],
    ids=["term", "int", "hup"],
)
def test_a_signal_in_the_middle_stops_everything(state: StateFolder, number: signal.Signals, code: int) -> None:
    demo = start(state, "--auto")
    read_until(demo, "Plan: running")
    family = family_of(demo)
    demo.send_signal(number)
    output, _ = demo.communicate(timeout=300)
    assert demo.returncode == code, output
    assert f"stopped by {number.name}; nothing is left running" in output
    assert psutil.wait_procs(family, timeout=30)[1] == []


def test_a_second_start_is_told_and_one_after_a_kill_cleans_up(state: StateFolder) -> None:
    first = start(state, "--auto")
    read_until(first, "(kept in ")
    second = start(state, "--auto")
    told, _ = second.communicate(timeout=300)
    assert second.returncode == 2
    assert f"a demo is already running in {state.root} (process {first.pid}) with its UI at http://127.0.0.1:" in told
    port = told.partition("with its UI at http://127.0.0.1:")[2].partition(";")[0]
    left = family_of(first)[1:]
    os.kill(first.pid, signal.SIGKILL)
    first.communicate(timeout=300)
    third = start(state, "--auto", "--port", port)
    assert "processes that an earlier demo left behind" in read_until(third, "PostgreSQL is running")
    assert [process for process in left if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []
    third.terminate()
    third.communicate(timeout=300)


def test_a_failure_of_a_part_stops_the_rest_and_says_why(state: StateFolder) -> None:
    demo = start(state, "--auto")
    read_until(demo, "Plan: running")
    family = family_of(demo)
    [sites] = [process for process in family if "hcx_sim" in " ".join(process.cmdline())]
    sites.kill()
    output, _ = demo.communicate(timeout=300)
    assert demo.returncode == 2, output
    assert "demo: the simulat" in output
    assert psutil.wait_procs(family, timeout=30)[1] == []
