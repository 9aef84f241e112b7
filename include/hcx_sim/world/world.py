"""The world: every entity of both sites, the one way to change them, and who is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

from hcx_sim.engine.clock import VirtualClock
from hcx_sim.engine.events import Engine
from hcx_sim.engine.guard import GuardedWaiters
from hcx_sim.engine.idle import IdleClock
from hcx_sim.engine.randomness import Randomness
from hcx_sim.engine.waiters import Waiters
from hcx_sim.faults.rules import FaultBook
from hcx_sim.settings import WorldSettings
from hcx_sim.world.audit import Audit
from hcx_sim.world.index import VmIndex
from hcx_sim.world.model import (
    Bridge,
    Datastore,
    Entity,
    FirewallRule,
    Mesh,
    Placement,
    Port,
    Segment,
    Site,
    SiteName,
    VcNetwork,
    Vm,
)

E = TypeVar("E", bound=Entity)
Observer = Callable[[str, Entity, dict[str, Any]], None]


class World:
    """One isolated pair of sites with its clock, events, randomness, faults and audit.

    Products keep their own records (sessions, migrations, jobs) in ``products`` under their name; facts that
    more than one product shows live in the entity tables and are changed by :meth:`put`, :meth:`update` and
    :meth:`remove` only, so that the audit and the oracle miss nothing.
    """

    def __init__(self, world_id: str, role: str, seed: int, settings: WorldSettings, clock: VirtualClock) -> None:
        """Create an empty world; ``role`` is ``site`` or ``twin``."""
        self.world_id = world_id
        self.role = role
        self.settings = settings
        self.clock = clock
        self.engine = Engine(clock)
        self.random = Randomness(seed)
        self.audit = Audit(lambda: self.engine.now_us)
        self.engine.around = self.audit.caused_by
        self.faults = FaultBook(self.random, lambda: self.engine.now_us)
        self.waiters: Waiters = Waiters(clock, self._advance)
        self.products: dict[str, Any] = {}
        self.annotations: dict[str, Any] = {}  # what clients keep here, see the control API
        self.observers: list[Observer] = []
        self.sites: dict[str, Site] = {}
        self.placements: dict[str, Placement] = {}
        self.datastores: dict[str, Datastore] = {}
        self.networks: dict[str, VcNetwork] = {}
        self.segments: dict[str, Segment] = {}
        self.vms: dict[str, Vm] = {}
        self.ports: dict[str, Port] = {}
        self.bridges: dict[str, Bridge] = {}
        self.meshes: dict[str, Mesh] = {}
        self.firewall_rules: dict[str, FirewallRule] = {}
        self._tables: dict[str, dict[str, Any]] = {
            "site": self.sites,
            "placement": self.placements,
            "datastore": self.datastores,
            "network": self.networks,
            "segment": self.segments,
            "vm": self.vms,
            "port": self.ports,
            "bridge": self.bridges,
            "mesh": self.meshes,
            "firewall_rule": self.firewall_rules,
        }
        self._next_moref: dict[str, int] = {}
        self._idle_clock = IdleClock(clock, settings.idle_clock, lambda: self.engine.now_us)
        self._index = VmIndex()
        self.observers.append(self._index.observe)

    @property
    def now_us(self) -> int:
        """The current virtual instant in microseconds."""
        return self.engine.now_us

    def idle_now_us(self) -> int:
        """Return the instant by which sessions and tokens expire, in microseconds; see :class:`IdleClock`."""
        return self._idle_clock.now_us()

    def catch_up(self) -> None:
        """Let everything happen that is due by now; every request starts with this."""
        self._advance(None)

    def guard(self, ask_again_seconds: float) -> None:
        """Let time also stand while it is unsettled (:mod:`hcx_sim.engine.guard`); before anybody takes part."""
        self.waiters = GuardedWaiters(self.clock, self._advance, ask_again_seconds)

    def _advance(self, to_us: int | None) -> None:
        if to_us is not None:
            self.clock.advance_to(to_us)
        self.engine.run_until(self.clock.now_us())

    def put(self, entity: E) -> E:
        """Add an entity; a key that exists already raises :class:`ValueError`."""
        table = self._tables[entity.kind]
        if entity.key in table:
            raise ValueError(f"{entity.kind} {entity.key!r} exists already")
        table[entity.key] = entity
        if self.audit.recording:
            self.audit.add("change", f"{entity.kind}:{entity.key}", added=_plain_summary(entity))
        self._tell("added", entity, {})
        return entity

    def update(self, entity: Entity, **changes: Any) -> bool:
        """Set fields of an entity, audit before and after, tell observers; return whether anything changed."""
        before = {name: getattr(entity, name) for name, value in changes.items() if getattr(entity, name) != value}
        if not before:
            return False
        for name in before:
            setattr(entity, name, changes[name])
        if self.audit.recording:
            after = {name: changes[name] for name in before}
            self.audit.add("change", f"{entity.kind}:{entity.key}", before=_plain(before), after=_plain(after))
        self._tell("updated", entity, before)
        return True

    def remove(self, entity: Entity) -> None:
        """Remove an entity; one that is not there raises :class:`KeyError`."""
        del self._tables[entity.kind][entity.key]
        self.audit.add("change", f"{entity.kind}:{entity.key}", removed=True)
        self._tell("removed", entity, {})

    def _tell(self, what: str, entity: Entity, before: dict[str, Any]) -> None:
        for observer in self.observers:
            observer(what, entity, before)

    def next_moref(self, prefix: str, site: SiteName) -> str:
        """Return a fresh moref such as ``vm-1001``; each site counts for itself."""
        counter = f"{site}/{prefix}"
        number = self._next_moref.get(counter, 1000) + 1
        while self._knows(f"{site}/{prefix}-{number}"):
            number += 1
        self._next_moref[counter] = number
        return f"{prefix}-{number}"

    def _knows(self, key: str) -> bool:
        """Tell whether something of a site has that MoRef, as things of a real site do."""
        return any(key in table for table in (self.vms, self.networks, self.placements, self.datastores))

    def site(self, name: SiteName) -> Site:
        """Return a site."""
        return self.sites[name.value]

    def vms_at(self, site: SiteName) -> list[Vm]:
        """Return the VM objects that one vCenter shows."""
        return [vm for vm in self.vms.values() if vm.site is site]

    def vm_by_uid(self, uid: str) -> Vm:
        """Return the living VM object of a workload; raises :class:`KeyError` when it is nowhere."""
        return self.vms[self._index.living[uid]]

    def network_of_segment(self, segment: Segment) -> VcNetwork:
        """Return the vCenter network that shows a segment."""
        return self.networks[f"{segment.site}/{segment.network_moref}"]

    def segment_of_network(self, network: VcNetwork) -> Segment | None:
        """Return the segment behind a vCenter network, None for a VLAN port group."""
        return self.segments.get(f"{network.site}/{network.segment_id}") if network.segment_id else None

    def vms_on(self, network: VcNetwork) -> list[Vm]:
        """Return the VM objects, retired ones and templates included, with a NIC on a network."""
        return [self.vms[key] for key in self._index.by_network.get(network.key, ())]


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in values.items()}


def plain(value: Any) -> Any:
    """Return a value of the world as JSON-able data."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if hasattr(value, "__dataclass_fields__"):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    return value


def _plain_summary(entity: Entity) -> dict[str, Any]:
    shown = ("name", "display_name", "site", "uid", "segment_id", "network_kind", "power")
    return {name: plain(getattr(entity, name)) for name in shown if hasattr(entity, name)}
