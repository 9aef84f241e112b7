"""Taking migrations: validating intents, starting them, starting drafts, retrying what failed.

A request is taken as a whole or not at all: one refused item and nothing starts. A retry is a new migration id in the
same group [D hcx 4.4], with seed checkpoint unless it says otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hcx_sim.hcx.body import as_text, section
from hcx_sim.hcx.mobility.case import Batch
from hcx_sim.hcx.mobility.intent import with_defaults
from hcx_sim.hcx.mobility.mobility import Mobility
from hcx_sim.hcx.mobility.model import UNSUCCESSFUL, Migration, MobilityGroup, Phase
from hcx_sim.hcx.mobility.validation import Review, review_all
from hcx_sim.world.model import SiteName

UNKNOWN_GROUP = "No such mobility group."


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and at which manager."""

    username: str
    manager: SiteName


@dataclass(slots=True)
class Result:
    """What became of one item of a request."""

    entity_id: str
    migration_id: str = ""
    group_id: str = ""
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def refused(results: Sequence[Result]) -> bool:
    """Tell whether any item was refused, which refuses the request."""
    return any(result.errors for result in results)


def validate_items(mobility: Mobility, caller: Caller, items: Sequence[Mapping[str, Any]]) -> list[Result]:
    """Validate the items of a request; nothing is changed.

    What may be started carries the ids that a migration has, as the answer of a start does [D hcx 4.3]; they are of
    this answer only, since a start makes its own.
    """
    results = _results(items, _review(mobility, caller, items))
    stable_uuid = mobility.world.random.stable_uuid
    for position, result in enumerate(results):
        if not result.errors:
            seed = f"validated/{position}/{result.entity_id}"
            result.migration_id = result.migration_id or stable_uuid(seed)
            result.group_id = result.group_id or stable_uuid("validated/group")
    return results


def start_items(mobility: Mobility, caller: Caller, items: Sequence[Mapping[str, Any]]) -> list[Result]:
    """Validate the items and, unless one is refused, start a migration of each.

    Without a ``migrationGroupId`` they join a group that is made for the request. An item that names a draft by
    ``migrationId`` starts that draft.
    """
    reviews = _review(mobility, caller, items)
    results = _results(items, reviews)
    check_limits(mobility, reviews, results)
    if refused(results):
        return results
    own_group: MobilityGroup | None = None
    for item, review, result in zip(items, reviews, results, strict=True):
        group = mobility.store.groups.get(as_text(item.get("migrationGroupId")))
        draft = _draft_of(mobility, item)
        if group is None and draft is not None:
            group = mobility.store.groups[draft.group_id]
        if group is None:
            own_group = own_group or _implicit_group(mobility, caller, review.entity_name)
            group = own_group
        migration = draft or new_draft(mobility, caller, group, item)
        migration.intent = with_defaults(dict(item), group.defaults)
        _start(mobility, migration, review)
        result.migration_id, result.group_id = migration.migration_id, group.group_id
    return results


def new_draft(mobility: Mobility, caller: Caller, group: MobilityGroup, intent: Mapping[str, Any]) -> Migration:
    """Add a draft to a group and return it."""
    world = mobility.world
    entity = section(dict(intent), "entity")
    name = as_text(entity.get("entityName"))
    entity_id = as_text(entity.get("entityId"))
    source = section(with_defaults(intent, group.defaults), "source")
    migration = Migration(
        migration_id=world.random.uuid(f"migration/{name or entity_id}"),
        group_id=group.group_id,
        intent=dict(intent),
        entity_id=entity_id,
        entity_name=name,
        source_endpoint_id=as_text(source.get("endpointId")) or world.site(caller.manager).hcx_endpoint_id,
        username=caller.username,
        manager=caller.manager,
        created_us=world.now_us,
        updated_us=world.now_us,
    )
    mobility.store.add(migration)
    group.updated_us = world.now_us
    return migration


def startable(mobility: Mobility, group: MobilityGroup) -> list[Migration]:
    """Return what starting a group would start: its drafts, and what failed or was cancelled last. [D hcx 4.4]"""
    return [
        migration
        for migration in mobility.store.latest_of_group(group)
        if migration.phase is Phase.DRAFT or migration.phase in UNSUCCESSFUL
    ]


