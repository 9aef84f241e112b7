"""The rehearsal's own tasks: take the snapshot, open the twin, record the night, write the summary."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk.exceptions import AirflowSkipException
from pydantic import JsonValue
from typing_extensions import override

from hcx_airflow import results
from hcx_airflow.errors import RunRefusedError
from hcx_airflow.folders import reports_folder
from hcx_airflow.hooks.sites import open_sites_for_snapshot
from hcx_airflow.hooks.twin import TwinControlHook
from hcx_airflow.names import TAKE_SNAPSHOT
from hcx_airflow.operators.base import WaveOperator
from hcx_airflow.results import Slot
from hcx_airflow.retries import retry_arguments
from hcx_airflow.task import TaskRun
from hcx_airflow.work import read_rehearsal
from hcx_waves.clients.errors import ClientError
from hcx_waves.model.formatting import counted, instant
from hcx_waves.model.outside import shown

if TYPE_CHECKING:
    from hcx_airflow.rehearsal.night import Rehearsal
    from hcx_waves.rehearsals.build import Night
    from hcx_waves.rehearsals.model import RehearsalRecord, Timeline
    from hcx_waves.run.results import OpenedTwin, TakenSnapshot
    from hcx_waves.twin.control import TwinControl


class RehearsalOperator(WaveOperator):
    """A step of a rehearsal that has no counterpart in the wave itself. It never works on anything but twins."""

    ui_color = "#e9f3e6"
    # Before it has a world, and after the night, a rehearsal has no time of its own; and what fails fails in real time.
    takes_part: ClassVar[bool] = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**retry_arguments(), **kwargs, "rehearsal": True})


class TakeSnapshotOperator(RehearsalOperator):
    """Read the live inventory through ``snapshot_*`` connections, which change nothing; stores where the file is.

    A scheduled night always reads it. A backfilled one, and one that is started by hand, takes the latest snapshot of
    the wave, if it is fresh enough and the wave file has not changed since; so 30 backfilled nights read the live site
    once. With the param ``snapshot`` that file is used and nothing is read.

    :raises RunRefusedError: if the run's params or its kind make no sense.
    :raises SnapshotError: if the file cannot be used.
    """

    result: ClassVar[Slot[Any]] = results.TAKEN_SNAPSHOT

    @override
    def act(self, run: TaskRun) -> TakenSnapshot:
        from hcx_airflow.rehearsal.snapshots import forget_old, fresh_snapshot, one_at_a_time, snapshots_folder
        from hcx_snapshot import load_document

        rehearsal = read_rehearsal(run)
        begins = instant(rehearsal.wave.begins_at, rehearsal.file.time_zone)
        self.log.info("Rehearsing the night of %s, from %s", rehearsal.night, begins)
        if rehearsal.params.snapshot is not None:
            return _brought_in(rehearsal.params.snapshot)
        folder = snapshots_folder(run.wave_id)
        with one_at_a_time(folder):
            now = datetime.now(UTC)
            oldest = timedelta(hours=rehearsal.params.snapshot_max_age_hours)
            found = (
                None if run.run_type == "scheduled" else fresh_snapshot(folder, now, oldest, rehearsal.file.wave_hash)
            )
            if found is not None:
                self.log.info("Using the stored snapshot %s", found.name)
                return _taken(found, load_document(found), "kept")
            taken = self._take(rehearsal, folder, now)
            forget_old(folder)
        return taken

    def _take(self, rehearsal: Rehearsal, folder: Path, now: datetime) -> TakenSnapshot:
        from hcx_airflow.rehearsal.snapshots import snapshot_path
        from hcx_snapshot import save_snapshot, to_document
        from hcx_waves.snapshot import take_snapshot

        with open_sites_for_snapshot(rehearsal.file) as clients:
            snapshot = take_snapshot(clients, [rehearsal.file], now=now)
        path = snapshot_path(folder, now, rehearsal.file.wave_hash)
        save_snapshot(snapshot, path)
        self.log.info("Took the snapshot %s", path)
        return _taken(path, to_document(snapshot), "live")


class OpenTwinOperator(RehearsalOperator):
    """Make the world that only this run works in, from the snapshot; stores how the night is rehearsed.

    Begins at the night's beginning, on a clock that moves only when every task of the run waits. Seed, faults and
    reaction times follow from wave, date and params. A world that an earlier try left is replaced.
    """

    result: ClassVar[Slot[Any]] = results.OPENED_TWIN

    @override
    def act(self, run: TaskRun) -> OpenedTwin:
        from hcx_airflow.gates.rehearsed import draw_reactions
        from hcx_airflow.rehearsal.faults import in_force
        from hcx_airflow.rehearsal.twin import hand_over, new_world, open_world, parameters_of, upstream_of
        from hcx_waves.run.results import OpenedTwin

        rehearsal = read_rehearsal(run)
        snapshot = run.results.read(results.TAKEN_SNAPSHOT)
        if snapshot is None:
            raise RunRefusedError(f"{TAKE_SNAPSHOT} has stored no snapshot. Clear it to take one")
        parameters = parameters_of(rehearsal)
        with TwinControlHook().client() as control:
            snapshot_id = hand_over(control, snapshot)
            open_world(control, new_world(rehearsal, snapshot_id, parameters), upstream_of(run.context["dag"]))
        opened = OpenedTwin(
            world_id=rehearsal.world_id,
            # Each try makes the world anew; what tasks remember of it is of that world alone.
            opening=int(run.ti.try_number),
            night=rehearsal.night,
            starts_at=rehearsal.wave.begins_at,
            seed=rehearsal.seed,
            faults=tuple(in_force(rehearsal)),
            snapshot_id=snapshot_id,
            taken_at=snapshot.taken_at,
            reactions=draw_reactions(rehearsal, parameters),
            params=json.loads(json.dumps(dict(run.params), default=str)),
        )
        self._say(run, opened)
        return opened

    def _say(self, run: TaskRun, opened: OpenedTwin) -> None:
        self.log.info("World %s begins at %s; seed %s", opened.world_id, instant(opened.starts_at), opened.seed)
        self.log.info("Faults: %s", ", ".join(opened.faults) or "none")
        if run.run_type == "backfill" and run.conf:
            # A backfill without --dag-run-conf that rehearses a night again leaves the run's conf as it was.
            self.log.info("Conf of this run, or of an earlier run of the same date: %s", shown(run.conf))


class CloseTwinOperator(RehearsalOperator):
    """Write the night's record and its timeline, and remove the world; meant as a teardown, so that it always runs.

    Without a twin there is no night: then an earlier record of it stays.
    """

    result: ClassVar[Slot[Any]] = results.CLOSED_TWIN

    @override
    def act(self, run: TaskRun) -> dict[str, str]:
        from hcx_waves.rehearsals.store import RecordStore

        opened = run.results.read(results.OPENED_TWIN)
        if opened is None:
            raise AirflowSkipException("no twin was opened, so nothing was rehearsed")
        with TwinControlHook().client() as control:
            try:
                record, timeline = _record(run, opened, control)
                paths = RecordStore(reports_folder()).write(record, timeline)
            except ClientError as error:
                if not error.is_transient:
                    control.delete_world(opened.world_id)
                raise
            except Exception:
                control.delete_world(opened.world_id)
                raise
            control.delete_world(opened.world_id)
        self.log.info("%s: %s", record.night, record.verdict)
        return {"outcome": record.outcome.value, "verdict": record.verdict, **{k: str(v) for k, v in paths.items()}}


class SummariseRehearsalsOperator(RehearsalOperator):
    """Summarise all rehearsed nights of the wave: as JSON, Markdown and a picture beside its reports."""

    result: ClassVar[Slot[Any]] = results.SUMMARY

    @override
    def act(self, run: TaskRun) -> dict[str, str]:
        from hcx_waves.rehearsals.files import write_summary
        from hcx_waves.rehearsals.store import RecordError, RecordStore
        from hcx_waves.rehearsals.summary import summarise

        store = RecordStore(reports_folder())
        try:
            summary = summarise(store, run.wave_id)
        except RecordError as error:
            raise AirflowSkipException(str(error)) from error
        paths = write_summary(store, summary)
        self.log.info(
            "Summary of %s: %s", counted(len(summary.nights), "night"), ", ".join(str(path) for path in paths.values())
        )
        return {kind: str(path) for kind, path in paths.items()}


def _record(run: TaskRun, opened: OpenedTwin, control: TwinControl) -> tuple[RehearsalRecord, Timeline]:
    """Return the record and the timeline of a rehearsed night."""
    from hcx_airflow.reports import collect
    from hcx_waves.rehearsals.build import build_record, build_timeline
    from hcx_waves.rehearsals.truth import truth_of, twin_events
    from hcx_waves.report.build import build_report
    from hcx_waves.run.ending import judge

    truth = truth_of(control.oracle(opened.world_id), control.audit(opened.world_id, kind="note"))
    found = collect(run)
    report = build_report(found, judge(found))
    night = _night(run, opened)
    timeline = build_timeline(night, report, truth, twin_events(control.timeline(opened.world_id)))
    return build_record(night, found, report, truth), timeline


def _night(run: TaskRun, opened: OpenedTwin) -> Night:
    """Return which night was rehearsed, and how, from what ``open_twin`` has left: not from what is set by now."""
    from hcx_waves.rehearsals.build import Night
    from hcx_waves.rehearsals.model import SnapshotRef

    return Night(
        wave=run.wave_id,
        night=opened.night,
        time_zone=read_rehearsal(run).file.time_zone,
        seed=opened.seed,
        starts_at=opened.starts_at,
        snapshot=SnapshotRef(snapshot_id=opened.snapshot_id, taken_at=opened.taken_at),
        faults=opened.faults,
        params=opened.params,
        reactions={task_id: seconds for task_id, seconds in opened.reactions.items() if seconds is not None},
        forecast=run.results.read_if_possible(results.FORECAST),
        recorded_at=datetime.now(UTC),
    )


def _brought_in(path: Path) -> TakenSnapshot:
    """Check a snapshot file that a user has brought in, and return what it is.

    :raises SnapshotFileError: with everything that is wrong with it.
    """
    from hcx_snapshot import load_document, parse_snapshot

    document = load_document(path)
    parse_snapshot(document, str(path))
    return _taken(path, document, "file")


def _taken(path: Path, document: Mapping[str, JsonValue], origin: str) -> TakenSnapshot:
    """Return where a snapshot is, and which one it is."""
    from hcx_snapshot import identity_of
    from hcx_waves.run.results import TakenSnapshot

    return TakenSnapshot(
        path=str(path), origin=origin, snapshot_id=identity_of(document).snapshot_id, taken_at=document["taken_at"]
    )
