"""The migrations in HCX's mobility groups: which VMs are in flight, and in which group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hcx_waves.clients.hcx import HcxClient, Migration
from hcx_waves.clients.hcx.state import Phase
from hcx_waves.clients.hcx.values import milliseconds_of


def latest_by_entity(migrations: Iterable[Migration]) -> dict[str, Migration]:
    """Return the newest migration of each VM, by its MoRef: a retry has a new migration id [D hcx 4.4]."""
    latest: dict[str, Migration] = {}
    for migration in migrations:
        if migration.entity_id is None:
            continue
        known = latest.get(migration.entity_id)
        if known is None or milliseconds_of(migration.created_at) >= milliseconds_of(known.created_at):
            latest[migration.entity_id] = migration
    return latest


def is_draft(migration: Migration) -> bool:
    """Whether a migration has not been started."""
    return migration.state.phase is Phase.DRAFT


def is_in_flight(migration: Migration) -> bool:
    """Whether HCX works on a migration, or may; an unknown state counts as work."""
    return not is_draft(migration) and not migration.state.is_terminal


def is_from(migration: Migration, endpoint_id: str) -> bool:
    """Whether a migration starts at a site, as far as its answer tells.

    MoRefs are unique within one vCenter only: a VM on its way back may have the MoRef of another one at the source.
    """
    source = migration.raw.get("source")
    named = source.get("endpointId") if isinstance(source, Mapping) else None
    return not named or named == endpoint_id


def in_flight_elsewhere(
    hcx: HcxClient, entity_ids: Sequence[str], source_endpoint_id: str, own_group_id: str | None
) -> tuple[Migration, ...]:
    """Return the newest migrations of a site's VMs that are in flight, and not in a group."""
    found = hcx.find_migrations_for_entities(entity_ids)
    return tuple(
        migration
        for migrations in found.values()
        for migration in [one for one in migrations if is_from(one, source_endpoint_id)][:1]
        if is_in_flight(migration) and migration.group_id != own_group_id
    )


def group_names(hcx: HcxClient, group_ids: Iterable[str]) -> dict[str, str]:
    """Return the names of those groups that HCX lists."""
    return {group.group_id: group.name for group in hcx.find_groups(list(group_ids))}
