"""Processes of the demo: each in its own session, with a log file, and none left behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from hcx_demo.errors import DemoError

MARKER = "HCX_WAVES_DEMO_MARKER"
_TAIL_LINES = 12
_TAIL_BYTES = 20_000
_SWEEP_SECONDS = 5.0
_PAUSE_SECONDS = 0.05
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class StopStep:
    """A signal, the time it has to take effect, and whether the whole process group gets it or only its leader."""

    signal: signal.Signals
    seconds: float
    to_group: bool = True


DEFAULT_STOP = (StopStep(signal.SIGTERM, 10.0), StopStep(signal.SIGKILL, 5.0))


@dataclass(frozen=True)
class Command:
    """How a process is started and stopped.

    :param arguments: must not hold a secret, as every user of the machine can read them.
    :param stop_steps: taken one after the other until no process of the group is left.
    :param options: further arguments of :class:`subprocess.Popen`, such as another user.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    log_file: Path
    stop_steps: Sequence[StopStep] = DEFAULT_STOP
    options: Mapping[str, Any] = field(default_factory=dict)


class ManagedProcess:
    """A started process and its descendants."""

    def __init__(self, command: Command) -> None:
        self.command = command
        with command.log_file.open("ab") as log:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - no shell, our own arguments
                    list(command.arguments),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=dict(command.environment),
                    # Ctrl-C at the terminal then reaches only the demo, which stops everything in order.
                    start_new_session=True,
                    **command.options,
                )
            except OSError as error:
                raise DemoError(f"{command.name} cannot be started: {error}") from error

    @property
    def pid(self) -> int:
        """The process id, which is that of its session and group as well."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Its exit code, or None while it runs."""
        return self._process.poll()

    def check(self) -> None:
        """Raise :class:`DemoError` with the last lines of the log if the process has ended by itself."""
        code = self.exit_code
        if code is not None:
            raise DemoError(f"{self.command.name} exited with {code}; {tail_of(self.command.log_file)}")

    def stop(self) -> None:
        """Send the signals in turn until the process and its whole group have ended; wait for that."""
        for step in self.command.stop_steps:
            self._send(step)
            if self._is_gone(step.seconds):
                return

    def _send(self, step: StopStep) -> None:
        try:
            if step.to_group:
                os.killpg(self.pid, step.signal)
            elif self.exit_code is None:
                os.kill(self.pid, step.signal)
        except ProcessLookupError:
            return

    def _is_gone(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        # A parent may end at once, and its children later.
        while members_of_group(self.pid):
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE_SECONDS)
        return True


def members_of_group(group_id: int) -> list[int]:
    """Return the ids of the running processes of a group. Zombies do not count."""
    members = []
    for pid in psutil.pids():
        try:
            if os.getpgid(pid) == group_id and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                members.append(pid)
        except (OSError, psutil.Error):
            continue
    return members


def tail_of(log_file: Path) -> str:
    """Return the last lines of a log as part of an error message."""
    try:
        lines = log_file.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").splitlines()[-_TAIL_LINES:]
    except OSError:
        return f"its log {log_file} cannot be read"
    return f"last lines of {log_file}:\n" + "\n".join(f"  {line}" for line in lines)


def marked_processes(marker: str) -> list[psutil.Process]:
    """Return the processes of a demo: those with the marker in their environment, and all others of their sessions.

    The environment of a process that changes its title can no longer be read, but the process stays in its session.
    """
    running = {process.pid: process for process in psutil.process_iter()}
    marked = {pid for pid, process in running.items() if _carries(process, marker)} - {os.getpid()}
    sessions = {session for pid in marked if (session := _session_of(pid))} - {_session_of(os.getpid())}
    others = {pid for pid in running if _session_of(pid) in sessions}
    return [running[pid] for pid in sorted((marked | others) - {os.getpid()})]


def _carries(process: psutil.Process, marker: str) -> bool:
    try:
        return bool(process.environ().get(MARKER) == marker)
    except psutil.Error:
        return False


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def adopt_orphans() -> None:
    """Become the parent of descendants that lose their own parent, so that none gets lost."""
    # Not on every system; elsewhere only the marker finds such processes.
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def sweep(marker: str, *, children: bool = False) -> int:
    """End every process with the marker, of this demo or of one that was killed; return their number.

    :param children: also end all descendants of this process.
    """
    descendants = psutil.Process().children(recursive=True) if children else []
    left = list({process.pid: process for process in [*marked_processes(marker), *descendants]}.values())
    running = [process for process in left if not _is_ended(process)]
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in running:
            _signal(process, number)
        _, alive = psutil.wait_procs(running, timeout=_SWEEP_SECONDS)
        if not alive:
            break
    return len(running)


def _is_ended(process: psutil.Process) -> bool:
    """Return whether a process has ended. Reaps the process if it is an adopted one."""
    try:
        if process.status() != psutil.STATUS_ZOMBIE:
            return False
        os.waitpid(process.pid, os.WNOHANG)
    except (psutil.Error, OSError):
        return not process.is_running()
    return True


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        # On SIGTERM a database server waits for its clients, and on SIGINT it does not.
        process.send_signal(signal.SIGINT if process.name() == "postgres" and number == signal.SIGTERM else number)
    except psutil.Error:
        return


def wait_until(what: str, ready: Any, process: ManagedProcess, seconds: float, pause_seconds: float = 0.1) -> Any:
    """Call ``ready()`` until it returns a true value; return that value.

    :raises DemoError: if the process ends, or the time is up.
    """
    deadline = time.monotonic() + seconds
    while not (result := ready()):
        process.check()
        if time.monotonic() > deadline:
            raise DemoError(f"{what}: not ready after {seconds:.0f} s; {tail_of(process.command.log_file)}")
        time.sleep(pause_seconds)
    return result
