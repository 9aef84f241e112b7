"""Choosing the migrations that a query asks for, without walking through all of them where ids are given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hcx_sim.engine.clock import to_ms
from hcx_sim.hcx.body import as_bool, as_int, as_list, section, texts
from hcx_sim.hcx.mobility.forms import first_state_name, state_name
from hcx_sim.hcx.mobility.mobility import Mobility
from hcx_sim.hcx.mobility.model import Migration, Phase

FILTERS = (
    "migrationGroupId", "migrationId", "id", "entityId", "state", "migrationType", "transferType", "source_endpointId",
    "destination_endpointId", "source_resourceId", "destination_resourceId", "endpointId", "resourceId", "userName",
    "draftsOnly", "skipDrafts", "includeArchived", "creationDateInterval", "createTimeEpoch",
)  # fmt: skip

Test = Callable[[Migration], bool]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a result, and where it lies in the whole."""

    migrations: list[Migration]
    offset: int
    page_size: int
    total_size: int

    def wire(self) -> dict[str, int]:
        """Return the ``paging`` block. [C hcx 4.5]"""
        return {"offset": self.offset, "pageSize": self.page_size, "totalSize": self.total_size}


def filter_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a query's filter; one without the wrapper counts as well. [C hcx 1]"""
    wanted = section(dict(body), "filter")
    return wanted or {name: body[name] for name in FILTERS if name in body}


def select(mobility: Mobility, body: Mapping[str, Any]) -> Page:
    """Return the page of migrations that a query asks for, in the order of their creation."""
    wanted = filter_of(body)
    tests = _tests(mobility, wanted)
    found = [each for each in _candidates(mobility, wanted) if all(test(each) for test in tests)]
    paging = section(dict(body), "paging")
    offset = max(0, as_int(paging.get("offset") or paging.get("skipCount")))
    size = as_int(paging.get("pageSize"))
    chosen = found[offset : offset + size] if size > 0 else found[offset:]
    return Page(chosen, offset, size if size > 0 else len(found), len(found))


def names_migrations(body: Mapping[str, Any]) -> bool:
    """Tell whether a query names migrations; the first generation answers those with ``items``, else ``rows``."""
    wanted = filter_of(body)
    return bool(wanted.get("migrationId") or wanted.get("id"))


def _candidates(mobility: Mobility, wanted: Mapping[str, Any]) -> Iterable[Migration]:
    store = mobility.store
    ids = [*texts(wanted.get("migrationId")), *texts(wanted.get("id"))]
    if ids:
        return [store.migrations[each] for each in dict.fromkeys(ids) if each in store.migrations]
    group_ids = texts(wanted.get("migrationGroupId"))
    if group_ids:
        groups = [store.groups[each] for each in dict.fromkeys(group_ids) if each in store.groups]
        return [migration for group in groups for migration in store.of_group(group)]
    entity_ids = texts(wanted.get("entityId"))
    if entity_ids:
        return store.of_entities(dict.fromkeys(entity_ids))
    return store.migrations.values()


def _tests(mobility: Mobility, wanted: Mapping[str, Any]) -> list[Test]:
    tests: list[Test] = []
    readers = _readers(mobility)
    for name, reader in readers.items():
        values = set(texts(wanted.get(name)))
        if values:
            tests.append(_one_of(reader, values))
    if as_bool(wanted.get("draftsOnly")):
        tests.append(lambda each: each.phase is Phase.DRAFT)
    if as_bool(wanted.get("skipDrafts")):
        tests.append(lambda each: each.phase is not Phase.DRAFT)
    if not as_bool(wanted.get("includeArchived")):
        tests.append(lambda each: not each.archived)
    since_ms, until_ms = _creation(wanted)
    if since_ms or until_ms:
        tests.append(lambda each: since_ms <= to_ms(each.created_us) <= (until_ms or to_ms(each.created_us)))
    return tests


def _one_of(reader: Callable[[Migration], set[str]], values: set[str]) -> Test:
    return lambda migration: bool(reader(migration) & values)


def _creation(wanted: Mapping[str, Any]) -> tuple[int, int]:
    """Return since and until in ms, 0 for open; the shape of both filters is a guess."""
    interval = section(dict(wanted), "creationDateInterval")
    since = as_int(interval.get("startTime") or wanted.get("createTimeEpoch"))
    return since, as_int(interval.get("endTime"))


def _readers(mobility: Mobility) -> dict[str, Callable[[Migration], set[str]]]:
    world = mobility.world

    def end(migration: Migration, which: str, field: str) -> set[str]:
        value = section(migration.intent, which).get(field)
        if value:
            return {str(value)}
        if migration.plan is None:
            return set()
        site = world.site(migration.plan.source if which == "source" else migration.plan.destination)
        return {site.hcx_endpoint_id if field == "endpointId" else site.vcenter_instance_uuid}

    def both(field: str) -> Callable[[Migration], set[str]]:
        return lambda migration: end(migration, "source", field) | end(migration, "destination", field)

    return {
        "migrationGroupId": lambda each: {each.group_id},
        "entityId": lambda each: {each.entity_id},
        "state": lambda each: {state_name(world, each), first_state_name(each)},
        "migrationType": lambda each: {str(each.intent.get("migrationType")), _kind(each)},
        "transferType": lambda each: {each.plan.migration_type.transfer_type} if each.plan is not None else set(),
        "source_endpointId": lambda each: end(each, "source", "endpointId"),
        "destination_endpointId": lambda each: end(each, "destination", "endpointId"),
        "source_resourceId": lambda each: end(each, "source", "resourceId"),
        "destination_resourceId": lambda each: end(each, "destination", "resourceId"),
        "endpointId": both("endpointId"),
        "resourceId": both("resourceId"),
        "userName": lambda each: {each.username},
    }


def _kind(migration: Migration) -> str:
    return migration.plan.migration_type.value if migration.plan is not None else ""


def objects(body: Mapping[str, Any], name: str = "items") -> list[dict[str, Any]]:
    """Return the objects of a list in a request; anything else in it is dropped."""
    return [entry for entry in as_list(body.get(name)) if isinstance(entry, dict)]
