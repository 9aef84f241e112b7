"""Reads of networks, folders, pools, hosts, clusters and datastores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyVmomi import vim

from hcx_waves.clients.vsphere.inventory_models import (
    Cluster,
    ClusterRule,
    Datastore,
    DistributedVirtualPortgroup,
    Folder,
    Host,
    Network,
    OpaqueNetwork,
    ResourcePool,
)
from hcx_waves.clients.vsphere.properties import ObjectProperties, PropertyPaths, PropertyReader
from hcx_waves.clients.vsphere.values import decoded, text

_NETWORK = PropertyPaths(vim.Network, required=("name",), optional=("summary.accessible",))
_PORT_GROUP = PropertyPaths(
    vim.dvs.DistributedVirtualPortgroup,
    required=("name", "config.key", "config.distributedVirtualSwitch", "config.configVersion", "config.type"),
    optional=(
        "config.backingType",
        "config.segmentId",
        "config.logicalSwitchUuid",
        "config.transportZoneUuid",
        "config.uplink",
        "summary.accessible",
    ),
)
_SWITCH = PropertyPaths(vim.dvs.VmwareDistributedVirtualSwitch, required=("name",))
_OPAQUE_NETWORK = PropertyPaths(
    vim.OpaqueNetwork,
    required=("name", "summary.opaqueNetworkId", "summary.opaqueNetworkType"),
    optional=("summary.accessible",),
)
_FOLDER = PropertyPaths(vim.Folder, required=("name", "parent", "childType"))
_DATACENTER = PropertyPaths(vim.Datacenter, required=("name", "parent"))
_RESOURCE_POOL = PropertyPaths(vim.ResourcePool, required=("name", "parent", "owner"))
_HOST = PropertyPaths(
    vim.HostSystem,
    required=("name", "parent", "runtime.connectionState", "runtime.powerState", "runtime.inMaintenanceMode"),
    optional=("summary.config.product.version", "summary.maxEVCModeKey", "summary.currentEVCModeKey"),
)
_CLUSTER = PropertyPaths(
    vim.ClusterComputeResource,
    required=("name", "parent", "resourcePool", "host", "datastore", "network"),
    optional=(
        "summary.effectiveCpu",
        "summary.effectiveMemory",
        "summary.numHosts",
        "summary.numEffectiveHosts",
        "summary.currentEVCModeKey",
        "configuration.rule",
    ),
)
_DATASTORE = PropertyPaths(
    vim.Datastore,
    required=("name", "summary.capacity", "summary.freeSpace", "summary.accessible", "summary.type"),
    optional=("summary.url", "summary.maintenanceMode"),
)


def list_networks(reader: PropertyReader) -> list[Network]:
    """Read all networks, each as its own kind."""
    plain: list[Network] = [
        Network(moref=found.moref, name=decoded(found.get("name", "")), accessible=found.get("summary.accessible"))
        for found in reader.all_of(_NETWORK)
        # The view holds the derived kinds, too; those are read with their own properties below.
        if found.kind is vim.Network
    ]
    return [
        *plain,
        *(_port_group(found) for found in reader.all_of(_PORT_GROUP)),
        *(_opaque_network(found) for found in reader.all_of(_OPAQUE_NETWORK)),
    ]


def list_switches(reader: PropertyReader) -> dict[str, str]:
    """Read the distributed switches: their names by MoRef."""
    return {found.moref: decoded(found.get("name", "")) for found in reader.all_of(_SWITCH)}


def kind_of(network: Network) -> Any:
    """Return the vSphere type that references to a network carry."""
    if isinstance(network, DistributedVirtualPortgroup):
        return vim.dvs.DistributedVirtualPortgroup
    return vim.OpaqueNetwork if isinstance(network, OpaqueNetwork) else vim.Network


def list_folders(reader: PropertyReader) -> list[Folder]:
    """Read all folders below the root folder, with their paths."""
    folders = reader.all_of(_FOLDER)
    nodes = {found.moref: found for found in [*folders, *reader.all_of(_DATACENTER)]}
    return [
        Folder(
            moref=found.moref,
            name=decoded(found.get("name", "")),
            path=_path_of(found, nodes),
            parent=found.reference("parent"),
            child_types=tuple(str(child) for child in found.get("childType") or ()),
        )
        for found in folders
    ]


def list_resource_pools(reader: PropertyReader) -> list[ResourcePool]:
    """Read all resource pools, vApps included."""
    return [
        ResourcePool(found.moref, decoded(found.get("name", "")), found.reference("parent"), found.reference("owner"))
        for found in reader.all_of(_RESOURCE_POOL)
    ]


def list_hosts(reader: PropertyReader) -> list[Host]:
    """Read all hosts."""
    return [_host(found) for found in reader.all_of(_HOST)]


def list_clusters(reader: PropertyReader) -> list[Cluster]:
    """Read all clusters."""
    return [_cluster(found) for found in reader.all_of(_CLUSTER)]


def list_datastores(reader: PropertyReader) -> list[Datastore]:
    """Read all datastores."""
    return [
        Datastore(
            moref=found.moref,
            name=decoded(found.get("name", "")),
            kind=found.get("summary.type"),
            url=found.get("summary.url"),
            accessible=found.get("summary.accessible"),
            maintenance_mode=found.get("summary.maintenanceMode"),
            capacity_bytes=found.get("summary.capacity"),
            free_bytes=found.get("summary.freeSpace"),
        )
        for found in reader.all_of(_DATASTORE)
    ]


def _port_group(found: ObjectProperties) -> DistributedVirtualPortgroup:
    get = found.get
    return DistributedVirtualPortgroup(
        moref=found.moref,
        name=decoded(get("name", "")),
        accessible=get("summary.accessible"),
        key=get("config.key") or found.moref,
        switch=found.reference("config.distributedVirtualSwitch"),
        backing_type=get("config.backingType"),
        segment_id=get("config.segmentId"),
        logical_switch_uuid=get("config.logicalSwitchUuid"),
        transport_zone_uuid=get("config.transportZoneUuid"),
        binding=get("config.type"),
        is_uplink=bool(get("config.uplink", False)),
        config_version=get("config.configVersion"),
    )


def _opaque_network(found: ObjectProperties) -> OpaqueNetwork:
    return OpaqueNetwork(
        moref=found.moref,
        name=decoded(found.get("name", "")),
        accessible=found.get("summary.accessible"),
        opaque_id=found.get("summary.opaqueNetworkId"),
        opaque_type=found.get("summary.opaqueNetworkType"),
    )


def _host(found: ObjectProperties) -> Host:
    get = found.get
    return Host(
        moref=found.moref,
        name=decoded(get("name", "")),
        parent=found.reference("parent"),
        connection_state=text(get("runtime.connectionState")),
        power_state=text(get("runtime.powerState")),
        in_maintenance_mode=get("runtime.inMaintenanceMode"),
        version=get("summary.config.product.version"),
        max_evc_mode=get("summary.maxEVCModeKey"),
        current_evc_mode=get("summary.currentEVCModeKey"),
    )


def _cluster(found: ObjectProperties) -> Cluster:
    get = found.get
    return Cluster(
        moref=found.moref,
        name=decoded(get("name", "")),
        parent=found.reference("parent"),
        resource_pool=found.reference("resourcePool"),
        hosts=found.references("host"),
        datastores=found.references("datastore"),
        networks=found.references("network"),
        effective_cpu_mhz=get("summary.effectiveCpu"),
        effective_memory_mb=get("summary.effectiveMemory"),
        host_count=get("summary.numHosts"),
        effective_host_count=get("summary.numEffectiveHosts"),
        evc_mode=get("summary.currentEVCModeKey"),
        rules=tuple(_rule(rule) for rule in get("configuration.rule") or ()),
    )


def _rule(rule: Any) -> ClusterRule:
    return ClusterRule(
        name=rule.name or "",
        kind=type(rule).__name__.rpartition(".")[2],
        enabled=rule.enabled,
        mandatory=rule.mandatory,
        vms=tuple(str(vm._moId) for vm in getattr(rule, "vm", None) or ()),
    )


def _path_of(found: ObjectProperties, nodes: Mapping[str, ObjectProperties]) -> str:
    """Return the path from below the root folder, which no view of itself contains."""
    names: list[str] = []
    node: ObjectProperties | None = found
    seen: set[str] = set()
    while node is not None and node.moref not in seen:
        seen.add(node.moref)
        names.append(decoded(node.get("name", "")))
        parent = node.reference("parent")
        node = None if parent is None else nodes.get(parent)
    return "/" + "/".join(reversed(names))
