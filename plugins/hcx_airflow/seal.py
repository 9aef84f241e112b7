"""Seals: who has left a result, of which run, task and try, with a code that users of Airflow cannot make.

A value without a valid seal does not exist for any step: a user has written it, or it is from another place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from pydantic import JsonValue, ValidationError

from hcx_airflow import names
from hcx_airflow.airflow_private import generation_of
from hcx_airflow.documents import Document
from hcx_airflow.errors import UnreadableResultError, UntrustedResultError
from hcx_airflow.signing import known_keys, signing_key
from hcx_waves.model.base import DomainModel
from hcx_waves.model.bounded_json import UnreadableJsonError, read_json
from hcx_waves.model.digest import canonical_json

SEAL, VALUE = "hcx_seal", "value"
"""Members of a sealed document: the seal, and the content if it is not a JSON object."""
_UNDECODABLE = (ImportError, TypeError, ValueError, LookupError, AttributeError, RecursionError)
"""What Airflow raises for an XCom that names a class, or is nested beyond what can be read."""
T = TypeVar("T")


class Seal(DomainModel):
    """Who has left a result. Stored with runs: fields are added, never renamed."""

    version: int = 1
    dag_id: str
    run_id: str
    task_id: str
    key: str
    """Of the XCom, or what it is kept under for later tries."""
    rehearsal: bool
    ti_id: str
    """Airflow's id of the task instance: a new one for each try, and never used again."""
    try_number: int
    generation: str
    """The trace id that Airflow gives to a run when it is made, and to what is cleared: never used again."""
    clear_number: int | None = None
    """How often tasks of the run had been cleared; None in the triggerer, which does not know it."""
    key_id: str
    code: str


@dataclass(frozen=True)
class Sealed(Generic[T]):
    """A result and its seal."""

    value: T
    seal: Seal


@dataclass(frozen=True)
class Writer:
    """A task instance, as Airflow itself names it: no param, no conf and no XCom can say otherwise."""

    dag_id: str
    run_id: str
    task_id: str
    try_number: int
    ti_id: str
    generation: str
    clear_number: int | None
    rehearsal: bool

    @classmethod
    def of(cls, task_instance: Any, dag_run: Any = None, *, rehearsal: bool) -> Writer:
        """Return the writer of a task instance, in a worker or in the triggerer.

        :param dag_run: Airflow's run; None in the triggerer.
        """
        cleared = getattr(dag_run, "clear_number", None)
        return cls(
            dag_id=str(task_instance.dag_id),
            run_id=str(task_instance.run_id),
            task_id=str(task_instance.task_id),
            try_number=int(task_instance.try_number),
            ti_id=str(task_instance.id),
            generation=generation_of(task_instance),
            clear_number=None if dag_run is None else int(cleared or 0),
            rehearsal=rehearsal,
        )


@dataclass(frozen=True)
class Place:
    """Where a result must be from.

    :param run_id: None if any run of the DAG will do.
    """

    dag_id: str
    run_id: str | None
    task_id: str
    key: str
    rehearsal: bool


def seal(content: JsonValue, key: str, writer: Writer) -> tuple[Document, Seal]:
    """Return a result as it is stored, and its seal.

    :param key: of the XCom, or what it is kept under.
    :raises SigningKeyError: if this worker or triggerer has no key.
    """
    secret = signing_key()
    facts: dict[str, JsonValue] = {
        "version": 1,
        "dag_id": writer.dag_id,
        "run_id": writer.run_id,
        "task_id": writer.task_id,
        "key": key,
        "rehearsal": writer.rehearsal,
        "ti_id": writer.ti_id,
        "try_number": writer.try_number,
        "generation": writer.generation,
        "clear_number": writer.clear_number,
        "key_id": secret.key_id,
    }
    made = Seal.model_validate({**facts, "code": secret.code_of(_text(content, facts))})
    shown: JsonValue = made.model_dump(mode="json")
    is_plain = isinstance(content, dict) and SEAL not in content and set(content) != {VALUE}
    return ({**cast("Document", content), SEAL: shown} if is_plain else {VALUE: content, SEAL: shown}), made


