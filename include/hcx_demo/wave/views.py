"""Views of a run: lines for logs, and a live picture for a terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markdown import Markdown
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hcx_demo.airflow_api import PendingGate
from hcx_demo.steps import Step, StepState
from hcx_demo.terminal import plain
from hcx_demo.texts import duration, virtual
from hcx_demo.wave.observer import RunStatus
from hcx_demo.wave.sites import VmProgress

_STEP_OF_PERCENT = 25
_MARKS = {
    StepState.AHEAD: ("·", "dim"),
    StepState.RUNNING: ("▶", "bold cyan"),
    StepState.ASKING: ("?", "bold yellow"),
    StepState.DONE: ("✔", "green"),
    StepState.SKIPPED: ("–", "dim"),
    StepState.FAILED: ("✘", "bold red"),
}
_BAR_WIDTH = 40
_COMPLETE = 100.0


class RunView(Protocol):
    """Shows a run."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, and leave the last state on the screen."""

    def show(self, status: RunStatus, open_gates: tuple[PendingGate, ...]) -> None:
        """Show the state of the run, and the gates that wait for an answer here."""

    def say(self, text: str) -> None:
        """Print a line about an event."""


class PlainView:
    """A line per event, for logs and for output that is not a terminal.

    :param asks: whether gates are answered by a person, in the UI.
    """

    def __init__(self, console: Console, ui_url: str, *, asks: bool = False) -> None:
        self._asks = asks
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
        """Do nothing."""

    def show(self, status: RunStatus, open_gates: tuple[PendingGate, ...]) -> None:
        """Print what has changed since the last call."""
        for step in status.steps:
            self._show_step(status, step)
        self._show_vms(status)
        for gate in open_gates:
            if gate.key not in self._gates:
                self._gates.add(gate.key)
                self.say(f"GATE {gate.subject}  (also in the UI: {gate_url(self._ui_url, gate)})")
                self._console.print(plain(gate.body), highlight=False, soft_wrap=True)
                if self._asks:
                    self.say(f"waiting for your answer: {gate_url(self._ui_url, gate)}")

    def say(self, text: str) -> None:
        """Print a line."""
        self._console.print(plain(text), highlight=False, soft_wrap=True)

    def _show_step(self, status: RunStatus, step: Step) -> None:
        now = (step.state, step.detail)
        known = self._steps.get(step.title)
        self._steps[step.title] = now
        if now == known or (known is None and step.state is StepState.AHEAD):
            return
        took = f", {duration(step.seconds)} wall" if step.seconds is not None else ""
        detail = f": {step.detail}" if step.detail else ""
        self.say(f"[{status.wall_seconds:6.1f} s] {step.title}: {step.state}{detail}{took}")

    def _show_vms(self, status: RunStatus) -> None:
        changed = []
        for vm in status.vms:
            quarter = int((vm.percent or 0) // _STEP_OF_PERCENT)
            if self._vms.get(vm.name, ("at the source", 0)) != (vm.state, quarter):
                percent = "" if vm.percent is None else f" {vm.percent:.0f} %"
                changed.append(f"{vm.name} {vm.state}{percent}")
            self._vms[vm.name] = (vm.state, quarter)
        if changed:
            at = virtual(status.site_seconds)
            self.say(f"[{status.wall_seconds:6.1f} s]   {'; '.join(changed)}  [sites: {at}]")


class LiveView:
    """Steps, VMs and the open gate, redrawn in place.

    :param keys_work: whether gates can be answered with a key.
    """

    def __init__(self, console: Console, ui_url: str, *, keys_work: bool) -> None:
        self._console = console
        self._ui_url = ui_url
        self._keys_work = keys_work
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")
        self._printed: set[tuple[str, str, str, int]] = set()

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, status: RunStatus, open_gates: tuple[PendingGate, ...]) -> None:
        """Redraw the run. The text of a gate is printed once above it, as it may be longer than the screen."""
        for gate in open_gates:
            if gate.key not in self._printed:
                self._printed.add(gate.key)
                body = Markdown(gate.body or gate.subject)
                self._console.print(Panel(body, title=plain(gate.subject), border_style="yellow"))
        parts: list[RenderableType] = [_clocks(status), _steps(status.steps)]
        if status.vms:
            parts.append(_vms(status.vms))
        parts += [self._gate(gate) for gate in open_gates[:1]]
        self._live.update(Group(*parts), refresh=True)

    def say(self, text: str) -> None:
        """Print a line above the run."""
        self._console.print(plain(text), highlight=False, soft_wrap=True)

    def _gate(self, gate: PendingGate) -> Text:
        how = "press y to approve or n to reject, or answer in the UI: " if self._keys_work else "answer in the UI: "
        text = Text(f"\n{gate.subject} ", style="bold yellow")
        text.append(how + gate_url(self._ui_url, gate), style="bold")
        return text


def gate_url(ui_url: str, gate: PendingGate) -> str:
    """Return the address at which a gate is answered in Airflow's UI."""
    return f"{ui_url}/dags/{gate.dag_id}/runs/{gate.run_id}/tasks/{gate.task_id}/required_actions"


def _clocks(status: RunStatus) -> Text:
    text = Text(f"{status.dag_id}", style="bold")
    text.append(f"   sites: {virtual(status.site_seconds)}", style="magenta")
    text.append(f"   wall: {duration(status.wall_seconds)}", style="default")
    text.append(f"   without waiting: {duration(status.own_seconds)}", style="dim")
    return text


def _steps(steps: tuple[Step, ...]) -> Table:
    table = Table.grid(padding=(0, 2))
    for step in steps:
        mark, style = _MARKS[step.state]
        took = "" if step.seconds is None else f"{duration(step.seconds)} wall"
        table.add_row(Text(mark, style=style), Text(step.title, style=style), Text(step.detail or took, style="dim"))
    return table


def _vms(vms: tuple[VmProgress, ...]) -> Table:
    table = Table.grid(padding=(0, 2))
    for vm in vms:
        done = vm.percent or 0.0
        colour = "red" if vm.is_failed else "green" if done >= _COMPLETE else "cyan"
        bar = ProgressBar(total=_COMPLETE, completed=done, width=_BAR_WIDTH, complete_style=colour)
        percent = "" if vm.percent is None else f"{vm.percent:3.0f} %"
        table.add_row(Text(f"  {vm.name}"), bar, Text(percent), Text(vm.state, style=colour))
    return table
