"""``HostSystem``: hardware, capability and configuration, from the few facts that a scenario gives of a host."""

from __future__ import annotations

from typing import Any

from pyVmomi import VmomiSupport, vim, vmodl

from hcx_sim.vcenter.families.base import provides
from hcx_sim.vcenter.families.places import cores_of, memory_of, mhz_of
from hcx_sim.vcenter.families.service import product_info
from hcx_sim.vcenter.inventory import Inventory
from hcx_sim.vcenter.plain import filled
from hcx_sim.world.model import Placement

HOST = "HostSystem"
_PACKAGES = 2
_CAN = (
    "recursiveResourcePoolsSupported", "cpuMemoryResourceConfigurationSupported", "rebootSupported",
    "shutdownSupported", "vmotionSupported", "sanSupported", "nfsSupported", "iscsiSupported",
    "vlanTaggingSupported", "nicTeamingSupported", "maintenanceModeSupported", "backgroundSnapshotsSupported",
    "storageVMotionSupported", "vmotionWithStorageVMotionSupported", "nestedHVSupported",
)  # fmt: skip


@provides(HOST, "hardware")
def _hardware(inventory: Inventory, host: Placement) -> Any:
    cores, hertz = cores_of(host), mhz_of(host) * 1_000_000
    short = VmomiSupport.short
    return filled(
        vim.host.HardwareInfo,
        systemInfo=vim.host.SystemInfo(
            vendor="Simulated",
            model="Simulated host",
            uuid=inventory.world.random.stable_uuid(f"host/{host.key}"),
        ),
        cpuInfo=vim.host.CpuInfo(
            numCpuPackages=short(_PACKAGES), numCpuCores=short(cores), numCpuThreads=short(2 * cores), hz=hertz
        ),
        cpuPkg=[_package(host, index) for index in range(_PACKAGES)],
        memorySize=memory_of(host),
    )


def _package(host: Placement, index: int) -> Any:
    threads = max(1, 2 * cores_of(host) // _PACKAGES)
    return filled(
        vim.host.CpuPackage,
        index=VmomiSupport.short(index),
        vendor="intel",
        hz=mhz_of(host) * 1_000_000,
        busHz=100_000_000,
        description=str(host.properties.get("cpu_model", "Simulated CPU")),
        threadId=[VmomiSupport.short(index * threads + each) for each in range(threads)],
    )


@provides(HOST, "capability")
def _capability(_inventory: Inventory, _host: Placement) -> Any:
    return filled(vim.host.Capability, **dict.fromkeys(_CAN, True))


@provides(HOST, "config")
def _config(inventory: Inventory, host: Placement) -> Any:
    return filled(vim.host.ConfigInfo, host=vim.HostSystem(host.moref), product=product_info(inventory, host))


@provides(HOST, "licensableResource")
def _licensable(_inventory: Inventory, _host: Placement) -> Any:
    resources = [vmodl.KeyAnyValue(key="numCpuPackages", value=_PACKAGES)]
    return vim.LicenseManager.LicensableResourceInfo(resource=resources)
