"""Plays waves in the simulator, in this process and from event to event, to check the forecast against it.

Nothing of the orchestrator takes part: migrations start at once, and a segment is cut over at the very instant at
which its last VM has ended. What remains is what the model is to agree with: transfers, limits, windows, lanes,
switchovers and unextends.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hcx_sim.engine.clock import MICROSECONDS, ClockMode, VirtualClock, to_us
from hcx_sim.hcx.extension import unextend
from hcx_sim.hcx.mobility.flow import Action
from hcx_sim.hcx.mobility.mobility import Mobility, mobility_of
from hcx_sim.hcx.mobility.model import TERMINAL, Migration, Phase
from hcx_sim.hcx.mobility.submission import Caller, start_items
from hcx_sim.hcx.state import state_of
from hcx_sim.products import products
from hcx_sim.scenario import Scenario, build_world
from hcx_sim.scenario.generate import generate
from hcx_sim.scenario.variant import variant
from hcx_sim.world.model import Power, SiteName
from hcx_sim.world.operations import change_segment
from hcx_sim.world.world import World
from hcx_waves.forecast import (
    ForecastInput,
    ForecastMesh,
    ForecastSegment,
    ForecastVm,
    ModelParameters,
    simulator_settings,
)
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.schedule import TimeWindow

START = datetime(2026, 1, 5, 18, 0, tzinfo=UTC)
CALLER = Caller("forecast", SiteName.SOURCE)
_WORDS = {
    MigrationType.RAV: "RAV",
    MigrationType.BULK: "vSphereReplication",
    MigrationType.VMOTION: "vMotion",
    MigrationType.COLD: "ColdMigration",
}
GIB, MIB = 1024**3, 1024**2


@dataclass(frozen=True)
class Recipe:
    """One generated wave: its size, its window in hours after the start, and what makes it special."""

    vms: int
    segments: int
    meshes: int
    opens_hours: float | None
    seed: int
    change: float = 0.25
    """Factor on the generator's change rates, which are those of very busy VMs."""
    link_mbps: float = 2000
    lasts_hours: float = 200
    bulk: float = 0.0
    """Share of the running VMs that move by Bulk, and below by vMotion."""
    vmotion: float = 0.0
    per_mesh: int = 200
    per_manager: int = 300

    def __str__(self) -> str:
        return f"{self.vms} VMs, {self.segments} segments, {self.meshes} meshes, seed {self.seed}"


@dataclass(frozen=True)
class Played:
    """What happened in the simulator, in seconds since the start."""

    base_ended: dict[str, float]
    ended: dict[str, float]
    """By VM name, of those that arrived."""
    missed: set[str]
    unextended: dict[str, float]
    """By segment name."""

    @property
    def transfer_end(self) -> float:
        return max(self.base_ended.values())

    @property
    def last_switchover(self) -> float:
        return max(self.ended.values())


def scenario_of(recipe: Recipe) -> Scenario:
    """Return the recipe's site pair."""
    document = generate(recipe.vms, recipe.segments, recipe.meshes, recipe.seed).model_dump(mode="json")
    for vm in document["vms"]:
        vm["change_rate_mbps"] *= recipe.change
    for number, mesh in enumerate(document["meshes"]):
        mesh["link_mbps"] = recipe.link_mbps * (1 - 0.2 * number)
    return Scenario.model_validate(document)


def input_of(recipe: Recipe, scenario: Scenario) -> ForecastInput:
    """Return what the model is told about the same wave."""
    meshes = {network.name: network.mesh for network in scenario.networks}
    chance = random.Random(recipe.seed)  # noqa: S311  (made-up waves, not secrets)
    vms = []
    for spec in scenario.vms:
        drawn = chance.random()
        kind = MigrationType.RAV
        if spec.power is not Power.ON:
            kind = MigrationType.COLD
        elif drawn < recipe.bulk:
            kind = MigrationType.BULK
        elif drawn < recipe.bulk + recipe.vmotion:
            kind = MigrationType.VMOTION
        vms.append(
            ForecastVm(
                name=spec.name,
                disk_bytes=sum(int((disk.used_gb or 0) * GIB) for disk in spec.disks),
                change_bytes_per_second=spec.change_rate_mbps * 1e6 / 8,
                memory_bytes=int(spec.memory_gb * 1024) * MIB,
                migration=kind,
                mesh=str(meshes[spec.nics[0].network]),
                segments=tuple(sorted({nic.network for nic in spec.nics})),
            )
        )
    window = None
    if recipe.opens_hours is not None:
        opens = START + timedelta(hours=recipe.opens_hours)
        window = TimeWindow(opens=opens, closes=opens + timedelta(hours=recipe.lasts_hours))
    return ForecastInput(
        wave=scenario.name,
        starts_at=START,
        switchover=window,
        vms=tuple(vms),
        meshes=tuple(
            ForecastMesh(name=mesh.name, link_bits_per_second=mesh.link_mbps * 1e6) for mesh in scenario.meshes
        ),
        segments=tuple(ForecastSegment(name=network.name) for network in scenario.networks),
    )


