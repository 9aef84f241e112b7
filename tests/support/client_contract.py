"""How a client is held to the contract samples: serve the answer, make the call, look at both ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest

from hcx_waves.clients.errors import ClientError
from hcx_waves.clients.transport_wire import Ambient
from support import contract
from support.contract import Sample, SampleRequest
from support.sample_server import ReceivedRequest, SampleServer

VALUES = contract.example_values()
ClientT = TypeVar("ClientT")


def ambient() -> Ambient:
    """Time in which waiting between retries costs nothing."""
    return Ambient(sleep=lambda seconds: None)


@dataclass(frozen=True)
class Case(Generic[ClientT]):
    """One sample and the client call that belongs to it.

    :param sample_id: the sample whose answer is served and whose request is expected.
    :param call: makes the call; what it returns is compared with ``gives``.
    :param gives: the expected result.
    :param raises: the expected error instead of a result, and ``match``, a pattern in its text.
    :param match: see ``raises``.
    :param code: the expected vendor code of the error.
    :param omits: dotted paths of the sample's request body, or ``?name`` for a query parameter, that this
        client has no need to send.
    """

    sample_id: str
    call: Callable[[ClientT], Any]
    gives: Any = None
    raises: type[ClientError] | None = None
    match: str = ""
    code: str | None = None
    omits: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.sample_id


def sample_of(sample_id: str) -> Sample:
    """A sample with example values in it."""
    return contract.sample(sample_id).filled(VALUES)


def hold(case: Case[ClientT], client: ClientT, server: SampleServer) -> None:
    """Serve the sample, make the call, and assert on the result and on the request that was sent."""
    sample = sample_of(case.sample_id)
    server.serve(sample)
    if case.raises is None:
        given = case.call(client)
        assert given == case.gives, f"the call gave {given!r} instead of {case.gives!r}"
    else:
        with pytest.raises(case.raises, match=case.match) as caught:
            case.call(client)
        error = caught.value
        facts = type(error), error.status, error.vendor_code
        expected = case.raises, sample.response.status, case.code
        assert facts == expected, f"{facts} instead of {expected}: {error}"
        assert ClientError.from_dict(error.to_dict()).to_dict() == error.to_dict()
    sent = server.requests_like(sample)
    assert sent, f"no {sample.request.method} {sample.request.path} among {server.received}"
    problems = request_problems(sample.request, sent[0], case.omits)
    assert not problems, "; ".join(problems)


def unused_samples(
    system: contract.System,
    cases: Iterable[Case[Any]],
    *,
    only: Callable[[str], bool] = bool,
    except_calls: Iterable[str] = (),
    except_samples: Iterable[str] = (),
) -> set[str]:
    """Samples of core calls that no case uses and no exception names; and exceptions that name nothing.

    :param only: says by its key whether a call is looked at.
    """
    core = {c.call for c in contract.load_calls() if c.system == system and c.scope == "core" and only(c.call)}
    samples = {s.id: s.call for s in contract.load_samples(system) if s.call in core}
    wanted = {i for i, call in samples.items() if call not in except_calls} - set(except_samples)
    stale = (set(except_calls) - core) | (set(except_samples) - samples.keys())
    return (wanted - {case.sample_id for case in cases}) | stale


def request_problems(expected: SampleRequest, sent: ReceivedRequest, omits: tuple[str, ...] = ()) -> list[str]:
    """What the request that was sent lacks of the sample's: query, headers, and body by value."""
    problems = [
        f"query {name}: {sent.query.get(name)!r} instead of {value!r}"
        for name, value in expected.query.items()
        if f"?{name}" not in omits and sent.query.get(name) != value
    ]
    problems += [
        f"header {names} missing"
        for names in expected.headers
        if not any(name.lower() in sent.headers for name in names.split("|"))
    ]
    return problems + _lacking(expected.body, sent.body, "", omits)


def _lacking(expected: Any, sent: Any, at: str, omits: tuple[str, ...]) -> list[str]:
    if at in omits or (expected in (None, {}) and sent in (None, {})):
        return []
    if isinstance(expected, Mapping) and isinstance(sent, Mapping):
        problems = []
        for key, value in expected.items():
            path = f"{at}.{key}" if at else key
            if key not in sent and path not in omits:
                problems.append(f"{path}: not sent")
            elif key in sent:
                problems += _lacking(value, sent[key], path, omits)
        return problems
    if isinstance(expected, list) and isinstance(sent, list) and len(expected) == len(sent):
        return [p for own, other in zip(expected, sent, strict=True) for p in _lacking(own, other, f"{at}[]", omits)]
    return [] if expected == sent else [f"{at or 'body'}: {sent!r} instead of {expected!r}"]
