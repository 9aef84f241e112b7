"""Read and write the results of tasks: XComs and state stores in Airflow, typed models here.

No other module reads or writes an XCom by its key.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import AwareDatetime, JsonValue, TypeAdapter, ValidationError

from hcx_airflow import names
from hcx_airflow.documents import Document
from hcx_airflow.errors import WaveTaskError
from hcx_waves.model.base import problems_in, without_unknown
from hcx_waves.model.bounded_json import UnreadableJsonError, read_json

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


class UnreadableResultError(WaveTaskError):
    """The stored result of a task cannot be read: another release or a user has written it."""


@dataclass(frozen=True)
class Slot(Generic[T]):
    """A place for one result.

    :param task: the task that leaves it, without its group.
    :param form: its type; below ``hcx_waves`` as a path, which is imported by the first read alone, as that imports
        the clients.
    :param key: of the XCom.
    """

    task: str
    form: Any
    key: str = names.RETURN_VALUE


TEXT, TEXTS, FLAG, INSTANT, DOCUMENT = str, tuple[str, ...], bool, AwareDatetime, dict[str, JsonValue]
PATHS, ANY = dict[str, str], Any

PLAN: Slot[WavePlan] = Slot(names.RESOLVE_PLAN, "model.plan.WavePlan")
ASSESSMENTS: Slot[Assessments] = Slot(names.RUN_PREFLIGHT, "model.findings.Assessments")
FORECAST: Slot[Expectation] = Slot(names.RUN_PREFLIGHT, "model.expectation.Expectation", names.FORECAST)
NO_FORECAST: Slot[str] = Slot(names.RUN_PREFLIGHT, TEXT, names.NO_FORECAST)
FORECAST_SHOWN: Slot[ShownForecast] = Slot(names.RUN_PREFLIGHT, "run.results.ShownForecast", names.FORECAST_SHOWN)
STARTED: Slot[StartedMigrations] = Slot(names.START_MIGRATIONS, "run.results.StartedMigrations")
STARTED_IDS: Slot[StartedIds] = Slot(names.START_MIGRATIONS, "run.results.StartedIds", names.STARTED)
DRIFT: Slot[str] = Slot(names.START_MIGRATIONS, TEXT, names.DRIFT)
SEEDED: Slot[MigrationsWait] = Slot(names.AWAIT_SEEDED, "run.results.MigrationsWait")
RELEASED: Slot[Released] = Slot(names.RELEASE_SWITCHOVERS, "run.results.Released")
RELEASED_SO_FAR: Slot[tuple[str, ...]] = Slot(names.RELEASE_SWITCHOVERS, TEXTS, names.RELEASED)
AWAITED: Slot[MigrationsWait] = Slot(names.AWAIT_MIGRATIONS, "run.results.MigrationsWait")
EVALUATED: Slot[Evaluation] = Slot(names.EVALUATE_MIGRATIONS, "run.results.Evaluation")
VERIFIED: Slot[Verification] = Slot(names.VERIFY_VIRTUAL_MACHINES, "run.results.Verification")
PROOF: Slot[EmptyProof] = Slot(names.PROVE_SEGMENT_EMPTY, "cutover.emptiness.EmptyProof")
NOT_DUE: Slot[str] = Slot(names.PROVE_SEGMENT_EMPTY, TEXT, names.NOT_DUE)
SNAPSHOT: Slot[Document] = Slot(names.DISCONNECT_SOURCE_SEGMENT, DOCUMENT, names.SNAPSHOT)
ACTING_SINCE: Slot[datetime] = Slot(names.DISCONNECT_SOURCE_SEGMENT, INSTANT, names.ACTING_SINCE)
DISCONNECTED: Slot[DisconnectResult] = Slot(names.DISCONNECT_SOURCE_SEGMENT, "cutover.gateway.DisconnectResult")
REMOVAL: Slot[Removal] = Slot(names.UNEXTEND_NETWORK, "cutover.extension.Removal", names.REMOVAL)
UNEXTEND_STARTED: Slot[UnextendStarted] = Slot(names.UNEXTEND_NETWORK, "run.results.UnextendStarted")
UNEXTENDED: Slot[UnextendWait] = Slot(names.AWAIT_UNEXTENDED, "run.results.UnextendWait")
ROUTED: Slot[RoutedResult] = Slot(names.VERIFY_DESTINATION_ROUTED, "run.results.RoutedResult")
RECONNECTED: Slot[ReconnectResult] = Slot(names.RECONNECT_SOURCE_SEGMENT, "run.results.ReconnectResult")
FOUND_OFF: Slot[bool] = Slot(names.RECONNECT_SOURCE_SEGMENT, FLAG, names.FOUND_OFF)
ENDING: Slot[RunEnding] = Slot(names.CONCLUDE_WAVE, "run.results.RunEnding")
REPORT: Slot[dict[str, str]] = Slot(names.WRITE_REPORT, PATHS)
DELETION: Slot[Deletion] = Slot(names.DELETE_SOURCE_SEGMENT, "cutover.cleanup.Deletion")
RENAMING: Slot[Renaming] = Slot(names.RENAME_DESTINATION_SEGMENT, "cutover.cleanup.Renaming")
CANCELLED: Slot[CancelReport] = Slot(names.CANCEL_MIGRATIONS, "migration.cancel.CancelReport")
TAKEN_SNAPSHOT: Slot[TakenSnapshot] = Slot(names.TAKE_SNAPSHOT, "run.results.TakenSnapshot")
CLOSED_TWIN: Slot[dict[str, str]] = Slot(names.CLOSE_TWIN, PATHS)
SUMMARY: Slot[dict[str, str]] = Slot(names.SUMMARISE_REHEARSALS, PATHS)
OPENED_TWIN: Slot[OpenedTwin] = Slot(names.OPEN_TWIN, "run.results.OpenedTwin")


def decision_slot(task_id: str) -> Slot[Any]:
    """Return where a gate leaves its decision, which is signed: see :mod:`hcx_airflow.signing` for reading it.

    :param task_id: of the gate, without its group.
    """
    return Slot(task_id, ANY, names.DECISION)


def used_approval_slot(task_id: str) -> Slot[Any]:
    """Return where a step keeps the mark of the approval that it has acted on."""
    return Slot(task_id, ANY, names.USED_APPROVAL)


class Results:
    """What the tasks of a run have left, and what the running one leaves.

    :param context: Airflow's task context.
    :param origin: the wave's own run (``dag_id``, and ``run_id`` unless the latest one is meant), for a cleanup.
    :param rehearsal: whether what is kept is of one twin alone; a run that is cleared works in another one.
    """

    def __init__(
        self, context: Any, origin: Mapping[str, str | bool] | None = None, *, rehearsal: bool = False
    ) -> None:
        self._ti: Any = context["ti"]
        self._store: Any = context.get("task_state_store")
        self.origin = origin
        self._rehearsal = rehearsal

    def read(self, slot: Slot[T], group: str = "") -> T | None:
        """Return what a task has left in this run or, in a cleanup, in the wave's own; None if nothing.

        :param group: the id of the task's group.
        :raises UnreadableResultError: if it cannot be read.
        """
        found = self.read_here(slot, group)
        return self._read(_full_id(slot.task, group), slot, self.origin) if found is None and self.origin else found

    def read_here(self, slot: Slot[T], group: str = "") -> T | None:
        """Return what a task of this very run has left.

        :raises UnreadableResultError: if it cannot be read.
        """
        return self._read(_full_id(slot.task, group), slot)

    def beside(self, slot: Slot[T]) -> T | None:
        """Return what a task of the running one's group has left, else one of that name outside of any group.

        :raises UnreadableResultError: if it cannot be read.
        """
        group = str(self._ti.task_id).rpartition(".")[0]
        found = self.read_here(slot, group)
        return self.read_here(slot) if found is None and group else found

    def read_if_possible(self, slot: Slot[T]) -> T | None:
        """Return what a task has left; None as well for what cannot be read, which is logged."""
        try:
            return self.read(slot)
        except UnreadableResultError as error:
            logger.warning("%s", error)
            return None

    def leave(self, slot: Slot[T], value: T) -> None:
        """Leave a result of the running task for others."""
        self._ti.xcom_push(key=slot.key, value=to_json(slot, value))

    def keep(self, slot: Slot[T], value: T | None) -> None:
        """Keep something for later tries of this task as well, before anything else happens; None takes it back."""
        document = None if value is None else to_json(slot, value)
        self.note(slot.key, document)
        self._ti.xcom_push(key=slot.key, value=document)

    def recall(self, slot: Slot[T]) -> T | None:
        """Return what an earlier try has kept, or None; other tasks see it again, as a retry has removed it there.

        :raises UnreadableResultError: if it cannot be read.
        """
        document = self.noted(slot.key)
        if document is None:
            return None
        self._ti.xcom_push(key=slot.key, value=document)
        return from_json(slot, document, str(self._ti.task_id))

    def note(self, key: str, value: JsonValue) -> None:
        """Keep something for later tries of this task alone; None takes it back."""
        if self._store is not None and value is None:
            self._store.delete(self._kept_as(key))
        elif self._store is not None:
            self._store.set(self._kept_as(key), value)

    def noted(self, key: str) -> Any:
        """Return what an earlier try has noted, or None."""
        return None if self._store is None else self._store.get(self._kept_as(key))

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

    def _read(self, task_id: str, slot: Slot[T], where: Mapping[str, str | bool] | None = None) -> T | None:
        value = self._ti.xcom_pull(task_ids=task_id, key=slot.key, map_indexes=-1, **(where or {}))
        # What a trigger leaves by ending its task is encoded twice by Airflow, and comes back as text.
        document = _parsed(slot, value, task_id) if _is_encoded(slot, value) else value
        return None if document is None else from_json(slot, document, task_id)


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
            raise UnreadableResultError(_unreadable(slot, task_id, problems_in(error, most=_MOST_PROBLEMS))) from error
        return from_json(slot, known, task_id)
    return read


def _is_encoded(slot: Slot[Any], value: Any) -> bool:
    return slot.form is not TEXT and isinstance(value, str) and value.startswith("{")


def _parsed(slot: Slot[Any], text: str, task_id: str) -> Any:
    try:
        return read_json(text)
    except UnreadableJsonError as error:
        raise UnreadableResultError(_unreadable(slot, task_id, str(error))) from None


def _unreadable(slot: Slot[Any], task_id: str, problem: str) -> str:
    what = f"the result of {task_id} (XCom {slot.key}) cannot be read: {problem}"
    if task_id.startswith(names.CUTOVER_GROUP_PREFIX):
        return f"{what}. Look at the gateways of the segment at both sites before you clear anything"
    return f"{what}. Clear {task_id} to make it again, or start a new run"


def _full_id(task: str, group: str) -> str:
    return f"{group}.{task}" if group else task


@cache
def _adapter(form: Any) -> TypeAdapter[Any]:
    if not isinstance(form, str):
        return TypeAdapter(form)
    module, _, name = form.rpartition(".")
    return TypeAdapter(getattr(import_module(f"hcx_waves.{module}"), name))