class TwinWave:
    """One wave on one simulated site pair."""

    def __init__(self, scenario: Scenario, parameters: ModelParameters, seed: int) -> None:
        chosen = variant(scenario, simulator_settings(parameters), ())
        clock = VirtualClock(to_us(START), ClockMode.PAUSED)
        self.world: World = build_world(chosen, "forecast", "twin", clock, seed)
        for product in products().values():
            product.install(self.world)
        self.world.audit.recording = False
        self._ended: list[Migration] = []
        self._unextending: dict[str, str] = {}
        self._unextended: dict[str, float] = {}

    def play(self, subject: ForecastInput) -> Played:
        """Let the wave pass until nothing but delta syncs happens any more."""
        mobility = mobility_of(self.world)
        self._watch(mobility)
        results = start_items(mobility, CALLER, [self._intent(subject, vm) for vm in subject.vms])
        assert not [result.errors for result in results if result.errors]
        migrations = {one.entity_name: one for one in mobility.store.migrations.values()}
        waiting = {one.name: {vm.name for vm in subject.vms if one.name in vm.segments} for one in subject.segments}
        closes = None if subject.switchover is None else to_us(subject.switchover.closes)
        while (next_us := self.world.engine.next_at_us()) is not None:
            self.world.engine.run_until(next_us)
            self._look(waiting)
            if self._unextending:
                continue
            late = closes is not None and next_us >= closes
            if len(self._ended) == len(migrations) or (late and all(map(_is_over, migrations.values()))):
                break
        return self._played(migrations)

    def _watch(self, mobility: Mobility) -> None:
        """Keep a list of the migrations that have ended, so that no event has to look at all of them."""
        for phase in TERMINAL:
            usual = mobility.flow._enter[phase]

            def noted(migration: Migration, usual: Action = usual) -> None:
                self._ended.append(migration)
                usual(migration)

            mobility.flow.on_enter(phase, noted)

    def _look(self, waiting: dict[str, set[str]]) -> None:
        """Cut segments over whose last VM has arrived, and note the ends of unextends."""
        for migration in self._ended:
            if migration.phase is Phase.COMPLETE:
                for vms in waiting.values():
                    vms.discard(migration.entity_name)
        for name in [name for name, vms in waiting.items() if not vms]:
            del waiting[name]
            self._cut_over(name)
        for name, key in list(self._unextending.items()):
            if key not in self.world.bridges:
                del self._unextending[name]
                self._unextended[name] = self._seconds(self.world.now_us)

    def _cut_over(self, name: str) -> None:
        world = self.world
        bridge = next(one for one in world.bridges.values() if world.networks[one.source_network_key].name == name)
        source = world.segment_of_network(world.networks[bridge.source_network_key])
        assert source is not None
        change_segment(world, source, connectivity="OFF")
        record = state_of(world).extensions[bridge.key]
        unextend.start(world, SiteName.SOURCE, bridge, record, CALLER.username, connect=True)
        self._unextending[name] = bridge.key

    def _seconds(self, instant_us: int) -> float:
        return (instant_us - to_us(START)) / MICROSECONDS

    def _intent(self, subject: ForecastInput, asked: ForecastVm) -> dict[str, Any]:
        world = self.world
        vm = next(one for one in world.vms.values() if one.name == asked.name)
        mesh = next(one for one in world.meshes.values() if one.name == asked.mesh)
        segments = {one.display_name: one.segment_id for one in world.segments.values() if one.site == "destination"}
        kind = _WORDS[asked.migration]
        switchover: dict[str, Any] = {"switchoverType": kind}
        if subject.switchover is not None:
            edges = (subject.switchover.opens, subject.switchover.closes)
            switchover["schedule"] = dict(
                zip(("startTime", "expiryTime"), (to_us(edge) // 1000 for edge in edges), strict=True)
            )
        return {
            "migrationType": kind,
            "entity": {"entityId": vm.moref, "entityName": vm.name, "entityType": "VirtualMachine"},
            "servicemeshId": mesh.key,
            "switchoverParams": switchover,
            "placement": [
                {"id": "domain-c9", "type": "cluster"},
                {"id": "group-v201", "type": "folder"},
                {"id": "datacenter-2", "type": "dataCenter"},
            ],
            "storage": {"defaultStorage": {"id": "datastore-15", "type": "datastore"}},
            "networkParams": {
                "networkMappings": [
                    {
                        "macAddress": nic.mac,
                        "destNetworkId": "/infra/segments/"
                        + segments[world.networks[f"{vm.site}/{nic.network_moref}"].name],
                    }
                    for nic in vm.nics
                ]
            },
        }

    def _played(self, migrations: dict[str, Migration]) -> Played:
        base = {
            name: self._seconds(one.sync.base_done_us)
            for name, one in migrations.items()
            if one.sync.base_done_us is not None
        }
        ended = {
            name: self._seconds(one.ended_us or 0) for name, one in migrations.items() if one.phase is Phase.COMPLETE
        }
        missed = {name for name, one in migrations.items() if one.missed_window}
        return Played(base, ended, missed, dict(self._unextended))


def _is_over(migration: Migration) -> bool:
    """Tell whether nothing more comes of it; who waits for a place waits for ever once nobody else moves."""
    return migration.phase.terminal or migration.missed_window or migration.phase is Phase.QUEUED
