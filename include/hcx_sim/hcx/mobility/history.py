"""Migrations of before the world began: listed as they stood, and moved by nothing.

One that was under way stays where it was: it keeps its VM from being migrated again by somebody who looks, and takes
neither bandwidth nor a place in a queue. It has no plan, so nothing here can continue, cancel or reschedule it.
"""

from __future__ import annotations

from hcx_sim.hcx.mobility.mobility import mobility_of
from hcx_sim.hcx.mobility.model import Migration, MobilityGroup, Phase
from hcx_sim.scenario.history import history_of
from hcx_sim.scenario.schema_sites import MigrationSpec
from hcx_sim.world.model import SiteName
from hcx_sim.world.world import World

_MICROSECONDS_PER_MS = 1000
_USER = "somebody"
_PHASES = {
    "draft": Phase.DRAFT,
    "running": Phase.BASE_SYNC,
    "complete": Phase.COMPLETE,
    "failed": Phase.FAILED,
    "transfer_failed": Phase.TRANSFER_FAILED,
    "cancelled": Phase.CANCELLED,
}


def adopt(world: World) -> None:
    """Record the groups and migrations that a world's scenario tells of."""
    past, store = history_of(world), mobility_of(world).store
    for group in past.groups:
        store.groups[group.group_id] = MobilityGroup(group.group_id, group.name, _USER, world.now_us, world.now_us)
    for spec in past.migrations:
        if spec.group_id not in store.groups:
            group_name = spec.group_id
            store.groups[group_name] = MobilityGroup(group_name, group_name, _USER, world.now_us, world.now_us)
        store.add(_migration(world, spec))


def _migration(world: World, spec: MigrationSpec) -> Migration:
    near = SiteName.SOURCE if spec.leaves_source else SiteName.DESTINATION
    endpoints = {"source": {"endpointId": world.site(near).hcx_endpoint_id}}
    endpoints["destination"] = {"endpointId": world.site(near.other).hcx_endpoint_id}
    phase = _PHASES[spec.phase]
    bad = phase in (Phase.FAILED, Phase.TRANSFER_FAILED)
    created_us = spec.created_ms * _MICROSECONDS_PER_MS
    ended_us = None if spec.ended_ms is None else spec.ended_ms * _MICROSECONDS_PER_MS
    return Migration(
        migration_id=spec.migration_id,
        group_id=spec.group_id,
        intent={"migrationType": spec.kind, **endpoints},
        entity_id=spec.entity_id,
        entity_name=spec.entity_name,
        source_endpoint_id=world.site(near).hcx_endpoint_id,
        username=_USER,
        manager=SiteName.SOURCE,
        created_us=created_us,
        updated_us=ended_us or created_us,
        phase=phase,
        started_us=None if phase is Phase.DRAFT else created_us,
        ended_us=ended_us,
        message=spec.message,
        error=spec.message if bad else "",
        archived=spec.archived,
    )
