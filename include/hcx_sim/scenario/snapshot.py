"""Makes a scenario of the snapshot of a live site pair; a twin world is built from it.

Ids are kept: MoRefs, UUIDs, MAC addresses, segment paths, the ids of meshes, extensions and endpoints. What is
assumed because a snapshot does not contain it is listed in docs/snapshot.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from hcx_sim.scenario.loader import ScenarioError
from hcx_sim.scenario.schema import MeshSpec, Scenario
from hcx_sim.scenario.schema_sites import ApplianceSpec, ExtensionSpec, GroupSpec, MigrationSpec
from hcx_sim.scenario.snapshot_sites import domains_of, networks_of, site_of
from hcx_sim.scenario.snapshot_vms import VmNames, vm_of
from hcx_sim.settings import HcxSettings, WorldSettings
from hcx_sim.world.model import SiteName
from hcx_snapshot import Snapshot, SnapshotFileError, parse_snapshot
from hcx_snapshot.model import MeshPart, MigrationPart

ASSUMED_CHANGE_MBPS = 1.0
ASSUMED_LINK_MBPS = 1000.0
ASSUMED_ROUND_TRIP_MS = 10.0
_KBPS = 1000
_KINDS = {"HCX-WAN-IX": "IX", "HCX-NET-EXT": "NE"}
_BAD = frozenset({"down", "red", "failed", "error", "critical", "unreachable", "disconnected", "not_ok", "degraded"})
_HEALTHY = frozenset({"connected", "realized", "success", "up", "ok"})
_BROKEN = frozenset({"disconnected", "down", "failed", "error", "unrealized"})
_ENDS = {"done": "complete", "failed": "failed", "cancelled": "cancelled", "draft": "draft"}
_LOST_GROUP = "group-of-the-snapshot"


def scenario_from_snapshot(
    document: Mapping[str, Any], *, assumed_change_mbps: float = ASSUMED_CHANGE_MBPS
) -> Scenario:
    """Return the scenario of a snapshot.

    ``assumed_change_mbps`` is how much a disk changes, in Mbit/s, of a VM whose change rate the snapshot does not
    know. Raises :class:`~hcx_sim.scenario.loader.ScenarioError` with every problem.
    """
    snapshot = _parsed(document)
    names = VmNames(snapshot)
    sites = {SiteName.SOURCE: snapshot.source, SiteName.DESTINATION: snapshot.destination}
    domains = domains_of(snapshot)
    try:
        return Scenario(
            name="-".join(["snapshot", *snapshot.waves]),
            description=f"A site pair as it was at {snapshot.taken_at.isoformat()}",
            settings=WorldSettings(hcx=_hcx_settings(snapshot)),
            sites={name: site_of(name, part, snapshot) for name, part in sites.items()},
            meshes=[_mesh(mesh, snapshot) for mesh in snapshot.hcx.meshes],
            networks=[spec for name, part in sites.items() for spec in networks_of(name, part, snapshot, domains)],
            vms=[
                vm_of(name, vm, part, names, assumed_change_mbps, _stopped(snapshot))
                for name, part in sites.items()
                for vm in part.vms
            ],
            extensions=_extensions(snapshot),
            migrations=[_migration(one) for one in snapshot.hcx.migrations],
            groups=_groups(snapshot),
        )
    except ValidationError as error:
        raise ScenarioError("\n".join(_lines(error))) from error
    except ValueError as error:
        raise ScenarioError(f"snapshot: {error}") from error


def _parsed(document: Mapping[str, Any]) -> Snapshot:
    try:
        return parse_snapshot(document)
    except SnapshotFileError as error:
        raise ScenarioError(str(error)) from error


def _lines(error: ValidationError) -> list[str]:
    lines = []
    for one in error.errors(include_url=False, include_input=False):
        place = ".".join(map(str, one["loc"])) or "scenario"
        # Problems of names come as one message, each after a semicolon.
        text = str(one["msg"]).removeprefix("Value error, ")
        lines += [f"snapshot: {place}: {part}" for part in text.split("; ")]
    return lines


def _hcx_settings(snapshot: Snapshot) -> HcxSettings:
    """Return settings under which the twin speaks as the live managers do."""
    version, build = _release(snapshot)
    settings = HcxSettings(version=version, build=build)
    words = dict(settings.extension_states)
    said = [one.state for one in snapshot.hcx.extensions if one.state]
    down = Counter(state for state in said if state.lower() in _BROKEN)
    up = Counter(state for state in said if state.lower() in _HEALTHY)
    up = up or Counter(state for state in said if state.lower() not in _BROKEN)
    for name, counted in (("up", up), ("down", down)):
        if counted:
            words[name] = counted.most_common(1)[0][0]
    return settings.model_copy(update={"extension_states": words})


def _release(snapshot: Snapshot) -> tuple[str, str]:
    """Return version and build of the managers; where only a generation shows (``4.x``), the appliances' tell more."""
    shown = snapshot.hcx.version
    appliances = [(one.version or "").split(".") for mesh in snapshot.hcx.meshes for one in mesh.appliances]
    full = next((parts for parts in appliances if len(parts) > 3 and parts[0] == shown.partition(".")[0]), None)
    if full is None:
        return shown, HcxSettings().build
    return ".".join(full[:3]) if "x" in shown else shown, full[3]


