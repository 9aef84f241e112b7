"""Collect the results of a run's tasks, and write its report."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from hcx_airflow import names, results
from hcx_airflow.clock.base import SystemClock
from hcx_airflow.errors import ConnectionSettingsError, PlanMissingError, RunRefusedError, UnreadableResultError
from hcx_airflow.folders import reports_folder
from hcx_airflow.gates.answers import read_answers
from hcx_airflow.hooks.hcx import HcxHook
from hcx_airflow.hooks.sites import hcx_connection_id, secrets_of
from hcx_airflow.results import Slot
from hcx_airflow.task import TaskRun
from hcx_airflow.work import WaveFileMissingError, read_plan, read_scope, read_wave, started_at
from hcx_waves.model.formatting import instant
from hcx_waves.model.outside import shown
from hcx_waves.report.markup import escape
from hcx_waves.wavefile.problems import WaveFileError
from hcx_waves.wavefile.wave import Wave

if TYPE_CHECKING:
    from datetime import datetime

    from hcx_waves.model.plan import PlannedSegment, WavePlan
    from hcx_waves.run.failures import StepFailure
    from hcx_waves.run.rescues import RescueEntry
    from hcx_waves.run.results import RunResults, SegmentResults
    from hcx_waves.run.scope import Scope

logger = logging.getLogger(__name__)
_PRIVATE = 0o600

T = TypeVar("T")
_RUN_STEPS = (
    names.RESOLVE_PLAN,
    names.RUN_PREFLIGHT,
    names.APPROVE_WAVE,
    names.START_MIGRATIONS,
    names.APPROVE_SWITCHOVER,
    names.RELEASE_SWITCHOVERS,
    names.EVALUATE_MIGRATIONS,
    names.VERIFY_VIRTUAL_MACHINES,
    names.CANCEL_MIGRATIONS,
    names.APPROVE_CLEANUP,
)
_STEPS = (
    names.PROVE_SEGMENT_EMPTY,
    names.APPROVE_CUTOVER,
    names.CONFIRM_DISCONNECTED,
    names.DISCONNECT_SOURCE_SEGMENT,
    names.UNEXTEND_NETWORK,
    names.VERIFY_DESTINATION_ROUTED,
    names.RECONNECT_SOURCE_SEGMENT,
)
_CLEANUP_STEPS = (names.PROVE_SEGMENT_EMPTY, names.DELETE_SOURCE_SEGMENT, names.RENAME_DESTINATION_SEGMENT)
_WITHOUT_ERROR = ("success", "skipped", "upstream_failed", "removed")
"""States of tasks that have no error to read; reading it costs a call each."""


def collect(run: TaskRun) -> RunResults:
    """Return the results of all tasks of a run; what cannot be read is left out, with a note."""
    return _Collector(run).collect()


def write_report(run: TaskRun) -> tuple[dict[str, str], str]:
    """Write the report of a run, however far it came.

    :returns: the files by kind, with the outcome; and the outcome with one sentence, for the note of the run.
    :raises OSError: if a file cannot be written.
    """
    from hcx_waves.report.build import build_report
    from hcx_waves.report.files import write_report as write_files
    from hcx_waves.report.headline import headline
    from hcx_waves.run.ending import judge

    collector = _Collector(run)
    found = collector.collect()
    report = build_report(found, judge(found))
    paths = write_files(report, reports_folder(), _secrets(run, collector.wave), plan=found.plan)
    written = {**{kind: str(path) for kind, path in paths.items()}, "outcome": report.outcome.value}
    return written, headline(report)


def note_refusal(run: TaskRun, error: RunRefusedError) -> Path:
    """Note beside the reports that a run was refused as a whole, and why; earlier notes stay.

    :returns: the file, ``<wave>/<run>.refused.md``.
    :raises OSError: if it cannot be written.
    """
    from hcx_waves.model.files import file_name

    path = reports_folder() / file_name(run.wave_id) / f"{file_name(run.run_id)}.refused.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        path.chmod(_PRIVATE)
        who = shown(run.started_by or "nobody by hand")
        file.write(
            f"- {instant(SystemClock().now(), seconds=True)}: refused, started by {escape(who)}: {escape(str(error))}\n"
        )
    return path


class _Collector:
    """Reads what tasks have left, and remembers what it could not read."""

    def __init__(self, run: TaskRun) -> None:
        self._run = run
        self._notes: list[str] = []
        self._plan_unreadable = False
        self.wave = self._wave()

    def collect(self) -> RunResults:
        from hcx_waves.run.results import RunResults

        run, wave = self._run, self.wave
        plan, missing = self._plan()
        steps = self._failures(_RUN_STEPS)
        begun_at = run.run_after if wave is None else started_at(run, wave)
        return RunResults(
            wave=run.wave_id,
            run_id=run.run_id,
            rehearsal=run.rehearsal,
            is_cleanup=run.is_cleanup,
            plan=plan,
            plan_missing=missing,
            plan_unreadable=plan is None and self._plan_unreadable,
            scope=self._scope(),
            assessments=self._read(results.ASSESSMENTS),
            forecast=self._read(results.FORECAST),
            gates=() if plan is None else tuple(read_answers(run, plan)),
            started=self._read(results.STARTED),
            started_ids=self._read(results.STARTED_IDS),
            seeded=self._read(results.SEEDED),
            awaited=self._read(results.AWAITED),
            evaluated=self._read(results.EVALUATED),
            verified=self._read(results.VERIFIED),
            segments=() if plan is None else tuple(self._segment(one) for one in plan.segments),
            released=self._read(results.RELEASED),
            cancelled=self._read(results.CANCELLED),
            failures=steps,
            drift=self._drift(plan),
            rescues=self._rescues(begun_at),
            begun_at=begun_at,
            ended_at=run.now(),
            virtual_sites=has_virtual_sites(run, wave),
            notes=tuple(self._notes),
        )

    def _read(self, slot: Slot[T], group: str = "", *, here: bool = False) -> T | None:
        try:
            return self._run.results.read_here(slot, group) if here else self._run.results.read(slot, group)
        except UnreadableResultError as error:
            self._notes.append(str(error))
            return None

    def _rescues(self, begun_at: datetime) -> tuple[RescueEntry, ...]:
        """Return what was done about a live run without Airflow."""
        from hcx_waves.rescue.audit import read_entries

        run = self._run
        try:
            if run.rehearsal or run.is_cleanup:
                return ()
            return read_entries(reports_folder(), run.wave_id, run.run_id, begun_at)
        except (OSError, ValueError) as error:
            self._notes.append(f"the audit of rescues is not complete: {error}")
            return ()

    def _wave(self) -> Wave | None:
        try:
            return read_wave(self._run)
        except (WaveFileError, WaveFileMissingError, RunRefusedError) as error:
            self._notes.append(f"the wave file cannot be read: {error}")
            return None

    def _plan(self) -> tuple[WavePlan | None, str]:
        try:
            return read_plan(self._run), ""
        except PlanMissingError as error:
            self._plan_unreadable = isinstance(error.__cause__, UnreadableResultError)
            return None, str(error)

    def _scope(self) -> Scope:
        from hcx_waves.run.scope import Scope

        try:
            return Scope() if self.wave is None else read_scope(self._run, self.wave)
        except RunRefusedError as error:
            self._notes.append(str(error))
            return Scope()

    def _drift(self, plan: WavePlan | None) -> str | None:
        """Return what has changed since the approval; None if no change is known."""
        drift = self._read(results.DRIFT)
        if drift is not None or self._run.is_cleanup or plan is None or self.wave is None:
            return drift
        changed = self.wave.wave_hash != plan.wave_hash
        return "the wave file has changed since the run was planned" if changed else None

    def _segment(self, segment: PlannedSegment) -> SegmentResults:
        from hcx_waves.run.results import SegmentResults

        run, cutover, cleanup = self._run, names.cutover_group(segment), names.cleanup_group(segment)
        before = len(self._notes)
        acting_since = self._read(results.ACTING_SINCE, cutover)
        steps = {
            "snapshot": self._read(results.SNAPSHOT, cutover),
            "disconnect": self._read(results.DISCONNECTED, cutover),
            "removal": self._read(results.REMOVAL, cutover),
            "routed": self._read(results.ROUTED, cutover),
            "reconnect": self._read(results.RECONNECTED, cutover),
            "awaited": self._read(results.UNEXTENDED, cutover),
        }
        return SegmentResults(
            segment=segment.name,
            acting_since=acting_since,
            unreadable=len(self._notes) > before,
            **steps,
            proof=self._read(results.PROOF, cutover) or self._read(results.PROOF, cleanup, here=True),
            not_due=self._read(results.NOT_DUE, cleanup, here=True),
            deletion=self._read(results.DELETION, cleanup, here=True),
            renaming=self._read(results.RENAMING, cleanup, here=True),
            failures=self._failures(_CLEANUP_STEPS, cleanup) if run.is_cleanup else self._failures(_STEPS, cutover),
        )

    def _failures(self, tasks: Sequence[str], group: str = "") -> tuple[StepFailure, ...]:
        """Return the errors that tasks of this very run have left, in the order of the tasks."""
        ids = {task: f"{group}.{task}" if group else task for task in tasks}
        states = self._run.task_states(list(ids.values()))
        asked = [task for task, task_id in ids.items() if states.get(task_id) not in _WITHOUT_ERROR]
        found = [self._read(results.failure_slot(task), group, here=True) for task in asked]
        return tuple(one for one in found if one is not None)


def has_virtual_sites(run: TaskRun, wave: Wave | None) -> bool:
    """Whether a run by wall time works on sites with a virtual time; no, if its connections cannot be read any more.

    A rehearsal goes by the clock of its twin as a whole.
    """
    if run.rehearsal or wave is None:
        return False
    try:
        return bool(HcxHook.of(hcx_connection_id(wave, rehearsal=False)).extras.simulated)
    except ConnectionSettingsError as error:
        logger.warning("Cannot find out whether the sites are simulated: %s", error)
        return False


def _secrets(run: TaskRun, wave: Wave | None) -> list[str]:
    """Return the passwords of the wave's connections, so that none of them gets into a file."""
    return [] if wave is None else secrets_of(wave, rehearsal=run.rehearsal, twin=run.clock.twin)
