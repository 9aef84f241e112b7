"""A client of Airflow's REST API, with the calls that the demo needs."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

import requests

from hcx_airflow.names import RETURN_VALUE
from hcx_demo.errors import DemoError

_ANSWER_SECONDS = 30.0
_TOKEN_SECONDS = 1800.0
_COMPONENTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")
_ENOUGH = 1000
_DISCARD_SECONDS = 60.0
_PAUSE_SECONDS = 0.5


class AirflowApiError(DemoError):
    """Airflow refused a call. The message has the call, the status and Airflow's own message."""

    def __init__(self, call: str, status: int, detail: str) -> None:
        super().__init__(f"Airflow answered {call} with {status}: {detail}")
        self.status = status


@dataclass(frozen=True)
class TaskState:
    """One task of a run, as Airflow shows it."""

    task_id: str
    map_index: int
    state: str | None
    try_number: int
    began_at: datetime | None
    ended_at: datetime | None

    @property
    def key(self) -> tuple[str, int]:
        """Identifies it within its run."""
        return self.task_id, self.map_index


@dataclass(frozen=True)
class PendingGate:
    """A gate that waits for an answer."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    subject: str
    body: str
    options: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    assigned_users: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str, int]:
        """Identifies it among all gates."""
        return self.dag_id, self.run_id, self.task_id, self.map_index


class AirflowApi:
    """Calls as one user. Safe for one thread.

    :param base_url: without ``/api/v2``.
    :param answer_seconds: limit of each call.
    """

    def __init__(self, base_url: str, username: str, password: str, *, answer_seconds: float = _ANSWER_SECONDS) -> None:
        self.base_url = base_url
        self.username = username
        self._password = password
        self._answer_seconds = answer_seconds
        self._session = requests.Session()
        self._session.trust_env = False
        self._token = ""
        self._token_ends = 0.0

    def __repr__(self) -> str:
        return f"AirflowApi({self.base_url!r}, username={self.username!r})"

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def is_healthy(self) -> bool:
        """Whether the API answers and reports every component as healthy."""
        return self.not_ready() == ()

    def not_ready(self) -> tuple[str, ...]:
        """Return the components that are not healthy; the API server alone while it does not answer."""
        try:
            reply = self._session.get(f"{self.base_url}/api/v2/monitor/health", timeout=self._answer_seconds)
            health = reply.json() if reply.ok else None
        except (requests.RequestException, ValueError):
            health = None
        if health is None:
            return ("API server",)
        return tuple(
            name.replace("_", " ") for name in _COMPONENTS if (health.get(name) or {}).get("status") != "healthy"
        )

    def put_connections(self, connections: Mapping[str, Mapping[str, Any]]) -> None:
        """Create connections, or replace those of the same ids. The values hold secrets.

        :param connections: as Airflow's JSON form of a connection has them, by id.
        :raises DemoError: if Airflow refuses one.
        """
        entities = [
            {
                "connection_id": conn_id,
                **{name: value for name, value in one.items() if name != "extra"},
                "extra": json.dumps(one.get("extra") or {}),
            }
            for conn_id, one in connections.items()
        ]
        action = {"action": "create", "action_on_existence": "overwrite", "entities": entities}
        done = self.call("PATCH", "/connections", {"actions": [action]}).get("create") or {}
        missing = sorted(set(connections) - set(done.get("success") or ()))
        if missing:
            raise DemoError(f"Airflow has not stored the connections {', '.join(missing)}: {done.get('errors')}")

    def accepts_login(self) -> bool:
        """Whether this user can log in. Another Airflow that answers at the same address does not know the user.

        :raises DemoError: if Airflow does not answer, or refuses for another reason.
        """
        try:
            self._bearer()
        except AirflowApiError as error:
            if error.status == requests.codes.unauthorized:
                return False
            raise
        return True

    def has_dag(self, dag_id: str) -> bool:
        """Whether Airflow has the DAG, and it is not stale."""
        try:
            found = self.call("GET", f"/dags/{_part(dag_id)}")
        except AirflowApiError as error:
            if error.status == requests.codes.not_found:
                return False
            raise
        return not found.get("is_stale", False)

    def import_errors(self) -> tuple[str, ...]:
        """Return the import errors of DAG files, one text per file."""
        found = self.call("GET", "/importErrors")
        return tuple(f"{one.get('filename')}: {one.get('stack_trace', '')}" for one in found.get("import_errors", []))

    def unpause(self, dag_id: str) -> None:
        """Let a DAG's runs start."""
        self.call("PATCH", f"/dags/{_part(dag_id)}", {"is_paused": False})

    def trigger(self, dag_id: str, conf: Mapping[str, Any], note: str) -> str:
        """Start a manual run; return its id."""
        body = {"logical_date": None, "conf": dict(conf), "note": note}
        return str(self.call("POST", f"/dags/{_part(dag_id)}/dagRuns", body)["dag_run_id"])

    def parameters(self, dag_id: str) -> frozenset[str]:
        """Return the names of a DAG's params."""
        return frozenset(self.call("GET", f"/dags/{_part(dag_id)}/details").get("params") or {})

    def discard(self, dag_id: str, run_id: str) -> None:
        """Mark a run as failed and delete it."""
        path = _run_path(dag_id, run_id)
        deadline = time.monotonic() + _DISCARD_SECONDS
        while True:
            self.call("PATCH", path, {"state": "failed"})
            try:
                self.call("DELETE", path)
            except AirflowApiError as error:
                # A run continues while its teardowns are due, and a run that continues cannot be deleted.
                if error.status != requests.codes.conflict or time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE_SECONDS)
            else:
                return

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """Return a run as Airflow shows it."""
        return self.call("GET", _run_path(dag_id, run_id))

    def runs(self, dag_id: str) -> tuple[dict[str, Any], ...]:
        """Return a DAG's runs, the newest first."""
        found = self.call("GET", f"/dags/{_part(dag_id)}/dagRuns?order_by=-run_after&limit=100")
        return tuple(found.get("dag_runs", []))

    def tasks(self, dag_id: str, run_id: str) -> tuple[TaskState, ...]:
        """Return the task instances of a run."""
        found = self.call("GET", f"{_run_path(dag_id, run_id)}/taskInstances?limit={_ENOUGH}")
        return tuple(
            TaskState(
                task_id=str(one["task_id"]),
                map_index=int(one.get("map_index", -1)),
                state=one.get("state"),
                try_number=int(one.get("try_number") or 0),
                began_at=_instant(one.get("start_date")),
                ended_at=_instant(one.get("end_date")),
            )
            for one in found.get("task_instances", [])
        )

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = RETURN_VALUE) -> Any:
        """Return the XCom of a task under a key, or None."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances/{_part(task_id)}/xcomEntries/{_part(key)}"
        try:
            return self.call("GET", f"{path}?deserialize=false&stringify=false").get("value")
        except AirflowApiError as error:
            if error.status == requests.codes.not_found:
                return None
            raise

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int, map_index: int = -1) -> str:
        """Return the log of one try as text."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances/{_part(task_id)}/logs/{try_number}"
        found = self.call("GET", f"{path}?map_index={map_index}&full_content=true")
        entries = found.get("content", [])
        if isinstance(entries, str):
            return entries
        return "\n".join(line for one in entries for line in _log_lines(one))

    def pending_gates(self, dag_id: str, run_id: str) -> tuple[PendingGate, ...]:
        """Return the gates of a run that wait for an answer."""
        found = self.call("GET", f"{_run_path(dag_id, run_id)}/hitlDetails?response_received=false&limit=100")
        return tuple(_gate(one) for one in found.get("hitl_details", []))

    def answer(self, gate: PendingGate, option: str, parameters: Mapping[str, Any]) -> None:
        """Answer a gate as this client's user. It must have been parked for 3 s, see :mod:`hcx_demo.wave.gates`.

        :raises AirflowApiError: 409 if another user has answered, 403 if this user is not allowed to.
        """
        path = f"{_run_path(gate.dag_id, gate.run_id)}/taskInstances/{_part(gate.task_id)}/{gate.map_index}/hitlDetails"
        self.call("PATCH", path, {"chosen_options": [option], "params_input": dict(parameters)})

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Call ``/api/v2`` and return the object in the answer.

        :raises AirflowApiError: for a status of 400 and above.
        :raises DemoError: if Airflow does not answer.
        """
        reply = self._send(method, f"{self.base_url}/api/v2{path}", body, {"Authorization": f"Bearer {self._bearer()}"})
        if reply.status_code == requests.codes.unauthorized:
            self._token_ends = 0.0
            headers = {"Authorization": f"Bearer {self._bearer()}"}
            reply = self._send(method, f"{self.base_url}/api/v2{path}", body, headers)
        return _object(reply, f"{method} {path.partition('?')[0]}")

    def _bearer(self) -> str:
        if time.monotonic() >= self._token_ends:
            body = {"username": self.username, "password": self._password}
            reply = self._send("POST", f"{self.base_url}/auth/token", body, {})
            self._token = str(_object(reply, "POST /auth/token")["access_token"])
            self._token_ends = time.monotonic() + _TOKEN_SECONDS
        return self._token

    def _send(
        self, method: str, url: str, body: Mapping[str, Any] | None, headers: dict[str, str]
    ) -> requests.Response:
        try:
            return self._session.request(method, url, json=body, headers=headers, timeout=self._answer_seconds)
        except requests.RequestException as error:
            raise DemoError(f"Airflow does not answer {method} {url}: {type(error).__name__}") from error


def _object(reply: requests.Response, call: str) -> dict[str, Any]:
    try:
        found = reply.json() if reply.content else {}
    except ValueError:
        found = {}
    if not reply.ok:
        detail = found.get("detail", reply.reason) if isinstance(found, dict) else reply.reason
        raise AirflowApiError(call, reply.status_code, str(detail)[:500])
    return found if isinstance(found, dict) else {}


def _gate(item: Mapping[str, Any]) -> PendingGate:
    task = item["task_instance"]
    return PendingGate(
        dag_id=str(task["dag_id"]),
        run_id=str(task["dag_run_id"]),
        task_id=str(task["task_id"]),
        map_index=int(task.get("map_index", -1)),
        subject=str(item.get("subject") or ""),
        body=str(item.get("body") or ""),
        options=tuple(item.get("options") or ()),
        parameters=item.get("params") or {},
        assigned_users=tuple(str(one.get("name") or one.get("id")) for one in item.get("assigned_users") or ()),
    )


def _log_lines(entry: Any) -> list[str]:
    """Return the text of a log entry, and its errors without their stack frames."""
    if not isinstance(entry, Mapping):
        return [str(entry)]
    event = str(entry.get("event", ""))
    details = entry.get("error_detail") or []
    errors = [f"{one.get('exc_type')}: {one.get('exc_value')}" for one in details if isinstance(one, Mapping)]
    return [] if event.startswith("::") else [event, *errors]


def _part(text: str) -> str:
    return quote(text, safe="")


def _run_path(dag_id: str, run_id: str) -> str:
    return f"/dags/{_part(dag_id)}/dagRuns/{_part(run_id)}"


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
