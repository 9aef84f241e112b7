"""The show: the wave, the hold, the cleanup, and what became of it all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape

from hcx_demo.answers import APPROVE, REJECT, GateKeeper
from hcx_demo.keys import Keys
from hcx_demo.live import LiveView
from hcx_demo.measured import measured_outages, report_paths
from hcx_demo.observer import Observer, Snapshot
from hcx_demo.outcome import Outcome
from hcx_demo.runs import await_dags, clear_unfinished, log_of_failures, start_run
from hcx_demo.sites import SegmentPair, SiteReader
from hcx_demo.stack import Stack
from hcx_demo.summary import print_segments, print_vms
from hcx_demo.view import PlainView, View
from hcx_demo.words import duration, virtual
from hcx_waves.wavefile.wave import Wave

CHANGE_REFERENCE = "CHG0000001"
_ANSWERS = {"y": APPROVE, "n": REJECT}
_POLL_SECONDS = 1.0
_HCX_POLL_SECONDS = 2


@dataclass(frozen=True)
class ShowOptions:
    """How the wave is run and shown.

    :param automatic: gates are approved by the demo approver, and lines are printed instead of a live picture.
    :param hold_seconds: between the wave's end and its cleanup, wall seconds.
    """

    wave: Wave
    automatic: bool
    hold_seconds: float = 3.0


class Show:
    """One wave and its cleanup on a running stack.

    :param say: prints a line while no view is open.
    """

    def __init__(self, stack: Stack, options: ShowOptions, console: Console, say: Callable[[str], None]) -> None:
        self._stack = stack
        self._options = options
        self._console = console
        self._say = say
        self._wave = options.wave
        self._vms = [request.name for request in options.wave.requests]
        self._segments = [segment.name for segment in options.wave.segments_to_cut]
        self._dags = (self._wave.name, f"cleanup__{self._wave.name}")

    def prepare(self) -> None:
        """Wait for the DAGs and clear away what an earlier demo left unfinished."""
        await_dags(self._stack.admin, self._dags, self._stack.check)
        for dag_id in self._dags:
            count = clear_unfinished(self._stack.admin, dag_id)
            if count:
                self._say(f"{count} unfinished runs of {dag_id} removed: their sites are gone")

    def play(self) -> Outcome:
        """Run the wave and its cleanup; return what became of it.

        :raises DemoError: when a process ends by itself or does not answer.
        """
        wave_dag, cleanup_dag = self._dags
        with SiteReader(self._stack.endpoints) as sites:
            sites.note_destinations(self._segments)
            states: dict[str, Sequence[SegmentPair]] = {"before": sites.segments(self._segments)}
            ended = [self._follow(wave_dag, {}, sites, self._vms)]
            states["after the wave"] = sites.segments(self._segments)
            if ended[0].run_state == "success":
                ended.append(self._clean_up(cleanup_dag, ended[0], sites))
                states["after the cleanup"] = sites.segments(self._segments)
        outcome = self._judge(ended)
        self._summarise(outcome, ended, states)
        return outcome

    def _clean_up(self, dag_id: str, wave: Snapshot, sites: SiteReader) -> Snapshot:
        hold = self._options.hold_seconds
        self._say(f"holding the source segments for {duration(hold)} before the cleanup (days in real life)")
        time.sleep(hold)
        # The wave may have asked for its cleanup already, at the end of the real hold.
        clear_unfinished(self._stack.admin, dag_id)
        return self._follow(dag_id, {"wave_dag_id": wave.dag_id, "wave_run_id": wave.run_id}, sites, ())

    def _follow(self, dag_id: str, links: Mapping[str, Any], sites: SiteReader, vms: Sequence[str]) -> Snapshot:
        wishes = {"change_reference": CHANGE_REFERENCE, "poll_interval_seconds": _HCX_POLL_SECONDS}
        run_id = start_run(self._stack.admin, dag_id, wishes, links)
        self._say(f"{dag_id}: {self._stack.plan.base_url}/dags/{dag_id}/runs/{run_id}")
        observer = Observer(self._stack.admin, self._stack.control, sites, dag_id, run_id, vms)
        automatic = self._options.automatic
        keeper = GateKeeper(self._stack.approver, CHANGE_REFERENCE, automatic=automatic)
        with Keys() as keys, self._view(keys) as view:
            while True:
                snapshot = observer.look()
                for event in keeper.tend(snapshot.gates):
                    view.say(event)
                open_gates = keeper.open_gates(snapshot.gates)
                view.show(snapshot, open_gates)
                if snapshot.is_finished:
                    return snapshot
                self._stack.check()
                key = keys.wait(_POLL_SECONDS)
                if open_gates and key in _ANSWERS:
                    keeper.choose(open_gates[0], _ANSWERS[key])

    def _view(self, keys: Keys) -> View:
        url = self._stack.plan.base_url
        if self._options.automatic or not self._console.is_terminal:
            return PlainView(self._console, url)
        return LiveView(self._console, url, keys_work=keys.usable)

    def _judge(self, ended: Sequence[Snapshot]) -> Outcome:
        bad = [f"{run.dag_id} ended as {run.run_state}" for run in ended if run.run_state != "success"]
        if len(ended) < len(self._dags):
            bad.append("the cleanup was not started")
        # The report is a teardown, which never decides a run's colour; without it nobody can be shown what happened.
        bad += [f"{run.dag_id} wrote no report" for run in ended if not report_paths(self._stack.admin, run)]
        return Outcome.judge(self._stack.control.oracle(), self._vms, self._segments, bad)

    def _summarise(
        self, outcome: Outcome, ended: Sequence[Snapshot], states: Mapping[str, Sequence[SegmentPair]]
    ) -> None:
        api = self._stack.admin
        for run in ended:
            for text in log_of_failures(api, run.dag_id, run.run_id):
                self._say(text)
        print_vms(self._console, outcome)
        reports = {run.run_id: report_paths(api, run) for run in ended}
        measured = measured_outages(reports[ended[0].run_id], self._stack.options.speed)
        print_segments(self._console, outcome, states, measured)
        for run in ended:
            self._say(
                f"{run.dag_id}: {run.run_state}; sites {virtual(run.site_seconds)}, wall {duration(run.wall_seconds)}, "
                f"of which the orchestrator's own {duration(run.own_seconds)}"
            )
            for path in reports[run.run_id]:
                self._say(f"  report: {path}")
        for problem in outcome.problems():
            self._console.print(f"[red]not as planned:[/red] {escape(problem)}", highlight=False)
        if not outcome.problems():
            self._console.print("[green]The wave and its cleanup ended as planned.[/green]")
