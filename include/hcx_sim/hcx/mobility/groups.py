"""Mobility groups: drafts of migrations that belong together, made, changed, scheduled, archived and deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hcx_sim.engine.clock import to_ms
from hcx_sim.hcx.body import as_bool, as_int, as_list, as_text, section
from hcx_sim.hcx.mobility.mobility import Mobility
from hcx_sim.hcx.mobility.model import UNSUCCESSFUL, Migration, MobilityGroup, Phase
from hcx_sim.hcx.mobility.submission import UNKNOWN_GROUP, Caller, new_draft

DUPLICATE_NAME = "Mobility group with same name exist."  # the vendor's words [C hcx 4.4]
GROUP_STATES = ("DRAFT", "STARTED", "COMPLETED", "FAILED")


@dataclass(slots=True)
class GroupResult:
    """What became of one group of a request; ``group`` is None when there is none."""

    group: MobilityGroup | None
    name: str = ""
    group_id: str = ""
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def group_state(mobility: Mobility, group: MobilityGroup) -> str:
    """Return a group's state, one of ``GROUP_STATES``; the words are a guess."""
    phases = {migration.phase for migration in mobility.store.latest_of_group(group)}
    if any(phase.active for phase in phases):
        return "STARTED"
    if not phases or Phase.DRAFT in phases:
        return "DRAFT" if phases <= {Phase.DRAFT} else "STARTED"
    return "FAILED" if phases & UNSUCCESSFUL else "COMPLETED"


def create_groups(mobility: Mobility, caller: Caller, items: Sequence[Mapping[str, Any]]) -> list[GroupResult]:
    """Make draft groups; a name that is in use refuses the request. [C hcx 4.4]"""
    results = [GroupResult(None, name=as_text(item.get("name"))) for item in items]
    taken: set[str] = set()
    for result in results:
        if not result.name:
            result.errors.append("The mobility group has no name.")
        elif result.name in taken or mobility.store.group_named(result.name) is not None:
            result.errors.append(DUPLICATE_NAME)
        taken.add(result.name)
    if any(result.errors for result in results):
        return results
    for item, result in zip(items, results, strict=True):
        result.group = _create(mobility, caller, result.name, item)
        result.group_id = result.group.group_id
    return results


def _create(mobility: Mobility, caller: Caller, name: str, item: Mapping[str, Any]) -> MobilityGroup:
    world = mobility.world
    group = MobilityGroup(
        group_id=world.random.uuid(f"mobility-group/{name}"),
        name=name,
        username=caller.username,
        created_us=world.now_us,
        updated_us=world.now_us,
        tags=as_list(item.get("tags")),
        defaults=section(dict(item), "groupDefaults"),
    )
    mobility.store.groups[group.group_id] = group
    for intent in _entries(item):
        new_draft(mobility, caller, group, intent)
    return group


