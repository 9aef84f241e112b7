"""Distributed port groups without NSX: reconfigure and roll back; and the ports of a switch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyVmomi import vim

from hcx_sim.coverage import Confidence
from hcx_sim.engine.clock import to_datetime
from hcx_sim.vcenter.families.network import backing_type, connected_ports, free_port_keys
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


@dataclass(frozen=True, slots=True)
class _Port:
    """A port of a group; a free one has neither VM nor card."""

    key: str
    network: VcNetwork
    vm: Vm | None = None
    nic: Nic | None = None

    @property
    def active(self) -> bool:
        """Whether the link is up."""
        return self.vm is not None and self.nic is not None and self.vm.power is Power.ON and self.nic.connected


def _ports(inventory: Inventory) -> Iterator[_Port]:
    for network in inventory.networks():
        if network.network_kind is NetworkKind.DVPG:
            for vm, nic in connected_ports(inventory, network):
                yield _Port(port_key(vm, nic), network, vm, nic)
            yield from (_Port(key, network) for key in free_port_keys(network))


def _fits(criteria: Any, port: _Port) -> bool:
    """Tell whether a port meets the criteria; what they leave unset does not narrow. [D nsx-vsphere 4.6]

    ``inside`` decides whether the groups are wanted or avoided.
    """
    if criteria is None:
        return True
    if criteria.portgroupKey:
        inside = criteria.inside is None or criteria.inside
        if (port.network.portgroup_key in criteria.portgroupKey) != inside:
            return False
    host = port.vm.host_moref if port.vm is not None else None
    tests = (
        criteria.uplinkPort is None or not criteria.uplinkPort,
        criteria.connected is None or criteria.connected == (port.vm is not None),
        criteria.active is None or criteria.active == port.active,
        criteria.nsxPort is None or criteria.nsxPort == (port.network.segment_id is not None),
        not criteria.portKey or port.key in criteria.portKey,
        not criteria.host or host in [each._moId for each in criteria.host],
    )
    return all(tests)


def _shown_port(inventory: Inventory, switch_uuid: str, port: _Port) -> Any:
    kind, network = vim.dvs.DistributedVirtualPort, port.network
    mac = port.nic.mac if port.nic is not None else None
    runtime = kind.RuntimeInfo(linkUp=port.active, blocked=network.blocked, trunkingMode=False, macAddress=mac)
    return kind(
        key=port.key,
        config=kind.ConfigInfo(
            name="",
            description="",
            setting=default_policy(inventory, network),
            configVersion=str(network.config_version),
        ),
        dvsUuid=switch_uuid,
        portgroupKey=network.portgroup_key,
        proxyHost=vim.HostSystem(port.vm.host_moref) if port.vm is not None else None,
        connectee=_connectee(port),
        conflict=False,
        lastStatusChange=to_datetime(inventory.world_started_us),
        state=kind.State(runtimeInfo=runtime, stats=vim.dvs.PortStatistics()),
        externalId=(port.nic.external_id or None) if port.nic is not None else None,
    )


def _connectee(port: _Port) -> Any:
    if port.vm is None or port.nic is None:
        return None
    return vim.dvs.PortConnectee(
        connectedEntity=vim.VirtualMachine(port.vm.moref),
        nicKey=str(port.nic.key),
        type="vmVnic",
        addressHint=port.nic.mac,
    )


def _found(context: Context) -> list[_Port]:
    criteria = context.arguments["criteria"]
    for host in criteria.host if criteria is not None else ():
        context.inventory.require_reference(host)
    return [port for port in _ports(context.inventory) if _fits(criteria, port)]


@method("VmwareDistributedVirtualSwitch", "FetchDVPorts", Confidence.DOCUMENTED, "PYV VSDOC")
def fetch_ports(context: Context) -> list[Any]:
    """Return the ports that meet the criteria, with who is connected."""
    uuid = context.inventory.switch_uuid(context.target.record)
    return [_shown_port(context.inventory, uuid, port) for port in _found(context)]


@method("VmwareDistributedVirtualSwitch", "FetchDVPortKeys", Confidence.DOCUMENTED, "PYV VSDOC")
def fetch_port_keys(context: Context) -> list[str]:
    """Return the keys of the ports that meet the criteria."""
    return [port.key for port in _found(context)]


# New groups ------------------------------------------------------------------------------------------------


def _check_add(job: Job) -> None:
    for spec in job.argument("spec"):
        if not spec.name:
            raise invalid_argument("spec.name")
        refuse_duplicate_network(job.inventory, checked_name(spec.name), "")


@operation("addPortgroups", _check_add)
def _add(job: Job) -> Any:
    inventory, made = job.inventory, []
    for spec in job.argument("spec"):
        moref = inventory.world.next_moref("dvportgroup", inventory.site)
        network = VcNetwork(
            key=f"{inventory.site}/{moref}",
            site=inventory.site,
            moref=moref,
            name=checked_name(spec.name),
            network_kind=NetworkKind.DVPG,
            portgroup_key=moref,
            port_binding=spec.type or "earlyBinding",
        )
        inventory.world.put(network)
        if spec.defaultPortConfig is not None:
            policy = default_policy(inventory, network)
            inventory.state.policies[moref] = merged(policy, spec.defaultPortConfig)
            inventory.world.update(network, **_shown(inventory, network))
        made.append(inventory.network_reference(network))
    return made[0] if job.argument("single") else None


@method("VmwareDistributedVirtualSwitch", "AddDVPortgroup_Task", mutating=True)
def add_port_groups(context: Context) -> Any:
    """Make port groups of a VLAN each; DuplicateName and InvalidName are the task's error."""
    context.arguments["single"] = False
    return run_task(context, "addPortgroups")


@method("VmwareDistributedVirtualSwitch", "CreateDVPortgroup_Task", mutating=True)
def create_port_group(context: Context) -> Any:
    """Make one port group; the task's result is its reference."""
    context.arguments.update(spec=[context.arguments["spec"]], single=True)
    return run_task(context, "addPortgroups")
