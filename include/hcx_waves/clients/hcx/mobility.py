"""Migrations: validate, start, cancel, query (``/mobility/migrations``, ``/migrations?action=query``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hcx_waves.clients.errors import Lookup
from hcx_waves.clients.hcx.intents import MigrationIntent, entity_ids_of, wire_of
from hcx_waves.clients.hcx.migrations import Migration, Submission
from hcx_waves.clients.hcx.values import milliseconds_of
from hcx_waves.clients.hcx.wire import HcxCalls
from hcx_waves.clients.transport_retry import CallKind

COMPAT = 2.1
Intent = MigrationIntent | Mapping[str, Any]


class MobilityCalls(HcxCalls):
    """Calls on single migrations."""

    _cancel_path: str

    def validate_migrations(self, intents: Sequence[Intent]) -> Submission:
        """Ask HCX whether it would accept these migrations; changes nothing [D+C hcx 4.3].

        :returns: the answer with its warnings.
        :raises ValidationFailed: if HCX refuses one; ``items`` and ``messages`` say which and why.
        """
        body = {"items": [wire_of(intent) for intent in intents]}
        answer = self._ask("/mobility/migrations/validate", body)
        answer.items()
        answer.require_accepted()
        return answer.parse(Submission, answer.mapping())

    def start_migrations(self, intents: Sequence[Intent]) -> Submission:
        """Start these migrations; without a group HCX makes one [C hcx 4.3].

        :returns: ids per item. A 202 may hold refused items: look at ``refused``.
        :raises ValidationFailed: if HCX refuses all of them.
        :raises OutcomeUnknownError: if the answer was lost; look up the entities, never start again.
        """
        entity_ids = entity_ids_of(intents)
        answer = self._send(
            "POST",
            "/mobility/migrations/start",
            CallKind.MUTATING,
            body={"items": [wire_of(intent) for intent in intents]},
            lookup=Lookup(
                "hcx",
                "find_migrations_for_entities",
                {"entity_ids": entity_ids},
                "one migration per entity, created after the call: it acted; none: it did not",
            ),
        )
        if not answer.items():
            raise answer.malformed("no migration in the answer to a start")
        submission = answer.parse(Submission, answer.mapping())
        for item in submission.accepted:
            if item.migration_id is None or item.group_id is None or item.entity_id is None:
                raise answer.malformed("a started migration without migrationId, migrationGroupId or entityId")
        return submission

    def force_cancel_migrations(
        self,
        migrations: Sequence[Migration] | Mapping[str, str | None],
        *,
        remove_seed_data: bool = False,
    ) -> Submission:
        """Clear migrations that could not be cancelled gracefully, at both sites [D hcx 4.4].

        :param migrations: migrations, or their ids mapped to their group ids (or None).
        :param remove_seed_data: also drop unused seed disks (``removeLongRecoveryData``).
        :raises ValidationFailed: if HCX refuses.
        :raises OutcomeUnknownError: if the answer was lost; query the migrations.
        """
        items = _cancel_items(migrations)
        return self._cancel(
            "/mobility/migrations/forceCancel",
            {"items": items, "removeLongRecoveryData": remove_seed_data},
            [str(item["migrationId"]) for item in items],
        )

    def cancel_migrations(self, migrations: Sequence[Migration] | Mapping[str, str | None]) -> Submission:
        """Cancel gracefully; cancelling is itself a workflow, takes time and can fail [D hcx 7].

        The path is a guess [? hcx 9.2]: no source documents it. It is the client's ``cancel_path``.

        :raises NotFound: if the manager does not know the path.
        :raises OutcomeUnknownError: if the answer was lost; query the migrations.
        """
        items = _cancel_items(migrations)
        return self._cancel(self._cancel_path, {"items": items}, [str(item["migrationId"]) for item in items])

    def query_migrations(
        self,
        *,
        group_ids: Sequence[str] = (),
        migration_ids: Sequence[str] = (),
        entity_ids: Sequence[str] = (),
        states: Sequence[str] = (),
        include_archived: bool = False,
        created_after: datetime | None = None,
        page_size: int = 1000,
    ) -> tuple[Migration, ...]:
        """Read the status of migrations, by one request for each ``page_size`` of them [D+C hcx 4.5].

        Uses ``compat: 2.1``; a manager that answers in the gen 1 form is understood as well.

        :param created_after: drops older migrations here, after the answer (HCX's own filter has no
            documented form).
        :raises MalformedResponse: if the answer is no list of migrations.
        """
        filters: dict[str, Any] = {"skipDrafts": False, "includeArchived": include_archived}
        for name, values in (
            ("migrationGroupId", group_ids),
            ("migrationId", migration_ids),
            ("entityId", entity_ids),
            ("state", states),
        ):
            if values:
                filters[name] = list(values)
        body = {"filter": filters, "options": {"compat": COMPAT, "resultLevel": "MOBILITYGROUP_ITEMS"}}
        found = []
        for answer, item in self._pages(
            "/migrations", body, page_size=page_size, query={"action": "query"}, key="migrationId"
        ):
            try:
                found.append(Migration.of_wire(item))
            except ValueError as error:
                raise answer.malformed(str(error)) from error
        since = milliseconds_of(created_after)
        return tuple(one for one in found if not since or milliseconds_of(one.created_at) >= since)

    def find_migrations_for_entities(
        self, entity_ids: Sequence[str], *, created_after: datetime | None = None
    ) -> dict[str, tuple[Migration, ...]]:
        """Find the migrations of VMs by their MoRefs: resolves a start whose answer was lost.

        :returns: for every given entity id its migrations, newest first; an empty tuple if there is none.
        """
        wanted = set(entity_ids)
        found: dict[str, list[Migration]] = {entity_id: [] for entity_id in entity_ids}
        for migration in self.query_migrations(entity_ids=entity_ids, created_after=created_after):
            if migration.entity_id in wanted:
                found[str(migration.entity_id)].append(migration)
        return {
            entity_id: tuple(sorted(own, key=lambda one: milliseconds_of(one.created_at), reverse=True))
            for entity_id, own in found.items()
        }

    def _cancel(self, path: str, body: Mapping[str, Any], migration_ids: Sequence[str]) -> Submission:
        lookup = Lookup(
            "hcx",
            "query_migrations",
            {"migration_ids": list(migration_ids)},
            "cancelled or cancelling: it acted",
        )
        answer = self._send("POST", path, CallKind.MUTATING, body=dict(body), lookup=lookup)
        answer.items()
        return answer.parse(Submission, answer.mapping())


def _cancel_items(migrations: Sequence[Migration] | Mapping[str, str | None]) -> list[dict[str, str]]:
    if isinstance(migrations, Mapping):
        pairs = list(migrations.items())
    else:
        pairs = [(one.migration_id, one.group_id) for one in migrations]
    return [
        {"migrationId": migration_id, **({"migrationGroupId": group_id} if group_id else {})}
        for migration_id, group_id in pairs
    ]
