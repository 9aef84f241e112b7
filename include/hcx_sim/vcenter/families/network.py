"""Networks of a vCenter: standard ones, opaque ones, distributed port groups and the switch behind these."""

from __future__ import annotations

from typing import Any

from pyVmomi import vim

from hcx_sim.engine.clock import to_datetime
from hcx_sim.vcenter.families.base import provides
from hcx_sim.vcenter.families.entity import stable_number
from hcx_sim.vcenter.families.portpolicy import default_policy
from hcx_sim.vcenter.families.vm_devices import OPAQUE_TYPE, logical_switch_id, port_key
from hcx_sim.vcenter.inventory import Inventory
from hcx_sim.world.model import NetworkKind, Nic, Placement, VcNetwork, Vm
from hcx_sim.world.operations import segment_path

NETWORK = "Network"
PORT_GROUP = "DistributedVirtualPortgroup"
SWITCH = "VmwareDistributedVirtualSwitch"
SPARE_PORTS = 8
_MAX_PORTS = 60_000
_FIRST_FREE_PORT = 2_000_000_000
_MAX_MTU = 9000


def connected_ports(inventory: Inventory, network: VcNetwork) -> list[tuple[Vm, Nic]]:
    """Return the cards that are connected to a network, one port each."""
    vms = inventory.world.vms_on(network)
    return [(vm, nic) for vm in vms for nic in vm.nics if nic.network_moref == network.moref]


def free_port_keys(network: VcNetwork) -> list[str]:
    """Return the keys of the ports that a group keeps ready."""
    number = network.moref.rpartition("-")[2]
    first = _FIRST_FREE_PORT + SPARE_PORTS * (int(number) if number.isdigit() else stable_number(network.moref, 10**6))
    return [str(first + each) for each in range(SPARE_PORTS)]


def port_keys(inventory: Inventory, network: VcNetwork) -> list[str]:
    """Return the keys of all ports of a group."""
    return [*(port_key(vm, nic) for vm, nic in connected_ports(inventory, network)), *free_port_keys(network)]


def _port_count(inventory: Inventory, network: VcNetwork) -> int:
    return len(connected_ports(inventory, network)) + SPARE_PORTS


def _switch_ports(inventory: Inventory) -> int:
    groups = (each for each in inventory.networks() if each.network_kind is NetworkKind.DVPG)
    return sum(_port_count(inventory, network) for network in groups)


@provides(NETWORK, "name")
def _name(_inventory: Inventory, network: VcNetwork) -> Any:
    return network.name


@provides(NETWORK, "parent")
@provides(SWITCH, "parent")
def _parent(inventory: Inventory, _record: Any) -> Any:
    folder = inventory.home_folder("network")
    return vim.Folder(folder.moref) if folder is not None else None


@provides(NETWORK, "vm")
def _vms(inventory: Inventory, network: VcNetwork) -> Any:
    return inventory.vm_references(inventory.world.vms_on(network))


@provides(NETWORK, "host")
def _hosts(inventory: Inventory, _record: Any) -> Any:
    return [vim.HostSystem(host.moref) for host in inventory.placements("HostSystem")]


@provides(NETWORK, "summary")
def _summary(inventory: Inventory, network: VcNetwork) -> Any:
    reference = inventory.network_reference(network)
    return vim.Network.Summary(network=reference, name=network.name, accessible=True)


@provides("OpaqueNetwork", "summary")
def _opaque_summary(inventory: Inventory, network: VcNetwork) -> Any:
    return vim.OpaqueNetwork.Summary(
        network=inventory.network_reference(network),
        name=network.name,
        accessible=True,
        opaqueNetworkId=logical_switch_id(inventory, network),
        opaqueNetworkType=OPAQUE_TYPE,
    )


@provides(PORT_GROUP, "key", "config.key")
def _key(_inventory: Inventory, network: VcNetwork) -> Any:
    return network.portgroup_key


@provides(PORT_GROUP, "config.backingType")
def backing_type(_inventory: Inventory, network: VcNetwork) -> str:
    """``nsx`` for a segment's port group, ``standard`` for a VLAN's. [D nsx-vsphere 4.1]"""
    return "nsx" if network.segment_id is not None else "standard"


@provides(PORT_GROUP, "config.segmentId")
def _segment_id(inventory: Inventory, network: VcNetwork) -> Any:
    """The policy path; for fixed segments an inference. [I nsx-vsphere 6.9]"""
    segment = inventory.segment_of(network)
    return segment_path(inventory.world, segment) if segment is not None else None


@provides(PORT_GROUP, "config.logicalSwitchUuid")
def _logical_switch(inventory: Inventory, network: VcNetwork) -> Any:
    return logical_switch_id(inventory, network) if network.segment_id is not None else None


@provides(PORT_GROUP, "config.transportZoneUuid")
def _transport_zone(inventory: Inventory, network: VcNetwork) -> Any:
    if network.segment_id is None:
        return None
    return inventory.world.random.stable_uuid(f"nsx{inventory.identity.transport_zone_path}/{inventory.site}")


