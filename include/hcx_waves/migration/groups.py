"""What is in HCX's mobility groups, read by one query: which VMs are in flight, and in whose group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hcx_waves.clients.hcx import HcxClient, Migration
from hcx_waves.clients.hcx.state import Phase
from hcx_waves.clients.hcx.values import milliseconds_of


def latest_by_entity(migrations: Iterable[Migration]) -> dict[str, Migration]:
    """Return the newest migration of each VM, by its MoRef: a retry has a new migration id [D] UG 4.9."""
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


def in_flight_elsewhere(hcx: HcxClient, entity_ids: Sequence[str], own_group_id: str | None) -> tuple[Migration, ...]:
    """Return the migrations in flight of these VMs that are not in a group."""
    found = hcx.find_migrations_for_entities(entity_ids)
    return tuple(
        migration
        for migrations in found.values()
        for migration in migrations[:1]
        if is_in_flight(migration) and migration.group_id != own_group_id
    )


def group_names(hcx: HcxClient, group_ids: Iterable[str]) -> dict[str, str]:
    """Return the names of those groups that HCX lists."""
    return {group.group_id: group.name for group in hcx.find_groups(list(group_ids))}
