"""What a client does with answers that lack a documented member: each member of a sample is left out in turn.

A required member that the client cannot do without has to be named by a typed error. Without one that it can do without
the call says what it said before, or nothing in that place (None, an empty text, "unknown"): never a default that means
something, such as False, 0 or "there are none". Calls that change something have to name an id that is missing. An
optional member may be absent.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel

from hcx_waves.clients.errors import ClientError
from support import contract
from support.client_contract import Case, ClientT, sample_of
from support.contract import Sample
from support.sample_server import SampleServer


class Recorder:
    """A client whose calls are recorded with what they return, whole: cases look at a part only."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.returned: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found):
            self.returned.append(found)
            return found

        def call(*args: Any, **options: Any) -> Any:
            result = found(*args, **options)
            if isinstance(result, Iterator):
                result = list(result)
            self.returned.append(result)
            return result

        return call


# Ends of the names of calls that change something.
_CHANGES = (".groups.create", "l2_extensions.create", ".migrations.start", ".delete", ".cancel")


def without(body: Any, path: str) -> Any:
    """A copy of ``body`` in which no element has the member at a dotted path."""
    changed = copy.deepcopy(body)
    _visit(changed, _steps(path), lambda holder, name: holder.pop(name))
    return changed


def flipped(body: Any, path: str) -> Any:
    """A copy of ``body`` with the opposite of each flag at a dotted path."""
    changed = copy.deepcopy(body)
    _visit(changed, _steps(path), lambda holder, name: holder.update({name: not holder[name]}))
    return changed


def _flips(body: Any, path: str) -> bool:
    found: list[Any] = []
    _visit(body, _steps(path), lambda holder, name: found.append(holder[name]))
    return bool(found) and all(isinstance(value, bool) for value in found)


def _steps(path: str) -> list[str]:
    return [step for step in path.replace("[]", ".[]").split(".") if step]


def _visit(value: Any, steps: list[str], act: Callable[[dict[str, Any], str], object]) -> None:
    """Call ``act`` with every object that has the member, and the member's name."""
    if steps[0] == "[]":
        for item in value if isinstance(value, list) else ():
            _visit(item, steps[1:], act)
    elif isinstance(value, dict) and steps[0] in value:
        if len(steps) == 1:
            act(value, steps[0])
        else:
            _visit(value[steps[0]], steps[1:], act)


# Derived answers to "is it known to be so?": False is the truth where nothing is known.
_NOT_KNOWN_TO_BE = frozenset(
    {"is_success", "is_failure", "is_terminal", "is_up", "is_known", "is_cancelled", "reschedule_allowed"}
)
# Why a required member may be absent for this client, and its default is true.
TOLERATED = {
    "warnings": "where there is none, some managers leave the list out",
    "total": "the percentage is in another member as well",
    "value": "as total",
    "bytesTransferred": "as total",
    "migrations": "asked for again after a start; refusals are there or not",
    "mobilityOptimizedNetworking": "proximityRouting says it as well",
    "migrationInfo": "as progress",
    "services": "no status is no health: doctor and preflight say so",
    "isCancelled": "a job says isDone and didFail, and the list says whether the extension is gone",
    "isRolledBack": "as isCancelled",
    "jobInfo": "the step says it as well",
    "progress": "a state that is not known is running",
    "progressDetails": "as progress",
    "state": "as progress",
    "subnets": "a segment may have none",
    "connectivity_path": "a segment may be on no gateway",
    "gateway_address": "a subnet may have none",
    "attachment": "a port may be free",
    "discovered_bindings": "left out where nothing was seen",
    "uplinkMetrics": "not measured: preflight says so",
    "measuredData": "as uplinkMetrics",
    "maxAvailableBandwidth": "as uplinkMetrics",
    "status": "no word is no health: doctor and preflight say so",
    "network": "read from vCenter, not from here",
    "networkDevices": "as network",
    "entityType": "type says it as well",
}


