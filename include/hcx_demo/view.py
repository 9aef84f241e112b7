"""Showing a run: what any view does, and the plain one, which prints a line per event."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.markup import escape

from hcx_demo.airflow_api import PendingGate
from hcx_demo.observer import Snapshot
from hcx_demo.steps import Step, StepState
from hcx_demo.words import duration, virtual

_STEP_OF_PERCENT = 25


class View(Protocol):
    """What shows a run."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, leaving the last picture."""

    def show(self, snapshot: Snapshot, open_gates: tuple[PendingGate, ...]) -> None:
        """Show how the run stands, and the gates that wait for an answer here."""

    def say(self, text: str) -> None:
        """Tell an event."""


class PlainView:
    """A line per event, for logs and for terminals that can do no more."""

    def __init__(self, console: Console, ui_url: str) -> None:
        self._console = console
        self._ui_url = ui_url
        self._steps: dict[str, tuple[StepState, str]] = {}
        self._vms: dict[str, tuple[str, int]] = {}
        self._gates: set[tuple[str, str, str, int]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """There is nothing to end."""

    def show(self, snapshot: Snapshot, open_gates: tuple[PendingGate, ...]) -> None:
        """Print what has changed since the last look."""
        for step in snapshot.steps:
            self._show_step(snapshot, step)
        self._show_vms(snapshot)
        for gate in open_gates:
            if gate.key not in self._gates:
                self._gates.add(gate.key)
                self.say(f"GATE {gate.subject}  (also in the UI: {gate_url(self._ui_url, gate)})")
                self._console.print(escape(gate.body), highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """Print a line."""
        self._console.print(escape(text), highlight=False, soft_wrap=True)

    def _show_step(self, snapshot: Snapshot, step: Step) -> None:
        now = (step.state, step.detail)
        known = self._steps.get(step.title)
        self._steps[step.title] = now
        if now == known or (known is None and step.state is StepState.AHEAD):
            return
        took = f", {duration(step.seconds)} wall" if step.seconds is not None else ""
        detail = f": {step.detail}" if step.detail else ""
        self.say(f"[{snapshot.wall_seconds:6.1f} s] {step.title}: {step.state}{detail}{took}")

    def _show_vms(self, snapshot: Snapshot) -> None:
        changed = []
        for vm in snapshot.vms:
            quarter = int((vm.percent or 0) // _STEP_OF_PERCENT)
            if self._vms.get(vm.name, ("at the source", 0)) != (vm.words, quarter):
                percent = "" if vm.percent is None else f" {vm.percent:.0f} %"
                changed.append(f"{vm.name} {vm.words}{percent}")
            self._vms[vm.name] = (vm.words, quarter)
        if changed:
            at = virtual(snapshot.site_seconds)
            self.say(f"[{snapshot.wall_seconds:6.1f} s]   {'; '.join(changed)}  [sites: {at}]")


def gate_url(ui_url: str, gate: PendingGate) -> str:
    """Return where a gate is answered in Airflow's UI."""
    return f"{ui_url}/dags/{gate.dag_id}/runs/{gate.run_id}/tasks/{gate.task_id}/required_actions"


def logins(ui_url: str, passwords: Mapping[str, str], file: str) -> str:
    """Return the lines that tell where the UI is and who may log in."""
    users = "\n".join(f"    {name:<14} {password}" for name, password in passwords.items())
    return f"Airflow UI: {ui_url}\n{users}\n    (kept in {file}, which only you can read)"
