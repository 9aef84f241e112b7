"""Folders, datacenters, clusters, hosts, resource pools and datastores."""

from __future__ import annotations

from typing import Any

from pyVmomi import VmomiSupport, vim

from hcx_sim.engine.clock import seconds, to_datetime
from hcx_sim.vcenter.families.base import provides
from hcx_sim.vcenter.families.service import product_info
from hcx_sim.vcenter.inventory import Inventory, managed_type
from hcx_sim.world.model import Datastore, Placement, Power, Vm

_MIB = 1024 * 1024
_SHARES = 4000
_CHILD_TYPES = {
    "vm": ("Folder", "VirtualMachine", "VirtualApp"),
    "host": ("Folder", "ComputeResource"),
    "network": ("Folder", "Network", "DistributedVirtualSwitch"),
    "datastore": ("Folder", "Datastore", "StoragePod"),
}
_DATACENTER_FOLDERS = {
    "vmFolder": "vm",
    "hostFolder": "host",
    "networkFolder": "network",
    "datastoreFolder": "datastore",
}
_UPTIME_SECONDS = 90 * 86_400


def _named(_inventory: Inventory, record: Any) -> Any:
    return record.name


def _parent(inventory: Inventory, placement: Placement) -> Any:
    parent = inventory.placement(placement.parent_moref)
    return managed_type(parent.type_name)(parent.moref) if parent is not None else None


for _type_name in ("Folder", "Datacenter", "ClusterComputeResource", "HostSystem", "ResourcePool"):
    provides(_type_name, "name")(_named)
    provides(_type_name, "parent")(_parent)


# Folders ---------------------------------------------------------------------------------------------------


def folder_kind(inventory: Inventory, folder: Placement) -> str:
    """Return ``vm``, ``host``, ``network`` or ``datastore``; the root folder and its subfolders are ``root``."""
    placement: Placement | None = folder
    while placement is not None:
        parent = inventory.placement(placement.parent_moref)
        if parent is not None and parent.type_name == "Datacenter":
            return placement.name if placement.name in _CHILD_TYPES else "vm"
        placement = parent
    return "root"


@provides("Folder", "childType")
def _child_type(inventory: Inventory, folder: Placement) -> Any:
    names = _CHILD_TYPES.get(folder_kind(inventory, folder), ("Folder", "Datacenter"))
    return [managed_type(name) for name in names]


@provides("Folder", "childEntity")
def child_entities(inventory: Inventory, folder: Placement) -> Any:
    """What is right inside a folder: placements, and VMs, networks or datastores."""
    children = [managed_type(child.type_name)(child.moref) for child in inventory.children(folder.moref)]
    children += inventory.vm_references(inventory.index.by_folder.get(folder.moref, []))
    for name, references in (("network", _networks), ("datastore", _datastores)):
        home = inventory.home_folder(name)
        if home is not None and home.moref == folder.moref:
            children += references(inventory)
    return children


def _networks(inventory: Inventory) -> list[Any]:
    return [inventory.network_reference(network) for network in inventory.networks()]


def _datastores(inventory: Inventory) -> list[Any]:
    return [vim.Datastore(datastore.moref) for datastore in inventory.datastores()]


def _of_site(type_name: str) -> None:
    provides(type_name, "network")(lambda inventory, _record: _networks(inventory))
    provides(type_name, "datastore")(lambda inventory, _record: _datastores(inventory))


for _type_name in ("Datacenter", "ClusterComputeResource", "HostSystem"):
    _of_site(_type_name)


def _folder_provider(name: str) -> Any:
    def provider(inventory: Inventory, datacenter: Placement) -> Any:
        folder = inventory.datacenter_folder(datacenter.moref, name)
        return vim.Folder(folder.moref) if folder is not None else None

    return provider


for _property, _folder_name in _DATACENTER_FOLDERS.items():
    provides("Datacenter", _property)(_folder_provider(_folder_name))


# Compute ---------------------------------------------------------------------------------------------------


def _hosts_of(inventory: Inventory, cluster: Placement) -> list[Placement]:
    return inventory.children(cluster.moref, "HostSystem")


@provides("ClusterComputeResource", "host")
def _cluster_hosts(inventory: Inventory, cluster: Placement) -> Any:
    return [vim.HostSystem(host.moref) for host in _hosts_of(inventory, cluster)]


@provides("ClusterComputeResource", "resourcePool")
def _cluster_pool(inventory: Inventory, cluster: Placement) -> Any:
    pools = inventory.children(cluster.moref, "ResourcePool")
    return vim.ResourcePool(pools[0].moref) if pools else None


