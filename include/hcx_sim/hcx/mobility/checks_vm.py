"""Checks of an intent's VM: is it there, may it move this way, does anything stand in its way.

Wording is ours: validation messages are free text and not published.
"""

from __future__ import annotations

import re
from unicodedata import normalize

from hcx_sim.hcx.mobility.case import Case
from hcx_sim.hcx.mobility.hardware import newest_hardware
from hcx_sim.hcx.mobility.model import MigrationType
from hcx_sim.hcx.versions import release
from hcx_sim.world.model import Power, SiteName, Vm, VmRole

_OLD_WORDS = {
    "Cold": MigrationType.COLD,
    "VR": MigrationType.BULK,
    "Bulk": MigrationType.BULK,
    "bulkVMotion": MigrationType.RAV,
}
_LIVE_HARDWARE = 9  # [D hcx 10.1]
_ASSISTED_VMOTION_SINCE = (4, 10)  # field survey 2.1


def migration_type_of(word: str) -> MigrationType | None:
    """Return the type of a word of any generation, None for an unknown one. [D+C hcx 4.2]"""
    if word in _OLD_WORDS:
        return _OLD_WORDS[word]
    return next((kind for kind in MigrationType if kind.value == word), None)


def check_type(case: Case) -> None:
    """Check the migration type against the switchover type, the transfer type and the release."""
    intent = case.intent
    word = intent.migration_type or intent.switchover_type
    case.kind = migration_type_of(word)
    if case.kind is None:
        case.refuse(f"Migration type '{word}' is not supported." if word else "The migration type is missing.")
        return
    if intent.switchover_type and migration_type_of(intent.switchover_type) is not case.kind:
        case.refuse(f"Switchover type '{intent.switchover_type}' does not go with migration type '{word}'.")
    if intent.transfer_type and intent.transfer_type != case.kind.transfer_type:
        case.warn(f"Transfer type '{intent.transfer_type}' is not used by migration type '{word}'.")
    if case.kind is MigrationType.XVMOTION and release(case.world)[:2] < _ASSISTED_VMOTION_SINCE:
        case.refuse("HCX Assisted vMotion needs HCX 4.10 or later.")


def check_sites(case: Case) -> None:
    """Resolve source and destination; a missing source is this manager's site, a missing destination the other."""
    by_endpoint = {case.world.site(site).hcx_endpoint_id: site for site in SiteName}
    intent = case.intent
    if intent.source_endpoint_id and intent.source_endpoint_id not in by_endpoint:
        case.refuse(f"Source endpoint '{intent.source_endpoint_id}' is not known.")
        return
    if intent.destination_endpoint_id and intent.destination_endpoint_id not in by_endpoint:
        case.refuse(f"Destination endpoint '{intent.destination_endpoint_id}' is not known.")
        return
    source = by_endpoint.get(intent.source_endpoint_id)
    destination = by_endpoint.get(intent.destination_endpoint_id)
    if source is None:
        source = destination.other if destination is not None else case.manager
    if destination is None:
        destination = source.other
    if source is destination:
        case.refuse("Source and destination are the same site.")
        return
    case.source, case.destination = source, destination


def check_vm(case: Case) -> None:
    """Find the VM at the source by its moref."""
    entity_id = case.intent.entity_id
    if case.source is None:
        return
    vm = case.world.vms.get(f"{case.source}/{entity_id}")
    if not entity_id or vm is None:
        case.refuse(f"Virtual machine '{entity_id or case.intent.entity_name}' was not found at the source.")
        return
    if case.intent.entity_name and normalize("NFC", case.intent.entity_name) != normalize("NFC", vm.name):
        case.warn(f"Virtual machine '{entity_id}' is called '{vm.name}', not '{case.intent.entity_name}'.")
    if vm.template or vm.retired or vm.role is VmRole.HCX_APPLIANCE:
        what = "a template" if vm.template else "left over from a migration" if vm.retired else "an HCX appliance"
        case.refuse(f"Virtual machine '{vm.name}' cannot be migrated: it is {what}.")
        return
    if vm.uid in case.batch.seen:
        case.refuse(f"Virtual machine '{vm.name}' is named more than once.")
    case.batch.seen.add(vm.uid)
    case.vm = vm


