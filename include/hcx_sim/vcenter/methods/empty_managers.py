"""What read-only scripts ask of managers that have nothing here: an empty answer is true, an absent method is not."""

from __future__ import annotations

from typing import Any

from pyVmomi import VmomiSupport, vim

from hcx_sim.coverage import Confidence
from hcx_sim.vcenter.faults import faulted
from hcx_sim.vcenter.registry import Context, method

_INFERRED = Confidence.INFERRED
_NOTHING = {
    "PerformanceManager": ("QueryAvailablePerfMetric", "QueryPerfCounter", "QueryPerfCounterByLevel", "QueryPerf"),
    "ScheduledTaskManager": ("RetrieveEntityScheduledTask", "RetrieveObjectScheduledTask"),
    "DiagnosticManager": ("QueryDescriptions",),
    "IpPoolManager": ("QueryIpPools",),
    "DistributedVirtualSwitchManager": ("QueryAvailableDvsSpec",),
    "ServiceManager": ("QueryServiceList",),
    "LicenseManager": ("QuerySupportedFeatures", "QueryLicenseSourceAvailability"),
    "StorageResourceManager": ("QueryDatastorePerformanceSummary",),
    "ProfileManager": ("QueryPolicyMetadata", "FindAssociatedProfile"),
    "ClusterComputeResource": ("FindRulesForVm",),
    "VirtualMachine": ("QueryConnections", "QueryUnownedFiles"),
}


def _check_references(context: Context) -> None:
    """Refuse an argument that names an object which is not there."""
    for value in context.arguments.values():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, VmomiSupport.ManagedObject):
                context.inventory.require_reference(each)


def nothing(context: Context) -> list[Any]:
    """Return an empty list; ManagedObjectNotFound for objects that are not there."""
    _check_references(context)
    return []


for _kind, _names in _NOTHING.items():
    for _name in _names:
        method(_kind, _name, _INFERRED, "PYV", "there are none")(nothing)


@method("PerformanceManager", "QueryPerfProviderSummary", _INFERRED, "PYV", "nothing is measured")
def performance_provider(context: Context) -> Any:
    """Return that an object offers no statistics."""
    entity = context.arguments["entity"]
    context.inventory.require_reference(entity)
    return vim.PerformanceManager.ProviderSummary(entity=entity, currentSupported=False, summarySupported=False)


@method("CustomizationSpecManager", "DoesCustomizationSpecExist", _INFERRED, "PYV", "there are none")
def customization_exists(_context: Context) -> bool:
    """Return that there is no specification of that name."""
    return False


@method("CustomizationSpecManager", "GetCustomizationSpec", _INFERRED, "PYV", "there are none")
def customization(context: Context) -> Any:
    """NotFound: there is no specification."""
    raise faulted(vim.fault.NotFound, f"The customization specification '{context.arguments['name']}' was not found.")


@method("UserDirectory", "RetrieveUserGroups", _INFERRED, "PYV", "the account of the session only")
def users(context: Context) -> list[Any]:
    """Return the account when it meets the search: users only, whole names if asked."""
    name, text = context.caller.username, context.arguments["searchStr"]
    same = name.lower() == text.lower() if context.arguments["exactMatch"] else text.lower() in name.lower()
    if not (same and context.arguments["findUsers"]):
        return []
    return [vim.UserSearchResult(principal=name, fullName=name, group=False)]


@method("DistributedVirtualSwitchManager", "QueryDvsByUuid", _INFERRED, "PYV")
def switch_by_uuid(context: Context) -> Any:
    """Return the switch of that id; NotFound when there is none."""
    wanted = context.arguments["uuid"].lower()
    for switch in context.inventory.placements("VmwareDistributedVirtualSwitch"):
        if context.inventory.switch_uuid(switch).lower() == wanted:
            return context.inventory.reference(switch.moref)
    raise faulted(vim.fault.NotFound, f"The switch '{context.arguments['uuid']}' was not found.")
