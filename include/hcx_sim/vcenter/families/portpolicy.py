"""The default port policy of a distributed port group: built, read and merged.

On a vCenter unset members of a new policy leave the old ones as they are. [C nsx-vsphere 4.6]
"""

from __future__ import annotations

import copy
from typing import Any

from pyVmomi import VmomiSupport, vim

from hcx_sim.vcenter.inventory import Inventory
from hcx_sim.vcenter.plain import filled
from hcx_sim.world.model import VcNetwork

UPLINKS = ("uplink1", "uplink2")
# Replaced as a whole: an empty list in it means "none", not "unchanged".
_WHOLE = ("uplinkPortOrder", "vlanId", "pvlanId")


def default_policy(inventory: Inventory, network: VcNetwork) -> Any:
    """Return a copy of the group's policy; what the world knows of blocking wins."""
    kept = inventory.state.policies.get(network.moref)
    policy = copy.deepcopy(kept) if kept is not None else _fresh(network)
    if kept is None or isolates(policy) != network.blocked:
        policy.blocked = vim.BoolPolicy(inherited=False, value=network.blocked)
    return policy


def _fresh(network: VcNetwork) -> Any:
    switch = vim.dvs.VmwareDistributedVirtualSwitch

    def no(value: bool = False) -> Any:
        return vim.BoolPolicy(inherited=False, value=value)

    return switch.VmwarePortConfigPolicy(
        blocked=no(),
        vlan=switch.VlanIdSpec(inherited=False, vlanId=network.vlan_id or 0),
        uplinkTeamingPolicy=switch.UplinkPortTeamingPolicy(
            inherited=False,
            policy=vim.StringPolicy(inherited=False, value="loadbalance_srcid"),
            notifySwitches=no(True),
            rollingOrder=no(),
            uplinkPortOrder=switch.UplinkPortOrderPolicy(
                inherited=False, activeUplinkPort=list(UPLINKS), standbyUplinkPort=[]
            ),
        ),
        securityPolicy=switch.SecurityPolicy(
            inherited=False, allowPromiscuous=no(), macChanges=no(), forgedTransmits=no()
        ),
        macManagementPolicy=filled(
            switch.MacManagementPolicy,
            allowPromiscuous=False,
            macChanges=False,
            forgedTransmits=False,
            macLearningPolicy=filled(switch.MacLearningPolicy),
        ),
        inShapingPolicy=_unshaped(),
        outShapingPolicy=_unshaped(),
        ipfixEnabled=no(),
        txUplink=no(),
    )


def _unshaped() -> Any:
    rate = vim.LongPolicy(inherited=False, value=100_000_000)
    return vim.dvs.DistributedVirtualPort.TrafficShapingPolicy(
        inherited=False,
        enabled=vim.BoolPolicy(inherited=False, value=False),
        averageBandwidth=rate,
        peakBandwidth=rate,
        burstSize=vim.LongPolicy(inherited=False, value=104_857_600),
    )


def isolates(policy: Any) -> bool:
    """Tell whether a policy keeps frames from leaving: blocked ports, or neither active nor standby uplinks."""
    if policy.blocked is not None and policy.blocked.value:
        return True
    teaming = policy.uplinkTeamingPolicy
    order = teaming.uplinkPortOrder if teaming is not None else None
    return order is not None and not order.activeUplinkPort and not order.standbyUplinkPort


def merged(policy: Any, changes: Any) -> Any:
    """Return ``policy`` with the set members of ``changes``; objects of the same type are merged member by member."""
    result = copy.copy(policy)
    for info in changes._GetPropertyList():
        new = getattr(changes, info.name)
        if new is None or (isinstance(new, list) and not new):
            continue
        old = getattr(result, info.name, None)
        mergeable = isinstance(new, VmomiSupport.DataObject) and type(old) is type(new) and info.name not in _WHOLE
        setattr(result, info.name, merged(old, new) if mergeable else new)
    return result
