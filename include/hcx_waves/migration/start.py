"""Start a wave's migrations once: existing ones are adopted, and a lost answer is resolved by looking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import OutcomeUnknownError
from hcx_waves.clients.hcx import GroupDraft, HcxClient, Migration, MigrationIntent, Schedule
from hcx_waves.clients.hcx.migrations import SubmittedGroup
from hcx_waves.migration.errors import AlreadyMigratingError, GroupMismatchError, MigrationsRefusedError
from hcx_waves.migration.groups import (
    group_names,
    in_flight_elsewhere,
    is_draft,
    is_from,
    is_in_flight,
    latest_by_entity,
)
from hcx_waves.migration.intents import group_name, intents_of, is_own_group
from hcx_waves.model.base import DomainModel
from hcx_waves.model.plan import WavePlan
from hcx_waves.procedure_errors import SubmissionLostError


class StartedVm(DomainModel):
    """One VM of a started wave.

    :attr:`migration_id` is the newest attempt's; the one to store, watch and (only on demand) cancel.
    """

    name: str
    vm_id: str
    migration_id: str
    group_id: str
    refused: tuple[str, ...] = ()
    """HCX's messages if it did not take this VM."""


class StartedWave(DomainModel):
    """What a start has come to."""

    group_id: str
    group_name: str
    vms: tuple[StartedVm, ...]
    adopted: bool = False
    """Whether the group had been started before, by an earlier try."""
    earlier_groups: tuple[str, ...] = ()
    """Ids of groups of an earlier plan of this wave, of which VMs in flight were adopted."""
    warnings: tuple[str, ...] = ()
    """What HCX warned of when it validated."""

    @property
    def group_ids(self) -> tuple[str, ...]:
        """All groups to ask for, in one query."""
        return tuple(group_id for group_id in (self.group_id, *self.earlier_groups) if group_id)

    @property
    def migration_ids(self) -> dict[str, str]:
        """Migration ids by VM name."""
        return {vm.name: vm.migration_id for vm in self.vms}

    def vm(self, name: str) -> StartedVm:
        """Return a VM by name.

        :raises KeyError: if it was not started.
        """
        for vm in self.vms:
            if vm.name == name:
                return vm
        raise KeyError(f'"{name}" was not started')


def start_wave(
    plan: WavePlan, clients: SiteClients, *, window: Schedule | None = None, only: Sequence[str] | None = None
) -> StartedWave:
    """Validate, create the mobility group, start it; each of them only if it has not been done.

    A group of this plan's name is adopted as it is: a draft is started, a running one is left alone, and VMs of
    it that failed are not tried again (see :func:`retry_virtual_machines`). VMs in flight in a group of an earlier
    plan of the same wave are adopted there.

    :param window: the switchover window instead of the plan's, e.g. a hold.
    :param only: names of the VMs to start; all unless given. The same plan and subset must be given on every try.
    :raises ValidationFailed: if HCX refuses the intents; nothing was created.
    :raises AlreadyMigratingError: if VMs are in flight in a group that is not this wave's.
    :raises GroupMismatchError: if the group holds other VMs, or half of it has been started by somebody.
    :raises MigrationsRefusedError: if HCX accepted the group and refused all of its VMs.
    :raises SubmissionLostError: if an answer was lost and there is no trace yet; run it again.
    """
    starter = _Starter(plan, clients.hcx, window, only)
    return starter.run()


