"""``SearchIndex``: objects by UUID, address, name and inventory path; nothing found is an unset answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pyVmomi import vim

from hcx_sim.vcenter.families.vm_config import vm_path_name
from hcx_sim.vcenter.faults import object_not_found
from hcx_sim.vcenter.inventory import Found, Inventory
from hcx_sim.vcenter.registry import Context, method
from hcx_sim.vcenter.selection import contained
from hcx_sim.world.model import Power, Vm

_INDEX = "SearchIndex"


def _vms(context: Context) -> Iterable[Vm]:
    """Yield the VMs in the datacenter of the call, all without one."""
    datacenter = context.arguments.get("datacenter")
    if datacenter is not None and context.inventory.find_reference(datacenter) is None:
        raise object_not_found(datacenter)
    vms = context.inventory.index.vms
    return vms if datacenter is None else (vm for vm in vms if vm.datacenter_moref == datacenter._moId)


def _hosts(context: Context, fits: Callable[[str], bool]) -> list[Any]:
    hosts = context.inventory.placements("HostSystem")
    return [vim.HostSystem(host.moref) for host in hosts if fits(host.name)]


def _by_uuid(context: Context) -> list[Any]:
    uuid, random = context.arguments["uuid"].lower(), context.world.random
    if not context.arguments["vmSearch"]:
        hosts = context.inventory.placements("HostSystem")
        return [vim.HostSystem(each.moref) for each in hosts if random.stable_uuid(f"host/{each.key}") == uuid]
    by_instance = context.arguments["instanceUuid"]
    found = (vm for vm in _vms(context) if (vm.instance_uuid if by_instance else vm.bios_uuid).lower() == uuid)
    return context.inventory.vm_references(list(found))


def _by_ip(context: Context) -> list[Any]:
    address = context.arguments["ip"]
    if not context.arguments["vmSearch"]:
        return []
    found = (vm for vm in _vms(context) if _reports(vm) and any(address in nic.ip_addresses for nic in vm.nics))
    return context.inventory.vm_references(list(found))


def _by_dns(context: Context) -> list[Any]:
    name = context.arguments["dnsName"].lower()
    if not context.arguments["vmSearch"]:
        return _hosts(context, lambda each: each.lower() == name)
    return context.inventory.vm_references(
        [vm for vm in _vms(context) if _reports(vm) and vm.host_name.lower() == name]
    )


def _reports(vm: Vm) -> bool:
    return vm.tools_running and vm.power is Power.ON


def _first(found: list[Any]) -> Any:
    return found[0] if found else None


@method(_INDEX, "FindByUuid")
def find_by_uuid(context: Context) -> Any:
    """Find a VM by BIOS or instance UUID, or a host."""
    return _first(_by_uuid(context))


@method(_INDEX, "FindAllByUuid")
def find_all_by_uuid(context: Context) -> list[Any]:
    """Find all of a UUID: a bulk migration may leave two of one."""
    return _by_uuid(context)


@method(_INDEX, "FindByIp")
def find_by_ip(context: Context) -> Any:
    """Find a VM by an address that its guest reports."""
    return _first(_by_ip(context))


@method(_INDEX, "FindAllByIp")
def find_all_by_ip(context: Context) -> list[Any]:
    """Find all VMs of an address."""
    return _by_ip(context)


@method(_INDEX, "FindByDnsName")
def find_by_dns_name(context: Context) -> Any:
    """Find a VM by its guest's host name, or a host by its name."""
    return _first(_by_dns(context))


@method(_INDEX, "FindAllByDnsName")
def find_all_by_dns_name(context: Context) -> list[Any]:
    """Find all VMs or hosts of a DNS name."""
    return _by_dns(context)


def _children(inventory: Inventory, parent: Found) -> Iterator[tuple[str, Found]]:
    """Yield the children of an inventory path's step with their names: a cluster's hosts, a pool's pools and VMs."""
    for found in contained(inventory, parent, recursive=False):
        yield getattr(found.record, "name", ""), found


def _child(inventory: Inventory, parent: Found, name: str) -> Found | None:
    return next((found for each, found in _children(inventory, parent) if each == name), None)


@method(_INDEX, "FindChild")
def find_child(context: Context) -> Any:
    """Find a direct child by name."""
    parent = context.inventory.find_reference(context.arguments["entity"])
    if parent is None:
        raise object_not_found(context.arguments["entity"])
    found = _child(context.inventory, parent, context.arguments["name"])
    return found.reference if found is not None else None


@method(_INDEX, "FindByInventoryPath")
def find_by_inventory_path(context: Context) -> Any:
    """Find by a path such as ``SDDC-Datacenter/vm/Workloads/web01``; the root folder is not part of it."""
    inventory = context.inventory
    found = inventory.find(inventory.root_id())
    for name in (part for part in context.arguments["inventoryPath"].split("/") if part):
        if found is None:
            return None
        found = _child(inventory, found, name)
    return found.reference if found is not None else None


@method(_INDEX, "FindByDatastorePath")
def find_by_datastore_path(context: Context) -> Any:
    """Find a VM by the path of its configuration file."""
    path = context.arguments["path"]
    found = (vm for vm in _vms(context) if vm_path_name(context.inventory, vm) == path)
    return _first(context.inventory.vm_references(list(found)))
