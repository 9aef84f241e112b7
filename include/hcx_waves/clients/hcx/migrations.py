"""HCX's answers about migrations and mobility groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import AliasChoices, Field

from hcx_waves.clients.hcx.state import MigrationState
from hcx_waves.clients.hcx.values import HcxModel, Instant, Notice, instant_of
from hcx_waves.clients.json_values import as_mapping, as_text
from hcx_waves.model.spelling import one_spelling


@dataclass(frozen=True)
class Migration:
    """One migration as the query shows it, of either generation.

    :param migration_id: HCX's id of this attempt; a retry gets a new one [D hcx 4.4].
    :param group_id: the mobility group, if the answer names it.
    :param entity_id: the VM's MoRef at the source, if the answer names it (gen 1 does not).
    :param state: what the status means.
    :param window_start: of the switchover schedule; None is "as soon as possible".
    :param raw: the item as it came, for evidence.
    """

    migration_id: str
    group_id: str | None
    entity_id: str | None
    entity_name: str | None
    state: MigrationState
    username: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    window_start: datetime | None = None
    window_expiry: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of_wire(cls, item: Mapping[str, Any]) -> Migration:
        """Read an item of the compat 2.1 query or of the gen 1 query [C hcx 4.5].

        :raises ValueError: if the item has no migration id.
        """
        if not item.get("migrationId"):
            raise ValueError("a migration without migrationId")
        return _of_gen1(item) if "migrationInfo" in item or "jobInfo" in item else _of_mobility(item)


def _of_mobility(item: Mapping[str, Any]) -> Migration:
    entity = as_mapping(item.get("entity"))
    progress = as_mapping(item.get("progress"))
    schedule = as_mapping(as_mapping(item.get("switchoverParams")).get("schedule"))
    workflow = as_mapping(item.get("transferParams")).get("workflowVersion") or item.get("version")
    return Migration(
        migration_id=str(item["migrationId"]),
        group_id=as_text(item.get("migrationGroupId")),
        entity_id=as_text(entity.get("entityId")),
        entity_name=_name_in(entity),
        state=MigrationState.of(as_text(item.get("state")), progress, workflow_version=workflow),
        username=as_text(item.get("username")),
        created_at=instant_of(item.get("creationDate")),
        updated_at=instant_of(item.get("lastUpdated")),
        started_at=instant_of(progress.get("startTime")),
        ended_at=instant_of(progress.get("endTime")),
        window_start=instant_of(schedule.get("startTime")),
        window_expiry=instant_of(schedule.get("expiryTime")),
        raw=dict(item),
    )


def _of_gen1(item: Mapping[str, Any]) -> Migration:
    info = as_mapping(item.get("migrationInfo"))
    job = as_mapping(item.get("jobInfo"))
    details = as_mapping(info.get("progressDetails"))
    entity = as_mapping(info.get("entityDetails"))
    step = as_text(details.get("state"))
    progress = {**details, "message": info.get("message"), "state": None}
    return Migration(
        migration_id=str(item["migrationId"]),
        group_id=as_text(item.get("migrationGroupId")),
        entity_id=as_text(entity.get("entityId")),
        entity_name=_name_in(entity),
        # The job's state is the migration's; the step decides only when the job says nothing.
        state=MigrationState.of(as_text(job.get("state")) or step, progress, step=step),
        username=as_text(job.get("username")),
        created_at=instant_of(job.get("creationDate")),
        updated_at=instant_of(job.get("lastUpdated")),
        raw=dict(item),
    )


def _name_in(entity: Mapping[str, Any]) -> str | None:
    name = as_text(entity.get("entityName"))
    return None if name is None else one_spelling(name)


class SubmittedMigration(HcxModel):
    """One line of the answer to validate, start, cancel or force cancel [D hcx 4.3]."""

    migration_id: str | None = None
    group_id: str | None = Field(default=None, validation_alias=AliasChoices("migrationGroupId", "group_id"))
    entity_id: str | None = None
    errors: tuple[Notice, ...] = ()
    warnings: tuple[Notice, ...] = ()

    @property
    def is_accepted(self) -> bool:
        """Whether HCX raised no error for this one."""
        return not self.errors


class Submission(HcxModel):
    """The whole answer: a 202 can hold refused items next to accepted ones."""

    items: tuple[SubmittedMigration, ...] = ()
    errors: tuple[Notice, ...] = ()
    warnings: tuple[Notice, ...] = ()

    @property
    def accepted(self) -> tuple[SubmittedMigration, ...]:
        """The items without errors."""
        return tuple(item for item in self.items if item.is_accepted)

    @property
    def refused(self) -> tuple[SubmittedMigration, ...]:
        """The items with errors."""
        return tuple(item for item in self.items if not item.is_accepted)

    @property
    def warning_messages(self) -> tuple[str, ...]:
        """Every warning, top level first. Warnings alone do not fail a validation [D+C hcx 4.3]."""
        own = [notice.message for notice in self.warnings]
        return (*own, *(notice.message for item in self.items for notice in item.warnings))


class SubmittedGroup(HcxModel):
    """One group of the answer to a group call [D hcx 4.4]."""

    group_id: str = Field(validation_alias=AliasChoices("migrationGroupId", "id", "group_id"))
    name: str | None = Field(default=None, validation_alias=AliasChoices("name", "entityName"))
    state: str | None = None
    last_updated: Instant = None
    migrations: tuple[SubmittedMigration, ...] = ()
    errors: tuple[Notice, ...] = ()
    warnings: tuple[Notice, ...] = ()


class MobilityGroup(HcxModel):
    """One group of ``queryMobilityGroups`` [C hcx 4.4]."""

    group_id: str = Field(validation_alias=AliasChoices("id", "migrationGroupId", "group_id"))
    name: str = Field(default="", validation_alias=AliasChoices("entityName", "name"))
    state: str | None = None
    creation_date: Instant = None
    last_updated: Instant = None


class GroupIntents(HcxModel):
    """A group and its migrations as they were submitted [C hcx 4.4]."""

    group_id: str | None = Field(default=None, validation_alias=AliasChoices("migrationGroupId", "group_id"))
    name: str | None = None
    migrations: tuple[dict[str, Any], ...]


class ScheduleResult(HcxModel):
    """What a (re)schedule changed [D hcx 4.4]."""

    affected_transfer_schedule_count: int | None = None
    affected_switchover_schedule_count: int | None = None
    errors: dict[str, Any] = Field(default_factory=dict)

    @property
    def refused_migration_ids(self) -> tuple[str, ...]:
        """The migrations whose schedule was not changed."""
        entries = self.errors.get("migrations")
        return tuple(
            str(entry.get("id"))
            for entry in (entries if isinstance(entries, list) else [])
            if isinstance(entry, Mapping) and entry.get("errors")
        )
