"""What the files on this machine say of a wave's run: plan, ledger, report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hcx_waves.cutover.extension import Removal
from hcx_waves.model.bounded_json import UnreadableJsonError
from hcx_waves.model.files import file_name
from hcx_waves.model.plan import PlannedSegment, WavePlan
from hcx_waves.report.files import read_report
from hcx_waves.report.model import SegmentRow, WaveReport
from hcx_waves.rescue.ledgers import CLEANUP_DAG_PREFIX, RunLedger, read_ledgers
from hcx_waves.rescue.plans import PlanFileError, plan_path, read_plan_file


@dataclass(frozen=True)
class SegmentRecord:
    """What is recorded of a segment's cutover.

    :param removal: what HCX was asked to unextend, by the latest run that asked.
    :param is_certain: whether it is certain what HCX was asked, also if it was not.
    :param off_after: the last instant at which the source gateway was certainly on.
    :param definition: of the source segment right before a cleanup deleted it; else as it was before the cutover.
    """

    snapshot: Mapping[str, Any] | None = None
    removal: Removal | None = None
    is_certain: bool = False
    off_after: datetime | None = None
    definition: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Records:
    """All records of a run.

    :param run_id: empty if no record tells.
    :param ledgers: of all runs of the wave, the chosen run's first.
    :param cleanups: ledgers of the wave's cleanups, the newest first.
    :param notes: what was found where, and what cannot be read.
    """

    run_id: str = ""
    plan: WavePlan | None = None
    ledgers: tuple[RunLedger, ...] = ()
    report: WaveReport | None = None
    cleanups: tuple[RunLedger, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def recorded_ids(self) -> dict[str, str]:
        """The migration ids that the run has recorded, by VM."""
        started = self.ledgers[0].started() if self.ledgers else None
        return {} if started is None else dict(started.migration_ids)

    def segment(self, planned: PlannedSegment) -> SegmentRecord:
        """Return what is recorded of a segment."""
        row = self._row(planned.name)
        ledger = self.ledgers[0] if self.ledgers else None
        removal, certain = self._removal(planned)
        snapshot = None if ledger is None else ledger.snapshot(planned.key)
        since = None if ledger is None else ledger.acting_since(planned.key)
        if row is not None and row.disconnect is not None:
            snapshot = snapshot or row.disconnect.snapshot
            since = since or row.disconnect.last_not_at
        removal = removal or (row.removal if row is not None else None)
        deleted = (one.definition(planned.key) for one in self.cleanups)
        definition = next((one for one in deleted if one is not None), None) or snapshot
        return SegmentRecord(snapshot, removal, certain or removal is not None, since, definition)

    def _removal(self, planned: PlannedSegment) -> tuple[Removal | None, bool]:
        """Return what HCX was asked: an earlier run's unextend of this extension may still be under way."""
        certain = bool(self.ledgers)
        for ledger in self.ledgers:
            removal, known = ledger.removal(planned.key)
            certain = certain and known
            if removal is not None and removal.extension_id == planned.extension_id:
                return removal, True
        return None, certain

    def _row(self, name: str) -> SegmentRow | None:
        rows = () if self.report is None else self.report.segments
        return next((one for one in rows if one.segment == name), None)


def read_records(wave: str, state: Path, reports: Path, *, run_id: str = "", plan_file: Path | None = None) -> Records:
    """Read what is recorded of a run of a wave; what is missing or cannot be read is told in ``notes``.

    :param run_id: of the run; the one whose ledger was written last unless given.
    :param plan_file: in place of the plan in the state folder.
    :raises PlanFileError: if ``plan_file`` is given and cannot be used.
    """
    ledgers, notes = read_ledgers(state, wave)
    chosen = next((one for one in ledgers if run_id in ("", one.run_id)), None)
    given = None if plan_file is None else _given_plan(plan_file, wave)
    run = run_id or (chosen.run_id if chosen is not None else "") or (given[0] if given is not None else "")
    ordered = [*([chosen] if chosen is not None else []), *(one for one in ledgers if one is not chosen)]
    if chosen is None:
        notes.append(f"no ledger of {'run ' + run_id if run_id else 'a run'} of this wave below {state / 'ledger'}")
        ordered = []
    else:
        notes.extend(_notes_of(chosen))
    plan = given[1] if given is not None else _kept_plan(state, wave, run, notes)
    cleanups, unread = read_ledgers(state, f"{CLEANUP_DAG_PREFIX}{wave}")
    notes += [one for one in unread if one not in notes]
    return Records(run, plan, tuple(ordered), _report(reports, wave, run, notes), tuple(cleanups), tuple(notes))


def find_wave(state: Path, run_id: str) -> str | None:
    """Return the wave of a run, by its plan file; None if there is none."""
    for path in sorted((state / "plans").glob(f"*/{file_name(run_id)}.json")):
        try:
            found = read_plan_file(path)
        except PlanFileError:
            continue
        if found.run_id == run_id:
            return found.plan.wave
    return None


def _given_plan(path: Path, wave: str) -> tuple[str, WavePlan]:
    found = read_plan_file(path)
    if found.plan.wave != wave:
        raise PlanFileError(f"{path}: is a plan of wave {found.plan.wave}, not of {wave}")
    return found.run_id, found.plan


def _kept_plan(state: Path, wave: str, run_id: str, notes: list[str]) -> WavePlan | None:
    if not run_id:
        return None
    path = plan_path(state, wave, run_id)
    try:
        found = read_plan_file(path)
    except PlanFileError as error:
        notes.append(f"no plan of the run on disk: {error}")
        return None
    return found.plan if (found.run_id, found.plan.wave) == (run_id, wave) else None


def _report(reports: Path, wave: str, run_id: str, notes: list[str]) -> WaveReport | None:
    path = reports / file_name(wave) / f"{file_name(run_id)}.json"
    if not run_id or not path.is_file():
        return None
    try:
        found = read_report(path)
    except (OSError, UnreadableJsonError, ValidationError):
        notes.append(f"{path}: cannot be read")
        return None
    return None if found.rehearsal else found


def _notes_of(ledger: RunLedger) -> list[str]:
    begun_at, task = ledger.begun[-1] if ledger.begun else (ledger.last_at, "")
    last = f"; the last task to begin was {task}, at {begun_at:%H:%M:%S %Z}" if task and begun_at else ""
    notes = [f"ledger of run {ledger.run_id}: {ledger.path}{last}"]
    if ledger.damaged:
        notes.append(f"{ledger.path}: lines that cannot be read: {', '.join(map(str, ledger.damaged))}")
    return notes
