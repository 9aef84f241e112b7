"""The demo on a running stack: the wave, the hold, the cleanup, and the result."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from hcx_airflow.names import WAVE_DAG_ID_CONF, WAVE_RUN_ID_CONF, cleanup_dag_id
from hcx_demo.runs import await_dags, clear_unfinished, log_of_failures, start_run
from hcx_demo.stack import Stack
from hcx_demo.terminal import Keys, plain, speaker
from hcx_demo.texts import duration, virtual
from hcx_demo.wave.faults import FAULTS, fault_documents
from hcx_demo.wave.gates import APPROVE, REJECT, GateKeeper
from hcx_demo.wave.observer import RunObserver, RunStatus
from hcx_demo.wave.outcome import DemoResult, measured_outages, print_segments, print_vms, report_paths
from hcx_demo.wave.sites import SegmentPair, SiteReader
from hcx_demo.wave.views import LiveView, PlainView, RunView
from hcx_waves.wavefile.wave import Wave

CHANGE_REFERENCE = "CHG0000001"
_ANSWERS = {"y": APPROVE, "n": REJECT}
_POLL_SECONDS = 1.0
_HCX_POLL_SECONDS = 2


@dataclass(frozen=True)
class DemoOptions:
    """How the wave is run and shown.

    :param automatic: approve the gates as the demo approver, and print lines instead of a live picture.
    :param faults: names of fault scenarios that are in force from the start of each run.
    :param hold_seconds: wall time between the end of the wave and its cleanup.
    """

    wave: Wave
    automatic: bool
    faults: tuple[str, ...] = ()
    hold_seconds: float = 3.0


class WaveDemo:
    """One wave and its cleanup on a running stack."""

    def __init__(self, stack: Stack, options: DemoOptions, console: Console) -> None:
        self._stack = stack
        self._options = options
        self._console = console
        self._say = speaker(console)
        self._wave = options.wave
        self._vms = [request.name for request in options.wave.requests]
        self._segments = [segment.name for segment in options.wave.segments_to_cut]
        self._dags = (self._wave.name, cleanup_dag_id(self._wave.name))

    def prepare(self) -> None:
        """Wait for the DAGs, and remove runs that an earlier demo left unfinished."""
        await_dags(self._stack.admin, self._dags, self._stack.check)
        for dag_id in self._dags:
            count = clear_unfinished(self._stack.admin, dag_id)
            if count:
                self._say(f"removed {count} unfinished runs of {dag_id}: their sites no longer exist")

    def play(self) -> DemoResult:
        """Run the wave and its cleanup; return the result.

        :raises DemoError: if a process ends by itself or does not answer.
        """
        wave_dag, cleanup_dag = self._dags
        self._put_faults_in_force()
        with SiteReader(self._stack.endpoints) as sites:
            sites.note_destinations(self._segments)
            states: dict[str, Sequence[SegmentPair]] = {"before": sites.segments(self._segments)}
            ended = [self._follow(wave_dag, {}, sites, self._vms)]
            states["after the wave"] = sites.segments(self._segments)
            if ended[0].run_state == "success":
                ended.append(self._clean_up(cleanup_dag, ended[0], sites))
                states["after the cleanup"] = sites.segments(self._segments)
        result = self._judge(ended)
        self._print(result, ended, states)
        return result

    def _put_faults_in_force(self) -> None:
        names = self._options.faults
        if not names:
            return
        control = self._stack.control
        # The sites' clock starts anew with them, as far as the scenario fixes it.
        control.reset()
        control.reset(fault_documents(names, self._wave, control.now()))
        self._say("".join(f"fault {name}: {FAULTS[name]}\n" for name in names).rstrip())

    def _clean_up(self, dag_id: str, wave: RunStatus, sites: SiteReader) -> RunStatus:
        hold = self._options.hold_seconds
        self._say(f"keeping the source segments for {duration(hold)} before the cleanup (in production: days)")
        time.sleep(hold)
        # The wave has scheduled its cleanup for the end of the real hold.
        clear_unfinished(self._stack.admin, dag_id)
        return self._follow(dag_id, {WAVE_DAG_ID_CONF: wave.dag_id, WAVE_RUN_ID_CONF: wave.run_id}, sites, ())

    def _follow(self, dag_id: str, conf: Mapping[str, Any], sites: SiteReader, vms: Sequence[str]) -> RunStatus:
        params = {"change_reference": CHANGE_REFERENCE, "poll_interval_seconds": _HCX_POLL_SECONDS}
        run_id = start_run(self._stack.admin, dag_id, params, conf)
        self._say(f"{dag_id}: {self._stack.plan.base_url}/dags/{dag_id}/runs/{run_id}")
        observer = RunObserver(self._stack.admin, self._stack.control, sites, dag_id, run_id, vms)
        automatic = self._options.automatic
        keeper = GateKeeper(self._stack.approver, CHANGE_REFERENCE, automatic=automatic)
        with Keys() as keys, self._view(keys) as view:
            while True:
                status = observer.look()
                for event in keeper.tend(status.gates):
                    view.say(event)
                open_gates = keeper.open_gates(status.gates)
                view.show(status, open_gates)
                if status.is_finished:
                    return status
                self._stack.check()
                key = keys.wait(_POLL_SECONDS)
                if open_gates and key in _ANSWERS:
                    keeper.choose(open_gates[0], _ANSWERS[key])

    def _view(self, keys: Keys) -> RunView:
        url = self._stack.plan.base_url
        if self._options.automatic or not self._console.is_terminal:
            return PlainView(self._console, url, asks=not self._options.automatic)
        return LiveView(self._console, url, keys_work=keys.usable)

    def _judge(self, ended: Sequence[RunStatus]) -> DemoResult:
        bad = [f"{run.dag_id} ended as {run.run_state}" for run in ended if run.run_state != "success"]
        if len(ended) < len(self._dags):
            bad.append("the cleanup was not started")
        # A run without a report can be green, as the task that writes it is a teardown.
        bad += [f"{run.dag_id} wrote no report" for run in ended if not report_paths(self._stack.admin, run)]
        return DemoResult.judge(self._stack.control.oracle(), self._vms, self._segments, bad)

    def _print(
        self, result: DemoResult, ended: Sequence[RunStatus], states: Mapping[str, Sequence[SegmentPair]]
    ) -> None:
        api = self._stack.admin
        for run in ended:
            for text in log_of_failures(api, run.dag_id, run.run_id):
                self._say(text)
        print_vms(self._console, result)
        reports = {run.run_id: report_paths(api, run) for run in ended}
        measured = measured_outages(reports[ended[0].run_id], self._stack.options.speed)
        print_segments(self._console, result, states, measured)
        for run in ended:
            self._say(
                f"{run.dag_id}: {run.run_state}; sites {virtual(run.site_seconds)}, wall {duration(run.wall_seconds)}, "
                f"without waiting {duration(run.own_seconds)}"
            )
            for path in reports[run.run_id]:
                self._say(f"  report: {path}")
        for problem in result.problems():
            self._console.print(f"[red]not as planned:[/red] {plain(problem)}", highlight=False)
        if not result.problems():
            self._console.print("[green]The wave and its cleanup ended as planned.[/green]")