def check_power(case: Case) -> None:
    """Check that the type fits the power state: powered-off VMs move cold or by bulk, cold only powered-off ones."""
    if case.vm is None or case.kind is None:
        return
    kind, vm = case.kind, case.vm
    if kind is MigrationType.COLD and vm.power is not Power.OFF:
        case.refuse(f"Virtual machine '{vm.name}' is not powered off; cold migration needs it to be.")
    elif kind is not MigrationType.COLD and vm.power is Power.SUSPENDED:
        case.refuse(f"Virtual machine '{vm.name}' is suspended.")
    elif kind is not MigrationType.COLD and kind is not MigrationType.BULK and vm.power is Power.OFF:
        case.refuse(f"Virtual machine '{vm.name}' is powered off; {kind.value} needs it to be running.")
    if kind.restarts and vm.power is Power.ON and not vm.tools_running and not case.intent.options.force_power_off:
        case.warn(
            f"VMware Tools are not running in '{vm.name}'; the migration fails unless it may be forced to power off."
        )


def check_hardware(case: Case) -> None:
    """Check hardware version and disks. [D hcx 10.1]"""
    if case.vm is None or case.kind is None:
        return
    vm = case.vm
    if case.kind.live and _hardware_number(vm) < _LIVE_HARDWARE:
        case.refuse(f"Virtual machine '{vm.name}' has hardware version {vm.hardware_version}; vmx-09 is needed.")
    for disk in vm.disks:
        if disk.backing == "rdmPhysical":
            case.refuse(f"{disk.label} of '{vm.name}' is a raw device mapping in physical mode.")
        if disk.backing == "rdmVirtual" and case.kind is not MigrationType.BULK:
            case.refuse(f"{disk.label} of '{vm.name}' is a raw device mapping; only bulk migration supports it.")
        if disk.sharing != "sharingNone":
            case.refuse(f"{disk.label} of '{vm.name}' is shared with other virtual machines.")


def _hardware_number(vm: Vm) -> int:
    digits = re.search(r"\d+", vm.hardware_version)
    return int(digits.group()) if digits else 0


def check_target_hardware(case: Case) -> None:
    """Check that the hosts of the target know the VM's hardware version. [D hcx 10.1]"""
    if case.vm is None or case.target is None or case.destination is None:
        return
    newest = newest_hardware(case.world, case.destination, case.target.cluster_moref)
    if _hardware_number(case.vm) > newest:
        case.refuse(
            f"Virtual machine '{case.vm.name}' has hardware version {case.vm.hardware_version}; the hosts of the "
            f"destination support vmx-{newest} at most."
        )


def check_leftovers(case: Case) -> None:
    """Warn of snapshots and ISO images that will be in the way. [D hcx 4.8]"""
    if case.vm is None or case.kind is None:
        return
    vm, options = case.vm, case.intent.options
    if vm.snapshots and not case.kind.restarts:
        fate = "they will be removed" if options.remove_snapshots else "the migration may fail in its switchover"
        case.warn(f"Virtual machine '{vm.name}' has snapshots; {fate}.")
    elif vm.snapshots:
        case.warn(f"Virtual machine '{vm.name}' has snapshots; they will be removed.")
    if vm.iso_path is not None:
        fate = "it will be unmounted" if options.remove_isos else "the migration may fail in its switchover"
        case.warn(f"An ISO image is mounted in '{vm.name}'; {fate}.")


def check_other_migrations(case: Case) -> None:
    """Check that nothing else moves the VM and that no incomplete rollback is in the way. [D hcx 4.4]"""
    if case.vm is None:
        return
    store = case.mobility.store
    if store.active_of(case.vm.uid) is not None:
        case.refuse(f"Virtual machine '{case.vm.name}' is being migrated already.")
    elif store.blocking_cleanup(case.vm.uid) is not None:
        case.refuse(
            f"The rollback of an earlier migration of '{case.vm.name}' is incomplete; force cancel that migration."
        )
