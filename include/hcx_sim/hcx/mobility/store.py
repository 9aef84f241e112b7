"""All migrations and mobility groups of a world, with the look-ups that polls of large waves need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hcx_sim.hcx.mobility.model import Migration, MobilityGroup, Phase, Seed


@dataclass(slots=True)
class Store:
    """Records by id, in the order of their creation."""

    migrations: dict[str, Migration] = field(default_factory=dict)
    groups: dict[str, MobilityGroup] = field(default_factory=dict)
    seeds: dict[tuple[str, str], Seed] = field(default_factory=dict)  # by workload uid and datastore key
    _of_workload: dict[str, list[str]] = field(default_factory=dict)
    _of_entity: dict[str, list[str]] = field(default_factory=dict)
    _active: dict[str, Migration] = field(default_factory=dict)  # by workload uid

    def add(self, migration: Migration) -> None:
        """Add a migration to the records and to its group; an id in use raises :class:`ValueError`."""
        if migration.migration_id in self.migrations:
            raise ValueError(f"migration {migration.migration_id!r} exists already")
        self.migrations[migration.migration_id] = migration
        self._of_entity.setdefault(migration.entity_id, []).append(migration.migration_id)
        self.groups[migration.group_id].migration_ids.append(migration.migration_id)

    def drop(self, migration: Migration) -> None:
        """Forget a draft."""
        del self.migrations[migration.migration_id]
        self._of_entity[migration.entity_id].remove(migration.migration_id)
        self.groups[migration.group_id].migration_ids.remove(migration.migration_id)

    def begin(self, migration: Migration) -> None:
        """Note that a migration has been started; its plan names the workload."""
        uid = migration.known.vm_uid
        self._of_workload.setdefault(uid, []).append(migration.migration_id)
        self._active[uid] = migration

    def end(self, migration: Migration) -> None:
        """Note that a migration has reached a terminal phase."""
        if self._active.get(migration.known.vm_uid) is migration:
            del self._active[migration.known.vm_uid]

    def active_of(self, vm_uid: str) -> Migration | None:
        """Return the migration that is moving a workload now."""
        return self._active.get(vm_uid)

    def active(self) -> Iterator[Migration]:
        """Return all migrations that have been started and have not ended."""
        return iter(list(self._active.values()))

    def blocking_cleanup(self, vm_uid: str) -> Migration | None:
        """Return the ended migration of a workload whose left-overs block the next one."""
        for migration_id in self._of_workload.get(vm_uid, ()):
            if self.migrations[migration_id].cleanup_pending:
                return self.migrations[migration_id]
        return None

    def of_entities(self, entity_ids: Iterable[str]) -> list[Migration]:
        """Return the migrations of VMs by their source morefs."""
        ids = [each for entity_id in entity_ids for each in self._of_entity.get(entity_id, ())]
        return [self.migrations[each] for each in dict.fromkeys(ids)]

    def of_group(self, group: MobilityGroup) -> list[Migration]:
        """Return the migrations of a group in the order of their creation."""
        return [self.migrations[each] for each in group.migration_ids]

    def latest_of_group(self, group: MobilityGroup) -> list[Migration]:
        """Return, per VM of a group, its newest migration: retries hide what they replace."""
        # two sites may use the same moref
        newest = {(each.source_endpoint_id, each.entity_id): each for each in self.of_group(group)}
        return list(newest.values())

    def group_named(self, name: str) -> MobilityGroup | None:
        """Return the group of a name that is not archived."""
        for group in self.groups.values():
            if group.name == name and not group.archived:
                return group
        return None

    def drafts(self, group: MobilityGroup) -> list[Migration]:
        """Return the migrations of a group that have not been started."""
        return [migration for migration in self.of_group(group) if migration.phase is Phase.DRAFT]
