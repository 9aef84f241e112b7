"""What happened in a world, in virtual time only: the history that two equal nights have in common to the byte.

It holds facts by the names people use. Generated ids, wall times, sessions and who called are not in it, nor is the
order in which calls of one instant arrived: lines of an instant are ordered by what they are about, and only lines
about the same thing keep their order.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hcx_sim.engine.clock import iso
from hcx_sim.faults.rules import FaultRule
from hcx_sim.world.audit import AuditEntry
from hcx_sim.world.model import Bridge, Entity, FirewallRule, Mesh, Segment, VcNetwork, Vm, VmRole
from hcx_sim.world.world import World, plain

KEY = "timeline"
VERSION = 1
# Which facts of what are part of the history; all others follow from them or depend on the order of calls.
_FACTS: dict[type[Entity], tuple[str, ...]] = {
    Segment: ("connectivity", "gateway_up", "gateway_cidr"),
    VcNetwork: ("gateway_connected",),
    Bridge: ("up", "mon"),
    Mesh: ("tunnel_up", "link_bits_per_second", "state"),
    FirewallRule: ("action", "enabled", "cidrs", "sequence_number"),
    Vm: ("power",),
}
_UNHAPPY = frozenset({"rollback", "failed", "transfer_failed", "cancel_failed"})


@dataclass(frozen=True, slots=True)
class _Line:
    at_us: int
    subject: tuple[str, ...]
    number: int
    data: dict[str, Any]


class Timeline:
    """Records one world from the moment it is complete."""

    def __init__(self, world: World, scenario: str) -> None:
        """Start to record; ``scenario`` is the name of what the world was built from."""
        self._world = world
        self._head = {
            "timeline": VERSION,
            "scenario": scenario,
            "seed": world.random.seed,
            "start": iso(world.now_us),
        }
        self._lines: list[_Line] = []
        self._notes: dict[str, Callable[[AuditEntry], None]] = {
            "migration": self._note_migration,
            "vm": self._note_stun,
            "hcx.job": self._note_job,
            "fault": self._note_fault,
        }
        world.observers.append(self._observe)
        world.audit.watchers.append(self._hear)
        world.faults.engine_watchers.append(self._struck)

    def export(self) -> bytes:
        """Return the history as JSON lines, the first of which says what the world was made of."""
        ordered = sorted(self._lines, key=lambda line: (line.at_us, line.subject, line.number))
        rows = [self._head, *({"at": iso(line.at_us), **line.data} for line in ordered)]
        return "".join(f"{json.dumps(row, sort_keys=True, ensure_ascii=False)}\n" for row in rows).encode()

    def _add(self, what: str, *subject: str, **data: Any) -> None:
        line = {"what": what, **{name: plain(value) for name, value in data.items() if value is not None}}
        self._lines.append(_Line(self._world.now_us, (what, *subject), len(self._lines), line))

    def _observe(self, what: str, entity: Entity, before: dict[str, Any]) -> None:
        facts = _FACTS.get(type(entity))
        if facts is None or _aside(entity, before):
            return
        identity = _identity(self._world, entity)
        if what != "updated":
            state = {name: getattr(entity, name) for name in facts} if what == "added" else {}
            self._add(entity.kind, *identity.values(), change=what, **identity, **state)
        elif changed := [name for name in facts if name in before]:
            state = {name: getattr(entity, name) for name in changed}
            self._add(entity.kind, *identity.values(), change="changed", **identity, **state)

    def _hear(self, entry: AuditEntry) -> None:
        kind, _, _ = entry.subject.partition(":")
        if entry.kind == "note" and kind in self._notes:
            self._notes[kind](entry)
        elif entry.kind == "call" and "fault" in entry.data:
            self._add("fault", str(entry.data["fault"]), entry.subject, rule=entry.data["fault"], at_call=entry.subject)

    def _note_migration(self, entry: AuditEntry) -> None:
        data = entry.data
        if "phase" in data:
            why = data["message"] if data["phase"] in _UNHAPPY else None
            facts = {"mesh": self._mesh_name(data["mesh"]), "kind": data["migration_type"], "why": why}
            self._add("migration", data["vm"], vm=data["vm"], before=data["before"], phase=data["phase"], **facts)
        elif data.get("switchover_lost"):
            self._add("migration", data["vm"], vm=data["vm"], switchover_lost=True)

    def _mesh_name(self, mesh_key: str) -> str:
        mesh = self._world.meshes.get(mesh_key)
        return mesh.name if mesh is not None else mesh_key

    def _note_stun(self, entry: AuditEntry) -> None:
        if "stun_seconds" in entry.data:
            data = entry.data
            self._add("stun", data["vm"], vm=data["vm"], seconds=data["stun_seconds"], aborted=data["aborted"])

    def _note_job(self, entry: AuditEntry) -> None:
        data = entry.data
        subject = (data["job"], data["state"], data.get("error", ""))
        self._add("job", *subject, job=data["job"], state=data["state"], error=data.get("error"))

    def _note_fault(self, entry: AuditEntry) -> None:
        name = entry.subject.removeprefix("fault:")
        objects = entry.data["objects"]
        self._add("fault", name, *objects, fault=name, change=entry.data["what"], objects=objects)

    def _struck(self, rule: FaultRule, point: str, name: str) -> None:
        self._add("fault", rule.rule_id, name, rule=rule.rule_id, point=point, object=name)


def _aside(entity: Entity, before: dict[str, Any]) -> bool:
    """Tell whether something is no part of the history.

    That is an appliance, a copy left behind by a bulk migration, a port group whose gateway is a segment's.
    """
    if isinstance(entity, Vm):
        return entity.role is VmRole.HCX_APPLIANCE or (entity.retired and "retired" not in before)
    return isinstance(entity, VcNetwork) and entity.gateway is None


def _identity(world: World, entity: Entity) -> dict[str, str]:
    """Return by which names people know a thing, the same in every equal night."""
    if isinstance(entity, Bridge):
        network = world.networks.get(entity.source_network_key)
        return {"network": network.name if network is not None else entity.source_network_key}
    if isinstance(entity, Segment):
        # HCX puts an id into the names of the segments it makes; the domain is the name at the source.
        network = world.networks.get(f"{entity.site}/{entity.network_moref}")
        domain = network.properties.get("domain") if network is not None else None
        return {"segment": str(domain or entity.display_name), "site": entity.site.value}
    if isinstance(entity, FirewallRule):
        return {"policy": entity.policy_id, "rule": entity.rule_id, "site": entity.site.value}
    name = str(getattr(entity, "name", entity.key))
    site = getattr(entity, "site", None)
    return {"name": name} if site is None else {"name": name, "site": str(site)}
