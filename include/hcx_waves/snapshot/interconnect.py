"""Converts meshes, extensions, storage policies and migrations of HCX to parts of a snapshot."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from hcx_snapshot.model import (
    AppliancePart,
    ExtensionPart,
    GroupPart,
    MeshPart,
    MigrationPart,
    StoragePolicyPart,
    UplinkPart,
)
from hcx_waves.clients import hcx as found
from hcx_waves.clients.errors import NotFound
from hcx_waves.clients.hcx import HcxClient
from hcx_waves.migration.groups import is_from, is_in_flight
from hcx_waves.resolve.network_index import NetworkIndex

# No call tells them. [D hcx 8.1]
LIMITS = {"migrations_per_manager": 300, "migrations_per_mesh": 200, "extensions_per_appliance": 8}


def meshes_of(
    meshes: Collection[found.ServiceMesh],
    appliances: Collection[found.Appliance],
    underlay: Collection[found.MeshHealth],
) -> tuple[MeshPart, ...]:
    """Return the service meshes with their appliances and what is measured on them, sorted by id."""
    uplinks = {health.service_mesh_id: health.uplinks for health in underlay}
    return tuple(
        MeshPart(
            mesh_id=one.service_mesh_id,
            name=one.name or one.service_mesh_id,
            state=one.state,
            services=one.service_names,
            services_down=tuple(each.service_name for each in one.status.services if not each.is_up),
            appliances=tuple(
                _appliance(each)
                for each in sorted(appliances, key=lambda each: (each.appliance_name, each.appliance_id))
                if each.service_mesh_id == one.service_mesh_id
            ),
            uplinks=tuple(_uplink(each) for each in uplinks.get(one.service_mesh_id, ())),
        )
        for one in sorted(meshes, key=lambda mesh: mesh.service_mesh_id)
    )


def underlay_of(hcx: HcxClient, vc_guid: str | None) -> tuple[found.MeshHealth, ...]:
    """Read what HCX measures between the sites; nothing where the release does not offer it."""
    try:
        return hcx.underlay_health(vc_guid)
    except NotFound:
        return ()


def _appliance(one: found.Appliance) -> AppliancePart:
    summary = one.status.summary
    return AppliancePart(
        appliance_id=one.appliance_id,
        name=one.appliance_name or one.appliance_id,
        kind=one.appliance_type,
        status=summary.overall_status or None,
        reasons=tuple(str(reason) for reason in summary.reasons),
        version=one.version_text or None,
        peers=peer_names(one),
    )


def peer_names(appliance: found.Appliance) -> tuple[str, ...]:
    """Return the names of an appliance's peers at the other site."""
    peers = (peer for peer in appliance.peer_appliances if isinstance(peer, Mapping))
    return tuple(str(peer["applianceName"]) for peer in peers if peer.get("applianceName"))


def _uplink(one: found.UplinkMetric) -> UplinkPart:
    return UplinkPart(
        name=one.uplink_name,
        upload_kbps=one.upload_kbps,
        download_kbps=one.download_kbps,
        latency_ms=one.latency,
        loss_percent=one.loss_rate,
    )


def extensions_of(
    extensions: Collection[found.NetworkExtension],
    source: NetworkIndex,
    destination: NetworkIndex,
    destination_endpoint_id: str,
    appliances: Collection[found.Appliance],
    routed: Mapping[str, tuple[str, ...]],
) -> tuple[ExtensionPart, ...]:
    """Return the extensions, sorted by id.

    :param routed: names of the VMs that MON routes at the destination, by extension id.
    """
    meshes = {one.appliance_id: one.service_mesh_id for one in appliances}
    meshes |= {one.appliance_name: one.service_mesh_id for one in appliances if one.appliance_name}
    kept = []
    for one in sorted(extensions, key=lambda each: each.extension_id):
        is_ours = one.destination.endpoint_id in (None, destination_endpoint_id)
        near, far = one.source_appliance, one.destination_appliance
        kept.append(
            ExtensionPart(
                extension_id=one.extension_id,
                source=moref_of(one.source_network, source),
                destination=moref_of(one.destination_network, destination) if is_ours else None,
                source_name=one.source_network.network_name or "",
                destination_name=one.destination_network.network_name or "",
                gateway=one.gateway or None,
                netmask=one.netmask or None,
                mesh_id=meshes.get(near.appliance_id or "") or meshes.get(near.appliance_name or ""),
                source_appliance=near.appliance_name,
                destination_appliance=far.appliance_name,
                state=one.operation_status.state,
                mon=one.features.mobility_optimized_networking,
                mon_vms=routed.get(one.extension_id, ()),
            )
        )
    return tuple(kept)


