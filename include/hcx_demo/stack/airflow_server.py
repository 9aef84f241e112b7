"""``airflow standalone`` as a process of the demo."""

from __future__ import annotations

import json
import shlex
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hcx_demo.airflow_api import AirflowApi
from hcx_demo.errors import PortLostError
from hcx_demo.stack.processes import DEFAULT_STOP, MARKER, Command, ManagedProcess, StopStep, wait_until
from hcx_demo.stack.state import Secrets, StateFolder, write_private

_START_SECONDS = 180.0
_REPORT_SECONDS = 10.0
_SETTINGS = ("AIRFLOW", "HCX_WAVES_")
# `airflow standalone` stops its components on SIGINT, and leaves them behind on SIGTERM.
_STOP = (StopStep(signal.SIGINT, 12.0, to_group=False), *DEFAULT_STOP)


class StartReport:
    """Says now and then what a start still waits for.

    :param not_ready: returns the parts that are not ready.
    :param say: prints a line.
    :param clock: monotonic seconds.
    """

    def __init__(
        self,
        not_ready: Callable[[], Sequence[str]],
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._not_ready = not_ready
        self._say = say
        self._clock = clock
        self._began = clock()
        self._due = 0.0

    def is_ready(self) -> bool:
        """Whether nothing is missing; says what is, at once and every ten seconds."""
        missing = self._not_ready()
        seconds = self._clock() - self._began
        if missing and seconds >= self._due:
            hint = "" if self._due else " (usually one to three minutes)"
            self._due = seconds + _REPORT_SECONDS
            self._say(f"starting Airflow{hint}: {seconds:.0f} s, waiting for {', '.join(missing)}")
        return not missing


class AirflowServer:
    """Scheduler, dag-processor, triggerer and API server under one parent, which also creates the database tables.

    :param environment: of all its processes. It holds the connections and other secrets.
    """

    def __init__(self, state: StateFolder, secrets: Secrets, environment: Mapping[str, str]) -> None:
        self._state = state
        self._passwords = secrets.passwords
        self._settings = state.root / "airflow.env"
        self._command = Command(
            "Airflow",
            [str(state.commands / "airflow"), "standalone"],
            environment,
            state.logs / "airflow.log",
            stop_steps=_STOP,
        )
        self._process: ManagedProcess | None = None

    def begin(self) -> None:
        """Start it; do not wait until it is ready."""
        write_private(self._state.passwords_file, json.dumps(dict(self._passwords)) + "\n")
        write_private(self._settings, _exports(self._command.environment))
        _write_wrapper(self._state.commands / "airflow", self._settings)
        self._process = ManagedProcess(self._command)

    def wait(self, api: AirflowApi, say: Callable[[str], None]) -> None:
        """Wait until every component is healthy, and say now and then what is missing.

        :param say: prints a line.
        :raises PortLostError: if another Airflow answers at its address.
        :raises DemoError: if it ends by itself or is not healthy in time.
        """
        if self._process is not None:
            ready = StartReport(api.not_ready, say).is_ready
            wait_until("Airflow", ready, self._process, _START_SECONDS, 0.25)
            if not api.accepts_login():
                raise PortLostError(
                    f"another Airflow already answers at {api.base_url}; choose a port with PORT=<port>"
                )

    def stop(self) -> None:
        """Stop it with all its components."""
        if self._process is not None:
            self._process.stop()
            self._process = None
            # The settings are of no use without it, and hold secrets.
            self._settings.unlink(missing_ok=True)

    def check(self) -> None:
        """Raise :class:`DemoError` if it has ended by itself."""
        if self._process is not None:
            self._process.check()


def _exports(environment: Mapping[str, str]) -> str:
    """Return the settings as lines for a shell. They hold secrets."""
    # Without the marker, or the sweep at the end would also end the user's shell.
    own = {name: value for name, value in environment.items() if name.startswith(_SETTINGS) and name != MARKER}
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(own.items()))


def _write_wrapper(path: Path, settings: Path) -> None:
    """Write the ``airflow`` command that standalone starts its components with, and that the user can call too.

    Scheduler and triggerer would serve their logs on every address of the machine, and no setting prevents it. The API
    server reads the same log folder here, so the log servers are not needed.
    """
    program, own = shlex.quote(sys.executable), shlex.quote(str(settings))
    path.write_text(
        "#!/bin/sh\n"
        # Within the stack the settings are there; the user's shell reads them from the file.
        f'if [ -z "${{{MARKER}:-}}" ] && [ -r {own} ]; then . {own}; fi\n'
        'case "$1" in\n'
        f'  scheduler|triggerer) exec {program} -m airflow "$@" --skip-serve-logs ;;\n'
        "esac\n"
        f'exec {program} -m airflow "$@"\n',
        encoding="utf-8",
    )
    path.chmod(0o700)
