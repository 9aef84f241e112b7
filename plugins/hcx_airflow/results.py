"""Read and write the results of tasks: sealed XComs and state stores in Airflow, typed models here.

No other module reads or writes an XCom by its key. What is read has been left by the task that it is from, in this run,
in the last of its tries: see :mod:`hcx_airflow.seal` and :mod:`hcx_airflow.ledger`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import AwareDatetime, JsonValue, TypeAdapter, ValidationError

from hcx_airflow import names
from hcx_airflow.documents import Document
from hcx_airflow.errors import UnreadableResultError
from hcx_airflow.ledger import Entries, Ledger
from hcx_airflow.seal import Place, Sealed, Writer, decoded, decoding, naming, open_sealed, seal, unreadable
from hcx_waves.model.base import problems_in, without_unknown

if TYPE_CHECKING:
    from datetime import datetime

    from hcx_waves.cutover.cleanup import Deletion, Renaming
    from hcx_waves.cutover.emptiness import EmptyProof
    from hcx_waves.cutover.extension import Removal
    from hcx_waves.cutover.gateway import DisconnectResult
    from hcx_waves.migration.cancel import CancelReport
    from hcx_waves.model.expectation import Expectation
    from hcx_waves.model.findings import Assessments
    from hcx_waves.model.plan import WavePlan
    from hcx_waves.rescue.recovery import Recovery, RecoveryResult
    from hcx_waves.run.decisions import Decision
    from hcx_waves.run.failures import StepFailure
    from hcx_waves.run.results import (
        Evaluation,
        MigrationsWait,
        OpenedTwin,
        ReconnectResult,
        Released,
        RoutedResult,
        RunEnding,
        ShownForecast,
        StartedIds,
        StartedMigrations,
        TakenSnapshot,
        UnextendStarted,
        UnextendWait,
        Verification,
    )

_MOST_PROBLEMS = 3
logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class Slot(Generic[T]):
    """A place for one result.

    :param task: the task that leaves it, without its group.
    :param form: its type; below ``hcx_waves`` as a path, which is imported by the first read alone, as that imports
        the clients.
    :param key: of the XCom.
    :param kept: whether it is for later tries as well; then a live run reads it from the ledger, which no user of
        Airflow can write, and the XCom is for the eye alone.
    """

    task: str
    form: Any
    key: str = names.RETURN_VALUE
    kept: bool = False


TEXT, TEXTS, FLAG, INSTANT, DOCUMENT = str, tuple[str, ...], bool, AwareDatetime, dict[str, JsonValue]
PATHS = dict[str, str]

PLAN: Slot[WavePlan] = Slot(names.RESOLVE_PLAN, "model.plan.WavePlan")
ASSESSMENTS: Slot[Assessments] = Slot(names.RUN_PREFLIGHT, "model.findings.Assessments")
FORECAST: Slot[Expectation] = Slot(names.RUN_PREFLIGHT, "model.expectation.Expectation", names.FORECAST)
NO_FORECAST: Slot[str] = Slot(names.RUN_PREFLIGHT, TEXT, names.NO_FORECAST)
FORECAST_SHOWN: Slot[ShownForecast] = Slot(
    names.RUN_PREFLIGHT, "run.results.ShownForecast", names.FORECAST_SHOWN, kept=True
)
STARTED: Slot[StartedMigrations] = Slot(names.START_MIGRATIONS, "run.results.StartedMigrations")
STARTED_IDS: Slot[StartedIds] = Slot(names.START_MIGRATIONS, "run.results.StartedIds", names.STARTED, kept=True)
DRIFT: Slot[str] = Slot(names.START_MIGRATIONS, TEXT, names.DRIFT)
SEEDED: Slot[MigrationsWait] = Slot(names.AWAIT_SEEDED, "run.results.MigrationsWait")
RELEASED: Slot[Released] = Slot(names.RELEASE_SWITCHOVERS, "run.results.Released")
RELEASED_SO_FAR: Slot[tuple[str, ...]] = Slot(names.RELEASE_SWITCHOVERS, TEXTS, names.RELEASED, kept=True)
AWAITED: Slot[MigrationsWait] = Slot(names.AWAIT_MIGRATIONS, "run.results.MigrationsWait")
EVALUATED: Slot[Evaluation] = Slot(names.EVALUATE_MIGRATIONS, "run.results.Evaluation")
VERIFIED: Slot[Verification] = Slot(names.VERIFY_VIRTUAL_MACHINES, "run.results.Verification")
PROOF: Slot[EmptyProof] = Slot(names.PROVE_SEGMENT_EMPTY, "cutover.emptiness.EmptyProof")
NOT_DUE: Slot[str] = Slot(names.PROVE_SEGMENT_EMPTY, TEXT, names.NOT_DUE)
SNAPSHOT: Slot[Document] = Slot(names.DISCONNECT_SOURCE_SEGMENT, DOCUMENT, names.SNAPSHOT, kept=True)
WAY_BACK: Slot[WavePlan] = Slot(names.DISCONNECT_SOURCE_SEGMENT, "model.plan.WavePlan", names.WAY_BACK, kept=True)
ACTING_SINCE: Slot[datetime] = Slot(names.DISCONNECT_SOURCE_SEGMENT, INSTANT, names.ACTING_SINCE, kept=True)
DISCONNECTED: Slot[DisconnectResult] = Slot(names.DISCONNECT_SOURCE_SEGMENT, "cutover.gateway.DisconnectResult")
REMOVAL: Slot[Removal] = Slot(names.UNEXTEND_NETWORK, "cutover.extension.Removal", names.REMOVAL, kept=True)
UNEXTEND_STARTED: Slot[UnextendStarted] = Slot(names.UNEXTEND_NETWORK, "run.results.UnextendStarted")
UNEXTENDED: Slot[UnextendWait] = Slot(names.AWAIT_UNEXTENDED, "run.results.UnextendWait")
ROUTED: Slot[RoutedResult] = Slot(names.VERIFY_DESTINATION_ROUTED, "run.results.RoutedResult")
RECONNECTED: Slot[ReconnectResult] = Slot(names.RECONNECT_SOURCE_SEGMENT, "run.results.ReconnectResult")
WENT_BACK: Slot[bool] = Slot(names.RECONNECT_SOURCE_SEGMENT, FLAG, names.WENT_BACK, kept=True)
FOUND_OFF: Slot[bool] = Slot(names.RECONNECT_SOURCE_SEGMENT, FLAG, names.FOUND_OFF, kept=True)
ENDING: Slot[RunEnding] = Slot(names.CONCLUDE_WAVE, "run.results.RunEnding")
REPORT: Slot[dict[str, str]] = Slot(names.WRITE_REPORT, PATHS)
HEADLINE: Slot[str] = Slot(names.WRITE_REPORT, TEXT, names.HEADLINE)
DELETION: Slot[Deletion] = Slot(names.DELETE_SOURCE_SEGMENT, "cutover.cleanup.Deletion")
DEFINITION: Slot[Document] = Slot(names.DELETE_SOURCE_SEGMENT, DOCUMENT, names.DEFINITION, kept=True)
RENAMING: Slot[Renaming] = Slot(names.RENAME_DESTINATION_SEGMENT, "cutover.cleanup.Renaming")
CANCELLED: Slot[CancelReport] = Slot(names.CANCEL_MIGRATIONS, "migration.cancel.CancelReport")
RECOVERY: Slot[Recovery] = Slot(names.RESOLVE_RECOVERY, "rescue.recovery.Recovery")
RECOVERED: Slot[RecoveryResult] = Slot(names.RECOVER, "rescue.recovery.RecoveryResult")
NOTHING_TO_RECOVER: Slot[str] = Slot(names.RESOLVE_RECOVERY, TEXT, names.NOT_DUE)
TAKEN_SNAPSHOT: Slot[TakenSnapshot] = Slot(names.TAKE_SNAPSHOT, "run.results.TakenSnapshot")
CLOSED_TWIN: Slot[dict[str, str]] = Slot(names.CLOSE_TWIN, PATHS)
SUMMARY: Slot[dict[str, str]] = Slot(names.SUMMARISE_REHEARSALS, PATHS)
OPENED_TWIN: Slot[OpenedTwin] = Slot(names.OPEN_TWIN, "run.results.OpenedTwin")


def failure_slot(task_id: str) -> Slot[StepFailure]:
    """Return where a task leaves the error of its last try.

    :param task_id: of the task, without its group.
    """
    return Slot(task_id, "run.failures.StepFailure", names.FAILURE)


def decision_slot(task_id: str) -> Slot[Decision]:
    """Return where a gate leaves its decision.

    :param task_id: of the gate, without its group.
    """
    return Slot(task_id, "run.decisions.Decision", names.DECISION)


def refused_slot(task_id: str) -> Slot[Decision]:
    """Return where a gate keeps a no, for a later try that Airflow makes after losing it."""
    return Slot(task_id, "run.decisions.Decision", names.REFUSED, kept=True)


def shown_slot(task_id: str) -> Slot[Document]:
    """Return where a gate keeps what it has asked about."""
    return Slot(task_id, DOCUMENT, names.SHOWN, kept=True)


class Results:
    """What the tasks of a run have left, and what the running one leaves.

    :param context: Airflow's task context; in the triggerer, the task instance alone.
    :param origin: the wave's own run (``dag_id``, and ``run_id`` unless the latest one is meant), for a cleanup.
    :param rehearsal: whether the run works on twins alone. Its results are sealed, too; it has no ledger, since its
        runs are made again for the same nights. What is kept is of one twin; a run that is cleared works in another.
    """

    def __init__(
        self, context: Any, origin: Mapping[str, str | bool] | None = None, *, rehearsal: bool = False
    ) -> None:
        self._ti: Any = context["ti"]
        self._store: Any = context.get("task_state_store")
        self.origin = origin
        self._rehearsal = rehearsal
        self.writer = Writer.of(self._ti, context.get("dag_run"), rehearsal=rehearsal)
        self._origin_run_id: str | None = None

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of this live run, in which this task has begun.

        :raises LedgerError: if it cannot be used.
        :raises RunRefusedError: if another run had this run's id before.
        """
        made = Ledger(self.writer.dag_id, self.writer.run_id)
        made.begin(self.writer)
        return made

    def read(self, slot: Slot[T], group: str = "") -> T | None:
        """Return what a task has left in this run or, in a cleanup, in the wave's own; None if nothing.

        :param group: the id of the task's group.
        :raises UnreadableResultError: if it cannot be read, or is not what the task has left.
        :raises LedgerError: if the run's ledger cannot be used.
        """
        found = self.read_here(slot, group)
        if found is not None or not self.origin:
            return found
        return _value(self._read(_full_id(slot.task, group), slot, self.origin))

    def read_here(self, slot: Slot[T], group: str = "") -> T | None:
        """Return what a task of this very run has left; raises as :meth:`read`."""
        return _value(self.sealed_here(slot, group))

    def sealed_here(self, slot: Slot[T], group: str = "") -> Sealed[T] | None:
        """Return what a task of this very run has left, with its seal; raises as :meth:`read`."""
        return self._read(_full_id(slot.task, group), slot)

    def read_in(self, slot: Slot[T], dag_id: str, run_id: str) -> T | None:
        """Return what a task has left in a run of any wave; raises as :meth:`read`."""
        if (dag_id, run_id) == (self.writer.dag_id, self.writer.run_id):
            return self.read_here(slot)
        return _value(self._read(slot.task, slot, {"dag_id": dag_id, "run_id": run_id}))

    def beside(self, slot: Slot[T]) -> T | None:
        """Return what a task of the running one's group has left, else one of that name outside of any group.

        Raises as :meth:`read`.
        """
        return _value(self.sealed_beside(slot))

    def sealed_beside(self, slot: Slot[T]) -> Sealed[T] | None:
        """Return the same as :meth:`beside`, with its seal."""
        group = self.writer.task_id.rpartition(".")[0]
        found = self.sealed_here(slot, group)
        return self.sealed_here(slot) if found is None and group else found

    def read_if_possible(self, slot: Slot[T]) -> T | None:
        """Return what a task has left; None as well for what cannot be read, which is logged."""
        return self._if_possible(self.read, slot)

    def beside_if_possible(self, slot: Slot[T]) -> T | None:
        """Return the same as :meth:`beside`; None as well for what cannot be read, which is logged."""
        return self._if_possible(self.beside, slot)

    @staticmethod
    def _if_possible(read: Callable[[Slot[T]], T | None], slot: Slot[T]) -> T | None:
        try:
            return read(slot)
        except UnreadableResultError as error:
            logger.warning("%s", error)
            return None

    def leave(self, slot: Slot[T], value: T) -> None:
        """Leave a result of the running task for others."""
        self._ti.xcom_push(key=slot.key, value=self.sealed(to_json(slot, value), slot.key))

    def sealed(self, content: JsonValue, key: str = names.RETURN_VALUE) -> Document:
        """Return what the running task leaves as it is stored: with the task's seal, which the ledger has by now.

        :raises SigningKeyError: if this worker or triggerer has no key.
        """
        document, made = seal(content, key, self.writer)
        if not self._rehearsal:
            self.ledger.leave(self.writer, made)
        return document

    def keep(self, slot: Slot[T], value: T | None) -> None:
        """Keep something for later tries of this task as well, before anything else happens; None takes it back."""
        document, made = seal(None if value is None else to_json(slot, value), slot.key, self.writer)
        if self._rehearsal:
            self.note(slot.key, None if value is None else document)
        else:
            self.ledger.leave(self.writer, made, document)
        self._ti.xcom_push(key=slot.key, value=None if value is None else document)

    def recall(self, slot: Slot[T]) -> T | None:
        """Return what an earlier try has kept, or None; other tasks see it again, as a retry has removed it there.

        :raises UnreadableResultError: if it cannot be read.
        :raises LedgerError: if the run's ledger cannot be used.
        """
        task_id = self.writer.task_id
        document = self.noted(slot.key) if self._rehearsal else self._kept(self.ledger.read(), task_id, slot.key)
        if document is None:
            return None
        self._ti.xcom_push(key=slot.key, value=document)
        return _value(self._opened(document, task_id, slot, self._place(task_id, slot)))

    def note(self, key: str, value: JsonValue) -> None:
        """Keep something for later tries of this task alone, of a rehearsal; None takes it back."""
        if self._store is not None and value is None:
            self._store.delete(self._kept_as(key))
        elif self._store is not None:
            self._store.set(self._kept_as(key), value)

    def noted(self, key: str) -> Any:
        """Return what an earlier try has noted, or None."""
        return None if self._store is None else self._store.get(self._kept_as(key))

    def trusted(self, document: Any, slot: Slot[T], group: str) -> T | None:
        """Return a result that Airflow has rendered into an argument; None if there is none. Raises as :meth:`read`.

        :param document: as the task has left it.
        """
        task_id = _full_id(slot.task, group)
        if document is None:
            self._require_none_left(task_id, slot)
            return None
        return _value(self._checked(document, task_id, slot, None))

    def _kept_as(self, key: str) -> str:
        """Return the name that something is kept under for later tries.

        Airflow keeps it for runs that are cleared, too. A rehearsal that is run again works in another twin, in which
        nothing of it has happened.
        """
        return f"{key}@{self._opening}" if self._rehearsal else key

    @cached_property
    def _opening(self) -> int | None:
        opened = self.read_here(OPENED_TWIN)
        return None if opened is None else opened.opening

    def _read(self, task_id: str, slot: Slot[T], where: Mapping[str, str | bool] | None = None) -> Sealed[T] | None:
        if slot.kept and not self._rehearsal and where is None:
            document = self._kept(self.ledger.read(), task_id, slot.key)
            return None if document is None else self._opened(document, task_id, slot, self._place(task_id, slot))
        value = self._pull(task_id, slot, where)
        # What a trigger leaves by ending its task is encoded twice by Airflow, and comes back as text.
        document = decoded(value, slot.key, task_id)
        if document is None:
            self._require_none_left(task_id, slot, where)
            return None
        return self._checked(document, task_id, slot, where)

    def _pull(self, task_id: str, slot: Slot[Any], where: Mapping[str, str | bool] | None) -> Any:
        with naming(slot.key, task_id), decoding():
            return self._ti.xcom_pull(task_ids=task_id, key=slot.key, map_indexes=-1, **(where or {}))

    def _require_none_left(self, task_id: str, slot: Slot[Any], where: Mapping[str, str | bool] | None = None) -> None:
        if self._rehearsal:
            return
        ledger = self.ledger
        if where is not None:
            run_id = where.get("run_id", self._origin_run_id)
            ledger = Ledger(str(where["dag_id"]), str(run_id))
            if run_id is None or not ledger.path.exists():
                return
        with naming(slot.key, task_id):
            ledger.read().require_none_left(task_id, slot.key)

    def _checked(
        self, document: Any, task_id: str, slot: Slot[T], where: Mapping[str, str | bool] | None
    ) -> Sealed[T] | None:
        """Return what a stored document says, if its task has left it in the last of its tries."""
        found = self._opened(document, task_id, slot, self._place(task_id, slot, where))
        if found is not None and not self._rehearsal:
            ledger = self.ledger if where is None else Ledger(found.seal.dag_id, found.seal.run_id)
            with naming(slot.key, task_id):
                ledger.read().require_last(found.seal, kept=slot.kept)
            if where is not None:
                self._origin_run_id = found.seal.run_id
        return found

    def _opened(self, document: Any, task_id: str, slot: Slot[T], place: Place) -> Sealed[T] | None:
        with naming(slot.key, task_id):
            content, made = open_sealed(document, place)
        return None if content is None else Sealed(from_json(slot, content, task_id), made)

    def _place(self, task_id: str, slot: Slot[Any], where: Mapping[str, str | bool] | None = None) -> Place:
        dag_id, run_id = self.writer.dag_id, self.writer.run_id
        if where is None:
            return Place(dag_id, run_id, task_id, slot.key, self._rehearsal)
        # Without an id, a cleanup means the wave's latest run; all that it reads is from the same one.
        named = str(where["run_id"]) if "run_id" in where else self._origin_run_id
        return Place(str(where["dag_id"]), named, task_id, slot.key, self._rehearsal)

    @staticmethod
    def _kept(entries: Entries, task_id: str, key: str) -> Any:
        values = list(entries.left.get((task_id, key), {}).values())
        return values[-1][2] if values else None


def _value(found: Sealed[T] | None) -> T | None:
    return None if found is None else found.value


def to_json(slot: Slot[T], value: T) -> Any:
    """Return a result as JSON."""
    return _adapter(slot.form).dump_python(value, mode="json")


def from_json(slot: Slot[T], document: Any, task_id: str) -> T:
    """Read a result.

    :param task_id: the task that has left it, for the message.
    :raises UnreadableResultError: if it cannot be read.
    """
    try:
        read: T = _adapter(slot.form).validate_python(document)
    except ValidationError as error:
        known = without_unknown(document, error)
        if known is None:
            raise UnreadableResultError(
                unreadable(slot.key, task_id, problems_in(error, most=_MOST_PROBLEMS))
            ) from error
        return from_json(slot, known, task_id)
    return read


def _full_id(task: str, group: str) -> str:
    return f"{group}.{task}" if group else task


@cache
def _adapter(form: Any) -> TypeAdapter[Any]:
    if not isinstance(form, str):
        return TypeAdapter(form)
    module, _, name = form.rpartition(".")
    return TypeAdapter(getattr(import_module(f"hcx_waves.{module}"), name))
