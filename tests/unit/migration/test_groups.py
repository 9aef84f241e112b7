"""MoRefs are unique in one vCenter only; HCX lists the migrations of both directions."""

from __future__ import annotations

from typing import Any

from hcx_waves.clients.hcx import Migration
from hcx_waves.migration.groups import in_flight_elsewhere, is_from, is_in_flight, latest_by_entity


def migration(
    migration_id: str, *, source: str | None = "here", group: str = "g", state: str = "X", at: int = 1
) -> Migration:
    item: dict[str, Any] = {
        "migrationId": migration_id,
        "migrationGroupId": group,
        "state": state,
        "creationDate": at,
        "entity": {"entityId": "vm-1"},
        "progress": {},
    }
    if source is not None:
        item["source"] = {"endpointId": source}
    return Migration.of_wire(item)


class Hcx:
    """Lists what it is given, newest first as the client does."""

    def __init__(self, *migrations: Migration) -> None:
        self.migrations = migrations

    def find_migrations_for_entities(self, _entity_ids: list[str]) -> dict[str, tuple[Migration, ...]]:
        return {"vm-1": self.migrations}


def elsewhere(*migrations: Migration, own: str | None = None) -> list[str]:
    hcx: Any = Hcx(*migrations)
    return [one.migration_id for one in in_flight_elsewhere(hcx, ["vm-1"], "here", own)]


def test_vm_of_the_other_site_is_another_vm() -> None:
    coming, going = migration("back", source="there", at=2), migration("out", at=1)
    assert is_from(going, "here")
    assert not is_from(coming, "here")
    assert is_from(migration("silent", source=None), "here")
    assert elsewhere(coming, going) == ["out"]
    assert elsewhere(coming) == []


def test_only_what_is_in_flight_and_not_ours() -> None:
    assert elsewhere(migration("m", group="ours"), own="ours") == []
    assert elsewhere(migration("m", group="theirs"), own="ours") == ["m"]
    assert elsewhere(migration("new", state="MIGRATION_FAILED", at=2), migration("old", at=1)) == []
    assert not is_in_flight(migration("d", state="DRAFT"))


def test_newest_attempt_counts() -> None:
    for order in ([1, 2], [2, 1]):
        assert latest_by_entity([migration(f"m{at}", at=at) for at in order])["vm-1"].migration_id == "m2"