@dataclass
class _Starter:
    """One start; keeps what was read so far."""

    plan: WavePlan
    hcx: HcxClient
    window: Schedule | None
    only: Sequence[str] | None

    def __post_init__(self) -> None:
        intents = intents_of(self.plan, self.window)
        names = [vm.name for vm in self.plan.vms if self.only is None or vm.name in self.only]
        self.intents: dict[str, MigrationIntent] = {name: intents[name] for name in names}
        self.entities = {name: self.plan.vm(name).vm_id for name in names}
        self.name = group_name(self.plan)
        self.warnings: tuple[str, ...] = ()

    def run(self) -> StartedWave:
        group = self.hcx.find_group_by_name(self.name)
        if group is not None:
            return self._adopt(group.group_id)
        earlier = self._adopted_from_earlier_plans()
        fresh = {name: intent for name, intent in self.intents.items() if self.entities[name] not in earlier}
        if not fresh:
            return self._result("", list(earlier.values()), adopted=True)
        self.warnings = self.hcx.validate_migrations(list(fresh.values())).warning_messages
        group_id = self._create(list(fresh.values()))
        refused = self._start(group_id)
        started = list(self.hcx.query_migrations(group_ids=[group_id]))
        return self._result(group_id, [*started, *earlier.values()], refused=refused)

    def _of_earlier_groups(self, entity_ids: list[str]) -> list[Migration]:
        """Return the newest migrations that groups of an earlier plan of this wave hold, ended or not."""
        if not entity_ids:
            return []
        found = self.hcx.find_migrations_for_entities(entity_ids)
        here = self.plan.source.endpoint_id
        own = [one for migrations in found.values() for one in migrations if is_from(one, here) and not is_draft(one)]
        names = group_names(self.hcx, {one.group_id for one in own if one.group_id})
        ours = (one for one in own if is_own_group(self.plan, names.get(one.group_id or "", "")))
        return list(latest_by_entity(ours).values())

    def _adopted_from_earlier_plans(self) -> dict[str, Migration]:
        """Return the VMs that an earlier plan of this wave has in flight; refuse those of anybody else."""
        endpoint_id = self.plan.source.endpoint_id
        elsewhere = in_flight_elsewhere(self.hcx, list(self.entities.values()), endpoint_id, None)
        names = group_names(self.hcx, {migration.group_id for migration in elsewhere if migration.group_id})
        foreign = [one for one in elsewhere if not is_own_group(self.plan, names.get(one.group_id or "", ""))]
        if foreign:
            groups = sorted({names.get(one.group_id or "", str(one.group_id)) for one in foreign})
            vms = sorted(one.entity_name or str(one.entity_id) for one in foreign)
            raise AlreadyMigratingError(
                f"{', '.join(vms)}: in flight in mobility group {', '.join(groups)}, which is not this wave's",
                vms=vms,
                groups=groups,
                migration_ids=[one.migration_id for one in foreign],
            )
        return {str(one.entity_id): one for one in elsewhere}

    def _adopt(self, group_id: str) -> StartedWave:
        migrations = self.hcx.query_migrations(group_ids=[group_id])
        latest = latest_by_entity(migrations)
        earlier = self._of_earlier_groups([one for one in self.entities.values() if one not in latest])
        self._check_members(set(latest) | {str(one.entity_id) for one in earlier})
        drafts = [one for one in latest.values() if is_draft(one)]
        if not drafts:
            return self._result(group_id, [*migrations, *earlier], adopted=True)
        # Starting a group also starts again what failed in it [D hcx 4.4], which nobody has asked for here.
        ended = [one for one in latest.values() if one.state.is_failure or one.state.is_cancelled]
        if ended:
            names = sorted(one.entity_name or str(one.entity_id) for one in ended)
            raise GroupMismatchError(
                f"mobility group {self.name!r} has VMs that were never started next to {', '.join(names)}, which "
                "failed or were cancelled",
                group_id=group_id,
                drafts=sorted(one.entity_name or str(one.entity_id) for one in drafts),
            )
        refused = self._start(group_id)
        return self._result(group_id, [*self.hcx.query_migrations(group_ids=[group_id]), *earlier], refused=refused)

    def _check_members(self, found: set[str]) -> None:
        wanted = set(self.entities.values())
        if found == wanted:
            return
        by_id = {entity_id: name for name, entity_id in self.entities.items()}
        missing = sorted(by_id[entity_id] for entity_id in wanted - found)
        strange = sorted(found - wanted)
        parts = [f"lacks {', '.join(missing)}"] if missing else []
        parts += [f"also contains {', '.join(strange)}"] if strange else []
        raise GroupMismatchError(
            f"mobility group {self.name!r} {' and '.join(parts)}", missing=missing, unexpected_entity_ids=strange
        )

    def _create(self, intents: Sequence[MigrationIntent]) -> str:
        try:
            return self.hcx.create_group(GroupDraft(self.name, intents)).group_id
        except OutcomeUnknownError as error:
            found = self.hcx.find_group_by_name(self.name)
            if found is None:
                raise SubmissionLostError(
                    f"the answer to creating mobility group {self.name!r} was lost, and it is not listed",
                    cause=error.to_dict(),
                ) from error
            return found.group_id

    def _start(self, group_id: str) -> dict[str, tuple[str, ...]]:
        """Start the group; return HCX's messages by entity id for what it refused."""
        try:
            groups = self.hcx.start_groups([group_id])
        except OutcomeUnknownError as error:
            if not any(is_draft(one) for one in self.hcx.query_migrations(group_ids=[group_id])):
                return {}
            raise SubmissionLostError(
                f"the answer to starting mobility group {self.name!r} was lost, and it is still a draft",
                group_id=group_id,
                cause=error.to_dict(),
            ) from error
        refused = _refusals(groups)
        said = [notice.message for group in groups for notice in group.errors]
        if said and not refused and any(is_draft(one) for one in self.hcx.query_migrations(group_ids=[group_id])):
            raise MigrationsRefusedError(
                f"HCX did not start mobility group {self.name!r}: {'; '.join(said)}", refused={self.name: said}
            )
        if refused and len(refused) == len(self.entities):
            names = {entity_id: name for name, entity_id in self.entities.items()}
            messages = {names.get(entity_id, entity_id): list(texts) for entity_id, texts in refused.items()}
            raise MigrationsRefusedError(f"HCX started none of {', '.join(messages)}", refused=messages)
        return refused

    def _result(
        self,
        group_id: str,
        migrations: Sequence[Migration],
        *,
        adopted: bool = False,
        refused: dict[str, tuple[str, ...]] | None = None,
    ) -> StartedWave:
        latest = latest_by_entity(migrations)
        vms = [
            StartedVm(
                name=name,
                vm_id=entity_id,
                migration_id=latest[entity_id].migration_id,
                group_id=latest[entity_id].group_id or group_id,
                refused=(refused or {}).get(entity_id, ()),
            )
            for name, entity_id in self.entities.items()
            if entity_id in latest
        ]
        lost = sorted(set(self.entities) - {vm.name for vm in vms})
        if lost:
            raise GroupMismatchError(
                f"HCX lists no migration of {', '.join(lost)} in mobility group {self.name!r}", missing=lost
            )
        others = sorted({vm.group_id for vm in vms} - {group_id})
        return StartedWave(
            group_id=group_id or others[0],
            group_name=self.name,
            vms=tuple(vms),
            adopted=adopted,
            earlier_groups=tuple(other for other in others if other != (group_id or others[0])),
            warnings=self.warnings,
        )


