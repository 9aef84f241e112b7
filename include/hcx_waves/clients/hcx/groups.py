"""Mobility groups (``/mobility/groups``) [D+C hcx 4.4]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hcx_waves.clients.errors import ConflictError, Lookup
from hcx_waves.clients.hcx.intents import GroupDraft, Schedule
from hcx_waves.clients.hcx.migrations import GroupIntents, MobilityGroup, ScheduleResult, SubmittedGroup
from hcx_waves.clients.hcx.mobility import COMPAT
from hcx_waves.clients.hcx.wire import HcxCalls
from hcx_waves.clients.transport_retry import CallKind
from hcx_waves.clients.transport_wire import path_segment


@dataclass(frozen=True)
class GroupSchedule:
    """A new schedule for a group or one of its migrations.

    :param transfer: when replication may run; None leaves it.
    :param switchover: the switchover window; None leaves it.
    :param clear_switchover: remove the window, so that the switchover happens as soon as possible.
    """

    transfer: Schedule | None = None
    switchover: Schedule | None = None
    clear_switchover: bool = False

    def to_wire(self) -> dict[str, Any]:
        """Return the ``{transfer, switchover}`` pair."""
        wire: dict[str, Any] = {}
        if self.transfer is not None:
            wire["transfer"] = {**self.transfer.to_wire(), "isInheritedFromGroupDefaults": False}
        if self.switchover is not None or self.clear_switchover:
            window = (self.switchover or Schedule()).to_wire()
            wire["switchover"] = {
                **window,
                "clearSchedule": self.clear_switchover,
                "isInheritedFromGroupDefaults": False,
            }
        return wire


class GroupCalls(HcxCalls):
    """Calls on mobility groups. A group is a draft until it is started."""

    def create_group(self, draft: GroupDraft) -> SubmittedGroup:
        """Create a draft group; starts nothing.

        :raises ConflictError: if a group of this name exists.
        :raises ValidationFailed: if HCX refuses the content.
        :raises OutcomeUnknownError: if the answer was lost; look the name up.
        """
        lookup = Lookup("hcx", "find_group_by_name", {"name": draft.name}, "a group: it was created; none: it was not")
        answer = self._send(
            "POST", "/mobility/groups", CallKind.MUTATING, body={"items": [draft.to_wire()]}, lookup=lookup
        )
        answer.require_accepted()
        groups = answer.parse_items(SubmittedGroup)
        if len(groups) != 1:
            raise answer.malformed(f"{len(groups)} groups in the answer to the creation of one")
        return groups[0]

    def start_groups(self, group_ids: Sequence[str]) -> tuple[SubmittedGroup, ...]:
        """Start every migration of the groups [D hcx 4.4].

        :returns: per group its migrations with ids and errors; a 202 may hold refused ones.
        :raises ValidationFailed: if HCX refuses.
        :raises OutcomeUnknownError: if the answer was lost; query the groups' migrations.
        """
        return self._group_call("/mobility/groups/start", group_ids, "migrations that are no drafts: it acted")

    def schedule_group(
        self,
        group_id: str,
        defaults: GroupSchedule | None = None,
        migrations: dict[str, GroupSchedule] | None = None,
    ) -> ScheduleResult:
        """Set the schedule of a group, of some of its migrations, or both [D hcx 4.4].

        :param migrations: schedules by migration id.
        :returns: how many schedules changed and which were refused.
        """
        body: dict[str, Any] = {}
        if defaults is not None:
            body["mobilityGroupDefaults"] = defaults.to_wire()
        if migrations:
            body["migrations"] = [
                {"migrationId": migration_id, "schedule": schedule.to_wire()}
                for migration_id, schedule in migrations.items()
            ]
        path = f"/mobility/groups/{path_segment(group_id)}/schedule"
        answer = self._send("POST", path, CallKind.IDEMPOTENT, body=body)
        return answer.parse(ScheduleResult, answer.mapping())

    def groups(self, *, skip_drafts: bool = False, page_size: int = 1000) -> tuple[MobilityGroup, ...]:
        """List the mobility groups [C hcx 4.4]."""
        body = {"filter": {"skipDrafts": skip_drafts}, "options": {"compat": COMPAT}}
        pages = self._pages("/migration/queryMobilityGroups", body, page_size=page_size)
        return tuple(answer.parse(MobilityGroup, item) for answer, item in pages)

    def find_groups(self, group_ids: Sequence[str]) -> tuple[MobilityGroup, ...]:
        """Return those of the groups that exist."""
        wanted = set(group_ids)
        return tuple(group for group in self.groups() if group.group_id in wanted)

    def find_group_by_name(self, name: str) -> MobilityGroup | None:
        """Find a group by its exact name: resolves a creation whose answer was lost.

        :raises ConflictError: if several groups have the name, which HCX should not allow.
        """
        found = [group for group in self.groups() if group.name == name]
        if len(found) > 1:
            ids = ", ".join(group.group_id for group in found)
            raise ConflictError(
                f"{len(found)} mobility groups are named {name!r}: {ids}",
                system="hcx",
                endpoint=self._transport.base_url,
            )
        return found[0] if found else None

    def group_intents(self, group_ids: Sequence[str]) -> tuple[GroupIntents, ...]:
        """Return groups with their migrations as submitted [C hcx 4.4]."""
        body = {"filters": {"groups": [{"migrationGroupId": group_id} for group_id in group_ids]}}
        return self._ask("/mobility/groups/intents", body).parse_items(GroupIntents)

    def _group_call(self, path: str, group_ids: Sequence[str], meaning: str) -> tuple[SubmittedGroup, ...]:
        lookup = Lookup("hcx", "query_migrations", {"group_ids": list(group_ids)}, meaning)
        body = {"items": [{"migrationGroupId": group_id} for group_id in group_ids]}
        answer = self._send("POST", path, CallKind.MUTATING, body=body, lookup=lookup)
        if all(one.get("errors") and not one.get("migrations") for one in answer.items()):
            answer.require_accepted()
        return answer.parse_items(SubmittedGroup)
