"""Helpers of single objects: environment and datastore browsers, the systems of a host, guest operations."""

from __future__ import annotations

from typing import Any

from pyVmomi import vim

from hcx_sim.vcenter.families.base import provides
from hcx_sim.vcenter.inventory import Inventory, managed_type
from hcx_sim.vcenter.singletons import GUEST_OPERATIONS, HOST_SYSTEMS, helper_id
from hcx_sim.world.model import Datastore


def _environment_browser(_inventory: Inventory, record: Any) -> Any:
    return vim.EnvironmentBrowser(helper_id("envbrowser", record.moref))


def _datastore_browser(_inventory: Inventory, record: Any) -> Any:
    return vim.host.DatastoreBrowser(helper_id("datastoreBrowser", record.moref))


for _type_name in ("VirtualMachine", "ClusterComputeResource"):
    provides(_type_name, "environmentBrowser")(_environment_browser)
provides("HostSystem", "datastoreBrowser")(_datastore_browser)
provides("Datastore", "browser")(_datastore_browser)


@provides("EnvironmentBrowser", "datastoreBrowser")
def _browser_of(_inventory: Inventory, record: Any) -> Any:
    return _datastore_browser(_inventory, record)


@provides("HostDatastoreBrowser", "datastore")
def _browsed(inventory: Inventory, record: Any) -> Any:
    stores = [record] if isinstance(record, Datastore) else inventory.datastores()
    return [vim.Datastore(store.moref) for store in stores]


@provides("HostSystem", "configManager")
def _config_manager(_inventory: Inventory, host: Any) -> Any:
    systems = {name: managed_type(kind)(helper_id(name, host.moref)) for name, kind in HOST_SYSTEMS.items()}
    return vim.host.ConfigManager(**systems)


def _guest_operations(name: str) -> Any:
    moref, kind = GUEST_OPERATIONS[name]
    return lambda _inventory, _record: managed_type(kind)(moref)


for _name in GUEST_OPERATIONS:
    provides("GuestOperationsManager", _name)(_guest_operations(_name))