def _entries(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [entry for entry in as_list(item.get("migrations")) if isinstance(entry, dict)]


def update_groups(
    mobility: Mobility, caller: Caller, items: Sequence[Mapping[str, Any]], *, force: bool
) -> list[GroupResult]:
    """Change groups: name, tags, defaults, and drafts by their ``operationType``.

    A ``lastUpdated`` that was once the group's and is so no more refuses the change unless ``force``. Meaning of
    ``force`` and the operation types besides ADD are inferred from their names.
    """
    results = find_groups(mobility, items)
    for item, result in zip(items, results, strict=True):
        if result.group is not None:
            _check_update(mobility, result.group, item, result, force=force)
    if any(result.errors for result in results):
        return results
    for item, result in zip(items, results, strict=True):
        if result.group is not None:
            _update(mobility, caller, result.group, item)
            result.name = result.group.name
    return results


def _find(mobility: Mobility, item: Mapping[str, Any]) -> GroupResult:
    group_id = as_text(item.get("migrationGroupId") or item.get("id"))
    group = mobility.store.groups.get(group_id)
    if group is None:
        return GroupResult(None, as_text(item.get("name")), group_id, [UNKNOWN_GROUP])
    return GroupResult(group, group.name, group_id)


def _check_update(
    mobility: Mobility, group: MobilityGroup, item: Mapping[str, Any], result: GroupResult, *, force: bool
) -> None:
    seen_ms = as_int(item.get("lastUpdated"))
    if not force and to_ms(group.created_us) <= seen_ms < to_ms(group.updated_us):
        result.errors.append("The mobility group has been changed since it was read.")
    name = as_text(item.get("name"))
    namesake = mobility.store.group_named(name) if name else None
    if namesake is not None and namesake is not group:
        result.errors.append(DUPLICATE_NAME)
    for entry in _entries(item):
        migration = mobility.store.migrations.get(as_text(entry.get("migrationId")))
        if migration is None and _operation(entry) != "ADD":
            result.errors.append("No such migration in the mobility group.")
        elif migration is not None and migration.phase is not Phase.DRAFT and _operation(entry) != "ADD":
            result.errors.append(f"The migration of {migration.entity_name} has been started and cannot be changed.")


def _operation(entry: Mapping[str, Any]) -> str:
    return as_text(entry.get("operationType")).upper() or "ADD"


def _update(mobility: Mobility, caller: Caller, group: MobilityGroup, item: Mapping[str, Any]) -> None:
    group.name = as_text(item.get("name")) or group.name
    group.tags = as_list(item["tags"]) if "tags" in item else group.tags
    if isinstance(item.get("groupDefaults"), dict):
        group.defaults = dict(item["groupDefaults"])
    for entry in _entries(item):
        migration = mobility.store.migrations.get(as_text(entry.get("migrationId")))
        if migration is None:
            new_draft(mobility, caller, group, entry)
        elif _operation(entry) in ("REMOVE", "DELETE"):
            mobility.store.drop(migration)
        elif migration.phase is Phase.DRAFT:
            migration.intent = dict(entry)
            migration.updated_us = mobility.world.now_us
    group.updated_us = mobility.world.now_us


def find_groups(mobility: Mobility, items: Sequence[Mapping[str, Any]]) -> list[GroupResult]:
    """Look up the groups that a request names; unknown ones, and those named twice, have an error."""
    results = [_find(mobility, item) for item in items]
    seen: set[str] = set()
    for result in results:
        if result.group_id in seen:
            result.errors.append("The mobility group is named more than once.")
        seen.add(result.group_id)
    return results


def delete_groups(mobility: Mobility, items: Sequence[Mapping[str, Any]]) -> list[GroupResult]:
    """Delete groups of drafts; one with migrations that have been started is refused (archive those). Inferred."""
    results = find_groups(mobility, items)
    for result in results:
        if result.group is not None and len(mobility.store.drafts(result.group)) < len(result.group.migration_ids):
            result.errors.append("The mobility group has migrations that have been started; archive it instead.")
    if any(result.errors for result in results):
        return results
    for result in results:
        if result.group is not None:
            for migration in mobility.store.drafts(result.group):
                mobility.store.drop(migration)
            mobility.store.groups.pop(result.group.group_id, None)
    return results


def all_terminal(mobility: Mobility, group: MobilityGroup) -> bool:
    """Tell whether a group may be archived. [D hcx 4.4]"""
    return all(migration.phase.terminal for migration in mobility.store.of_group(group))


def archive(mobility: Mobility, group: MobilityGroup) -> None:
    """Archive a group and its migrations."""
    group.archived = True
    group.updated_us = mobility.world.now_us
    for migration in mobility.store.of_group(group):
        migration.archived = True


def counters(mobility: Mobility, group: MobilityGroup) -> dict[str, int]:
    """Return completed, failed, running and total migrations of a group. [D hcx 4.4]"""
    migrations = mobility.store.latest_of_group(group)

    def count(*phases: Phase) -> int:
        return sum(migration.phase in phases for migration in migrations)

    return {
        "completedMigrations": count(Phase.COMPLETE),
        "failedMigrations": count(Phase.FAILED, Phase.TRANSFER_FAILED),
        "runningMigrations": sum(migration.phase.active for migration in migrations),
        "totalMigrations": len(migrations),
    }


def is_draft(mobility: Mobility, group: MobilityGroup) -> bool:
    """Tell whether nothing of a group has been started."""
    return group_state(mobility, group) == "DRAFT"


def shown(mobility: Mobility, body: Mapping[str, Any]) -> list[MobilityGroup]:
    """Return the groups that a list request's filter lets through."""
    wanted = section(dict(body), "filter")
    ids = {as_text(each) for each in as_list(wanted.get("migrationGroupId"))}
    skip_drafts, archived = as_bool(wanted.get("skipDrafts")), as_bool(wanted.get("includeArchived"))
    return [
        group
        for group in mobility.store.groups.values()
        if (not ids or group.group_id in ids)
        and (archived or not group.archived)
        and not (skip_drafts and is_draft(mobility, group))
    ]


def members(mobility: Mobility, group: MobilityGroup) -> list[Migration]:
    """Return the migrations of a group."""
    return mobility.store.of_group(group)
