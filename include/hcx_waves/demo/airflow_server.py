"""``airflow standalone`` as a process of the demo."""

from __future__ import annotations

import json
import shlex
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from hcx_waves.demo.airflow_api import AirflowApi
from hcx_waves.demo.errors import PortLostError
from hcx_waves.demo.processes import USUAL_STOP, Command, ManagedProcess, StopStep, wait_until
from hcx_waves.demo.state import Secrets, StateFolder, write_private

_START_SECONDS = 180.0
# Standalone ends its components in order when it is interrupted, and leaves them behind when it is terminated.
_STOP = (StopStep(signal.SIGINT, 12.0, to_group=False), *USUAL_STOP)


class AirflowServer:
    """Scheduler, dag-processor, triggerer and API server under one parent, which makes the database's tables too.

    :param environment: of all its processes; holds the connections and other secrets.
    """

    def __init__(self, state: StateFolder, secrets: Secrets, environment: Mapping[str, str]) -> None:
        self._state = state
        self._passwords = secrets.passwords
        self._command = Command(
            "Airflow",
            [str(state.commands / "airflow"), "standalone"],
            environment,
            state.logs / "airflow.log",
            stop_steps=_STOP,
        )
        self._process: ManagedProcess | None = None

    def begin(self) -> None:
        """Start it without waiting."""
        write_private(self._state.root / "passwords.json", json.dumps(dict(self._passwords)) + "\n")
        _write_wrapper(self._state.commands / "airflow")
        self._process = ManagedProcess(self._command)

    def wait(self, api: AirflowApi) -> None:
        """Wait until every component is healthy; the banner that standalone prints says too little.

        :raises PortLostError: when another Airflow answers at its address.
        :raises DemoError: when it ends by itself or is not healthy in time.
        """
        if self._process is not None:
            wait_until("Airflow", api.is_healthy, self._process, _START_SECONDS, 0.25)
            if not api.knows_us():
                raise PortLostError(f"another Airflow was faster at {api.base_url}; choose a port with PORT=<port>")

    def stop(self) -> None:
        """Stop it with all its components."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def check(self) -> None:
        """Raise :class:`DemoError` if it has ended by itself."""
        if self._process is not None:
            self._process.check()


def _write_wrapper(path: Path) -> None:
    """Write the ``airflow`` that standalone starts its components by.

    Scheduler and triggerer would serve their logs on every address of the machine, and there is no setting for
    that. Here the API server reads the same log folder, so nobody needs these servers.
    """
    program = shlex.quote(sys.executable)
    path.write_text(
        "#!/bin/sh\n"
        'case "$1" in\n'
        f'  scheduler|triggerer) exec {program} -m airflow "$@" --skip-serve-logs ;;\n'
        "esac\n"
        f'exec {program} -m airflow "$@"\n',
        encoding="utf-8",
    )
    path.chmod(0o700)
