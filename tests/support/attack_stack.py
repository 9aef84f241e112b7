"""A real stack with Airflow's own users or those of the FAB provider, for attacks by the REST API."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from typing_extensions import override

from hcx_demo.airflow_api import AirflowApi
from hcx_demo.runs import await_dags
from hcx_demo.stack import Stack, StackOptions
from hcx_demo.stack.airflow_settings import AirflowPlan
from hcx_demo.stack.processes import Command, ManagedProcess, wait_until
from hcx_demo.stack.state import ADMIN, APPROVER, Secrets, StateFolder, write_private
from hcx_waves.wavefile.loader import load_wave

PROJECT = Path(__file__).parents[2]
ATTACKS = PROJECT / "tests" / "airflow" / "attacks"
_FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
_COMPONENTS = ("api-server", "scheduler", "triggerer", "dag-processor")
# On a busy machine the first call of a kind may take Airflow more than half a minute.
_START_SECONDS = 300.0
# The command line of the provider takes a password as an argument, and starts once for each user.
_MAKE_USERS = """
import json, os
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
with get_application_builder() as builder:
    builder.sm.sync_roles()
    for name, (role, password) in json.loads(os.environ["USERS_TO_MAKE"]).items():
        found = builder.sm.find_role(role)
        assert builder.sm.add_user(name, name, name, f"{name}@example.org", found, password)
"""


class AuthManager(StrEnum):
    """Who knows Airflow's users."""

    SIMPLE = "simple"
    FAB = "fab"


STARTER, OUTSIDER, CLERK, VIEWER = "starter", "outsider", "clerk", "viewer"
ROLES: Mapping[AuthManager, Mapping[str, str]] = {
    AuthManager.SIMPLE: {
        ADMIN: "admin",
        APPROVER: "user",
        STARTER: "user",
        OUTSIDER: "user",
        CLERK: "user",
        VIEWER: "viewer",
    },
    # FAB's "User" may not write XComs, and its "Op" may. So the attackers are "Op", and the clerk is a plain "User".
    AuthManager.FAB: {
        ADMIN: "Admin",
        APPROVER: "User",
        STARTER: "Op",
        OUTSIDER: "Op",
        CLERK: "User",
        VIEWER: "Viewer",
    },
}
"""Users and their roles."""


class AttackStack(Stack):
    """The demo's stack with more users, and with either auth manager.

    :param folder: of all files that it makes.
    :param speed: virtual seconds of the sites per real second.
    """

    def __init__(self, folder: Path, auth_manager: AuthManager, speed: float) -> None:
        self.auth_manager = auth_manager
        self.waves = tuple(sorted(path.stem for path in (ATTACKS / "waves").glob("*.yaml")))
        dags = folder / "dags"
        dags.mkdir()
        for path in (PROJECT / "dags").glob("*.py"):
            (dags / path.name).write_bytes(path.read_bytes())
        (dags / "waves").mkdir()
        for path in (ATTACKS / "waves").glob("*.yaml"):
            (dags / "waves" / path.name).write_bytes(path.read_bytes())
        connections = load_wave(dags / "waves" / "moved-wave.yaml").connections
        _prepare(StateFolder(folder / "state"))
        options = StackOptions(
            project=PROJECT,
            state=folder / "state",
            connections=connections,
            dags=dags,
            scenario=str(ATTACKS / "sites.yaml"),
            speed=speed,
        )
        super().__init__(options, lambda text: None)

    @override
    def environment(self) -> dict[str, str]:
        users = ",".join(f"{name}:{role}" for name, role in ROLES[AuthManager.SIMPLE].items())
        changed = {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": users}
        if self.auth_manager is AuthManager.FAB:
            changed["AIRFLOW__CORE__AUTH_MANAGER"] = _FAB
        return {**super().environment(), **changed}

    def client(self, user: str) -> AirflowApi:
        """Return a client of Airflow's API for one of the users."""
        return self._client(user)

    @override
    def _client(self, username: str) -> AirflowApi:
        password = self.secrets.passwords[username]
        client = AirflowApi(self.plan.base_url, username, password, answer_seconds=_START_SECONDS)
        self._cleanup.callback(client.close)
        return client

    def await_waves(self) -> None:
        """Wait until Airflow has the DAGs of the waves."""
        await_dags(self.admin, self.waves, self.check)

    @override
    def _serve_airflow(self, database_url: str, port: int) -> None:
        if self.auth_manager is AuthManager.SIMPLE:
            super()._serve_airflow(database_url, port)
            return
        # `airflow standalone` puts its own auth manager in place of any other, so each component is started by itself.
        plugins = self.options.project / "plugins"
        self.plan = AirflowPlan(dags=self.options.dags, plugins=plugins, port=port, database_url=database_url)
        environment = self.environment()
        self._prepare_fab(environment)
        parts = [self._component(name, environment) for name in _COMPONENTS]
        self.admin, self.approver = self._client(ADMIN), self._client(APPROVER)
        wait_until("Airflow", self.admin.is_healthy, parts[0], _START_SECONDS, 0.5)
        self.admin.put_connections(self.connections())

    def _prepare_fab(self, environment: dict[str, str]) -> None:
        users = {name: (role, self.secrets.passwords[name]) for name, role in ROLES[AuthManager.FAB].items()}
        commands = ([sys.executable, "-m", "airflow", "db", "migrate"], [sys.executable, "-c", _MAKE_USERS])
        with (self.state.logs / "users.log").open("ab") as log:
            for command in commands:
                own = {**environment, "USERS_TO_MAKE": json.dumps(users)}
                subprocess.run(command, env=own, stdout=log, stderr=log, check=True)  # noqa: S603 - our own arguments

    def _component(self, name: str, environment: dict[str, str]) -> ManagedProcess:
        serves_logs = name in ("scheduler", "triggerer")
        arguments = [sys.executable, "-m", "airflow", name, *(["--skip-serve-logs"] if serves_logs else [])]
        process = ManagedProcess(Command(name, arguments, environment, self.state.logs / f"{name}.log"))
        self._own(process, process.stop)
        return process


def _prepare(state: StateFolder) -> None:
    """Store what the stack then finds: secrets with a password for each user, and a port that no other stack tries."""
    state.root.mkdir(parents=True)
    made = Secrets.generate()
    passwords = {name: Secrets.generate().passwords[ADMIN] for name in ROLES[AuthManager.SIMPLE]}
    write_private(state.root / "secrets.json", json.dumps({**made.__dict__, "passwords": passwords}))
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.bind(("127.0.0.1", 0))
        state.remember("ports", {"ui": trial.getsockname()[1]})
