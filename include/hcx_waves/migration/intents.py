"""Build the HCX migration request of a planned VM."""

from __future__ import annotations

import re

from hcx_waves.clients.hcx import (
    Entity,
    HcxMigrationOptions,
    HcxMigrationType,
    HcxNetworkMapping,
    MigrationIntent,
    Placement,
    Schedule,
    SiteRef,
    Storage,
)
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.plan import ObjectRef, PlannedNic, PlannedSite, PlannedVm, WavePlan

_DIGEST_CHARACTERS = 12
_TYPES = {
    MigrationType.RAV: HcxMigrationType.RAV,
    MigrationType.BULK: HcxMigrationType.BULK,
    MigrationType.VMOTION: HcxMigrationType.VMOTION,
    MigrationType.COLD: HcxMigrationType.COLD,
}


def group_name(plan: WavePlan) -> str:
    """Return the name of a plan's mobility group: the wave's own name for it and the start of the plan's digest.

    The same plan gives the same name, so that a second try finds what the first one made; HCX refuses a
    duplicate name [C hcx 4.4].
    """
    return f"{group_prefix(plan)}{plan.digest()[:_DIGEST_CHARACTERS]}"


def group_prefix(plan: WavePlan) -> str:
    """Return what the names of all mobility groups of a wave begin with, whatever plan made them."""
    return f"{plan.mobility_group}-"


def is_own_group(plan: WavePlan, name: str) -> bool:
    """Whether a mobility group's name is one that some plan of this wave gives; "seed-2" is not a plan of "seed"."""
    return re.fullmatch(f"{re.escape(group_prefix(plan))}[0-9a-f]{{{_DIGEST_CHARACTERS}}}", name) is not None


def intents_of(plan: WavePlan, window: Schedule | None = None) -> dict[str, MigrationIntent]:
    """Return one intent per VM of a plan, by VM name.

    :param window: the switchover window, if not the plan's own (see :mod:`hcx_waves.migration.switchover`).
    """
    chosen = window or planned_window(plan)
    return {vm.name: intent_of(vm, plan, chosen) for vm in plan.vms}


def planned_window(plan: WavePlan) -> Schedule | None:
    """Return the plan's switchover window, or None: as soon as possible."""
    switchover = plan.clock.switchover
    return None if switchover is None else Schedule(switchover.opens, switchover.closes)


def intent_of(vm: PlannedVm, plan: WavePlan, window: Schedule | None) -> MigrationIntent:
    """Return a VM's intent; what the plan leaves open is left to HCX."""
    options = vm.options
    return MigrationIntent(
        migration_type=_TYPES[vm.migration],
        source=_site(plan.source),
        destination=_site(plan.destination),
        entity=Entity(vm.vm_id, vm.name),
        service_mesh_id=vm.service_mesh_id,
        placement=tuple(_placement(vm)),
        storage=_storage(vm),
        networks=tuple(_mapping(nic, is_primary=index == 0) for index, nic in enumerate(vm.nics)),
        options=HcxMigrationOptions(
            remove_snapshots=options.remove_snapshots,
            remove_isos=options.remove_isos,
            retain_mac=options.retain_mac,
            force_power_off_vm=options.force_power_off,
            upgrade_hardware=options.upgrade_hardware,
            upgrade_vm_tools=options.upgrade_vm_tools,
            retain_tags=options.retain_tags,
            replicate_security_tags=options.replicate_security_tags,
            update_custom_attributes=options.update_custom_attributes,
        ),
        window=window,
        seed_checkpoint=options.seed_checkpoint,
    )


def _site(site: PlannedSite) -> SiteRef:
    return SiteRef(site.endpoint_id, site.compute_resource_id, site.endpoint_name, site.vcenter_name)


def _placement(vm: PlannedVm) -> list[Placement]:
    places: list[tuple[ObjectRef | None, str]] = [
        (vm.cluster, "cluster"),
        (vm.resource_pool, "resourcePool"),
        (vm.folder, "folder"),
    ]
    return [Placement(place.object_id, place.name, kind) for place, kind in places if place is not None]


def _storage(vm: PlannedVm) -> Storage | None:
    if vm.datastore is None:
        return None
    policy = vm.storage_policy
    return Storage(
        vm.datastore.object_id,
        vm.datastore.name,
        disk_provision_type=vm.disk_format.value,
        policy_id=None if policy is None else policy.object_id,
        policy_name=None if policy is None else policy.name,
    )


def _mapping(nic: PlannedNic, *, is_primary: bool) -> HcxNetworkMapping:
    return HcxNetworkMapping(
        mac_address=nic.mac_address,
        source_network_id=nic.source.network_id,
        source_network_name=nic.source.name,
        source_network_type=nic.source.network_type,
        destination_network_id=nic.destination.network_id,
        destination_network_name=nic.destination.name,
        destination_network_type=nic.destination.network_type,
        connected=nic.connected,
        is_primary_nic=is_primary,
    )
