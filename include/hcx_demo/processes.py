"""Processes of the demo: each in a session of its own, with a log file, and none left behind."""

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
    """A signal, how long it is given to work, and whether the whole group gets it or its first process alone."""

    signal: signal.Signals
    seconds: float
    to_group: bool = True


USUAL_STOP = (StopStep(signal.SIGTERM, 10.0), StopStep(signal.SIGKILL, 5.0))


@dataclass(frozen=True)
class Command:
    """How a process is started and stopped.

    :param arguments: never holds a secret: everybody on the machine can read it.
    :param stop_steps: taken one after the other until nothing of the process's group is left.
    :param options: more for :class:`subprocess.Popen`, such as another user.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    log_file: Path
    stop_steps: Sequence[StopStep] = USUAL_STOP
    options: Mapping[str, Any] = field(default_factory=dict)


class ManagedProcess:
    """One started process and everything below it."""

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
                    # Ctrl-C at the terminal reaches the demo alone, which then stops everything in order.
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
        """How it ended, or None while it runs."""
        return self._process.poll()

    def check(self) -> None:
        """Raise :class:`DemoError` with the end of the log if the process has ended by itself."""
        code = self.exit_code
        if code is not None:
            raise DemoError(f"{self.command.name} ended with {code}; {tail_of(self.command.log_file)}")

    def stop(self) -> None:
        """Send the signals in turn until the process and what it left in its group are gone; waits for that."""
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
        # A parent may die at once and leave its children to end in their own time.
        while members_of_group(self.pid):
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE_SECONDS)
        return True


def members_of_group(group_id: int) -> list[int]:
    """Return the ids of a group's processes that still run; the dead that nobody has buried do not count."""
    members = []
    for pid in psutil.pids():
        try:
            if os.getpgid(pid) == group_id and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                members.append(pid)
        except (OSError, psutil.Error):
            continue
    return members


def tail_of(log_file: Path) -> str:
    """Return the end of a log as part of an error message."""
    try:
        lines = log_file.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").splitlines()[-_TAIL_LINES:]
    except OSError:
        return f"its log {log_file} cannot be read"
    return f"the end of {log_file}:\n" + "\n".join(f"  {line}" for line in lines)


def marked_processes(marker: str) -> list[psutil.Process]:
    """Return the demo's processes: those that carry the marker in their environment, and their sessions' others.

    A process that sets its title loses what its environment shows, but stays in its session.
    """
    everybody = {process.pid: process for process in psutil.process_iter()}
    marked = {pid for pid, process in everybody.items() if _carries(process, marker)} - {os.getpid()}
    sessions = {session for pid in marked if (session := _session_of(pid))} - {_session_of(os.getpid())}
    mates = {pid for pid in everybody if _session_of(pid) in sessions}
    return [everybody[pid] for pid in sorted((marked | mates) - {os.getpid()})]


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
    """Become the parent of whatever loses its own below this process, so that nothing gets out of sight."""
    # Without it (another system than Linux) the marker alone has to do.
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def sweep(marker: str, *, and_below: bool = False) -> int:
    """End every process with the marker, of this demo or of one that was killed; return how many there were.

    :param and_below: also whatever else is below this process, for one that started nothing but the demo.
    """
    below = psutil.Process().children(recursive=True) if and_below else []
    left = list({process.pid: process for process in [*marked_processes(marker), *below]}.values())
    running = [process for process in left if not _bury(process)]
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in running:
            _signal(process, number)
        _, alive = psutil.wait_procs(running, timeout=_SWEEP_SECONDS)
        if not alive:
            break
    return len(running)


def _bury(process: psutil.Process) -> bool:
    """Take note of the end of an adopted process that has ended; return whether there is nothing left to end."""
    try:
        if process.status() != psutil.STATUS_ZOMBIE:
            return False
        os.waitpid(process.pid, os.WNOHANG)
    except (psutil.Error, OSError):
        return not process.is_running()
    return True


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        # A database server waits for its clients on SIGTERM, and they are stopped by now.
        process.send_signal(signal.SIGINT if process.name() == "postgres" and number == signal.SIGTERM else number)
    except psutil.Error:
        return


def wait_until(what: str, ready: Any, process: ManagedProcess, seconds: float, pause_seconds: float = 0.1) -> Any:
    """Ask ``ready()`` until it returns something true, as long as the process lives.

    :raises DemoError: when the process ends, or time is up.
    """
    deadline = time.monotonic() + seconds
    while not (result := ready()):
        process.check()
        if time.monotonic() > deadline:
            raise DemoError(f"{what}: not ready after {seconds:.0f} s; {tail_of(process.command.log_file)}")
        time.sleep(pause_seconds)
    return result
