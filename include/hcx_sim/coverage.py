"""What is simulated, and how sure we are: the data behind COVERAGE.md.

Every route is registered through :func:`Coverage.route`, every state family and field group through
:func:`Coverage.states` and :func:`Coverage.fields`; none can be without a confidence and a source key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fastapi import FastAPI


class Confidence(StrEnum):
    """How a fact is known: D, C, I and ? of the legend in ``docs/vendor/README.md``."""

    DOCUMENTED = "documented"
    CONFIRMED = "confirmed"
    INFERRED = "inferred"
    GUESSED = "guessed"


@dataclass(frozen=True, slots=True)
class RouteFact:
    """One simulated endpoint."""

    product: str
    call: str
    method: str
    path: str
    confidence: Confidence
    sources: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class GroupFact:
    """A family of states or a group of fields that answers contain."""

    product: str
    kind: str  # "states" or "fields"
    name: str
    members: tuple[str, ...]
    confidence: Confidence
    sources: tuple[str, ...]
    note: str = ""


@dataclass(slots=True)
class Coverage:
    """The facts about one product; its FastAPI application gets the routes at the same time."""

    product: str
    routes: list[RouteFact] = field(default_factory=list)
    groups: list[GroupFact] = field(default_factory=list)

    def route(
        self,
        app: FastAPI,
        method: str,
        path: str,
        call: str,
        confidence: Confidence,
        sources: str,
        note: str = "",
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register an async handler ``(request) -> Response`` under a path and an operation key.

        ``sources`` holds source keys of ``docs/vendor`` separated by blanks, an article as ``KB-321604``; an empty
        string raises :class:`ValueError`.
        """
        fact = RouteFact(self.product, call, method, path, confidence, _keys(sources, path), note)

        def register(handler: Callable[..., Any]) -> Callable[..., Any]:
            self.routes.append(fact)
            app.add_api_route(path, handler, methods=[method], name=call, include_in_schema=False, response_model=None)
            return handler

        return register

    def operation(self, call: str, confidence: Confidence, sources: str, note: str = "") -> None:
        """Register an operation that has no route of its own (a SOAP method)."""
        self.routes.append(RouteFact(self.product, call, "POST", "/sdk", confidence, _keys(sources, call), note))

    def states(self, name: str, members: tuple[str, ...], confidence: Confidence, sources: str, note: str = "") -> None:
        """Register a family of states."""
        keys = _keys(sources, name)
        self.groups.append(GroupFact(self.product, "states", name, members, confidence, keys, note))

    def fields(self, name: str, members: tuple[str, ...], confidence: Confidence, sources: str, note: str = "") -> None:
        """Register a group of fields."""
        keys = _keys(sources, name)
        self.groups.append(GroupFact(self.product, "fields", name, members, confidence, keys, note))


def _keys(sources: str, what: str) -> tuple[str, ...]:
    keys = tuple(sources.split())
    if not keys:
        raise ValueError(f"{what} has no source")
    return keys
