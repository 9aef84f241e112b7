"""All processes of the demo, started in order and stopped in the reverse order."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from hcx_demo.airflow_api import AirflowApi
from hcx_demo.errors import DemoError, PortLostError
from hcx_demo.stack.airflow_server import AirflowServer
from hcx_demo.stack.airflow_settings import AirflowPlan, airflow_environment, clean_environment
from hcx_demo.stack.connections import rehearsal_connections, wave_connections
from hcx_demo.stack.ports import choose_port
from hcx_demo.stack.postgres import PostgresServer
from hcx_demo.stack.postgres_folders import find_folders
from hcx_demo.stack.processes import adopt_orphans, sweep
from hcx_demo.stack.simulator import ControlApi, Simulator, SimulatorOptions
from hcx_demo.stack.state import ADMIN, APPROVER, Secrets, StateFolder
from hcx_waves.wavefile.connections import Connections

Say = Callable[[str], None]
_ATTEMPTS = 3
# Parsing a file costs as much as a task start, and nobody edits wave files while a series of rehearsals runs.
_PARSE_SECONDS, _PARSE_SECONDS_OF_REHEARSALS = 10, 60


class Checked(Protocol):
    """A part that may end by itself."""

    def check(self) -> None:
        """Raise :class:`DemoError` if it has ended."""


@dataclass(frozen=True)
class StackOptions:
    """The setup of a stack.

    :param project: the folder with ``dags`` and ``plugins``.
    :param port: of the UI; 0 chooses a free one.
    :param sites_port: the first of the simulator's nine ports; 0 chooses free ones.
    :param speed: virtual seconds of the sites per real second.
    :param rehearsal: whether to start a twin server, and to define only the connections for rehearsals.
    :param parallelism: number of task processes at the same time.
    """

    project: Path
    state: Path
    connections: Connections
    dags: Path
    scenario: str = "seed"
    port: int = 0
    sites_port: int = 0
    speed: float = 20.0
    rehearsal: bool = False
    parallelism: int = 4


class Stack:
    """A context manager that starts all processes, and always stops them at the end.

    :param say: prints a line.
    """

    def __init__(self, options: StackOptions, say: Say) -> None:
        self.options = options
        self._say = say
        self._cleanup = ExitStack()
        self._parts: list[Checked] = []
        self.began = time.monotonic()
        self.state = StateFolder(options.state)
        self.secrets: Secrets
        self.endpoints: dict[str, Any]
        self.twins: dict[str, Any]
        self.control: ControlApi
        self.admin: AirflowApi
        self.approver: AirflowApi
        self.plan: AirflowPlan

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop all processes, the last one first. A second call does nothing."""
        self._cleanup.close()

    def check(self) -> None:
        """Raise :class:`DemoError` if one of the processes has ended by itself."""
        for part in self._parts:
            part.check()

    def _start(self) -> None:
        self.state.open()
        self._cleanup.callback(self.state.close)
        self.secrets = self.state.secrets()
        self._sweep("an earlier demo", children=False)
        adopt_orphans()
        self._cleanup.callback(self._sweep, "this demo", children=True)
        # Not before the sweep: an earlier demo that was killed may still hold the requested port.
        port = choose_port(self.options.port) if self.options.port else 0
        environment = clean_environment(self.secrets.marker)
        simulator, twins = self._sites(environment), self._twin_server(environment)
        database = PostgresServer(find_folders(self.state), self.state.logs / "postgres.log", environment)
        self._own(database, database.stop)
        database.start()
        self._say("PostgreSQL is running")
        self.endpoints = simulator.wait()
        self._say(f"the simulated site pair is running; endpoints in {simulator.endpoints_file}")
        if twins is not None:
            self.twins = twins.wait()
            self._say("the twin server is running")
        self.control = ControlApi(self.endpoints)
        self._cleanup.callback(self.control.close)
        self._start_airflow(database.url, port or choose_port(0, self.state.recall("ports").get("ui")))

    def _sites(self, environment: dict[str, str]) -> Simulator:
        wanted = self.options
        options = SimulatorOptions(scenario=wanted.scenario, speed=wanted.speed, port_base=wanted.sites_port)
        log = self.state.logs / "sites.log"
        return self._begin(Simulator("the simulated site pair", self.state.simulator, log, environment, options))

    def _twin_server(self, environment: dict[str, str]) -> Simulator | None:
        if not self.options.rehearsal:
            return None
        options = SimulatorOptions(twins_only=True)
        log = self.state.logs / "twins.log"
        return self._begin(Simulator("the twin server", self.state.twins, log, environment, options))

    def _begin(self, simulator: Simulator) -> Simulator:
        self._own(simulator, simulator.stop)
        simulator.begin()
        return simulator

    def _start_airflow(self, database_url: str, port: int) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                self._serve_airflow(database_url, port)
                return
            except PortLostError:
                if self.options.port or attempt == _ATTEMPTS - 1:
                    raise
                self._say(f"another program has taken port {port}; trying another port")
                port = choose_port(0)

    def _serve_airflow(self, database_url: str, port: int) -> None:
        self.plan = AirflowPlan(
            dags=self.options.dags,
            plugins=self.options.project / "plugins",
            port=port,
            database_url=database_url,
            parallelism=self.options.parallelism,
            parse_seconds=_PARSE_SECONDS_OF_REHEARSALS if self.options.rehearsal else _PARSE_SECONDS,
        )
        environment = self.environment()
        server = AirflowServer(self.state, self.secrets, environment)
        self._cleanup.callback(server.stop)
        server.begin()
        self.admin = self._client(ADMIN)
        self.approver = self._client(APPROVER)
        try:
            server.wait(self.admin, self._say)
        except PortLostError:
            server.stop()
            raise
        self._parts.append(server)
        # In the database, so that the page Connections shows them and can test them.
        self.admin.put_connections(self.connections())
        self.state.remember("ports", {"ui": port})
        self.state.note(url=self.plan.base_url)
        self._say(f"Airflow is running after {time.monotonic() - self.began:.1f} s: {self.plan.base_url}")

    def environment(self) -> dict[str, str]:
        """Return the environment of Airflow's processes; it holds secrets."""
        return airflow_environment(self.plan, self.state, self.secrets)

    def connections(self) -> dict[str, Mapping[str, Any]]:
        """Return the connections that Airflow gets, by id; they hold secrets."""
        named = self.options.connections
        if self.options.rehearsal:
            return rehearsal_connections(named, self.endpoints, self.twins)
        return wave_connections(named, self.endpoints)

    def _client(self, username: str) -> AirflowApi:
        client = AirflowApi(self.plan.base_url, username, self.secrets.passwords[username])
        self._cleanup.callback(client.close)
        return client

    def _own(self, part: Checked, stop: Callable[[], None]) -> None:
        self._parts.append(part)
        self._cleanup.callback(stop)

    def _sweep(self, whose: str, *, children: bool) -> None:
        count = sweep(self.secrets.marker, children=children)
        if count:
            self._say(f"ended processes that {whose} left behind: {count}")


def require_project(project: Path) -> None:
    """Raise :class:`DemoError` unless the folder holds DAGs and plugins."""
    for name in ("dags", "plugins"):
        if not (project / name).is_dir():
            raise DemoError(f"{project} has no folder {name!r}: run the command in the folder of the project")
