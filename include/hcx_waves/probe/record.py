"""The record of a probe: without names and secrets, to be attached to a report of a bug, and replayed as samples."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any

from hcx_waves.probe.compare import Difference, members_of, unknown_words
from hcx_waves.probe.contract import CallFacts, load_contract
from hcx_waves.probe.recorder import SeenExchange
from hcx_waves.probe.results import Endpoint, Probe, ProbeRow
from hcx_waves.redaction import Redactor

RECORD_VERSION = 1
_MOST_ELEMENTS = 5


def build_record(probe: Probe, secrets: Iterable[str]) -> dict[str, Any]:
    """Return the record of a probe as JSON primitives.

    :param secrets: passwords and tokens of the endpoints; whatever else looks like one is blanked as well.
    :returns: ``{"record_version", "made_at", "versions", "endpoints", "rows", "samples"}``. The samples have the form
        of the contract samples (``tests/contract/README.md``). Lists are cut to five elements.
    """
    known = load_contract().vocabulary
    words = {*known.words, *unknown_words(one for _, one in probe.differences)}
    redactor = Redactor(secrets, dataclasses.replace(known, words=frozenset(words)))
    return {
        "record_version": RECORD_VERSION,
        "made_at": probe.made_at.isoformat(),
        "versions": {"hcx-waves": metadata.version("hcx-waves"), "python": platform.python_version()},
        "endpoints": [
            {"name": one.name, "system": one.system, "version": redactor.answer(one.version, "version")}
            for one in probe.endpoints
        ],
        "rows": [_row(row, words, redactor) for row in probe.rows],
        "samples": [_sample(endpoint, exchange, redactor) for endpoint, exchange in probe.exchanges],
    }


def _row(row: ProbeRow, words: set[str], redactor: Redactor) -> dict[str, Any]:
    return {
        "endpoint": row.endpoint.name,
        "call": row.facts.key,
        "section": row.facts.section,
        "confidence": row.facts.confidence,
        "outcome": row.outcome.value,
        "differences": [{"member": one.member, "problem": _problem(one, words, redactor)} for one in row.differences],
        "reason": redactor.text(row.reason),
    }


def _problem(difference: Difference, words: set[str], redactor: Redactor) -> str:
    """Return what differs; a word that may be somebody's name is not shown."""
    if difference.word and difference.word not in words:
        return "unknown word"
    return redactor.text(difference.problem)


def _sample(endpoint: Endpoint, exchange: SeenExchange, redactor: Redactor) -> dict[str, Any]:
    """Return an exchange in the form of a contract sample."""
    facts = exchange.facts
    body = redactor.answer(_cut(exchange.body))
    if isinstance(exchange.body, str) or body == "":
        body = None if not exchange.body else "text"
    present = {path for path, value in members_of(body, "") if value is not None}
    required = [path for path in facts.required if path in present]
    side = "destination" if endpoint.name.startswith("destination") else "source"
    return {
        "id": f"{facts.key}.seen_{side}",
        "system": facts.system,
        "call": facts.call,
        "side": side,
        "sources": ["PROBE"],
        "confidence": "confirmed",
        "versions": [redactor.answer(endpoint.version, "version") or "unknown"],
        "precondition": "as it was when the site was probed",
        "request": {
            "method": facts.method,
            "path": redactor.path(exchange.path),
            "query": {name: redactor.answer(value, name) for name, value in exchange.query.items()},
            "headers": [],
            "content_type": _request_type(facts, exchange),
            "body": redactor.answer(exchange.request_body),
        },
        "response": {
            "status": exchange.status,
            "headers": [one for one in facts.headers if one.lower() in {name.lower() for name in exchange.headers}],
            "content_type": None if body is None else exchange.content_type or "text/plain",
            "body": body,
        },
        "required_fields": required,
        "optional_fields": _uncovered(present, required),
        "notes": f"Seen by a probe at the {endpoint.name}. Names, addresses and ids are replaced, lists are cut.",
    }


def _request_type(facts: CallFacts, exchange: SeenExchange) -> str | None:
    if facts.method == "SOAP":
        return "text/xml"
    return None if exchange.request_body is None else "application/json"


def _uncovered(present: set[str], required: list[str]) -> list[str]:
    """Return the members that no required one leads to or covers; those below one of them go with it."""
    found: list[str] = []
    for path in sorted(present - {""}, key=len):
        if path.endswith("[]") or any(_is_related(path, one) for one in required):
            continue
        if not any(path == one or path.startswith((f"{one}.", f"{one}[")) for one in found):
            found.append(path)
    return found


def _is_related(path: str, other: str) -> bool:
    return path == other or path.startswith((f"{other}.", f"{other}[")) or other.startswith((f"{path}.", f"{path}["))


def _cut(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _cut(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_cut(item) for item in value[:_MOST_ELEMENTS]]
    return value
