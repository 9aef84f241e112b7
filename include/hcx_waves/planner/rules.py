"""The rules of a plan: what a wave may hold, on which nights, and what people want of single VMs. A YAML file."""

from __future__ import annotations

from datetime import date, time, timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, StrictInt, ValidationError, field_validator, model_validator

from hcx_waves.model.base import BrokenRule, DomainModel, refuse
from hcx_waves.model.bounded_json import UnreadableJsonError, read_bounded
from hcx_waves.model.names import ObjectName, Text, WaveName
from hcx_waves.model.times import Day, Duration
from hcx_waves.wavefile.connections import Connections
from hcx_waves.wavefile.gates import Gates
from hcx_waves.wavefile.problems import Problem, WaveFileError, broken_rules_of, spoken
from hcx_waves.wavefile.segments import Segment
from hcx_waves.wavefile.settings import VmSettings
from hcx_waves.wavefile.yaml_tree import SIZE_LIMIT_BYTES, read_yaml
from hcx_waves.wavefile.zones import ZoneName

MOST_NIGHTS = 600
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
_HOUR = timedelta(hours=1)
_LONGEST_NAME = 50


class Freeze(DomainModel):
    """Days on which nothing may be moved, the first and the last included."""

    first: Day
    last: Day
    reason: Text

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.last < self.first:
            refuse([BrokenRule(("last",), "is before first")])
        return self