def _mesh(mesh: MeshPart, snapshot: Snapshot) -> MeshSpec:
    rates = [rate for up in mesh.uplinks for rate in (up.upload_kbps, up.download_kbps) if rate]
    uplink = mesh.uplinks[0] if mesh.uplinks else None
    return MeshSpec(
        name=mesh.name,
        mesh_id=mesh.mesh_id,
        state=mesh.state or "COMMITTED",
        services=list(mesh.services),
        link_mbps=min(rates) / _KBPS if rates else ASSUMED_LINK_MBPS,
        link_assumed=not rates,
        round_trip_ms=uplink.latency_ms if uplink and uplink.latency_ms is not None else ASSUMED_ROUND_TRIP_MS,
        loss_percent=uplink.loss_percent if uplink and uplink.loss_percent is not None else 0.0,
        tunnel_up=_tunnel_is_up(mesh),
        appliances=_appliances(mesh, snapshot),
        network_extension_appliances=0,
    )


def _tunnel_is_up(mesh: MeshPart) -> bool:
    bad_ix = any(_KINDS.get(one.kind) == "IX" and (one.status or "").lower() in _BAD for one in mesh.appliances)
    return not bad_ix and "INTERCONNECT" not in mesh.services_down


def _appliances(mesh: MeshPart, snapshot: Snapshot) -> list[ApplianceSpec]:
    """Return the pairs of appliances: those that the mesh lists, and those that only its extensions name."""
    pairs = [
        (_KINDS[one.kind], one.name, one.peers[0] if one.peers else f"{one.name}-peer")
        for one in mesh.appliances
        if one.kind in _KINDS
    ]
    listed = {name for _, name, _ in pairs}
    is_only = len(snapshot.hcx.meshes) == 1
    for one in snapshot.hcx.extensions:
        name = one.source_appliance or f"{mesh.name}-NE-I1"
        if name not in listed and (one.mesh_id == mesh.mesh_id or (is_only and one.mesh_id is None)):
            listed.add(name)
            pairs.append(("NE", name, one.destination_appliance or f"{name}-peer"))
    return [
        ApplianceSpec.model_validate({"kind": kind, "source": here, "destination": there})
        for kind, here, there in pairs
    ]


def _stopped(snapshot: Snapshot) -> frozenset[str]:
    """Return the network extension appliances that HCX calls broken though their mesh's tunnel is up.

    A twin shows that by switching them off.
    """
    return frozenset(
        one.name
        for mesh in snapshot.hcx.meshes
        for one in mesh.appliances
        if _tunnel_is_up(mesh) and _KINDS.get(one.kind) == "NE" and (one.status or "").lower() in _BAD
    )


def _extensions(snapshot: Snapshot) -> list[ExtensionSpec]:
    """Return the extensions between networks that are both known; others lead elsewhere."""
    meshes = {mesh.mesh_id: mesh.name for mesh in snapshot.hcx.meshes}
    return [
        ExtensionSpec(
            extension_id=one.extension_id,
            source=one.source,
            destination=one.destination,
            mesh=meshes.get(one.mesh_id or ""),
            source_appliance=one.source_appliance,
            destination_appliance=one.destination_appliance,
            up=(one.state or "").lower() not in _BROKEN,
            mon=one.mon,
            mon_vms=list(one.mon_vms),
        )
        for one in snapshot.hcx.extensions
        if one.source is not None and one.destination is not None
    ]


def _migration(one: MigrationPart) -> MigrationSpec:
    return MigrationSpec.model_validate(
        {
            "migration_id": one.migration_id,
            "group_id": one.group_id or _LOST_GROUP,
            "entity_id": one.entity_id or "",
            "entity_name": one.entity_name or "",
            "leaves_source": one.leaves_source,
            "archived": one.archived,
            "phase": "transfer_failed" if one.state == "TRANSFER_FAILED" else _ENDS.get(one.phase, "running"),
            "message": one.message,
            "kind": one.kind,
            "created_ms": one.created_ms or 0,
            "ended_ms": one.ended_ms,
        }
    )


def _groups(snapshot: Snapshot) -> list[GroupSpec]:
    known = {one.group_id: one.name for one in snapshot.hcx.groups}
    for migration in snapshot.hcx.migrations:
        group_id = migration.group_id or _LOST_GROUP
        known.setdefault(group_id, group_id)
    return [GroupSpec(group_id=group_id, name=name) for group_id, name in known.items()]
