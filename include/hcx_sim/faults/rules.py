"""Fault rules and the book that decides which of them strikes.

A rule says where it strikes (product, site, call, object, predicate), how often (probability, skip, count) and
what happens (behaviour). ``product: engine`` rules strike inside a migration or a job instead of at the socket.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hcx_sim.engine.randomness import Randomness

SocketBehaviour = Literal[
    "status",
    "refuse",
    "reset_before",
    "reset_after",
    "timeout",
    "slow",
    "malformed",
    "truncated",
    "wrong_schema",
    "vendor_error",
    "item_error",
    "clock_ahead",
]
EngineBehaviour = Literal["fail", "delay", "stall"]
PRODUCTS = Literal["hcx", "nsx", "vmc", "csp", "vcenter", "engine"]
SOCKET_BEHAVIOURS = frozenset(SocketBehaviour.__args__)  # type: ignore[attr-defined]


class FaultRule(BaseModel):
    """One rule.

    ``call`` is a glob over the operation key that COVERAGE.md lists (``migrations.start``; SOAP method names on
    vCenter) or, for the engine, over the point (``migration.switchover``). ``object`` is a substring of the
    path or body, or of the VM or network name in the engine; ``exact`` asks for the whole name there. ``predicate``
    maps dotted body paths to the values they must have. ``skip`` matches pass before it strikes; it strikes at most
    ``count`` times (None: for ever).
    ``probability`` is drawn at each match, at the socket in the order of calls, in the engine per object;
    ``once_decided`` in the engine means that an object is struck at every match or at none.
    ``seconds`` is wall time at the socket (clients' time-outs are real) and virtual time in the engine.
    ``acts`` lets a call that times out act all the same. ``expires_after_seconds`` (virtual) ends the rule.
    """

    model_config = ConfigDict(extra="forbid")

    rule_id: str = Field(pattern=r"^[\w.-]+$")
    product: PRODUCTS
    site: Literal["source", "destination"] | None = None
    call: str = "*"
    method: str | None = None
    object: str | None = None
    exact: bool = False
    predicate: dict[str, Any] = {}
    probability: float = Field(default=1.0, ge=0.0, le=1.0)
    once_decided: bool = False
    skip: int = Field(default=0, ge=0)
    count: int | None = Field(default=None, ge=1)
    behaviour: SocketBehaviour | EngineBehaviour
    status: int = Field(default=500, ge=100, le=599)
    code: str | None = None
    message: str | None = None
    seconds: float = Field(default=0.0, ge=0.0)
    acts: bool = False
    expires_after_seconds: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _behaviour_fits(self) -> FaultRule:
        at_socket = self.behaviour in SOCKET_BEHAVIOURS
        if at_socket == (self.product == "engine"):
            where = "the engine" if self.product == "engine" else "a socket"
            raise ValueError(f"behaviour {self.behaviour!r} cannot strike at {where}")
        if self.exact and (at_socket or self.object is None):
            raise ValueError("exact asks for a name in the engine: it needs product engine and an object")
        if self.once_decided and at_socket:
            raise ValueError("once_decided is about objects in the engine: it needs product engine")
        if self.behaviour == "refuse" and (self.call != "*" or self.object or self.predicate or self.method):
            raise ValueError("refuse closes the listening socket: it can only name product and site")
        return self


class _Entry:
    def __init__(self, rule: FaultRule, since_us: int) -> None:
        self.rule = rule
        self.since_us = since_us
        self.matched = 0
        self.struck = 0


class FaultBook:
    """The rules in force in one world; what is left to chance follows from its seed."""

    def __init__(self, chance: Randomness, now_us: Callable[[], int]) -> None:
        """Start with no rules."""
        self._chance = chance
        self._now_us = now_us
        self._entries: dict[str, _Entry] = {}
        self.engine_watchers: list[Callable[[FaultRule, str, str], None]] = []

    def __len__(self) -> int:
        """Return the number of rules, expired ones included."""
        return len(self._entries)

    def add(self, rule: FaultRule) -> None:
        """Put a rule in force; an id in use raises :class:`ValueError`."""
        if rule.rule_id in self._entries:
            raise ValueError(f"fault rule {rule.rule_id!r} exists already")
        self._entries[rule.rule_id] = _Entry(rule, self._now_us())

    def remove(self, rule_id: str) -> None:
        """Take a rule back; an unknown id raises :class:`KeyError`."""
        del self._entries[rule_id]

    def clear(self) -> None:
        """Take all rules back."""
        self._entries.clear()

    def listing(self) -> list[dict[str, Any]]:
        """Return every rule with how often it matched and struck."""
        return [
            {**entry.rule.model_dump(exclude_none=True), "matched": entry.matched, "struck": entry.struck}
            for entry in self._entries.values()
        ]

    def refused(self, product: str, site: str | None) -> bool:
        """Tell whether connections to a product are refused at present."""
        return any(
            e.rule.behaviour == "refuse" and e.rule.product == product and e.rule.site in (None, site)
            for e in self._alive()
        )

    def _alive(self) -> list[_Entry]:
        now_us = self._now_us()
        return [
            e
            for e in self._entries.values()
            if e.rule.expires_after_seconds is None or now_us < e.since_us + e.rule.expires_after_seconds * 1e6
        ]

    def strike(
        self,
        product: str,
        site: str | None,
        call: str,
        *,
        method: str = "",
        text: str = "",
        body: Any = None,
    ) -> FaultRule | None:
        """Return the first rule that strikes this call or engine point, counting it; None when none does."""
        for entry in self._alive():
            rule = entry.rule
            if rule.behaviour == "refuse" or not _matches(rule, product, site, call, method, text, body):
                continue
            entry.matched += 1
            exhausted = rule.count is not None and entry.struck >= rule.count
            if entry.matched <= rule.skip or exhausted:
                continue
            if rule.probability < 1.0 and self._draw(rule, text) >= rule.probability:
                continue
            entry.struck += 1
            return rule
        return None

    def _draw(self, rule: FaultRule, name: str) -> float:
        """Return a number from 0 to 1; in the engine it does not depend on what happened to other objects."""
        if rule.product != "engine":
            return self._chance.stream("faults").random()
        purpose = f"faults/{rule.rule_id}/{name}"
        return self._chance.stable_share(purpose) if rule.once_decided else self._chance.stream(purpose).random()

    def strike_engine(self, point: str, name: str, site: str | None = None) -> FaultRule | None:
        """Return the engine rule that strikes ``point`` for the object called ``name``; watchers get all three."""
        rule = self.strike("engine", site, point, text=name)
        if rule is not None:
            for watcher in self.engine_watchers:
                watcher(rule, point, name)
        return rule


def _matches(rule: FaultRule, product: str, site: str | None, call: str, method: str, text: str, body: Any) -> bool:
    return (
        rule.product == product
        and rule.site in (None, site)
        and fnmatch.fnmatchcase(call, rule.call)
        and (rule.method is None or rule.method.upper() == method.upper())
        and (rule.object is None or (rule.object == text if rule.exact else rule.object in text))
        and all(_at(body, path) == value for path, value in rule.predicate.items())
    )


def _at(body: Any, path: str) -> Any:
    for part in path.split("."):
        if isinstance(body, list) and part.isdigit() and int(part) < len(body):
            body = body[int(part)]
        elif isinstance(body, dict):
            body = body.get(part)
        else:
            return None
    return body
