"""Fault scenarios by name: what may go wrong in a night, drawn from the world's seed.

A :class:`NamedFault` says which scenario, and may say on which objects, when and for how long; what it leaves out is
drawn from a random stream of its own, so that one more fault does not change the others. All of them happen in
virtual time, none at the socket by wall time but ``vcenter-flaps``, which resets connections at once.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hcx_sim.engine.clock import iso, seconds, to_us
from hcx_sim.world.world import World

KEY = "fault_scenarios"
BEGIN, END = "fault.begin", "fault.end"
_EARLIEST_SECONDS, _LATEST_SECONDS = 1800.0, 6 * 3600.0

Range = tuple[float, float]


class FaultScenarioError(ValueError):
    """A named fault does not fit its scenario or the world; the message says why."""


class NamedFault(BaseModel):
    """A fault scenario with what is known of it; the scenario's own description says what applies to it.

    ``objects`` are names to choose from (default: all that fit), ``count`` how many of them are struck. ``at`` is an
    instant or two between which it is drawn, ``seconds`` (virtual) a duration or two bounds. ``times`` is how often
    an operation fails, ``factor`` what is left of a bandwidth, ``free_gb`` of a datastore's free space.
    """

    model_config = ConfigDict(extra="forbid")

    scenario: str
    objects: list[str] | None = None
    count: int | None = Field(default=None, ge=1)
    at: AwareDatetime | tuple[AwareDatetime, AwareDatetime] | None = None
    seconds: float | Range | None = None
    times: int | None = Field(default=None, ge=1)
    factor: float | None = Field(default=None, gt=0, le=1)
    free_gb: float | None = Field(default=None, ge=0)

    def given(self) -> set[str]:
        """Return the names of the parameters that were given."""
        return {name for name, value in self if value is not None} - {"scenario"}


@dataclass(slots=True)
class Strike:
    """One fault of a world: what was drawn. Without ``begins_us`` it is in force from the start."""

    scenario: str
    number: str
    objects: list[str]
    begins_us: int | None = None
    ends_us: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)  # what to put back at the end

    def describe(self) -> dict[str, Any]:
        """Return what was drawn, JSON-able."""
        instants = {"from": self.begins_us, "to": self.ends_us}
        shown = {name: None if at_us is None else iso(at_us) for name, at_us in instants.items()}
        return {"scenario": self.scenario, "objects": self.objects, **shown, **self.detail}


Effect = Callable[[World, Strike], None]


@dataclass(frozen=True, slots=True)
class FaultScenario:
    """A kind of fault: which objects it may strike, which parameters it takes, what it does.

    ``count`` is how many of the objects it strikes unless told (None: all). ``lasts_seconds`` are the bounds of the
    duration of one that passes; ``timed`` ones begin at an instant of the night, the others with the world.
    ``strikes`` are the bounds of how often it happens.
    """

    name: str
    description: str
    objects: str
    candidates: Callable[[World], list[str]]
    begin: Effect
    end: Effect | None = None
    parameters: frozenset[str] = frozenset()
    count: int | None = 1
    timed: bool = False
    lasts_seconds: Range | None = None
    strikes: tuple[int, int] = (1, 1)
    draw: Callable[[NamedFault, random.Random], dict[str, Any]] = lambda _fault, _stream: {}

    def accepts(self) -> list[str]:
        """Return the names of the parameters it takes, sorted."""
        timing = {"at", "seconds"} if self.timed else set()
        return sorted({"objects", "count", *timing, *self.parameters})

    def describe(self) -> dict[str, Any]:
        """Return what a user needs to know, JSON-able."""
        return {
            "name": self.name,
            "description": self.description,
            "objects": self.objects,
            "parameters": self.accepts(),
        }


def install(world: World, faults: list[NamedFault], catalogue: dict[str, FaultScenario]) -> list[Strike]:
    """Draw what the named faults come to in a world, put it in force or on the agenda, and return it.

    Raises :class:`FaultScenarioError` for an unknown scenario, a parameter that it does not take, and objects that
    do not exist or cannot be struck.
    """
    strikes: dict[str, Strike] = {}

    def begin(number: str) -> None:
        _note(world, strikes[number], "begins")
        catalogue[strikes[number].scenario].begin(world, strikes[number])

    def end(number: str) -> None:
        effect = catalogue[strikes[number].scenario].end
        if effect is not None:
            _note(world, strikes[number], "ends")
            effect(world, strikes[number])

    world.engine.on(BEGIN, begin)
    world.engine.on(END, end)
    for place, fault in enumerate(faults):
        for strike in _drawn(world, fault, place, catalogue):
            strikes[strike.number] = strike
            _put_on_the_agenda(world, strike, begin)
    drawn = list(strikes.values())
    world.products[KEY] = drawn
    return drawn


def _put_on_the_agenda(world: World, strike: Strike, begin: Callable[[str], None]) -> None:
    name = f"fault/{strike.scenario}/{strike.number}"
    if strike.begins_us is None:
        begin(strike.number)
    else:
        world.engine.schedule_at(strike.begins_us, BEGIN, name, number=strike.number)
    if strike.ends_us is not None:
        world.engine.schedule_at(strike.ends_us, END, name, number=strike.number)


def _note(world: World, strike: Strike, what: str) -> None:
    world.audit.add("note", f"fault:{strike.scenario}", what=what, objects=strike.objects)


def _drawn(world: World, fault: NamedFault, place: int, catalogue: dict[str, FaultScenario]) -> list[Strike]:
    scenario = catalogue.get(fault.scenario)
    if scenario is None:
        names = ", ".join(sorted(catalogue))
        raise FaultScenarioError(f"no fault scenario {fault.scenario!r}; there are: {names}")
    if strange := sorted(fault.given() - set(scenario.accepts())):
        takes = ", ".join(scenario.accepts())
        raise FaultScenarioError(f"{scenario.name} takes no {strange[0]!r}; it takes: {takes}")
    stream = world.random.stream(f"fault-scenario/{place}/{scenario.name}")
    objects = _chosen(world, fault, scenario, stream)
    strikes = []
    for turn in range(stream.randint(*scenario.strikes)):
        strike = Strike(scenario.name, f"{place}.{turn}", objects, detail=scenario.draw(fault, stream))
        if scenario.timed:
            _set_times(world, fault, scenario, strike, stream)
        strikes.append(strike)
    return strikes


def _chosen(world: World, fault: NamedFault, scenario: FaultScenario, stream: random.Random) -> list[str]:
    fitting = sorted(set(scenario.candidates(world)))
    if fault.objects is not None:
        wanted = set(fault.objects)
        fitting = [name for name in fitting if name in wanted]
        if not fitting:
            raise FaultScenarioError(f"{scenario.name}: none of {sorted(wanted)} is one of the {scenario.objects}")
    if not fitting:
        raise FaultScenarioError(f"{scenario.name}: the world has no {scenario.objects}")
    count = fault.count or scenario.count or len(fitting)
    return sorted(stream.sample(fitting, min(count, len(fitting))))


def _set_times(world: World, fault: NamedFault, scenario: FaultScenario, strike: Strike, stream: random.Random) -> None:
    strike.begins_us = _instant(world, fault, scenario, stream)
    lasts = fault.seconds or scenario.lasts_seconds
    if lasts is not None:
        low, high = lasts if isinstance(lasts, tuple) else (lasts, lasts)
        begins_us = world.now_us if strike.begins_us is None else strike.begins_us
        strike.ends_us = begins_us + seconds(round(stream.uniform(low, high)))


def _instant(world: World, fault: NamedFault, scenario: FaultScenario, stream: random.Random) -> int | None:
    """Return when it begins, on a whole second; None for at once."""
    if fault.at is None:
        if scenario.lasts_seconds is None:
            return None
        low_us, high_us = world.now_us + seconds(_EARLIEST_SECONDS), world.now_us + seconds(_LATEST_SECONDS)
    else:
        first, last = fault.at if isinstance(fault.at, tuple) else (fault.at, fault.at)
        low_us, high_us = to_us(first), to_us(last)
    return low_us + seconds(round(stream.uniform(0, max(0, high_us - low_us)) / 1e6))
