"""What a rehearsal has around the tasks of the wave: the snapshot, the twin, the record of the night, the summary."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from hcx_airflow.common.retries import retry_arguments
from hcx_airflow.hooks.sites import open_sites_for_snapshot
from hcx_airflow.operators.base import WaveOperator
from hcx_airflow.runs.task import OPEN_TWIN, TaskRun
from hcx_waves.clients.errors import ClientError


class RehearsalOperator(WaveOperator):
    """A step of a rehearsal that has no counterpart in the wave itself. It never works on anything but twins."""

    ui_color = "#e9f3e6"
    # Before it has a world, and after the night, a rehearsal has no time of its own; and what fails fails in real time.
    takes_part: ClassVar[bool] = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**retry_arguments(), **kwargs, "rehearsal": True})


class TakeSnapshotOperator(RehearsalOperator):
    """Read the live inventory through ``snapshot_*`` connections, which change nothing; leaves where it is kept.

    A scheduled night always reads it. A backfilled one, and one that is started by hand, takes the latest snapshot of
    the wave, if it is fresh enough and the wave file has not changed since; so 30 backfilled nights read the live site
    once. With the param ``snapshot`` that file is used and nothing is read.

    :raises RunRefusedError: if the run's params or its kind make no sense.
    :raises SnapshotError: if the file cannot be used.
    """

    @override
    def act(self, run: TaskRun) -> dict[str, Any]:
        from hcx_airflow.runs.snapshots import forget_old, fresh_snapshot, one_at_a_time, snapshots_folder
        from hcx_snapshot import load_document

        rehearsal = run.rehearsed
        self.log.info("Rehearses the night of %s, which begins at %s", rehearsal.night, rehearsal.wave.begins_at)
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
                self.log.info("The snapshot %s is fresh enough", found.name)
                return _described(found, load_document(found), "kept")
            taken = self._take(run, folder, now)
            forget_old(folder)
        return taken

    def _take(self, run: TaskRun, folder: Path, now: datetime) -> dict[str, Any]:
        from hcx_airflow.runs.snapshots import snapshot_path
        from hcx_snapshot import save_snapshot, to_document
        from hcx_waves.snapshot import take_snapshot

        with open_sites_for_snapshot(run.rehearsed.file) as clients:
            snapshot = take_snapshot(clients, [run.rehearsed.file], now=now)
        path = snapshot_path(folder, now, run.rehearsed.file.wave_hash)
        save_snapshot(snapshot, path)
        self.log.info("Took %s", path)
        return _described(path, to_document(snapshot), "live")


class OpenTwinOperator(RehearsalOperator):
    """Make the world that this run alone works in, from the snapshot; leaves how the night is rehearsed.

    Begins at the night's beginning, on a clock that moves only when every task of the run waits. Seed, faults and
    reaction times follow from wave, date and params. A world that an earlier try left is replaced.
    """

    @override
    def act(self, run: TaskRun) -> dict[str, Any]:
        from hcx_airflow.hooks.twin import TwinControlHook
        from hcx_airflow.runs.faults import in_force
        from hcx_airflow.runs.twins import (
            TAKE_SNAPSHOT,
            hand_over,
            new_world,
            open_world,
            parameters_of,
            upstream_of,
            used_of,
        )

        rehearsal = run.rehearsed
        snapshot = run.xcom(TAKE_SNAPSHOT)
        parameters = parameters_of(rehearsal)
        with TwinControlHook().client() as control:
            snapshot_id = hand_over(control, snapshot)
            open_world(control, new_world(rehearsal, snapshot_id, parameters), upstream_of(run.context["dag"]))
        opened = {
            "world_id": rehearsal.world_id,
            # Each try makes the world anew; what tasks remember of it is of that world alone.
            "opening": int(run.ti.try_number),
            "night": rehearsal.night.isoformat(),
            "starts_at": rehearsal.wave.begins_at.isoformat(),
            "seed": rehearsal.seed,
            "faults": in_force(rehearsal),
            "snapshot_id": snapshot_id,
            "taken_at": snapshot["taken_at"],
            "reactions": rehearsal.reactions(parameters),
            "params": used_of(run),
        }
        self._say(run, opened)
        return opened

    def _say(self, run: TaskRun, opened: dict[str, Any]) -> None:
        self.log.info("World %s begins at %s; seed %s", opened["world_id"], opened["starts_at"], opened["seed"])
        self.log.info("Faults: %s", ", ".join(opened["faults"]) or "none")
        conf = run.context["dag_run"].conf or {}
        if run.run_type == "backfill" and conf:
            # A backfill without --dag-run-conf that rehearses a night again leaves the run's conf as it was.
            self.log.info("Given with this run, or with an earlier one of the same date: %s", conf)


class CloseTwinOperator(RehearsalOperator):
    """Write the night's record and its timeline, and remove the world; meant as a teardown, so that it always runs.

    Without a twin there is no night: then an earlier record of it stays.
    """

    @override
    def act(self, run: TaskRun) -> dict[str, Any]:
        from hcx_airflow.common.folders import reports_folder
        from hcx_airflow.hooks.twin import TwinControlHook
        from hcx_airflow.runs.twins import night_of, record_of
        from hcx_waves.rehearsals.store import RecordStore

        opened = run.xcom(OPEN_TWIN)
        if opened is None:
            raise AirflowSkipException("there was no twin, so nothing was rehearsed")
        with TwinControlHook().client() as control:
            try:
                record, timeline = record_of(run, night_of(run, opened), control)
                paths = RecordStore(reports_folder()).write(record, timeline)
            except ClientError as error:
                if not error.is_transient:
                    control.delete_world(run.rehearsed.world_id)
                raise
            except Exception:
                control.delete_world(run.rehearsed.world_id)
                raise
            control.delete_world(run.rehearsed.world_id)
        self.log.info("%s: %s", record.night, record.verdict)
        return {"outcome": record.outcome.value, "verdict": record.verdict, **{k: str(v) for k, v in paths.items()}}


class SummariseRehearsalsOperator(RehearsalOperator):
    """Say what all rehearsed nights of the wave say together: as JSON, Markdown and a picture beside its reports."""

    @override
    def act(self, run: TaskRun) -> dict[str, Any]:
        from hcx_airflow.common.folders import reports_folder
        from hcx_waves.rehearsals.files import write_summary
        from hcx_waves.rehearsals.store import RecordError, RecordStore
        from hcx_waves.rehearsals.summary import summarise

        store = RecordStore(reports_folder())
        try:
            summary = summarise(store, run.wave_id)
        except RecordError as error:
            raise AirflowSkipException(str(error)) from error
        paths = write_summary(store, summary)
        self.log.info("%d nights: %s", len(summary.nights), ", ".join(str(path) for path in paths.values()))
        return {kind: str(path) for kind, path in paths.items()}


def _brought_in(path: Path) -> dict[str, Any]:
    """Check a snapshot file that somebody has brought in, and return what it is.

    :raises SnapshotFileError: with everything that is wrong with it.
    """
    from hcx_snapshot import load_document, parse_snapshot

    document = load_document(path)
    parse_snapshot(document, str(path))
    return _described(path, document, "file")


def _described(path: Path, document: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Return where a snapshot is, and which one it is."""
    from hcx_snapshot import identity_of

    return {
        "path": str(path),
        "origin": origin,
        "snapshot_id": identity_of(document).snapshot_id,
        "taken_at": document["taken_at"],
    }