def open_sealed(document: Any, place: Place) -> tuple[JsonValue, Seal]:
    """Return the content of a stored result, and its seal.

    :raises UntrustedResultError: if it has no valid seal for the place; says why.
    :raises SigningKeyError: if this worker or triggerer has no key.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get(SEAL), Mapping):
        raise UntrustedResultError("it has no seal: a user has written it, or an earlier release has left it")
    facts = dict(document[SEAL])
    try:
        found = Seal.model_validate(facts)
    except ValidationError:
        raise UntrustedResultError("its seal cannot be read: a user has written it") from None
    rest = {name: value for name, value in document.items() if name != SEAL}
    content = rest[VALUE] if set(rest) == {VALUE} else rest
    # What is signed are the facts as they stand here: a later release may have more of them than this one.
    _require_code(found, content, {name: value for name, value in facts.items() if name != "code"})
    for name, is_from in (("dag_id", "DAG"), ("run_id", "run"), ("task_id", "task"), ("key", "XCom")):
        wanted = getattr(place, name)
        if wanted is not None and getattr(found, name) != wanted:
            raise UntrustedResultError(f"it is from another {is_from}: somebody has copied it")
    if found.rehearsal != place.rehearsal:
        raise UntrustedResultError(f"it is from a {'rehearsal' if found.rehearsal else 'live run'}")
    return content, found


def _require_code(found: Seal, content: JsonValue, facts: Mapping[str, JsonValue]) -> None:
    keys = {key.key_id: key for key in known_keys()}
    if found.key_id not in keys:
        raise UntrustedResultError(
            "it was signed with a key that this worker does not have: the key was changed, or differs between workers"
        )
    if not keys[found.key_id].has_made(found.code, _text(content, facts)):
        raise UntrustedResultError("it is not what the task has left: somebody has changed it")


def _text(content: JsonValue, facts: Mapping[str, JsonValue]) -> str:
    try:
        text = canonical_json({"content": content, "seal": dict(facts)})
        # Half of a character is no text in UTF-8, so no task has left it.
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise UntrustedResultError("it is no valid JSON") from error
    return text


@contextmanager
def naming(key: str, task_id: str) -> Iterator[None]:
    """Name the task and the XCom in an error about a seal."""
    try:
        yield
    except UntrustedResultError as error:
        raise UntrustedResultError(
            f"the result of {task_id} (XCom {key}) is not to be trusted: {error}. {_what_to_do(task_id)}"
        ) from error


@contextmanager
def decoding() -> Iterator[None]:
    """Say of an XCom that Airflow cannot decode what it is.

    :raises UntrustedResultError: if so.
    """
    try:
        yield
    except _UNDECODABLE as error:
        raise UntrustedResultError(
            f"Airflow cannot decode it ({type(error).__name__}): a user has written it"
        ) from None


def decoded(value: Any, key: str, task_id: str) -> Any:
    """Return a stored value, or what it encodes.

    :raises UnreadableResultError: if it is a text that is not JSON.
    """
    # A sealed value is never a text itself.
    if not isinstance(value, str) or not value.startswith("{"):
        return value
    try:
        return read_json(value)
    except UnreadableJsonError as error:
        raise UnreadableResultError(unreadable(key, task_id, str(error))) from None


def unreadable(key: str, task_id: str, problem: str) -> str:
    """Return the message about a result that cannot be read."""
    return f"the result of {task_id} (XCom {key}) cannot be read: {problem}. {_what_to_do(task_id)}"


def _what_to_do(task_id: str) -> str:
    if task_id.startswith(names.CUTOVER_GROUP_PREFIX):
        return "Look at the gateways of the segment at both sites before you clear anything"
    return (
        f"Clear {task_id} and all tasks after it, which asks for approval again and adopts what is under way; or start "
        "a new run"
    )
