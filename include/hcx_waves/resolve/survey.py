"""The reads that planning a wave needs, each product asked once; single VMs are read later, by name."""

from __future__ import annotations

from dataclasses import dataclass

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.hcx import InventoryEntity, NetworkExtension, ResourceContainer, ServiceMesh
from hcx_waves.clients.hcx.inventory import HcxSite
from hcx_waves.clients.nsx import NsxSegment
from hcx_waves.clients.vsphere.inventory_models import About, Cluster, Datastore, Folder, ResourcePool
from hcx_waves.clients.vsphere.models import VirtualMachineSummary
from hcx_waves.resolve.network_index import NetworkIndex


@dataclass(frozen=True)
class Survey:
    """What the managers of both sites say.

    :param source_segments: None where the source has no NSX.
    """

    source_about: About
    destination_about: About
    containers: tuple[ResourceContainer, ...]
    source_vms: tuple[VirtualMachineSummary, ...]
    destination_vms: tuple[VirtualMachineSummary, ...]
    source_networks: NetworkIndex
    destination_networks: NetworkIndex
    extensions: tuple[NetworkExtension, ...]
    source_segments: tuple[NsxSegment, ...] | None
    destination_segments: tuple[NsxSegment, ...]
    meshes: tuple[ServiceMesh, ...]
    clusters: tuple[Cluster, ...]
    resource_pools: tuple[ResourcePool, ...]
    folders: tuple[Folder, ...]
    datastores: tuple[Datastore, ...]
    storage_policies: tuple[InventoryEntity, ...]


def survey(clients: SiteClients) -> Survey:
    """Read the inventory.

    :raises ClientError: if a product cannot be read.
    """
    hcx, source, destination = clients.hcx, clients.source_vcenter, clients.destination_vcenter
    return Survey(
        source_about=source.about(),
        destination_about=destination.about(),
        containers=hcx.resource_containers(),
        source_vms=tuple(source.list_virtual_machines()),
        destination_vms=tuple(destination.list_virtual_machines()),
        source_networks=NetworkIndex(source.list_networks(), hcx.networks(HcxSite(remote=False))),
        destination_networks=NetworkIndex(destination.list_networks(), hcx.networks(HcxSite(local=False))),
        extensions=hcx.extensions(),
        source_segments=None if clients.source_nsx is None else clients.source_nsx.segments(),
        destination_segments=clients.destination_nsx.segments(),
        meshes=hcx.service_meshes(hcx.metainfo().vc_guid),
        clusters=tuple(destination.list_clusters()),
        resource_pools=tuple(destination.list_resource_pools()),
        folders=tuple(destination.list_folders()),
        datastores=tuple(destination.list_datastores()),
        storage_policies=hcx.storage_profiles(),
    )