def moref_of(network: Any, index: NetworkIndex) -> str | None:
    """Return the MoRef of the network that an end of an extension means: by its id, by a name that is unique."""
    meant = index.meant_by(network.network_id)
    if not meant and network.network_name:
        meant = index.named(network.network_name)
    return meant[0].moref if len(meant) == 1 else None


def policies_of(
    policies: Iterable[found.InventoryEntity], source_endpoint_id: str, destination_endpoint_id: str
) -> tuple[StoragePolicyPart, ...]:
    """Return the storage policies of the two sites, sorted by id."""
    sites: dict[str | None, Literal["source", "destination"] | None] = {
        source_endpoint_id: "source",
        destination_endpoint_id: "destination",
        None: None,
    }
    kept = [
        StoragePolicyPart(policy_id=one.entity_id, name=one.name, site=sites[one.endpoint_id])
        for one in policies
        if one.entity_id and one.endpoint_id in sites
    ]
    return tuple(sorted(kept, key=lambda policy: (policy.policy_id, policy.site or "")))


def migrations_of(
    listed: Iterable[found.Migration],
    present_ids: Collection[str],
    entity_ids: Collection[str],
    names: Collection[str],
    source_endpoint_id: str,
) -> tuple[MigrationPart, ...]:
    """Return the migrations in flight and those of certain VMs, sorted by id.

    :param listed: all of them, archived ones included.
    :param present_ids: the ids of those that are not archived.
    :param entity_ids: MoRefs at the source of the VMs whose past counts; names count as well.
    """
    kept = [
        _migration(one, one.migration_id not in present_ids, source_endpoint_id)
        for one in listed
        if is_in_flight(one) or one.entity_id in entity_ids or one.entity_name in names
    ]
    return tuple(sorted(kept, key=lambda migration: migration.migration_id))


def _migration(one: found.Migration, archived: bool, source_endpoint_id: str) -> MigrationPart:
    switchover = one.raw.get("switchoverParams")
    kind = one.raw.get("migrationType") or (
        switchover.get("switchoverType") if isinstance(switchover, Mapping) else None
    )
    return MigrationPart(
        migration_id=one.migration_id,
        group_id=one.group_id,
        entity_id=one.entity_id,
        entity_name=one.entity_name,
        state=one.state.name,
        phase=one.state.phase.value,
        message=one.state.message,
        kind=None if kind is None else str(kind),
        leaves_source=is_from(one, source_endpoint_id),
        archived=archived,
        created_ms=_ms(one.created_at),
        ended_ms=_ms(one.ended_at) if one.state.is_terminal else None,
    )


def _ms(instant: datetime | None) -> int | None:
    return None if instant is None else int(instant.timestamp() * 1000)


def groups_of(groups: Iterable[found.MobilityGroup], migrations: Collection[MigrationPart]) -> tuple[GroupPart, ...]:
    """Return the mobility groups that the migrations are in, sorted by id."""
    wanted = {one.group_id for one in migrations}
    kept = [GroupPart(group_id=one.group_id, name=one.name) for one in groups if one.group_id in wanted]
    return tuple(sorted(kept, key=lambda group: group.group_id))
