"""Compare an answer with the contract: status, headers, envelope, members, types, words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hcx_waves.model.outside import shown
from hcx_waves.probe.contract import CallFacts

_LISTS = ("data.items", "data.rows", "items", "rows", "results", "data")
_LONGEST_WORD = 64


@dataclass(frozen=True)
class Difference:
    """One thing in which answers differ from the contract.

    :param member: dotted path; empty for the answer as a whole.
    :param problem: what differs.
    :param word: the word that the contract does not know, if that is what differs.
    """

    member: str
    problem: str
    word: str = ""

    def __str__(self) -> str:
        return f"{self.member}: {self.problem}" if self.member else self.problem


@dataclass
class AnswerComparison:
    """What the answers to one call have had that the contract has not, over all answers that were seen."""

    facts: CallFacts
    _missing: Counter[tuple[str, str]] = field(default_factory=Counter)
    _visited: Counter[str] = field(default_factory=Counter)
    _others: dict[Difference, None] = field(default_factory=dict)

    def take(self, status: int, headers: Mapping[str, str], body: Any) -> None:
        """Compare one more answer. An answer that is no success is compared by its status alone.

        :param headers: any case.
        """
        facts = self.facts
        if status not in facts.status:
            wanted = " or ".join(map(str, facts.status))
            self.add(Difference("", f"status {status} instead of {wanted}"))
            return
        given = {name.lower(): value for name, value in headers.items()}
        for name in facts.headers:
            if name.lower() not in given:
                self.add(Difference(f"header {name}", "missing"))
        content_type = given.get("content-type", "").partition(";")[0].strip().lower()
        if facts.content_type is not None and content_type != facts.content_type:
            self.add(
                Difference("header Content-Type", f"{shown(content_type) or 'none'} instead of {facts.content_type}")
            )
        if facts.content_type == "application/json" and facts.types:
            self.take_body(body)

    def take_body(self, body: Any) -> None:
        """Compare one more body."""
        self._look_for(body, _tree_of(self.facts.required), "")
        for path, value in members_of(body, ""):
            self._judge(path, value)
        for (path, _), number in list(self._missing.items()):
            if number and path == _envelope_of(self.facts):
                self._look_elsewhere(path, body)

    def add(self, difference: Difference) -> None:
        """Add what was found in another way."""
        self._others[difference] = None

    @property
    def has_seen_elements(self) -> bool:
        """Whether the answers had something of what the contract is about: a list that is empty shows no members."""
        lists = [path for path in self.facts.required if "[]" in path]
        return not lists or any(self._visited[path] for path in lists)

    def differences(self) -> list[Difference]:
        """Return everything that differs, each once."""
        wrong = {one.member for one in self._others}
        found = []
        for (path, problem), number in self._missing.items():
            total = self._visited[path]
            often = "" if number >= total else f" in {number} of {total}"
            if path not in wrong:
                found.append(Difference(path, f"{problem}{often}"))
        return [*self._others, *found]

    def _look_for(self, value: Any, wanted: Mapping[str, Any], at: str) -> None:
        """Walk to the required members, and note where a way ends; not at a wrong type, which is another difference."""
        for step, below in wanted.items():
            if step == "[]":
                for item in value if isinstance(value, list) else ():
                    self._look_for(item, below, f"{at}[]")
            elif isinstance(value, Mapping):
                path = f"{at}.{step}" if at else step
                self._visited[path] += 1
                if value.get(step) is None:
                    self._missing[path, "null" if step in value else "missing"] += 1
                else:
                    self._look_for(value[step], below, path)

    def _judge(self, path: str, value: Any) -> None:
        if value is None:
            return
        allowed, kind = self.facts.types.get(path), type_name(value)
        if allowed is not None and kind not in allowed:
            self.add(Difference(path, f"{' or '.join(allowed)} expected, {kind} found"))
        words = self.facts.words.get(path)
        if words is not None and isinstance(value, str) and value not in words:
            word = shown(value, _LONGEST_WORD)
            self.add(Difference(path, f'unknown word "{word}"', word))

    def _look_elsewhere(self, path: str, body: Any) -> None:
        """Say where the list is, if the answer has the other envelope."""
        for place in _LISTS:
            if place != path and isinstance(_value_at(body, place), list):
                self.add(Difference(path, f"missing; there is a list at {place}"))
                return


def steps_of(path: str) -> list[str]:
    """Return the steps of a dotted path; ``[]`` is one of its own."""
    return [step for step in path.replace("[]", ".[]").split(".") if step]


def _tree_of(paths: Iterable[str]) -> dict[str, Any]:
    """Return dotted paths as a tree of their steps, so that each object is looked at once."""
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        for step in steps_of(path):
            node = node.setdefault(step, {})
    return tree


def members_of(value: Any, at: str) -> Iterator[tuple[str, Any]]:
    """Yield every value below a body with its dotted path, the body itself first."""
    yield at, value
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from members_of(item, f"{at}.{key}" if at else str(key))
    elif isinstance(value, list):
        for item in value:
            yield from members_of(item, f"{at}[]")


def type_name(value: Any) -> str:
    """Return the JSON type of a value."""
    if value is None:
        return "null"
    for kind, name in ((bool, "boolean"), (int | float, "number"), (str, "string"), (Mapping, "object")):
        if isinstance(value, kind):
            return name
    return "array" if isinstance(value, list | tuple) else type(value).__name__


def unknown_words(differences: Iterable[Difference]) -> set[str]:
    """Return the unknown words that look like a vendor's constant, and not like a name."""
    return {one.word for one in differences if re.fullmatch(r"[A-Za-z]+(?:[_ -][A-Za-z]+)*", one.word)}


def _envelope_of(facts: CallFacts) -> str:
    """Return the first step on the way to the listed objects that is missing with another envelope."""
    listed = next((path.partition("[]")[0] for path in facts.required if "[]" in path), "")
    return listed.partition(".")[0] if listed else ""


def _value_at(body: Any, path: str) -> Any:
    for step in path.split("."):
        body = body.get(step) if isinstance(body, Mapping) else None
    return body
