"""Which networks of the source's vCenter a segment is, and which VMs are on them."""

from __future__ import annotations

from collections.abc import Sequence

from hcx_waves.clients.errors import NotFound
from hcx_waves.clients.vsphere import VsphereClient
from hcx_waves.clients.vsphere.inventory_models import Network
from hcx_waves.clients.vsphere.models import VirtualMachineSummary
from hcx_waves.migration.verify import network_fits
from hcx_waves.model.plan import NetworkRef


def networks_of(vcenter: VsphereClient, reference: NetworkRef, segment_path: str | None) -> list[Network]:
    """Return the vCenter networks that a segment is shown as; by id, and by name only if no id fits.

    Older SDDCs show opaque networks, whose id is the logical switch's and not the segment's [I nsx-vsphere 4.1].

    :raises NotFound: if there is none; then nothing can be said about who is on it.
    """
    listed = vcenter.list_networks()
    ids = [one for one in (reference.network_id, segment_path) if one]
    found = [network for network in listed if any(network_fits(network, one) for one in ids)]
    found = found or [network for network in listed if network.name == reference.name]
    if not found:
        raise NotFound(
            f"no network of the source's vCenter is {reference.name!r} ({reference.network_id})",
            system="vcenter",
            hint="Look for a renamed or deleted port group; without it the segment cannot be proven empty.",
        )
    return found


def summaries_on(
    vcenter: VsphereClient, networks: Sequence[Network], listed: Sequence[VirtualMachineSummary]
) -> list[VirtualMachineSummary]:
    """Return all VMs on networks, powered-off ones and templates as well, asked both ways.

    A VM's own list of networks and a network's own list of VMs are kept by different parts of vCenter; a VM that
    is in either counts.
    """
    morefs = {network.moref for network in networks}
    named = {vm for network in networks for vm in vcenter.virtual_machines_on(network.moref)}
    return [vm for vm in listed if vm.moref in named or morefs & set(vm.networks)]
