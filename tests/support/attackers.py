"""Somebody who tries, by Airflow's REST API, to have something done that nobody has approved."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from hcx_demo.airflow_api import AirflowApi, AirflowApiError

_PAUSE_SECONDS = 0.5
_DELETE_SECONDS = 120.0
_CONFLICT, _NOT_FOUND = 409, 404


class Attacker:
    """A user of Airflow's API. What it tries is refused by Airflow or not, and both are noted.

    :param statuses: HTTP status of each attempt, in order, by what was tried.
    """

    def __init__(self, api: AirflowApi) -> None:
        self.api = api
        self.statuses: list[tuple[str, int]] = []

    def run(self, dag_id: str, run_id: str) -> AttackedRun:
        """Return a run to attack."""
        return AttackedRun(self, dag_id, run_id)

    def attempt(self, what: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Call the API; note the status; an answer of Airflow is never an error of the test."""
        try:
            found = self.api.call(method, path, body)
        except AirflowApiError as error:
            self.statuses.append((what, error.status))
            return {}
        self.statuses.append((what, 200))
        return found

    def succeeded(self, what: str) -> bool:
        """Whether the latest attempt of that kind was let through by Airflow."""
        return [status for tried, status in self.statuses if tried == what][-1] < 400


class AttackedRun:
    """One run, in an attacker's hands."""

    def __init__(self, attacker: Attacker, dag_id: str, run_id: str) -> None:
        self.attacker, self.dag_id, self.run_id = attacker, dag_id, run_id
        self._path = f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id, safe='')}"

    def xcom(self, task_id: str, key: str = "return_value") -> Any:
        """Return an XCom as it is stored; None if there is none."""
        return self.attacker.api.xcom(self.dag_id, self.run_id, task_id, key)

    def write_xcom(self, task_id: str, value: Any, key: str = "return_value") -> None:
        """Put an XCom in the place of whatever is there."""
        entries = f"{self._task(task_id)}/xcomEntries"
        if self.xcom(task_id, key) is None:
            self.attacker.attempt("xcom", "POST", entries, {"key": key, "value": value})
        else:
            self.attacker.attempt("xcom", "PATCH", f"{entries}/{quote(key)}", {"value": value})

    def delete_xcom(self, task_id: str, key: str = "return_value") -> None:
        """Delete an XCom."""
        self.attacker.attempt("delete", "DELETE", f"{self._task(task_id)}/xcomEntries/{quote(key)}")

    def write_state(self, task_id: str, key: str, value: Any) -> None:
        """Put a value into a task's state store."""
        self.attacker.attempt("state store", "PUT", f"{self._task(task_id)}/state-store/{quote(key)}", {"value": value})

    def states(self, task_id: str) -> dict[str, Any]:
        """Return what a task's state store holds, by key."""
        found = self.attacker.api.call("GET", f"{self._task(task_id)}/state-store?limit=100")
        return {one["key"]: one["value"] for one in found.get("task_state_store", [])}

    def mark(self, task_id: str, state: str) -> None:
        """Mark a task as ended."""
        self.attacker.attempt("mark", "PATCH", self._task(task_id), {"new_state": state})

    def clear(self, *task_ids: str, downstream: bool = False) -> None:
        """Clear tasks, whatever their states; all of the run if none is named."""
        body = {
            "dag_run_id": self.run_id,
            "dry_run": False,
            "only_failed": False,
            "include_downstream": downstream,
            **({"task_ids": list(task_ids)} if task_ids else {}),
        }
        self.attacker.attempt("clear", "POST", f"/dags/{quote(self.dag_id)}/clearTaskInstances", body)

    def make_again(self) -> None:
        """Delete the run, and start one with the same id, dates and conf."""
        before = self.attacker.api.run(self.dag_id, self.run_id)
        self.attacker.attempt("end", "PATCH", self._path, {"state": "failed"})
        self._delete()
        body = {name: before[name] for name in ("dag_run_id", "logical_date", "run_after", "conf")}
        self.attacker.attempt("make again", "POST", f"/dags/{quote(self.dag_id)}/dagRuns", body)

    def _delete(self) -> None:
        deadline = time.monotonic() + _DELETE_SECONDS
        while time.monotonic() < deadline:
            self.attacker.attempt("delete", "DELETE", self._path)
            # A run goes on while its teardowns are due, and cannot be deleted until they have ended.
            if self.attacker.statuses[-1][1] != _CONFLICT:
                return
            time.sleep(_PAUSE_SECONDS)

    def _task(self, task_id: str) -> str:
        return f"{self._path}/taskInstances/{quote(task_id)}"


def altered(document: Any, alter: Callable[[dict[str, Any]], None], marker: str) -> Any:
    """Return a copy of a stored value in which every object with a certain member is altered.

    Finds it within envelopes, and within JSON that is stored as text.

    :param alter: changes the object.
    :param marker: name of a member by which the object is known.
    """
    if isinstance(document, dict):
        copy = {name: altered(value, alter, marker) for name, value in document.items()}
        if marker in copy:
            alter(copy)
        return copy
    if isinstance(document, list):
        return [altered(value, alter, marker) for value in document]
    if isinstance(document, str) and document[:1] in ("{", "["):
        try:
            return json.dumps(altered(json.loads(document), alter, marker))
        except ValueError:
            return document
    return document