class PlanNights(DomainModel):
    """The nights on which waves can run: one wave a night."""

    first: Day
    every: Duration = _WEEK
    """From one night to the next, in whole days."""
    until: Day | None = None
    """No wave after this day; as many nights as are needed unless set."""
    opens: str = Field(default="22:00", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
    """When the switchover window opens, in local time."""
    lasts: Duration = timedelta(hours=6)
    """How long it is open."""
    cutover_lasts: Duration = timedelta(hours=3)
    """How long after it gateways may move."""
    replication_lasts: Duration = timedelta(days=2)
    """How long before the switchover window a wave that starts by itself starts replication."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        broken = []
        if self.every < _DAY or self.every % _DAY:
            broken.append(BrokenRule(("every",), "must be whole days, such as 7d"))
        if not _HOUR <= self.lasts <= timedelta(days=2):
            broken.append(BrokenRule(("lasts",), "must be between 1h and 2d"))
        if not timedelta() < self.cutover_lasts <= timedelta(days=2):
            broken.append(BrokenRule(("cutover_lasts",), "must be more than 0s and at most 2d"))
        if not timedelta() <= self.replication_lasts <= timedelta(days=60):
            broken.append(BrokenRule(("replication_lasts",), "must be at most 60d"))
        if self.until is not None and self.until < self.first:
            broken.append(BrokenRule(("until",), "is before first"))
        refuse(broken)
        return self

    @property
    def opens_at(self) -> time:
        """The clock time at which the window opens."""
        return time.fromisoformat(self.opens)


class PlanLimits(DomainModel):
    """What a wave may hold at most."""

    vms: StrictInt = Field(default=200, ge=1, le=2000)
    """VMs of one wave."""
    gib: StrictInt = Field(default=20_000, ge=1)
    """Used disk space of one wave, in GiB."""
    slots: StrictInt = Field(default=8, ge=1)
    """Networks that may be extended at once: eight per network extension appliance, less those in use otherwise."""
    concurrent: StrictInt = Field(default=200, ge=1)
    """Migrations at once that the service meshes and the manager allow."""
    meshes: StrictInt = Field(default=1, ge=1, le=16)
    """Service meshes: each switches over one VM at a time."""
    days_stretched: StrictInt | None = Field(default=None, ge=1)
    """Days that any network may stay extended; no limit unless set."""


class Pilots(DomainModel):
    """The first waves are small."""

    waves: StrictInt = Field(default=0, ge=0)
    vms: StrictInt = Field(default=10, ge=1)
    """VMs of each of them at most."""


class Pin(DomainModel):
    """VMs that move on a certain night, or not before or after a day."""

    members: tuple[str, ...] = Field(min_length=1)
    """Names or keys of VMs; ``app:Shop`` stands for all VMs of an application."""
    on: Day | None = None
    """The night of their wave, as a day."""
    not_before: Day | None = None
    not_after: Day | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.on is None and self.not_before is None and self.not_after is None:
            refuse([BrokenRule((), "needs on, not_before or not_after")])
        return self


class Sequence(DomainModel):
    """VMs that move in an earlier wave than others."""

    first: tuple[str, ...] = Field(min_length=1)
    then: tuple[str, ...] = Field(min_length=1)


class Staying(DomainModel):
    """VMs that are not moved at all; their networks can never be cut over."""

    members: tuple[str, ...] = Field(min_length=1)
    reason: Text


class PlanRules(DomainModel):
    """The rules of a plan."""

    name: WaveName = Field(max_length=_LONGEST_NAME)
    """What its waves are called by: ``erp`` makes ``erp-001``, ``erp-002``."""
    time_zone: ZoneName
    connections: Connections
    """As in a wave file; written into each."""
    defaults: VmSettings = VmSettings()
    """As in a wave file."""
    gates: Gates = Gates()
    """As in a wave file."""
    nights: PlanNights
    limits: PlanLimits = PlanLimits()
    pilots: Pilots = Pilots()
    freezes: tuple[Freeze, ...] = ()
    together: tuple[tuple[str, ...], ...] = ()
    """VMs that move in one wave."""
    apart: tuple[tuple[str, ...], ...] = ()
    """VMs of which no two move in one wave, besides those of the inventory's anti-affinity rules."""
    pins: tuple[Pin, ...] = ()
    after: tuple[Sequence, ...] = ()
    stays: tuple[Staying, ...] = ()
    segments: tuple[Segment, ...] = ()
    """How single networks are cut over, as in a wave file (``disconnect`` and what it needs); the plan sets windows."""
    never: tuple[ObjectName, ...] = ()
    """Networks that stay extended whatever is moved."""
    ignore: tuple[ObjectName, ...] = ()
    """Networks that are not extended: NICs on them are mapped elsewhere by ``defaults``."""

    @field_validator("together", "apart")
    @classmethod
    def _pairs(cls, groups: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        refuse([BrokenRule((n,), "needs two members") for n, group in enumerate(groups) if len(set(group)) < 2])
        return groups


class PlanRulesError(ValueError):
    """A rules file that cannot be used; the message lists every problem, one a line."""


def load_rules(path: Path) -> PlanRules:
    """Read a rules file.

    :raises PlanRulesError: with every problem, with line and column.
    """
    try:
        text = read_bounded(path, SIZE_LIMIT_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise PlanRulesError(f"{path}: cannot be read: {error.strerror or type(error).__name__}") from error
    except (UnreadableJsonError, UnicodeDecodeError) as error:
        raise PlanRulesError(f"{path}: is larger than 1 MiB or not UTF-8") from error
    tree = read_yaml(text)
    problems = [
        Problem(str(path), one.place.line, one.place.column, spoken(one.location), one.message) for one in tree.flaws
    ]
    if tree.data is not None and not problems:
        try:
            return PlanRules.model_validate(tree.data)
        except ValidationError as error:
            for rule in broken_rules_of(error, PlanRules):
                place = tree.place_of(rule.location)
                problems.append(Problem(str(path), place.line, place.column, spoken(rule.location), rule.message))
    raise PlanRulesError(str(WaveFileError(problems)) or f"{path}: is empty")


def nights_of(rules: PlanRules, wanted: int, without: frozenset[str] = frozenset()) -> list[date]:
    """Return the nights on which waves can run: outside every freeze from the window's opening to the last cutover.

    :param wanted: how many, where no end is set.
    :param without: ids of rules that do not count.
    """
    times = rules.nights
    hours = timedelta(hours=times.opens_at.hour, minutes=times.opens_at.minute) + times.lasts + times.cutover_lasts
    freezes = [one for n, one in enumerate(rules.freezes) if f"freezes[{n}]" not in without]
    until = None if "nights.until" in without else times.until
    found: list[date] = []
    night = times.first
    for _ in range(MOST_NIGHTS * 4):
        if len(found) >= (MOST_NIGHTS if until is not None else wanted) or (until is not None and night > until):
            break
        last = night + timedelta(days=-(-int(hours.total_seconds()) // 86400) - 1)
        if not any(freeze.first <= last and night <= freeze.last for freeze in freezes):
            found.append(night)
        night += times.every
    return found
