"""A real stack of PostgreSQL, simulated sites and Airflow, and a person who uses it through the REST API."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import psutil
import sqlalchemy

from hcx_demo.airflow_api import TaskState
from hcx_demo.stack import Stack
from hcx_demo.stack.processes import Command, ManagedProcess
from hcx_demo.wave.gates import PARKED_SECONDS

Found = TypeVar("Found")
_READS = ("session", "query", "validate", "authorize", "inventory")
_READ_PATHS = ("/sdk", "/hybridity/api/migrations")
_PAUSE_SECONDS = 0.5


class Person:
    """Starts runs, answers gates and kills processes."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.api = stack, stack.admin

    def start(self, dag_id: str, **conf: Any) -> str:
        """Start a run by hand."""
        self.api.unpause(dag_id)
        return self.api.trigger(dag_id, conf, "acceptance")

    def wait(self, what: str, look: Callable[[], Found | None], seconds: float = 900.0) -> Found:
        """Look until there is something."""
        ends = time.monotonic() + seconds
        while not (found := look()):
            if time.monotonic() > ends:
                raise AssertionError(f"{what}: not within {seconds:.0f} s")
            time.sleep(_PAUSE_SECONDS)
        return found

    def parked(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """Return a gate that waits, once it may be answered."""

        def look() -> Any:
            return next((one for one in self.api.pending_gates(dag_id, run_id) if one.task_id == task_id), None)

        gate = self.wait(task_id, look)
        time.sleep(PARKED_SECONDS)
        return gate

    def answer(self, dag_id: str, run_id: str, task_id: str, option: str = "Approve", **params: str) -> None:
        """Answer a gate as the approver."""
        gate = self.parked(dag_id, run_id, task_id)
        self.stack.approver.answer(gate, option, {"change_reference": "CHG0000001", **params})

    def mark_success(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Do what the button in the UI does."""
        self.parked(dag_id, run_id, task_id)
        path = f"/dags/{dag_id}/dagRuns/{run_id.replace('+', '%2B')}/taskInstances/{task_id}"
        self.api.call("PATCH", path, {"new_state": "success"})

    def tasks(self, dag_id: str, run_id: str) -> dict[str, TaskState]:
        """Return the tasks of a run by id."""
        return {task.task_id: task for task in self.api.tasks(dag_id, run_id)}

    def end(self, dag_id: str, run_id: str) -> str:
        """Wait for the end of a run; return its state."""

        def look() -> str | None:
            state = str(self.api.run(dag_id, run_id)["state"])
            return state if state in ("success", "failed") else None

        return self.wait(f"the end of {dag_id}", look)

    def mark(self) -> int:
        """Return a place in the audit."""
        return int(self.stack.control._call("GET", "/audit?kind=control")["last"])

    def changes(self, after: int) -> list[str]:
        """Return the calls to the sites that change something."""
        calls = [one["data"] for one in self.stack.control._call("GET", f"/audit?kind=call&after={after}")["entries"]]
        return [
            f"{call['method']} {call['path']}"
            for call in calls
            if call["method"] != "GET"
            and call["path"] not in _READ_PATHS
            and not any(word in call["path"].lower() for word in _READS)
        ]

    def kill(self, component: str) -> None:
        """Kill a component of Airflow as the kernel would, its children not among them."""
        matching = [one for one in psutil.Process().children(recursive=True) if component in _words(one)]
        ids = {one.pid for one in matching}
        for process in (one for one in matching if one.ppid() not in ids):
            process.kill()

    def restart(self, component: str) -> None:
        """Start a component again, in the same environment; the stack ends it with all others."""
        stack = self.stack
        arguments = [str(stack.state.commands / "airflow"), component]
        log = stack.state.logs / f"{component}-again.log"
        process = ManagedProcess(Command(component, arguments, stack.environment(), log))
        stack._own(process, process.stop)

    def database_rows(self) -> list[tuple[str, str]]:
        """Return every row of Airflow's database, as table and JSON: XComs, rendered fields, gates and all else."""
        engine = sqlalchemy.create_engine(self.stack.plan.database_url)
        rows = []
        with engine.connect() as connection:
            for table in sqlalchemy.inspect(engine).get_table_names():
                query = sqlalchemy.text(f'select row_to_json(one)::text from "{table}" one')  # noqa: S608 - own names
                rows += [(table, str(text)) for (text,) in connection.execute(query)]
        engine.dispose()
        return rows


def _words(process: psutil.Process) -> list[str]:
    try:
        words: list[str] = process.cmdline()
    except psutil.Error:
        return []
    return words if "airflow" in words else []
