"""Look at the VMs of a wave: at which site each is, what HCX says of its migration, and whether it is this wave's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import AwareDatetime

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import ClientError
from hcx_waves.clients.hcx import Migration
from hcx_waves.clients.hcx.values import milliseconds_of
from hcx_waves.clients.vsphere import VsphereClient
from hcx_waves.clients.vsphere.models import VirtualMachineSummary
from hcx_waves.migration.groups import group_names, is_from, is_in_flight
from hcx_waves.migration.intents import is_own_group
from hcx_waves.model.base import DomainModel
from hcx_waves.model.plan import PlannedVm, WavePlan


class Whereabouts(StrEnum):
    """At which site a VM is."""

    SOURCE = "source"
    DESTINATION = "destination"
    BOTH = "both"
    NEITHER = "neither"
    UNKNOWN = "unknown"


class MachineLook(DomainModel):
    """What was found of a VM at one moment."""

    name: str
    site: Whereabouts
    power: str = ""
    migration_id: str = ""
    state: str = ""
    """HCX's own word; empty if HCX lists no migration of it."""
    phase: str = ""
    percent: float | None = None
    message: str = ""
    updated_at: AwareDatetime | None = None
    group: str = ""
    in_flight: bool = False
    is_own: bool = False
    """Whether this wave has started the migration: its mobility group has one of the wave's names."""
    is_recorded: bool = False
    """Whether the run's ledger names it."""

    @property
    def press(self) -> str:
        """What can be pressed now."""
        if not self.in_flight:
            return "nothing"
        return f"cancel --vm {self.name}" if self.is_own else "nothing: it is not this wave's migration"


@dataclass(frozen=True)
class Machines:
    """All VMs of a wave, and what could not be read."""

    vms: tuple[MachineLook, ...]
    problems: tuple[str, ...]


def look_at_machines(plan: WavePlan, clients: SiteClients, recorded: dict[str, str]) -> Machines:
    """Look at all VMs of a plan. What cannot be read is unknown, and is told.

    :param recorded: the migration ids that the run has recorded, by VM.
    """
    problems: list[str] = []
    sites = [_listed(vcenter, problems) for vcenter in (clients.source_vcenter, clients.destination_vcenter)]
    try:
        migrations, groups = _migrations(plan, clients, sites[0], recorded)
    except ClientError as error:
        problems.append(str(error))
        migrations, groups = {}, {}
    return Machines(
        tuple(_look(plan, vm, sites, migrations.get(vm.name), groups, recorded) for vm in plan.vms), tuple(problems)
    )


def _listed(vcenter: VsphereClient, problems: list[str]) -> Sequence[VirtualMachineSummary] | None:
    try:
        return tuple(vcenter.list_virtual_machines())
    except ClientError as error:
        problems.append(str(error))
        return None


def _migrations(
    plan: WavePlan,
    clients: SiteClients,
    at_source: Sequence[VirtualMachineSummary] | None,
    recorded: dict[str, str],
) -> tuple[dict[str, Migration], dict[str, str]]:
    """Return the newest migration of each VM, by name, and the names of their groups, by id.

    Asked by the wave's groups, by the VMs and by what the run has recorded: none of them alone finds a migration that
    somebody else has started, or one of a VM that has moved.
    """
    hcx = clients.hcx
    own = [group.group_id for group in hcx.groups() if is_own_group(plan, group.name)]
    morefs = {vm.moref: vm.name for vm in at_source or ()}
    entities = {vm.vm_id: vm.name for vm in plan.vms if not vm.already_there}
    entities |= {moref: name for moref, name in morefs.items() if name in {vm.name for vm in plan.vms}}
    found: dict[str, Migration] = {}
    for asked in (
        hcx.query_migrations(group_ids=own) if own else (),
        hcx.query_migrations(entity_ids=list(entities)) if entities else (),
        hcx.query_migrations(migration_ids=list(recorded.values())) if recorded else (),
    ):
        found.update({one.migration_id: one for one in asked})
    by_id = {migration_id: name for name, migration_id in recorded.items()}
    newest: dict[str, Migration] = {}
    for one in sorted(found.values(), key=lambda each: milliseconds_of(each.created_at)):
        name = _name(plan, one, entities, by_id)
        if name is not None and is_from(one, plan.source.endpoint_id):
            newest[name] = one
    return newest, group_names(hcx, {one.group_id for one in newest.values() if one.group_id})


def _name(plan: WavePlan, one: Migration, entities: dict[str, str], by_id: dict[str, str]) -> str | None:
    known = entities.get(one.entity_id or "") or by_id.get(one.migration_id)
    names: Iterable[str] = (vm.name for vm in plan.vms)
    return known or (one.entity_name if one.entity_name in set(names) else None)


def _look(
    plan: WavePlan,
    vm: PlannedVm,
    sites: Sequence[Sequence[VirtualMachineSummary] | None],
    migration: Migration | None,
    groups: dict[str, str],
    recorded: dict[str, str],
) -> MachineLook:
    here, there = (None if site is None else next((one for one in site if one.name == vm.name), None) for site in sites)
    seen = there or here
    facts = {"name": vm.name, "site": _site(sites, here, there), "power": (seen.power_state or "") if seen else ""}
    if migration is None:
        return MachineLook.model_validate(facts)
    group = groups.get(migration.group_id or "", "")
    is_recorded = migration.migration_id in recorded.values()
    return MachineLook.model_validate(
        {
            **facts,
            "migration_id": migration.migration_id,
            "state": migration.state.name,
            "phase": migration.state.phase.value,
            "percent": migration.state.percent,
            "message": migration.state.message,
            "updated_at": migration.updated_at,
            "group": group,
            "in_flight": is_in_flight(migration),
            # An answer of the first generation names no group [C hcx 4.5]; then the record alone tells.
            "is_own": is_own_group(plan, group) or (is_recorded and migration.group_id is None),
            "is_recorded": is_recorded,
        }
    )


def _site(
    sites: Sequence[Sequence[VirtualMachineSummary] | None],
    here: VirtualMachineSummary | None,
    there: VirtualMachineSummary | None,
) -> Whereabouts:
    if None in sites:
        return Whereabouts.UNKNOWN
    if here is not None and there is not None:
        return Whereabouts.BOTH
    if here is None and there is None:
        return Whereabouts.NEITHER
    return Whereabouts.SOURCE if here is not None else Whereabouts.DESTINATION
