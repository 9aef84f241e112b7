"""Looks on while the clients read, and compares what comes with the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hcx_waves.probe.compare import AnswerComparison
from hcx_waves.probe.contract import CallFacts, Contract
from hcx_waves.probe.vsphere import compare_objects, facts_of_kind, plain, sample_body

_NOT_OFFERED = frozenset({404, 405, 501})


@dataclass(frozen=True)
class SeenExchange:
    """One request and its answer, as the record shows it.

    :param headers: names of the headers that were sent or came, never their values.
    """

    facts: CallFacts
    path: str
    query: Mapping[str, str]
    request_body: Any
    status: int
    headers: tuple[str, ...]
    content_type: str
    body: Any


@dataclass
class Seen:
    """What was seen of one call at one endpoint.

    :ivar statuses: of all answers.
    :ivar exchange: the one that is recorded: the first with which something differs, else the one that shows most.
    """

    comparison: AnswerComparison
    statuses: list[int] = field(default_factory=list)
    exchange: SeenExchange | None = None
    _differs: bool = False

    @property
    def is_not_offered(self) -> bool:
        """Whether every answer was that there is no such thing."""
        return bool(self.statuses) and all(status in _NOT_OFFERED for status in self.statuses)

    def keep(self, exchange: SeenExchange) -> None:
        """Keep an exchange if it shows more than what is kept."""
        differs = bool(self.comparison.differences())
        shows_more = self.exchange is None or _size(exchange) > _size(self.exchange)
        if (differs and not self._differs) or (shows_more and not self._differs):
            self.exchange, self._differs = exchange, differs


class Recorder:
    """An onlooker that keeps, for each call at each endpoint, what it has seen.

    :param contract: what answers are compared with.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.seen: dict[tuple[str, str], Seen] = {}

    def of(self, endpoint: str, facts: CallFacts) -> Seen:
        """Return what was seen of a call at an address; nothing yet the first time."""
        return self.seen.setdefault((endpoint, facts.key), Seen(AnswerComparison(facts)))

    def saw_answer(self, system: str, endpoint: str, call: Any, reply: Any) -> None:
        """Take a call of a REST client and its reply."""
        facts = self._contract.of_request(system, call.method, call.path, call.query_values)
        if facts is None:
            return
        seen = self.of(endpoint, facts)
        seen.statuses.append(reply.status)
        if reply.status in _NOT_OFFERED or not _says_something(reply.status):
            return
        seen.comparison.take(reply.status, reply.headers, reply.body if reply.is_json else None)
        content_type = str(reply.headers.get("content-type", "")).partition(";")[0].strip().lower()
        seen.keep(
            SeenExchange(
                facts,
                call.path,
                call.query_values,
                None if facts.effect == "login" else call.json,
                reply.status,
                tuple(reply.headers),
                content_type,
                reply.body if reply.is_json else reply.text or None,
            )
        )

    def saw_objects(self, endpoint: str, kind: Any, paths: Sequence[str], objects: Sequence[Mapping[str, Any]]) -> None:
        """Take properties of objects of a vCenter."""
        facts = facts_of_kind(kind, self._contract)
        seen = self.of(endpoint, facts)
        seen.statuses.append(200)
        compare_objects(seen.comparison, kind, paths, objects)
        if objects:
            asked = {"type": str(kind.__name__).rpartition(".")[2], "pathSet": list(paths)}
            fullest = max(objects, key=lambda one: len(one["values"]))
            seen.keep(SeenExchange(facts, "/sdk", {}, asked, 200, (), "text/xml", sample_body(fullest)))

    def saw_result(self, endpoint: str, method: str, result: Any) -> None:
        """Take what a method of vCenter's service instance has returned."""
        facts = self._contract.calls.get(_METHODS.get(method, ""))
        if facts is None:
            return
        seen = self.of(endpoint, facts)
        seen.statuses.append(200)
        body = {"returnval": plain(result)}
        seen.comparison.take_body(body)
        seen.keep(SeenExchange(facts, "/sdk", {}, {}, 200, (), "text/xml", body))


_METHODS = {"CurrentTime": "vcenter.service_instance.current_time"}


def _says_something(status: int) -> bool:
    """Whether an answer says something of the contract: not if the product or the account was not up to it."""
    return status not in (401, 403, 429) and status < 500


def _size(exchange: SeenExchange) -> int:
    """Return about how much an answer shows: how many objects it lists, or how many properties were asked for."""
    body = exchange.body
    if isinstance(body, Mapping) and "propSet" in body:
        return len(exchange.request_body["pathSet"])
    for step in ("data", "items", "rows", "results"):
        if isinstance(body, Mapping) and isinstance(body.get(step), Mapping | list):
            body = body[step]
    return len(body) if isinstance(body, list | Mapping) else 0