@provides("ClusterComputeResource", "summary")
def cluster_summary(inventory: Inventory, cluster: Placement) -> Any:
    """Return what a cluster's hosts add up to."""
    hosts = _hosts_of(inventory, cluster)
    cores = sum(cores_of(host) for host in hosts)
    mhz = sum(cores_of(host) * mhz_of(host) for host in hosts)
    memory = sum(memory_of(host) for host in hosts)
    return vim.ClusterComputeResource.Summary(
        totalCpu=mhz,
        totalMemory=memory,
        numCpuCores=VmomiSupport.short(cores),
        numCpuThreads=VmomiSupport.short(2 * cores),
        effectiveCpu=mhz,
        effectiveMemory=memory // _MIB,
        numHosts=len(hosts),
        numEffectiveHosts=len(hosts),
        overallStatus=vim.ManagedEntity.Status.green,
        currentFailoverLevel=1,
        numVmotions=0,
        currentEVCModeKey=cluster.properties.get("evc_mode"),
    )


@provides("ClusterComputeResource", "configurationEx")
def _cluster_configuration(_inventory: Inventory, _cluster: Placement) -> Any:
    """Rules of affinity come as data: ``configurationEx.rule``."""
    return vim.cluster.ConfigInfoEx(
        dasConfig=vim.cluster.DasConfigInfo(enabled=True, failoverLevel=1),
        drsConfig=vim.cluster.DrsConfigInfo(enabled=True, vmotionRate=3),
        dpmConfigInfo=vim.cluster.DpmConfigInfo(enabled=False, hostPowerActionRate=3),
        vsanConfigInfo=vim.vsan.cluster.ConfigInfo(enabled=False),
        vmSwapPlacement="vmDirectory",
    )


def cores_of(host: Placement) -> int:
    """Return the number of a host's CPU cores."""
    return int(host.properties.get("cpu_cores", 36))


def mhz_of(host: Placement) -> int:
    """Return the clock rate of a host's CPU."""
    return int(host.properties.get("cpu_mhz", 2300))


def memory_of(host: Placement) -> int:
    """Return a host's memory in bytes."""
    return int(host.properties.get("memory_bytes", 512 * 1024**3))


@provides("HostSystem", "runtime")
def _host_runtime(inventory: Inventory, _host: Placement) -> Any:
    host = vim.HostSystem
    return vim.host.RuntimeInfo(
        connectionState=host.ConnectionState.connected,
        powerState=host.PowerState.poweredOn,
        inMaintenanceMode=False,
        inQuarantineMode=False,
        bootTime=to_datetime(inventory.world_started_us - seconds(_UPTIME_SECONDS)),
        healthSystemRuntime=vim.host.HealthStatusSystem.Runtime(),
    )


@provides("HostSystem", "config.product", "summary.config.product")
def _host_product(inventory: Inventory, host: Placement) -> Any:
    return product_info(inventory, host)


@provides("HostSystem", "vm")
def _host_vms(inventory: Inventory, host: Placement) -> Any:
    return inventory.vm_references(inventory.index.by_host.get(host.moref, []))


def _hardware_summary(inventory: Inventory, host: Placement) -> Any:
    short = VmomiSupport.short
    return vim.host.Summary.HardwareSummary(
        vendor="Simulated",
        model="Simulated host",
        uuid=inventory.world.random.stable_uuid(f"host/{host.key}"),
        memorySize=memory_of(host),
        cpuModel=str(host.properties.get("cpu_model", "Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz")),
        cpuMhz=mhz_of(host),
        numCpuPkgs=short(2),
        numCpuCores=short(cores_of(host)),
        numCpuThreads=short(2 * cores_of(host)),
        numNics=2,
        numHBAs=1,
    )


@provides("HostSystem", "summary")
def _host_summary(inventory: Inventory, host: Placement) -> Any:
    running = [vm for vm in inventory.index.by_host.get(host.moref, []) if vm.power is Power.ON]
    return vim.host.Summary(
        host=vim.HostSystem(host.moref),
        hardware=_hardware_summary(inventory, host),
        runtime=_host_runtime(inventory, host),
        config=vim.host.Summary.ConfigSummary(
            name=host.name,
            port=443,
            product=product_info(inventory, host),
            vmotionEnabled=True,
            faultToleranceEnabled=False,
        ),
        quickStats=vim.host.Summary.QuickStats(
            overallCpuUsage=sum(100 * vm.num_cpu for vm in running),
            overallMemoryUsage=sum(vm.memory_mb for vm in running),
            uptime=_UPTIME_SECONDS,
        ),
        overallStatus=vim.ManagedEntity.Status.green,
        rebootRequired=False,
        maxEVCModeKey=str(host.properties.get("max_evc_mode", "intel-cascadelake")),
        currentEVCModeKey=host.properties.get("evc_mode"),
    )


# Resource pools --------------------------------------------------------------------------------------------


@provides("ResourcePool", "owner")
def _pool_owner(inventory: Inventory, pool: Placement) -> Any:
    owner = inventory.enclosing(pool.moref, "ClusterComputeResource")
    return vim.ClusterComputeResource(owner.moref) if owner is not None else None


