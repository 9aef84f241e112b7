"""The worlds of one server: made, found, reset, moved along and forgotten."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hcx_sim.engine.clock import ClockMode, VirtualClock, to_us
from hcx_sim.engine.guard import ASK_AGAIN_SECONDS
from hcx_sim.faults.catalogue import FAULT_SCENARIOS
from hcx_sim.faults.rules import FaultRule
from hcx_sim.faults.scenarios import FaultScenarioError, NamedFault
from hcx_sim.faults.scenarios import install as install_faults
from hcx_sim.faults.targets import miss
from hcx_sim.garbage import collector_at_rest
from hcx_sim.http.context import Product
from hcx_sim.http.dispatch import DEFAULT_WORLD
from hcx_sim.scenario import Scenario, ScenarioError, build_world, load_scenario
from hcx_sim.scenario.assumptions import Assumptions, assume
from hcx_sim.scenario.variant import variant
from hcx_sim.world.credentials import KEY, Credentials, seeded_credentials
from hcx_sim.world.oracle import Oracle
from hcx_sim.world.timeline import KEY as TIMELINE
from hcx_sim.world.timeline import Timeline
from hcx_sim.world.world import World

logger = logging.getLogger("hcx_sim.worlds")

# Where paused and stepped worlds begin unless their scenario says otherwise: equal runs need an equal start.
FIXED_START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
MAX_WORLDS = 200
_SWEEP_SECONDS = 0.05
_WORLD_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class WorldError(ValueError):
    """A world cannot be made or changed as asked."""


class WorldLimitError(Exception):
    """There are as many worlds as this server may hold."""


class WorldRoleError(Exception):
    """A server that holds twins only was asked for another world."""


class NoSuchWorldError(LookupError):
    """There is no world of that id."""

    def __init__(self, world_id: str) -> None:
        """Name the world."""
        super().__init__(f"no world {world_id!r}")


@dataclass(frozen=True, slots=True)
class WorldOptions:
    """How a world is made.

    ``scenario`` is a shipped name, a file, a document or one that was read before; ``seed`` and ``start`` override
    the scenario's, ``settings`` (part of a document) are laid over its own, ``faults`` come after its own, and
    ``named_faults`` are drawn from the seed, as are the night's factors of ``assumptions``.
    ``idle_seconds`` (wall time) ends a world that nobody calls for that long; ``credentials`` are generated from
    the seed when not given. ``guarded`` lets a stepped clock also stand while it is unsettled; after
    ``ask_again_seconds`` (wall time) in which nothing happened it asks whoever waits.
    """

    scenario: str | Path | Mapping[str, Any] | Scenario = "seed"
    role: str = "site"
    seed: int | None = None
    mode: ClockMode = ClockMode.SCALED
    speed: float = 1.0
    start: datetime | None = None
    idle_seconds: float | None = None
    credentials: Credentials | None = None
    guarded: bool = False
    ask_again_seconds: float = ASK_AGAIN_SECONDS
    settings: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[FaultRule, ...] = ()
    named_faults: tuple[NamedFault, ...] = ()
    assumptions: Assumptions | None = None


@dataclass(slots=True)
class _Record:
    world: World
    scenario: Scenario
    options: WorldOptions
    last_called: float
    timer: asyncio.TimerHandle | None = None
    serving: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def busy(self) -> bool:
        """Whether somebody is being served, which counts as being called.

        In a guarded world it does not: there a client that lives is asked and comes back, however long it waits.
        """
        return bool(self.serving) and not self.options.guarded

    def end(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        for task in list(self.serving):
            task.cancel()


@dataclass(frozen=True, slots=True)
class WorldLimits:
    """What a server makes of the worlds that its clients ask for.

    At most ``max_worlds``, the default one included; a world that does not say ends after ``idle_seconds`` (wall
    time, None: never); with ``twins_only`` none plays a site.
    """

    max_worlds: int = MAX_WORLDS
    idle_seconds: float | None = None
    twins_only: bool = False


class WorldManager:
    """Keeps the worlds; everything here runs on the server's loop.

    ``urls`` returns a world's product URLs, which products find in ``world.products["urls"]``; ``watchers`` are
    called with a world id after a world was made, changed or removed. ``limits`` say what is refused.
    """

    def __init__(
        self,
        products: Mapping[str, Product],
        urls: Callable[[str], dict[str, str]],
        monotonic: Callable[[], float] = time.monotonic,
        limits: WorldLimits | None = None,
    ) -> None:
        """Start without worlds."""
        self.limits = limits or WorldLimits()
        self._building: set[str] = set()
        self._products = products
        self._urls = urls
        self._monotonic = monotonic
        self._records: dict[str, _Record] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self.watchers: list[Callable[[str], None]] = []

    def create(self, world_id: str, options: WorldOptions) -> World:
        """Make a world.

        Raises :class:`WorldError` (id in use or malformed), :class:`WorldLimitError` or :class:`ScenarioError`.
        """
        self._check(world_id, options)
        return self._keep(*self._build_quietly(world_id, options))

    async def create_beside(self, world_id: str, options: WorldOptions) -> World:
        """Make a world in a thread, while all others go on; raises what :meth:`create` raises.

        A world that is being built is nobody's but that thread's; it appears when it is complete.
        """
        self._check(world_id, options)
        self._building.add(world_id)
        try:
            built = await asyncio.to_thread(self._build_quietly, world_id, options)
        finally:
            self._building.discard(world_id)
        return self._keep(*built)

    def _check(self, world_id: str, options: WorldOptions) -> None:
        if not _WORLD_ID.fullmatch(world_id):
            raise WorldError(f"world id {world_id!r} must be letters, digits, '.', '_' and '-', at most 64")
        if world_id in self._records or world_id in self._building:
            raise WorldError(f"world {world_id!r} exists already")
        if options.guarded and options.mode is not ClockMode.STEPPED:
            raise WorldError(f"a guarded clock is stepped, not {options.mode}")
        if self.limits.twins_only and options.role != "twin":
            raise WorldRoleError(f"this server holds twins only, no world that plays a {options.role}")
        most = self.limits.max_worlds
        if len(self._records) + len(self._building) >= most:
            raise WorldLimitError(f"there are {most} worlds, which is as many as this server holds")

    def miss(self, rule: FaultRule) -> str | None:
        """Return why a fault rule can never strike, None when it can."""
        return miss(rule, self._products)

    def _build_quietly(self, world_id: str, options: WorldOptions) -> tuple[World, Scenario, WorldOptions]:
        with collector_at_rest():
            return self._build(world_id, options)

    def _build(self, world_id: str, options: WorldOptions) -> tuple[World, Scenario, WorldOptions]:
        chosen = options.scenario
        scenario = chosen if isinstance(chosen, Scenario) else load_scenario(chosen)
        scenario = variant(scenario, options.settings, options.faults)
        if options.assumptions is not None:
            seed = scenario.seed if options.seed is None else options.seed
            scenario = assume(scenario, options.assumptions, seed)
        if misses := [reason for rule in scenario.faults if (reason := self.miss(rule))]:
            raise ScenarioError("\n".join(misses))
        try:
            clock = VirtualClock(to_us(_start(scenario, options)), options.mode, options.speed)
            world = build_world(scenario, world_id, options.role, clock, seed=options.seed)
        except ValueError as error:
            raise WorldError(str(error)) from error
        world.products[KEY] = options.credentials or seeded_credentials(world.random)
        world.products["urls"] = self._urls(world_id)
        if options.guarded:
            world.guard(options.ask_again_seconds)
        for product in self._products.values():
            product.install(world)
        world.products["oracle"] = Oracle(world)
        world.products[TIMELINE] = Timeline(world, scenario.name)
        try:
            install_faults(world, list(options.named_faults), FAULT_SCENARIOS)
        except FaultScenarioError as error:
            raise ScenarioError(str(error)) from error
        return world, scenario, options

    def _keep(self, world: World, scenario: Scenario, options: WorldOptions) -> World:
        self._records[world.world_id] = _Record(world, scenario, options, self._monotonic())
        self.rearm(world)
        self._plan_sweep()
        self._tell(world.world_id)
        return world

    def get(self, world_id: str) -> World:
        """Return a world; raises :class:`NoSuchWorldError`."""
        return self._record(world_id).world

    def options(self, world_id: str) -> WorldOptions:
        """Return how a world was made; raises :class:`NoSuchWorldError`."""
        return self._record(world_id).options

    def scenario(self, world_id: str) -> Scenario:
        """Return the scenario a world was built from; raises :class:`NoSuchWorldError`."""
        return self._record(world_id).scenario

    def find(self, world_id: str) -> World | None:
        """Return a world and note that it is in use; None when there is none."""
        record = self._records.get(world_id)
        if record is None:
            return None
        record.last_called = self._monotonic()
        return record.world

    def ids(self) -> list[str]:
        """Return the ids of all worlds, sorted."""
        return sorted(self._records)

    def _record(self, world_id: str) -> _Record:
        try:
            return self._records[world_id]
        except KeyError:
            raise NoSuchWorldError(world_id) from None

    def delete(self, world_id: str) -> None:
        """Forget a world and drop the requests it is serving; the default one stays (:class:`WorldError`)."""
        if world_id == DEFAULT_WORLD:
            raise WorldError("the default world cannot be deleted; reset it instead")
        self._record(world_id).end()
        del self._records[world_id]
        self._tell(world_id)

    def reset(self, world_id: str, named_faults: tuple[NamedFault, ...] | None = None) -> World:
        """Rebuild a world from its scenario, with the same credentials, and drop what the old one is serving.

        ``named_faults`` take the place of those that it had; None keeps these.
        """
        record = self._record(world_id)
        credentials = record.world.products[KEY]
        record.end()
        kept = replace(record.options, scenario=record.scenario, credentials=credentials)
        options = replace(kept, settings={}, faults=(), assumptions=None)  # the scenario has them by now
        if named_faults is not None:
            options = replace(options, named_faults=named_faults)
        return self._keep(*self._build_quietly(world_id, options))

    def close(self) -> None:
        """Drop everything that is being served and stop all clocks' timers."""
        for record in self._records.values():
            record.end()
        if self._sweep is not None:
            self._sweep.cancel()

    def expire_idle(self) -> list[str]:
        """Delete the worlds that were not called for longer than they may; return their ids."""
        now = self._monotonic()
        expired = [world_id for world_id, expires in self._expiries() if expires < now]
        for world_id in expired:
            self.delete(world_id)
        self._plan_sweep()
        return expired

    def _expiries(self) -> list[tuple[str, float]]:
        now = self._monotonic()
        return [
            (world_id, (now if record.busy else record.last_called) + record.options.idle_seconds)
            for world_id, record in self._records.items()
            if record.options.idle_seconds is not None and world_id != DEFAULT_WORLD
        ]

    def _plan_sweep(self) -> None:
        """Look again when the first world may have been idle for too long."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        first = min((expires for _, expires in self._expiries()), default=None)
        if first is not None:
            delay = max(_SWEEP_SECONDS, first - self._monotonic() + _SWEEP_SECONDS)
            self._sweep = asyncio.get_running_loop().call_later(delay, self.expire_idle)

    def changed(self, world_id: str) -> None:
        """Say that clock, faults or facts of a world were changed other than by a call."""
        self.rearm(self.get(world_id))
        self._tell(world_id)

    def serving(self, world: World, task: asyncio.Task[Any]) -> None:
        """Note that a task serves a request of a world, so that it ends with the world."""
        record = self._records.get(world.world_id)
        if record is not None and record.world is world:
            record.serving.add(task)
            task.add_done_callback(record.serving.discard)

    def rearm(self, world: World) -> None:
        """Schedule the world's next event at its wall time, when its clock moves by itself."""
        record = self._records.get(world.world_id)
        if record is None or record.world is not world:
            return
        if record.timer is not None:
            record.timer.cancel()
            record.timer = None
        next_us = world.engine.next_at_us()
        delay = world.clock.wall_seconds_until(next_us) if next_us is not None else None
        if delay is not None:
            record.timer = asyncio.get_running_loop().call_later(delay, self._pump, record)

    def pump(self, world_id: str) -> World:
        """Let everything happen that is due in a world; a failing event is logged and noted as our bug."""
        record = self._record(world_id)
        self._pump(record)
        return record.world

    def _pump(self, record: _Record) -> None:
        try:
            record.world.catch_up()
        except Exception as error:
            logger.exception("world %s: an event failed", record.world.world_id)
            record.world.audit.add("note", "simulator-bug", error=f"{type(error).__name__}: {error}")
        self.rearm(record.world)

    def _tell(self, world_id: str) -> None:
        for watcher in self.watchers:
            watcher(world_id)


def _start(scenario: Scenario, options: WorldOptions) -> datetime:
    if options.start is not None:
        return options.start
    return scenario.start_at(datetime.now(UTC) if options.mode is ClockMode.SCALED else FIXED_START)