def review_group(
    mobility: Mobility, caller: Caller, group: MobilityGroup, chosen: Sequence[Migration], batch: Batch
) -> tuple[list[dict[str, Any]], list[Review], list[Result]]:
    """Validate migrations of a group; return their complete intents, the reviews and the results.

    ``batch`` is shared by all groups of one request.
    """
    intents = [_intent_for(group, migration) for migration in chosen]
    reviews = review_all(mobility, caller.manager, intents, batch)
    results = [
        Result(migration.entity_id, migration.migration_id, group.group_id, list(review.errors), list(review.warnings))
        for migration, review in zip(chosen, reviews, strict=True)
    ]
    return intents, reviews, results


def start_group(
    mobility: Mobility,
    caller: Caller,
    group: MobilityGroup,
    chosen: Sequence[Migration],
    intents: Sequence[dict[str, Any]],
    reviews: Sequence[Review],
) -> list[Migration]:
    """Start migrations of a group that :func:`review_group` has accepted; return those that run now."""
    started = []
    for migration, intent, review in zip(chosen, intents, reviews, strict=True):
        attempt = migration
        if migration.phase is not Phase.DRAFT:
            attempt = new_draft(mobility, caller, group, intent)
        attempt.intent = intent
        _start(mobility, attempt, review)
        started.append(attempt)
    return started


def check_limits(mobility: Mobility, reviews: Sequence[Review], results: Sequence[Result]) -> None:
    """Add errors to what would exceed the limits, where the manager rejects instead of queueing."""
    asked: Counter[str] = Counter()
    for review, result in zip(reviews, results, strict=True):
        plan = review.plan
        if plan is None or not plan.migration_type.replicates:
            continue
        asked[plan.mesh_key] += 1
        problem = mobility.admission.room_problem(plan.mesh_key, asked[plan.mesh_key], asked.total())
        if problem is not None:
            result.errors.append(problem)


def _intent_for(group: MobilityGroup, migration: Migration) -> dict[str, Any]:
    if migration.phase is Phase.DRAFT:
        return with_defaults(migration.intent, group.defaults)
    transfer = {"longRecovery": True, **section(migration.intent, "transferParams")}
    return {**migration.intent, "transferParams": transfer}


def _review(mobility: Mobility, caller: Caller, items: Sequence[Mapping[str, Any]]) -> list[Review]:
    groups = mobility.store.groups
    intents = []
    for item in items:
        group = groups.get(as_text(item.get("migrationGroupId")))
        intents.append(with_defaults(item, group.defaults) if group is not None else dict(item))
    reviews = review_all(mobility, caller.manager, intents)
    for item, review in zip(items, reviews, strict=True):
        group_id = as_text(item.get("migrationGroupId"))
        if group_id and (group_id not in groups or groups[group_id].archived):
            review.errors.append(UNKNOWN_GROUP)
    return reviews


def _results(items: Sequence[Mapping[str, Any]], reviews: Sequence[Review]) -> list[Result]:
    return [
        Result(
            review.entity_id,
            as_text(item.get("migrationId")),
            as_text(item.get("migrationGroupId")),
            list(review.errors),
            list(review.warnings),
        )
        for item, review in zip(items, reviews, strict=True)
    ]


def _draft_of(mobility: Mobility, item: Mapping[str, Any]) -> Migration | None:
    """Return the draft that an item names, provided it is about the same VM."""
    migration = mobility.store.migrations.get(as_text(item.get("migrationId")))
    if migration is None or migration.phase is not Phase.DRAFT:
        return None
    entity_id = as_text(section(dict(item), "entity").get("entityId"))
    return migration if entity_id == migration.entity_id else None


def _implicit_group(mobility: Mobility, caller: Caller, first_name: str) -> MobilityGroup:
    """Make the group of a start that names none. [C hcx 4.3]; its name is a guess."""
    world = mobility.world
    group_id = world.random.uuid(f"mobility-group/start/{first_name}")
    group = MobilityGroup(group_id, f"group-{group_id[:8]}", caller.username, world.now_us, world.now_us, implicit=True)
    mobility.store.groups[group_id] = group
    return group


def _start(mobility: Mobility, migration: Migration, review: Review) -> None:
    if review.plan is None:
        raise LookupError(f"{review.entity_id} was accepted without a plan")
    migration.entity_name = review.entity_name
    migration.source_endpoint_id = mobility.world.site(review.plan.source).hcx_endpoint_id
    mobility.start(migration, review.plan, review.warnings)