@provides("ResourcePool", "resourcePool")
def _sub_pools(inventory: Inventory, pool: Placement) -> Any:
    return [vim.ResourcePool(child.moref) for child in inventory.children(pool.moref, "ResourcePool")]


def pool_vms(inventory: Inventory, pool: Placement) -> list[Vm]:
    """Return the VMs right in a pool; templates are in none."""
    return [vm for vm in inventory.index.by_pool.get(pool.moref, []) if not vm.template]


@provides("ResourcePool", "vm")
def _pool_vms(inventory: Inventory, pool: Placement) -> Any:
    return inventory.vm_references(pool_vms(inventory, pool))


def _allocation() -> Any:
    shares = vim.SharesInfo(shares=_SHARES, level=vim.SharesInfo.Level.normal)
    return vim.ResourceAllocationInfo(reservation=0, expandableReservation=True, limit=-1, shares=shares)


@provides("ResourcePool", "config")
def _pool_config(inventory: Inventory, pool: Placement) -> Any:
    return vim.ResourceConfigSpec(
        entity=vim.ResourcePool(pool.moref),
        changeVersion="1",
        lastModified=to_datetime(inventory.world_started_us),
        cpuAllocation=_allocation(),
        memoryAllocation=_allocation(),
    )


@provides("ResourcePool", "runtime")
def _pool_runtime(inventory: Inventory, pool: Placement) -> Any:
    running = [vm for vm in pool_vms(inventory, pool) if vm.power is Power.ON]
    usage = vim.ResourcePool.ResourceUsage
    memory, cpu = sum(vm.memory_mb for vm in running) * _MIB, sum(vm.num_cpu * 100 for vm in running)
    return vim.ResourcePool.RuntimeInfo(
        memory=usage(overallUsage=memory, maxUsage=2**40, unreservedForPool=2**40, unreservedForVm=2**40),
        cpu=usage(overallUsage=cpu, maxUsage=2**20, unreservedForPool=2**20, unreservedForVm=2**20),
        overallStatus=vim.ManagedEntity.Status.green,
    )


@provides("ResourcePool", "summary")
def _pool_summary(inventory: Inventory, pool: Placement) -> Any:
    return vim.ResourcePool.Summary(
        name=pool.name,
        config=_pool_config(inventory, pool),
        runtime=_pool_runtime(inventory, pool),
        configuredMemoryMB=sum(vm.memory_mb for vm in pool_vms(inventory, pool)),
    )


# Datastores ------------------------------------------------------------------------------------------------


@provides("Datastore", "name")
def _datastore_name(_inventory: Inventory, datastore: Datastore) -> Any:
    return datastore.name


@provides("Datastore", "parent")
def _datastore_parent(inventory: Inventory, _datastore: Datastore) -> Any:
    folder = inventory.home_folder("datastore")
    return vim.Folder(folder.moref) if folder is not None else None


def _url(inventory: Inventory, datastore: Datastore) -> str:
    return f"ds:///vmfs/volumes/{inventory.world.random.stable_uuid(f'datastore/{datastore.key}')}/"


@provides("Datastore", "summary")
def _datastore_summary(inventory: Inventory, datastore: Datastore) -> Any:
    return vim.Datastore.Summary(
        datastore=vim.Datastore(datastore.moref),
        name=datastore.name,
        url=_url(inventory, datastore),
        capacity=datastore.capacity_bytes,
        freeSpace=datastore.free_bytes,
        uncommitted=0,
        accessible=True,
        multipleHostAccess=True,
        type=datastore.type_name,
        maintenanceMode="normal",
    )


@provides("Datastore", "info")
def _datastore_info(inventory: Inventory, datastore: Datastore) -> Any:
    return vim.Datastore.Info(
        name=datastore.name,
        url=_url(inventory, datastore),
        freeSpace=datastore.free_bytes,
        maxFileSize=62 * 1024**4,
        maxMemoryFileSize=62 * 1024**4,
        timestamp=to_datetime(inventory.world.now_us),
    )


@provides("Datastore", "capability")
def _datastore_capability(_inventory: Inventory, _datastore: Datastore) -> Any:
    return vim.Datastore.Capability(
        directoryHierarchySupported=True,
        rawDiskMappingsSupported=False,
        perFileThinProvisioningSupported=True,
        storageIORMSupported=False,
        nativeSnapshotSupported=False,
    )


@provides("Datastore", "host")
def _datastore_hosts(inventory: Inventory, _datastore: Datastore) -> Any:
    mount = vim.host.MountInfo(path="/vmfs/volumes", accessMode="readWrite", mounted=True, accessible=True)
    hosts = inventory.placements("HostSystem")
    return [vim.Datastore.HostMount(key=vim.HostSystem(host.moref), mountInfo=mount) for host in hosts]


@provides("Datastore", "vm")
def _datastore_vms(inventory: Inventory, datastore: Datastore) -> Any:
    return inventory.vm_references(inventory.index.by_datastore.get(datastore.moref, []))
