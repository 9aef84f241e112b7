"""Distributed port groups without NSX: reconfigure and roll back; and the ports of a switch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyVmomi import vim

from hcx_sim.coverage import Confidence
from hcx_sim.engine.clock import to_datetime
from hcx_sim.vcenter.families.network import backing_type
from hcx_sim.vcenter.families.portpolicy import default_policy, isolates, merged
from hcx_sim.vcenter.families.vm_devices import port_key
from hcx_sim.vcenter.faults import concurrent_access, faulted, invalid_argument
from hcx_sim.vcenter.inventory import Inventory
from hcx_sim.vcenter.methods.folders import managed_by_nsx
from hcx_sim.vcenter.naming import checked_name, refuse_duplicate_network
from hcx_sim.vcenter.registry import Context, method
from hcx_sim.vcenter.tasks import Job, operation, run_task
from hcx_sim.world.model import NetworkKind, Nic, Power, VcNetwork, Vm

PORT_GROUP = "DistributedVirtualPortgroup"


def _check(job: Job) -> None:
    spec, network = job.argument("spec"), job.entity
    if backing_type(job.inventory, network) == "nsx":
        raise managed_by_nsx()
    if spec.configVersion is None:
        raise invalid_argument("spec.configVersion")
    if spec.configVersion != str(network.config_version):
        raise concurrent_access()
    if spec.name:
        refuse_duplicate_network(job.inventory, checked_name(spec.name), network.moref)


@operation("reconfigurePortgroup", _check)
def _reconfigure(job: Job) -> None:
    spec, network = job.argument("spec"), job.entity
    changes: dict[str, Any] = {}
    if spec.name:
        changes["name"] = checked_name(spec.name)
    if spec.type:
        changes["port_binding"] = spec.type
    policy = default_policy(job.inventory, network)
    if spec.defaultPortConfig is not None:
        _keep(job.inventory, network, policy, merged(policy, spec.defaultPortConfig))
        changes.update(_shown(job.inventory, network))
    job.world.update(network, **changes, config_version=network.config_version + 1)


def _keep(inventory: Inventory, network: VcNetwork, before: Any, after: Any) -> None:
    inventory.state.rollback[network.moref] = before
    inventory.state.policies[network.moref] = after


def _shown(inventory: Inventory, network: VcNetwork) -> dict[str, Any]:
    """Return what the world knows of a policy: whether frames are kept in, and the VLAN."""
    policy = inventory.state.policies[network.moref]
    vlan = policy.vlan
    changes: dict[str, Any] = {"blocked": isolates(policy)}
    if isinstance(vlan, vim.dvs.VmwareDistributedVirtualSwitch.VlanIdSpec):
        changes["vlan_id"] = vlan.vlanId
    return changes


@method(
    PORT_GROUP,
    "ReconfigureDVPortgroup_Task",
    mutating=True,
    note="ConcurrentAccess on a stale configVersion [I nsx-vsphere 4.6]",
)
def reconfigure_port_group(context: Context) -> Any:
    """Change a port group; unset members of the policy stay as they are."""
    return run_task(context, "reconfigurePortgroup")


def _check_rollback(job: Job) -> None:
    if backing_type(job.inventory, job.entity) == "nsx":
        raise managed_by_nsx()
    if job.entity.moref not in job.inventory.state.rollback:
        raise faulted(vim.fault.RollbackFailure, "There is no earlier configuration.", entityName="", entityType="")


@operation("rollbackPortgroup", _check_rollback)
def _rollback(job: Job) -> None:
    network: VcNetwork = job.entity
    earlier = job.inventory.state.rollback.pop(network.moref)
    job.inventory.state.policies[network.moref] = earlier
    shown = _shown(job.inventory, network)
    job.world.update(network, **shown, config_version=network.config_version + 1)


@method(PORT_GROUP, "DVPortgroupRollback_Task", mutating=True, note="to the policy before the last change")
def rollback_port_group(context: Context) -> Any:
    """Take the last change of a port group's policy back."""
    return run_task(context, "rollbackPortgroup")


# Ports -----------------------------------------------------------------------------------------------------


def _ports(inventory: Inventory) -> Iterator[tuple[VcNetwork, Vm, Nic]]:
    for network in inventory.networks():
        if network.network_kind is NetworkKind.DVPG:
            for vm in inventory.world.vms_on(network):
                yield from ((network, vm, nic) for nic in vm.nics if nic.network_moref == network.moref)


def _fits(criteria: Any, network: VcNetwork, vm: Vm, nic: Nic) -> bool:
    """Tell whether a port meets the criteria; ``inside`` decides whether the groups are wanted or avoided."""
    if criteria is None:
        return True
    if criteria.portgroupKey:
        inside = criteria.inside is None or criteria.inside
        if (network.portgroup_key in criteria.portgroupKey) != inside:
            return False
    tests = (
        criteria.uplinkPort is None or not criteria.uplinkPort,
        criteria.connected is None or criteria.connected,
        criteria.active is None or criteria.active == (vm.power is Power.ON and nic.connected),
        criteria.nsxPort is None or criteria.nsxPort == (network.segment_id is not None),
        not criteria.portKey or port_key(vm, nic) in criteria.portKey,
        not criteria.host or vm.host_moref in [host._moId for host in criteria.host],
    )
    return all(tests)


def _port(inventory: Inventory, switch_uuid: str, network: VcNetwork, vm: Vm, nic: Nic) -> Any:
    port = vim.dvs.DistributedVirtualPort
    link_up = vm.power is Power.ON and nic.connected
    runtime = port.RuntimeInfo(linkUp=link_up, blocked=network.blocked, trunkingMode=False, macAddress=nic.mac)
    return port(
        key=port_key(vm, nic),
        config=port.ConfigInfo(
            name="",
            description="",
            setting=default_policy(inventory, network),
            configVersion=str(network.config_version),
        ),
        dvsUuid=switch_uuid,
        portgroupKey=network.portgroup_key,
        proxyHost=vim.HostSystem(vm.host_moref),
        connectee=vim.dvs.PortConnectee(
            connectedEntity=vim.VirtualMachine(vm.moref), nicKey=str(nic.key), type="vmVnic", addressHint=nic.mac
        ),
        conflict=False,
        lastStatusChange=to_datetime(inventory.world_started_us),
        state=port.State(runtimeInfo=runtime, stats=vim.dvs.PortStatistics()),
        externalId=nic.external_id or None,
    )


@method("VmwareDistributedVirtualSwitch", "FetchDVPorts", Confidence.DOCUMENTED, "PYV", "connected ports only")
def fetch_ports(context: Context) -> list[Any]:
    """Return the ports that meet the criteria, with who is connected."""
    criteria, uuid = context.arguments["criteria"], context.inventory.switch_uuid(context.target.record)
    found = (each for each in _ports(context.inventory) if _fits(criteria, *each))
    return [_port(context.inventory, uuid, *each) for each in found]
