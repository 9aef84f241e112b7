"""Read the ledgers of a wave's live runs: what the tasks have begun, and what they have kept for later tries.

The Airflow layer writes them (`hcx_airflow.ledger`): one file per run below the state folder, one JSON object a line.
What is kept is readable without the signing key. Whoever can write the file can mislead a reader, so the folder
belongs to the account of Airflow alone.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, ConfigDict, JsonValue, TypeAdapter, ValidationError

from hcx_waves.cutover.extension import Removal
from hcx_waves.model.base import DomainModel, without_unknown
from hcx_waves.model.bounded_json import UnreadableJsonError, read_bounded, read_json
from hcx_waves.run.results import StartedIds

FOLDER = "ledger"
# Groups and keys are a wire format of the Airflow layer; a test compares them. No two tasks of a group keep something
# under the same key.
GROUP_PREFIX = "cutover_"
CLEANUP_GROUP_PREFIX, CLEANUP_DAG_PREFIX = "cleanup_", "cleanup__"
SNAPSHOT, REMOVAL, STARTED, DEFINITION = "snapshot", "removal", "started", "definition"
RECONNECTED = "reconnected"
"""Noted by a way back of a segment: its source gateway is on again, so no earlier approval of its cutover counts."""
RECOVERED = "recovered"
"""Kind of a line that a way back has written, and no task of the run."""
SINCE_SUFFIX = "_since"
"""Of the key of the last instant at which the source gateway was certainly on."""
SEAL, VALUE = "hcx_seal", "value"
_MOST_BYTES = 256 * 1024 * 1024


class LedgerLine(DomainModel):
    """What is read of a line."""

    model_config = ConfigDict(extra="ignore")

    kind: str
    dag_id: str
    run_id: str
    task_id: str
    at: AwareDatetime
    key: str = ""
    kept: JsonValue = None


@dataclass
class RunLedger:
    """What a run's ledger holds.

    :param damaged: lines that cannot be read; what they would have said is not known.
    """

    path: Path
    run_id: str
    damaged: list[int] = field(default_factory=list)
    begun: list[tuple[datetime, str]] = field(default_factory=list)
    """When tasks began, and which."""
    kept: dict[tuple[str, str], Any] = field(default_factory=dict)
    """By group and key; None is what was taken back."""
    last_at: datetime | None = None

    def take(self, line: LedgerLine) -> None:
        """Take one line in."""
        self.last_at = line.at
        if line.kind == "begun":
            self.begun.append((line.at, line.task_id))
        elif line.kind == "left" and line.kept is not None:
            self.kept[line.task_id.rpartition(".")[0], line.key] = _content(line.kept)

    def started(self) -> StartedIds | None:
        """Return the migrations that the run has started; None if it says nothing that can be read."""
        found: StartedIds | None = _read(StartedIds, self.kept.get(("", STARTED)))
        return found

    def snapshot(self, key: str) -> dict[str, Any] | None:
        """Return how a segment's source gateway was defined before it was switched off."""
        found = self.kept.get((f"{GROUP_PREFIX}{key}", SNAPSHOT))
        return found if isinstance(found, dict) else None

    def definition(self, key: str) -> dict[str, Any] | None:
        """Return, of a cleanup, how a source segment was defined right before it was deleted."""
        found = self.kept.get((f"{CLEANUP_GROUP_PREFIX}{key}", DEFINITION))
        return found if isinstance(found, dict) else None

    def acting_since(self, key: str) -> datetime | None:
        """Return the last instant at which the source gateway was certainly on, before it was switched off."""
        group = f"{GROUP_PREFIX}{key}"
        kept = [value for (of, name), value in self.kept.items() if of == group and name.endswith(SINCE_SUFFIX)]
        found: datetime | None = _read(AwareDatetime, kept[-1]) if kept else None
        return found

    def removal(self, key: str) -> tuple[Removal | None, bool]:
        """Return what HCX was asked to unextend, and whether that is certain: also that it was not asked."""
        kept = self.kept.get((f"{GROUP_PREFIX}{key}", REMOVAL))
        found: Removal | None = _read(Removal, kept)
        return found, found is not None or (kept is None and not self.damaged)


def read_ledgers(state: Path, dag_id: str) -> tuple[list[RunLedger], list[str]]:
    """Return the ledgers of a DAG's live runs, the one that was written last first; and what cannot be read.

    :param dag_id: the wave, or the wave's name with :data:`CLEANUP_DAG_PREFIX`.
    """
    found, problems = [], []
    try:
        paths = sorted((state / FOLDER).glob("*.jsonl"))
    except OSError as error:
        return [], [f"{state / FOLDER}: cannot be read: {error.strerror or error}"]
    for path in paths:
        try:
            ledger = _ledger(path, dag_id)
        except (OSError, UnreadableJsonError) as error:
            problems.append(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}")
            continue
        if ledger is not None:
            found.append(ledger)
    return sorted(found, key=lambda one: (one.last_at is not None, one.last_at), reverse=True), problems


def note_recovery(ledger: RunLedger, wave: str, subject: str, key: str, at: datetime, kept: JsonValue = None) -> None:
    """Note in a run's ledger what a way back is about to do, or has done; it is on the disk when this returns.

    :param subject: the group of a segment, the name of a VM, or empty for the whole run.
    :param key: what it is for the run's own tasks.
    :raises OSError: if it cannot be written.
    """
    line: dict[str, JsonValue] = {
        "kind": RECOVERED, "dag_id": wave, "run_id": ledger.run_id, "task_id": subject, "ti_id": "", "try_number": 0,
        "generation": "", "at": at.isoformat(), "key": key, "kept": kept,
    }  # fmt: skip
    with os.fdopen(os.open(ledger.path, os.O_WRONLY | os.O_APPEND), "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(json.dumps(line).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _ledger(path: Path, dag_id: str) -> RunLedger | None:
    """Return a run's ledger, None if it is another DAG's; its name does not tell."""
    ledger = None
    damaged = []
    for number, text in enumerate(read_bounded(path, _MOST_BYTES).splitlines(), 1):
        try:
            line = LedgerLine.model_validate(read_json(text))
        except ValueError:
            damaged.append(number)
            continue
        if line.dag_id != dag_id:
            return None
        ledger = ledger or RunLedger(path, line.run_id, damaged)
        ledger.take(line)
    return ledger


def _content(kept: JsonValue) -> Any:
    """Return what was kept, without its seal."""
    if not isinstance(kept, Mapping):
        return kept
    rest = {name: value for name, value in kept.items() if name != SEAL}
    return rest[VALUE] if set(rest) == {VALUE} else rest


def _read(form: Any, content: Any) -> Any:
    if content is None:
        return None
    adapter: TypeAdapter[Any] = TypeAdapter(form)
    try:
        return adapter.validate_python(content)
    except ValidationError as error:
        known = without_unknown(content, error)
        return None if known is None else _read(form, known)
