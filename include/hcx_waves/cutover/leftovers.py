"""Finds the migrations that are not over and concern a segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import NotFound
from hcx_waves.clients.hcx import Migration
from hcx_waves.clients.hcx.migrations import GroupIntents
from hcx_waves.clients.vsphere.models import VirtualMachineSummary
from hcx_waves.gateway_users.model import Found, FoundKind
from hcx_waves.migration.groups import is_from, is_in_flight
from hcx_waves.model.plan import PlannedSegment, WavePlan


def migrations_in_flight(
    clients: SiteClients,
    segment: PlannedSegment,
    on_segment: Sequence[VirtualMachineSummary],
    plan: WavePlan,
    migrations: Sequence[Migration],
) -> list[Found]:
    """Return the migrations that are not over and concern a segment.

    They concern it if the VM is on it or of the plan, or if a NIC is mapped from or to it, which the groups'
    intents tell.
    """
    flying = [one for one in migrations if is_in_flight(one)]
    if not flying:
        return []
    ids = {*(vm.moref for vm in on_segment), *(vm.vm_id for vm in plan.vms_of(segment.name))}
    here = plan.source.endpoint_id
    ends = {segment.source.network_id, segment.source_segment_path, segment.destination.network_id}
    ends |= {segment.destination_segment_path}
    group_ids = sorted({one.group_id for one in flying if one.group_id})
    mapped = {
        str(intent.get("migrationId"))
        for group in _intents(clients, group_ids)
        for intent in group.migrations
        if ends & _network_ids(intent)
    }
    return [
        Found(
            kind=FoundKind.MIGRATION,
            name=one.entity_name or str(one.entity_id),
            object_id=one.migration_id,
            reason=f"its migration has not ended ({one.state.phase.value})",
        )
        for one in flying
        if (one.entity_id in ids and is_from(one, here)) or one.migration_id in mapped
    ]


def _intents(clients: SiteClients, group_ids: Sequence[str]) -> Sequence[GroupIntents]:
    """Return the groups as submitted; only the newer managers are known to tell [C hcx 4.4]."""
    try:
        return clients.hcx.group_intents(group_ids)
    except NotFound:
        return ()


def _network_ids(intent: Mapping[str, object]) -> set[object]:
    params = intent.get("networkParams")
    mappings = params.get("networkMappings") if isinstance(params, Mapping) else None
    return {
        one.get(key)
        for one in (mappings if isinstance(mappings, list) else [])
        if isinstance(one, Mapping)
        for key in ("srcNetworkId", "destNetworkId")
        if one.get(key)
    }