def retry_virtual_machines(
    plan: WavePlan, started: StartedWave, names: Sequence[str], clients: SiteClients, *, window: Schedule | None = None
) -> StartedWave:
    """Start VMs again that failed or were cancelled, in the same group; each only if it is not under way again.

    HCX documents no call for a retry [? hcx 9.3]; a start that names the group is used, with a new migration id.

    :returns: the started wave with the new migration ids.
    :raises KeyError: if a VM was not started before.
    :raises GroupMismatchError: if a VM's last migration did not end badly.
    :raises ValidationFailed: if HCX refuses; nothing was started.
    :raises SubmissionLostError: if the answer was lost and there is no trace yet; run it again.
    """
    hcx = clients.hcx
    latest = latest_by_entity(hcx.query_migrations(group_ids=started.group_ids))
    intents = intents_of(plan, window)
    due = []
    for name in names:
        last = latest.get(started.vm(name).vm_id)
        if last is None or last.state.is_success:
            raise GroupMismatchError(f"{name} has no failed or cancelled migration, so it cannot be retried")
        if not is_in_flight(last):
            due.append({**intents[name].to_wire(), "migrationGroupId": started.vm(name).group_id})
    refused: dict[str, tuple[str, ...]] = {}
    if due:
        try:
            answer = hcx.start_migrations(due)
            refused = {str(one.entity_id): tuple(said.message for said in one.errors) for one in answer.refused}
        except OutcomeUnknownError as error:
            again = latest_by_entity(hcx.query_migrations(group_ids=started.group_ids))
            if any(_is_same_attempt(again, latest, one["entity"]["entityId"]) for one in due):
                raise SubmissionLostError(
                    f"the answer to retrying {', '.join(names)} was lost, and no new migration is listed",
                    cause=error.to_dict(),
                ) from error
        latest = latest_by_entity(hcx.query_migrations(group_ids=started.group_ids))
    vms = [
        vm.model_copy(update={"migration_id": latest[vm.vm_id].migration_id, "refused": refused.get(vm.vm_id, ())})
        if vm.name in names and vm.vm_id in latest
        else vm
        for vm in started.vms
    ]
    return started.model_copy(update={"vms": tuple(vms)})


def _is_same_attempt(now: dict[str, Migration], before: dict[str, Migration], entity_id: str) -> bool:
    return entity_id not in now or now[entity_id].migration_id == before[entity_id].migration_id


def _refusals(groups: Sequence[SubmittedGroup]) -> dict[str, tuple[str, ...]]:
    return {
        migration.entity_id: tuple(notice.message for notice in migration.errors)
        for group in groups
        for migration in group.migrations
        if migration.errors and migration.entity_id is not None
    }