@provides(PORT_GROUP, "config.configVersion")
def config_version(_inventory: Inventory, network: VcNetwork) -> str:
    """The version that a reconfiguration has to name."""
    return str(network.config_version)


@provides(PORT_GROUP, "config.defaultPortConfig")
def _default_port_config(inventory: Inventory, network: VcNetwork) -> Any:
    return default_policy(inventory, network)


@provides(PORT_GROUP, "config.policy")
def port_group_policy(_inventory: Inventory, _network: VcNetwork) -> Any:
    """What single ports may override."""
    return vim.dvs.VmwareDistributedVirtualSwitch.VMwarePortgroupPolicy(
        blockOverrideAllowed=True,
        shapingOverrideAllowed=False,
        vendorConfigOverrideAllowed=False,
        livePortMovingAllowed=False,
        portConfigResetAtDisconnect=True,
        networkResourcePoolOverrideAllowed=False,
        trafficFilterOverrideAllowed=False,
        vlanOverrideAllowed=False,
        uplinkTeamingOverrideAllowed=False,
        securityPolicyOverrideAllowed=False,
        ipfixOverrideAllowed=False,
    )


@provides(PORT_GROUP, "config.uplink")
def _uplink(_inventory: Inventory, _network: VcNetwork) -> Any:
    return False


@provides(PORT_GROUP, "config")
def _config(inventory: Inventory, network: VcNetwork) -> Any:
    switch = inventory.switch(network.properties.get("switch"))
    return vim.dvs.DistributedVirtualPortgroup.ConfigInfo(
        key=network.portgroup_key,
        name=network.name,
        numPorts=_port_count(inventory, network),
        distributedVirtualSwitch=None if switch is None else vim.dvs.VmwareDistributedVirtualSwitch(switch.moref),
        defaultPortConfig=default_policy(inventory, network),
        type=network.port_binding,
        backingType=backing_type(inventory, network),
        policy=port_group_policy(inventory, network),
        configVersion=config_version(inventory, network),
        autoExpand=True,
        uplink=False,
        transportZoneUuid=_transport_zone(inventory, network),
        transportZoneName=None if network.segment_id is None else inventory.identity.transport_zone_path,
        logicalSwitchUuid=_logical_switch(inventory, network),
        segmentId=_segment_id(inventory, network),
    )


@provides(PORT_GROUP, "portKeys")
def _port_keys(inventory: Inventory, network: VcNetwork) -> Any:
    return port_keys(inventory, network)


# The switch ------------------------------------------------------------------------------------------------


@provides(SWITCH, "name")
def _switch_name(_inventory: Inventory, switch: Placement) -> Any:
    return switch.name


@provides(SWITCH, "uuid")
def _switch_uuid(inventory: Inventory, switch: Placement) -> Any:
    return inventory.switch_uuid(switch)


@provides(SWITCH, "portgroup")
def _port_groups(inventory: Inventory, _switch: Placement) -> Any:
    references = (inventory.network_reference(network) for network in inventory.networks())
    return [each for each in references if type(each)._wsdlName == PORT_GROUP]


@provides(SWITCH, "summary")
def _switch_summary(inventory: Inventory, switch: Placement) -> Any:
    hosts = _hosts(inventory, switch)
    return vim.DistributedVirtualSwitch.Summary(
        name=switch.name,
        uuid=inventory.switch_uuid(switch),
        numPorts=_switch_ports(inventory),
        hostMember=hosts,
        host=hosts,
        numHosts=len(hosts),
        portgroupName=[network.name for network in inventory.networks()],
    )


@provides(SWITCH, "config")
def _switch_config(inventory: Inventory, switch: Placement) -> Any:
    order = vim.DistributedVirtualSwitch.NameArrayUplinkPortPolicy(uplinkPortName=["uplink1", "uplink2"])
    return vim.dvs.VmwareDistributedVirtualSwitch.ConfigInfo(
        uuid=inventory.switch_uuid(switch),
        name=switch.name,
        numStandalonePorts=0,
        numPorts=_switch_ports(inventory),
        maxPorts=_MAX_PORTS,
        uplinkPortPolicy=order,
        defaultPortConfig=vim.dvs.VmwareDistributedVirtualSwitch.VmwarePortConfigPolicy(),
        productInfo=vim.dvs.ProductSpec(name="DVS", vendor="VMware, Inc.", version=inventory.identity.vcenter_version),
        configVersion="1",
        contact=vim.DistributedVirtualSwitch.ContactInfo(name="", contact=""),
        createTime=to_datetime(inventory.world_started_us),
        networkResourceManagementEnabled=True,
        maxMtu=_MAX_MTU,
        linkDiscoveryProtocolConfig=vim.host.LinkDiscoveryProtocolConfig(protocol="cdp", operation="listen"),
    )
