"""The live view of a run in a terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markdown import Markdown
from rich.markup import escape
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hcx_demo.airflow_api import PendingGate
from hcx_demo.observer import Snapshot
from hcx_demo.sites import VmProgress
from hcx_demo.steps import Step, StepState
from hcx_demo.view import gate_url
from hcx_demo.words import duration, virtual

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


class LiveView:
    """Phases, VMs and the open gate, redrawn in place.

    :param keys_work: whether gates can be answered with a key here.
    """

    def __init__(self, console: Console, ui_url: str, *, keys_work: bool) -> None:
        self._console = console
        self._ui_url = ui_url
        self._keys_work = keys_work
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")
        self._told: set[tuple[str, str, str, int]] = set()

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, snapshot: Snapshot, open_gates: tuple[PendingGate, ...]) -> None:
        """Draw the run anew; what a gate asks is printed once above, as it may be longer than the screen."""
        for gate in open_gates:
            if gate.key not in self._told:
                self._told.add(gate.key)
                body = Markdown(gate.body or gate.subject)
                self._console.print(Panel(body, title=escape(gate.subject), border_style="yellow"))
        parts: list[RenderableType] = [_clocks(snapshot), _steps(snapshot.steps)]
        if snapshot.vms:
            parts.append(_vms(snapshot.vms))
        parts += [self._gate(gate) for gate in open_gates[:1]]
        self._live.update(Group(*parts), refresh=True)

    def say(self, text: str) -> None:
        """Print a line above the picture."""
        self._console.print(escape(text), highlight=False, soft_wrap=True)

    def _gate(self, gate: PendingGate) -> Text:
        how = "y approves, n rejects; or answer in the UI: " if self._keys_work else "Answer in the UI: "
        text = Text(f"\n{gate.subject} ", style="bold yellow")
        text.append(how + gate_url(self._ui_url, gate), style="bold")
        return text


def _clocks(snapshot: Snapshot) -> Text:
    text = Text(f"{snapshot.dag_id}", style="bold")
    text.append(f"   sites: {virtual(snapshot.site_seconds)}", style="magenta")
    text.append(f"   wall: {duration(snapshot.wall_seconds)}", style="default")
    text.append(f"   orchestrator's own: {duration(snapshot.own_seconds)}", style="dim")
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
        table.add_row(Text(f"  {vm.name}"), bar, Text(percent), Text(vm.words, style=colour))
    return table