def problems_of(
    case: Case[ClientT],
    make: Callable[[], AbstractContextManager[ClientT]],
    server: SampleServer,
) -> list[str]:
    """What goes wrong when members of the case's sample are left out, one line per member.

    :param make: a new client, logged in where it has to be.
    """
    sample = sample_of(case.sample_id)
    body = sample.response.body
    whole = _outcome(case, make, server, sample)
    found = []
    for path in contract.field_paths(body):
        given = _outcome(case, make, server, _with_body(sample, without(body, path)))
        told = _problem(case, sample, path, whole, given)
        name = path.rpartition(".")[2]
        if not told and name not in TOLERATED and _is_required(sample, path) and _flips(body, path):
            other = _outcome(case, make, server, _with_body(sample, flipped(body, path)))
            told = "" if other == whole or given != whole else "its default is the sample's value, and is taken for it"
        if told:
            found.append(f"{path}: {told}")
    return found


def _with_body(sample: Sample, body: Any) -> Sample:
    return sample.model_copy(update={"response": sample.response.model_copy(update={"body": body})})


def _outcome(
    case: Case[ClientT], make: Callable[[], AbstractContextManager[ClientT]], server: SampleServer, sample: Sample
) -> Any:
    server.serve(sample)
    with make() as client:
        recorder = Recorder(client)
        try:
            case.call(recorder)  # type: ignore[arg-type]
        except ClientError as error:
            return error
        except (LookupError, TypeError, AttributeError):
            # The case's own look at a part: what the client returned is what counts.
            if not recorder.returned:
                raise
        return recorder.returned


def _problem(case: Case[Any], sample: Sample, path: str, whole: Any, given: Any) -> str:
    name = path.rpartition(".")[2].removesuffix("[]")
    if case.raises is not None:
        return "" if isinstance(given, ClientError) else f"returned {given!r}"
    if isinstance(given, ClientError):
        return "" if name in str(given) else f"the error does not name it: {given}"
    if not _is_required(sample, path) or name in TOLERATED:
        return ""
    if sample.call.endswith(_CHANGES) and name.lower().endswith("id") and plain(given) != plain(whole):
        return f"something was changed, and the call returns {given!r}"
    told = [f"{where} is {value!r}" for where, value in defaults(plain(whole), plain(given), "")]
    return "; ".join(told[:4])


def _is_required(sample: Sample, path: str) -> bool:
    return any(path == each or contract.is_below(each, path) for each in sample.required_fields)


def plain(value: Any) -> Any:
    """Models, dataclasses and tuples as dictionaries and lists; computed properties count as well."""
    if isinstance(value, BaseModel):
        computed = {name: getattr(value, name) for name in _properties(type(value))}
        return {name: plain(item) for name, item in ({**dict(value), **computed}).items()}
    if is_dataclass(value) and not isinstance(value, type):
        shown = {each.name: getattr(value, each.name) for each in fields(value)}
        shown |= {name: getattr(value, name) for name in _properties(type(value))}
        return {name: plain(item) for name, item in shown.items()}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def _properties(kind: type) -> list[str]:
    """The properties that our own code defines on a type."""
    own = [each for each in kind.__mro__ if each.__module__.startswith("hcx_waves")]
    return [name for each in own for name, found in vars(each).items() if isinstance(found, property)]


def defaults(whole: Any, given: Any, at: str) -> Iterator[tuple[str, Any]]:
    """Where ``given`` says something else than ``whole``, and what; saying nothing is not listed."""
    if whole == given or given in (None, "", "unknown"):
        return
    if given is False and at.rpartition(".")[2] in _NOT_KNOWN_TO_BE:
        return
    if isinstance(whole, dict) and isinstance(given, dict):
        for name in given:
            yield from defaults(whole.get(name), given[name], f"{at}.{name}")
    elif isinstance(whole, list) and isinstance(given, list) and len(whole) == len(given):
        for before, after in zip(whole, given, strict=True):
            yield from defaults(before, after, f"{at}[]")
    else:
        yield at, given
