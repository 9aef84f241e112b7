"""Who else needs a segment's gateway, asked again right before it is cut off."""

from __future__ import annotations

from collections.abc import Sequence

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.vsphere.models import VirtualMachineDetail
from hcx_waves.gateway_users import GatewayFacts, Tenant, who_needs
from hcx_waves.gateway_users.machines import Identities
from hcx_waves.gateway_users.model import Found, GatewayUsers
from hcx_waves.gateway_users.neighbours import read_neighbours
from hcx_waves.gateway_users.ports import PortReading
from hcx_waves.model.plan import PlannedSegment, WavePlan


def read_users(
    plan: WavePlan,
    segment: PlannedSegment,
    clients: SiteClients,
    *,
    network_ids: Sequence[str],
    machines: Sequence[VirtualMachineDetail],
    known: Identities,
    ports: PortReading | None,
    migrations: Sequence[Found],
) -> GatewayUsers:
    """Ask HCX and the NSX managers who else needs the gateway; return the answer, with what was read before.

    Addresses outside the subnets are those that the plan knows of its VMs; whoever must answer for them has been asked
    before the wave.
    """
    extensions = clients.hcx.extensions()
    nsx, path = clients.source_nsx, segment.source_segment_path
    tenants = [
        Tenant(vm.name, vm.vm_id, nic.ip_addresses) for vm in plan.vms for nic in vm.nics if nic.segment == segment.name
    ]
    neighbours = None if nsx is None or path is None else read_neighbours(nsx, path)
    return who_needs(
        plan,
        segment,
        GatewayFacts(
            extensions=extensions,
            machines=machines,
            known=known,
            others=(*migrations, *(ports.found if ports else ())),
            network_ids=network_ids,
            source_segment=None if nsx is None or path is None else nsx.segment(path),
            tenants=tenants,
            neighbours=neighbours,
            known_macs=_macs(plan, clients, machines, ports) if neighbours else frozenset(),
        ),
    )


def _macs(
    plan: WavePlan, clients: SiteClients, machines: Sequence[VirtualMachineDetail], ports: PortReading | None
) -> frozenset[str]:
    """Return the MACs of every VM that is known: the plan's, those on the segment, and those that NSX knows."""
    there = {vif.mac_address.lower() for vif in clients.destination_nsx.vifs() if vif.mac_address}
    own = {nic.mac_address.lower() for vm in plan.vms for nic in vm.nics}
    here = {mac.lower() for vm in machines for mac in vm.macs}
    return frozenset({*there, *own, *here, *(ports.macs if ports else ())})
