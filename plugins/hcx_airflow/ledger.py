"""The ledger of a live run: what its tasks have begun, left and used, where no user of Airflow can write.

A seal says who has left a value; it cannot say whether that still holds. A run that was deleted and made again has the
same id, and an older value of the same run has a valid seal, too. The ledger knows: which trace ids the run has had,
which task instance of each task was the last to begin, which values it has left, and which approvals were used.

One file per run below ``ledger/`` of the state folder, which all workers and triggerers share. Lines are added, never
changed.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import IO, Any, Literal

from pydantic import AwareDatetime, ConfigDict, JsonValue

from hcx_airflow.clock.base import SystemClock
from hcx_airflow.errors import LedgerError, RunRefusedError, UntrustedResultError
from hcx_airflow.folders import STATE_VARIABLE, state_folder
from hcx_airflow.seal import Seal, Writer
from hcx_waves.model.base import DomainModel
from hcx_waves.model.bounded_json import read_json

FOLDER = "ledger"
_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600


class Line(DomainModel):
    """One line: what a task instance has begun, left or used, or a way back has done about the run.

    Fields are added, never renamed.
    """

    model_config = ConfigDict(extra="ignore")

    kind: Literal["begun", "left", "used", "recovered"]
    dag_id: str
    run_id: str
    task_id: str
    ti_id: str
    try_number: int
    generation: str
    clear_number: int | None = None
    at: AwareDatetime
    key: str = ""
    """Of what was left."""
    code: str = ""
    """Of what was left, or of the approval that was used."""
    kept: JsonValue = None
    """What was left itself, if later tries are to find it here."""


@dataclass
class Entries:
    """What a ledger holds, in the order in which it was written."""

    generations: dict[str, int] = field(default_factory=dict)
    """The number of the line in which each first appears."""
    begun: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By task: the id and the try of the task instance that was the last to begin."""
    tries: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By task: its trace id, and how often it has begun with that, which is since it was last cleared."""
    left: dict[tuple[str, str], dict[str, tuple[str, int, Any]]] = field(default_factory=dict)
    """By task and key: code of each value, with task instance, number of the line and, if it is kept, the value."""
    used: dict[str, set[str]] = field(default_factory=dict)
    """By code of an approval: the tasks that have used it."""
    last_uses: dict[str, int] = field(default_factory=dict)
    """By task: the number of the line in which it last used an approval for the first time."""

    recovered: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)
    """What ways back have done last, by subject (the group of a segment, a VM) and key: number of the line, what is
    kept of it."""

    def knew(self, generation: str, seal: Seal) -> bool:
        """Whether the run had a trace id already when a value was left."""
        value = self.left.get((seal.task_id, seal.key), {}).get(seal.code)
        return value is not None and self.generations.get(generation, value[1]) < value[1]

    def has_left(self, task_id: str, key: str) -> bool:
        """Whether the last try of a task has left a value: one that was only marked success has left none."""
        last = self.begun.get(task_id)
        return last is not None and any(value[0] == last[0] for value in self.left.get((task_id, key), {}).values())

    def require_last(self, made: Seal, *, kept: bool) -> None:
        """Refuse a value that the ledger does not know, or that a later try of its task has made void.

        :raises UntrustedResultError: saying which.
        """
        values = self.left.get((made.task_id, made.key), {})
        if made.code not in values:
            raise UntrustedResultError(
                "the ledger of its run does not know it: it is from a run that was deleted, or the workers do not "
                "share their state folder"
            )
        last = list(values)[-1]
        if kept and last != made.code:
            raise UntrustedResultError("the task has left another one since: somebody has put an older one back")
        if not kept and self.begun.get(made.task_id, ("", 0))[0] != made.ti_id:
            raise UntrustedResultError("it is from an earlier try of the task: somebody has put it back")

    def require_none_left(self, task_id: str, key: str) -> None:
        """Refuse that a result is not there although the last try of its task has left one.

        Else whoever may delete an XCom could make a step believe that there was nothing: no blocked segment, no reason
        to leave a segment alone, nothing to wait for.

        :raises UntrustedResultError: if so.
        """
        if self.has_left(task_id, key):
            raise UntrustedResultError("its task has left one, and it is gone: somebody has deleted it")

    def is_newer(self, task_id: str, key: str, *, than_use_by: str) -> bool:
        """Whether a value was left after another task has last used an approval that it had not used before."""
        lines = [value[1] for value in self.left.get((task_id, key), {}).values()]
        return bool(lines) and max(lines) > self.last_uses.get(than_use_by, 0)

    def is_recovered(self, subject: str, key: str, *, since_use_by: str) -> bool:
        """Whether a way back has done something after a task has last used an approval that it had not used before."""
        return self.recovered.get((subject, key), (0, None))[0] > self.last_uses.get(since_use_by, 0)

    def take(self, number: int, line: Line) -> None:
        """Take one line in."""
        if line.kind == "recovered":
            # Written by another run, or by the command: it has no part in which task instances this run has had.
            self.recovered[line.task_id, line.key] = (number, line.kept)
            return
        self.generations.setdefault(line.generation, number)
        if line.kind == "begun":
            self.begun[line.task_id] = (line.ti_id, line.try_number)
            generation, tries = self.tries.get(line.task_id, ("", 0))
            self.tries[line.task_id] = (line.generation, tries + 1 if generation == line.generation else 1)
        elif line.kind == "left":
            values = self.left.setdefault((line.task_id, line.key), {})
            values.pop(line.code, None)
            values[line.code] = (line.ti_id, number, line.kept)
        else:
            self.used.setdefault(line.code, set()).add(line.task_id)
            self.last_uses[line.task_id] = number


class Ledger:
    """The ledger of one run.

    :param dag_id: of the run.
    """

    def __init__(self, dag_id: str, run_id: str) -> None:
        self.dag_id, self.run_id = dag_id, run_id
        name = sha256(f"{dag_id}\n{run_id}".encode()).hexdigest()[:40]
        self.path = state_folder() / FOLDER / f"{name}.jsonl"
        self._known, self._lines, self._offset = Entries(), 0, 0

    def begin(self, writer: Writer) -> None:
        """Record that a task instance has begun; what earlier ones of that task have left is void, unless it is kept.

        :raises RunRefusedError: if another run had this id before.
        :raises LedgerError: if the ledger cannot be used.
        """
        with self._open() as file:
            entries = self._entries(file)
            self._refuse_another_run(writer, entries)
            if entries.begun.get(writer.task_id) != (writer.ti_id, writer.try_number):
                self._add(file, writer, "begun")

    def leave(self, writer: Writer, seal: Seal, kept: JsonValue = None) -> None:
        """Record that a task has left a value.

        :param kept: the sealed value itself, if later tries are to find it here.
        :raises LedgerError: if the ledger cannot be used.
        """
        with self._open() as file:
            self._add(file, writer, "left", key=seal.key, code=seal.code, kept=kept, at_once=kept is not None)

    def use(self, writer: Writer, seal: Seal) -> None:
        """Record that a step is about to act on an approval.

        :raises LedgerError: if the ledger cannot be used.
        """
        with self._open() as file:
            users = self._entries(file).used.get(seal.code, set())
            if writer.task_id not in users:
                self._add(file, writer, "used", code=seal.code, at_once=not users)

    def read(self) -> Entries:
        """Return what it holds.

        :raises LedgerError: if it cannot be read.
        """
        with self._open() as file:
            return self._entries(file)

    @contextmanager
    def _open(self) -> Iterator[IO[bytes]]:
        try:
            self.path.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, _PRIVATE_FILE)
            with os.fdopen(descriptor, "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield file
        except OSError as error:
            raise LedgerError(
                f"the ledger of this run, {self.path}, cannot be used: {error.strerror or error}. Nothing was changed. "
                f"Make the folder usable on all workers and triggerers ({STATE_VARIABLE}), then clear this task"
            ) from error

    def _entries(self, file: IO[bytes]) -> Entries:
        """Return what it holds; reads what was added since the last time."""
        file.seek(self._offset)
        for text in file:
            self._lines += 1
            try:
                line = Line.model_validate(read_json(text))
                if (line.dag_id, line.run_id) != (self.dag_id, self.run_id):
                    raise ValueError(line.run_id)
                self._known.take(self._lines, line)
            except ValueError:
                raise LedgerError(
                    f"line {self._lines} of the ledger of this run, {self.path}, cannot be read. Nothing was changed. "
                    "Find out what has damaged it; start a new run, which adopts what is under way"
                ) from None
            self._offset += len(text)
        return self._known

    def _add(
        self,
        file: IO[bytes],
        writer: Writer,
        kind: Literal["begun", "left", "used"],
        *,
        key: str = "",
        code: str = "",
        kept: JsonValue = None,
        at_once: bool = False,
    ) -> None:
        """Add a line.

        :param at_once: whether it must be on the disk before anything is done: that an approval is used, and what later
            tries need. The other lines follow with the next of these; without them a step refuses, and that is safe. In
            an outage each wait for a disk counts.
        """
        line = Line(
            kind=kind,
            dag_id=self.dag_id,
            run_id=self.run_id,
            task_id=writer.task_id,
            ti_id=writer.ti_id,
            try_number=writer.try_number,
            generation=writer.generation,
            clear_number=writer.clear_number,
            at=SystemClock().now(),
            key=key,
            code=code,
            kept=kept,
        )
        text = line.model_dump_json(exclude_defaults=True).encode()
        if kept is not None:
            self._require_readable(text)
        file.write(text + b"\n")
        file.flush()
        if at_once:
            os.fdatasync(file.fileno())

    def _require_readable(self, text: bytes) -> None:
        """Refuse to write what could not be read again: products choose some of what is kept, and how deep it is.

        :raises LedgerError: if so; before anything is changed, and before it would keep the way back from being gone.
        """
        try:
            read_json(text)
        except ValueError as error:
            raise LedgerError(
                f"what this task has to keep in {self.path} could not be read again: {error}. Nothing was changed. "
                "Look at what the product answers"
            ) from None

    def _refuse_another_run(self, writer: Writer, entries: Entries) -> None:
        """Refuse a run whose id another one had: it was deleted, and made again with the same id.

        Airflow gives a new trace id to a run when it is made and at each clear, so a run has had one more than it was
        cleared at most.
        """
        if not writer.generation:
            raise RunRefusedError(
                f"Airflow gives {writer.task_id} no trace id (context_carrier), by which this run differs from another "
                "one of the same id. Nothing was changed. Start a new run"
            )
        known = {*entries.generations, writer.generation}
        ti_id, try_number = entries.begun.get(writer.task_id, ("", 0))
        again = writer.ti_id != ti_id and writer.try_number <= try_number
        if again or (writer.clear_number is not None and len(known) > writer.clear_number + 1):
            raise RunRefusedError(
                f"there was a run {self.run_id} of {self.dag_id} before: it was deleted, and this one was made with "
                "its id. Nothing was changed. Start a run with another id. (If Airflow's database was made anew, "
                f"remove {self.path} first)"
            )
