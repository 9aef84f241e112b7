"""The environment of the demo's Airflow, with the reason for every setting."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hcx_airflow.folders import REPORTS_VARIABLE, STATE_VARIABLE
from hcx_airflow.signing import KEY_VARIABLE
from hcx_demo.stack.ports import LOOPBACK
from hcx_demo.stack.processes import MARKER
from hcx_demo.stack.state import ADMIN, APPROVER, Secrets, StateFolder

_FOREIGN_PREFIXES = ("AIRFLOW", "_AIRFLOW", "HCX_WAVES_")
# Preloading can be switched off while operators are edited; model parameters are used by rehearsals.
PARAMETERS_VARIABLE = "HCX_WAVES_PARAMETERS"
_KEPT_NAMES = ("HCX_WAVES_PRELOAD", PARAMETERS_VARIABLE)
_FOREIGN_NAMES = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONWARNINGS")


@dataclass(frozen=True)
class AirflowPlan:
    """The settings that differ from demo to demo.

    :param dags: the folder with the DAG files; the wave files are in ``waves`` below it.
    :param parallelism: number of task processes at the same time.
    :param parse_seconds: interval at which each DAG file is parsed.
    """

    dags: Path
    plugins: Path
    port: int
    database_url: str
    parallelism: int = 4
    parse_seconds: int = 10

    @property
    def base_url(self) -> str:
        """The address of the UI and the API."""
        return f"http://{LOOPBACK}:{self.port}"


def clean_environment(marker: str) -> dict[str, str]:
    """Return the environment of this process with the marker, without variables that would change the demo."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT_NAMES or (not name.startswith(_FOREIGN_PREFIXES) and name not in _FOREIGN_NAMES)
    }
    # Connections to loopback must not go through a proxy.
    bypass = ",".join(filter(None, (kept.get("NO_PROXY") or kept.get("no_proxy"), LOOPBACK, "localhost")))
    return {**kept, MARKER: marker, "NO_PROXY": bypass, "no_proxy": bypass}


def airflow_environment(plan: AirflowPlan, state: StateFolder, secrets: Secrets) -> dict[str, str]:
    """Return the environment of Airflow's processes without the connections. It holds secrets."""
    base = clean_environment(secrets.marker)
    programs = [str(state.commands), str(Path(sys.executable).parent), base.get("PATH", os.defpath)]
    settings = {
        **_core(plan, state, secrets),
        **_api(plan, secrets),
        **_pace(plan),
    }
    return {
        **base,
        **{f"AIRFLOW__{name}": value for name, value in settings.items()},
        "AIRFLOW_HOME": str(state.airflow_home),
        "PATH": os.pathsep.join(programs),
        KEY_VARIABLE: secrets.signing_key,
        REPORTS_VARIABLE: str(state.reports),
        STATE_VARIABLE: str(state.kept),
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _core(plan: AirflowPlan, state: StateFolder, secrets: Secrets) -> Mapping[str, str]:
    return {
        "CORE__DAGS_FOLDER": str(plan.dags),
        "CORE__PLUGINS_FOLDER": str(plan.plugins),
        "CORE__LOAD_EXAMPLES": "False",
        # The button Test of the page Connections; Airflow disables it unless it is set.
        "CORE__TEST_CONNECTION": "Enabled",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": str(plan.parallelism),
        "CORE__FERNET_KEY": secrets.fernet_key,
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN}:admin,{APPROVER}:user",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(state.passwords_file),
        "CORE__EXECUTION_API_SERVER_URL": f"{plan.base_url}/execution/",
        # Saves a name lookup per task.
        "CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        "DATABASE__SQL_ALCHEMY_CONN": plan.database_url,
        "DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
        "LOGGING__BASE_LOG_FOLDER": str(state.airflow_home / "logs"),
    }


def _api(plan: AirflowPlan, secrets: Secrets) -> Mapping[str, str]:
    return {
        "API__HOST": LOOPBACK,
        "API__PORT": str(plan.port),
        "API__BASE_URL": plan.base_url,
        "API__SECRET_KEY": secrets.api_secret,
        "API_AUTH__JWT_SECRET": secrets.jwt_secret,
    }


def _pace(plan: AirflowPlan) -> Mapping[str, str]:
    return {
        # The gap between two tasks is this sleep: 0.2 s instead of 1.1 s, for 14 % of a core.
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        # A missed exit of a task is noticed after 1 s instead of 5 s. This also prevents that a deferral is marked as
        # failed if its trigger fires early.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        # With such frequent heartbeats, the default of three missed ones is too few.
        "WORKERS__MAX_FAILED_HEARTBEATS": "20",
        # A worker that dies during the outage of a segment must be noticed at once, not after 5 minutes.
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "30",
        # Often enough for edits of wave files during a demo.
        "DAG_PROCESSOR__REFRESH_INTERVAL": str(plan.parse_seconds),
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": str(plan.parse_seconds),
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
    }
