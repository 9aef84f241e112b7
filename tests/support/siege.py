"""A run of a wave under attack: who does what by the API, and what the sites and the report say of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hcx_demo.runs import clear_unfinished
from hcx_demo.stack.state import read_json
from support.attack_stack import AttackStack
from support.attackers import AttackedRun, Attacker
from support.demo_stack import Person

_PARAMS = {"poll_interval_seconds": 1, "change_reference": "CHG0000001"}
_ENDED = ("success", "failed", "skipped", "upstream_failed")


class Siege(Person):
    """Fresh sites, and users of one Airflow who start, approve and attack runs.

    A run that an earlier test has left is removed: a wave runs once at a time.
    """

    def __init__(self, stack: AttackStack) -> None:
        super().__init__(stack)
        for wave in stack.waves:
            clear_unfinished(stack.admin, wave)
        stack.control.reset()
        self._stack = stack

    def user(self, name: str) -> Attacker:
        """Return one of the users."""
        return Attacker(self._stack.client(name))

    def start_as(self, starter: Attacker, dag_id: str, *, dated: bool = True, **conf: Any) -> AttackedRun:
        """Start a run as a user.

        :param dated: whether it gets a logical date, as a run started in the UI does.
        """
        self.api.unpause(dag_id)
        now = datetime.now(UTC).isoformat()
        body = {"logical_date": now if dated else None, "conf": {**_PARAMS, **conf}}
        run_id = starter.api.call("POST", f"/dags/{dag_id}/dagRuns", body)["dag_run_id"]
        return starter.run(dag_id, str(run_id))

    def ended(self, run: AttackedRun, task_id: str) -> str:
        """Wait until a task has ended; return its state."""

        def look() -> str | None:
            task = self.tasks(run.dag_id, run.run_id).get(task_id)
            return task.state if task is not None and task.state in _ENDED else None

        return self.wait(f"the end of {task_id}", look)

    def await_question(self, run: AttackedRun, task_id: str) -> bool:
        """Wait until a gate asks (True), or the run ends without it having asked (False)."""

        def look() -> str | None:
            if any(gate.task_id == task_id for gate in self.api.pending_gates(run.dag_id, run.run_id)):
                return "asks"
            state = str(self.api.run(run.dag_id, run.run_id)["state"])
            return state if state in ("success", "failed") else None

        return self.wait(f"{task_id}, or the end of the run", look) == "asks"

    def approve(self, run: AttackedRun, task_id: str) -> None:
        """Answer a gate as the approver."""
        self.answer(run.dag_id, run.run_id, task_id)

    def reject(self, run: AttackedRun, task_id: str) -> None:
        """Reject at a gate as the approver."""
        self.answer(run.dag_id, run.run_id, task_id, "Reject", reason="not tonight")

    def approve_if_asked(self, run: AttackedRun, task_id: str) -> bool:
        """Approve once the gate asks; do nothing if the run ends before it does."""
        asked = self.await_question(run, task_id)
        if asked:
            self.approve(run, task_id)
        return asked

    def finish(self, run: AttackedRun) -> str:
        """Wait for the end of the run; return its state."""
        return self.end(run.dag_id, run.run_id)

    def two_gateways(self) -> dict[str, Any]:
        """Return the spans in which a segment had two gateways, by segment, as far as there are any."""
        segments: Mapping[str, Any] = self.stack.control.oracle()["segments"]
        return {name: one["two_gateways"] for name, one in segments.items() if one["two_gateways"]}

    def report(self, run: AttackedRun) -> str:
        """Return the report of a run, JSON and Markdown, as one text."""
        self.ended(run, "write_report")
        texts = [path.read_text(encoding="utf-8") for path in self._reports(run)]
        assert texts, f"no report of {run.run_id}"
        return "\n".join(texts)

    def refusals(self, run: AttackedRun) -> str:
        """Return what was noted of a run that was refused as a whole."""
        self.ended(run, "write_report")
        found = sorted(self._stack.state.reports.rglob("*.refused.md"))
        return "\n".join(path.read_text(encoding="utf-8") for path in found)

    def _reports(self, run: AttackedRun) -> list[Path]:
        every = sorted(self._stack.state.reports.rglob("*.json"))
        mine = [path for path in every if run.run_id in json.dumps(read_json(path))]
        return [other for path in mine for other in (path, path.with_suffix(".md")) if other.exists()]

    def log_of(self, run: AttackedRun, task_id: str) -> str:
        """Return the log of the latest try of a task."""
        task = self.tasks(run.dag_id, run.run_id)[task_id]
        return self.api.log(run.dag_id, run.run_id, task_id, max(1, task.try_number))
