"""What a snapshot of a site pair holds. docs/snapshot.md is its reference.

Vendor's words and ids are kept as they were read; None (and absence in the file) means that the product does not say,
or says the usual. Nothing here is a secret: no credentials, no accounts, no addresses of managers, no notes of VMs, no
values of custom attributes.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

FORMAT: Literal["hcx-waves-snapshot"] = "hcx-waves-snapshot"
VERSION: Literal[1] = 1


class Part(BaseModel):
    """A part of a snapshot; a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class VcenterPart(Part):
    """A vCenter's identity. ``name`` is the one by which HCX knows it."""

    instance_uuid: str
    name: str
    version: str
    build: str


class EndpointPart(Part):
    """A site as HCX knows it; ``hcx_version`` is its manager's, as far as HCX tells."""

    endpoint_id: str
    name: str
    kind: str | None = None
    hcx_version: str | None = None


class FirewallRulePart(Part):
    """A rule of the gateway firewall; rules are listed in the order in which they take effect."""

    policy_id: str
    rule_id: str
    name: str
    action: str
    sequence_number: int = 0
    disabled: bool = False
    is_default: bool = False
    source_groups: tuple[str, ...] = ()
    destination_groups: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()


class SegmentPart(Part):
    """An NSX segment.

    ``kind`` is the read-only ``type``; ``gateways`` are in CIDR form; ``realisation`` and ``strange_ports`` (display
    names of ports that belong to no VM of vCenter) are read of the waves' segments only.
    """

    segment_id: str
    name: str
    path: str
    kind: str | None = None
    connectivity: Literal["ON", "OFF"] | None = None
    connectivity_path: str | None = None
    vlan_ids: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    dhcp_ranges: tuple[str, ...] = ()
    dhcp_server: str | None = None
    dhcp_config_path: str | None = None
    realisation: str | None = None
    strange_ports: tuple[str, ...] = ()


class NsxPart(Part):
    """An NSX manager; ``flavour`` is ``vmc`` where the segments' transport zone is VMware Cloud's."""

    flavour: Literal["vmc", "onprem"]
    version: str | None = None
    transport_zone_path: str | None = None
    segments: tuple[SegmentPart, ...] = ()
    firewall: tuple[FirewallRulePart, ...] = ()


class ClusterRulePart(Part):
    """An affinity rule of a cluster; ``vms`` are MoRefs."""

    name: str
    kind: str
    enabled: bool | None = None
    mandatory: bool | None = None
    vms: tuple[str, ...] = ()


class PlacePart(Part):
    """A folder, datacentre, cluster, host or resource pool; ``kind`` is the vSphere type.

    ``datastores`` and ``networks`` of a cluster are MoRefs, None where it has all of its site.
    """

    moref: str
    kind: Literal[
        "Folder", "Datacenter", "ClusterComputeResource", "ComputeResource", "HostSystem", "ResourcePool", "VirtualApp"
    ]
    name: str
    parent: str | None = None
    child_types: tuple[str, ...] = ()
    version: str | None = None
    connection_state: str | None = None
    power_state: str | None = None
    in_maintenance_mode: bool = False
    max_evc_mode: str | None = None
    evc_mode: str | None = None
    effective_cpu_mhz: int | None = None
    effective_memory_mb: int | None = None
    effective_hosts: int | None = None
    datastores: tuple[str, ...] | None = None
    networks: tuple[str, ...] | None = None
    rules: tuple[ClusterRulePart, ...] = ()


class DatastorePart(Part):
    """A datastore with its room in bytes."""

    moref: str
    name: str
    kind: str | None = None
    accessible: bool = True
    maintenance_mode: str | None = None
    capacity_bytes: int = Field(gt=0)
    free_bytes: int = Field(ge=0)


class NetworkPart(Part):
    """A network as vCenter shows it. ``hcx_id`` and ``hcx_kind`` are HCX's names of it."""

    moref: str
    name: str
    kind: Literal["distributed", "opaque", "standard"]
    key: str | None = None
    binding: str | None = None
    segment_path: str | None = None
    hcx_id: str | None = None
    hcx_kind: str | None = None


class AddressPart(Part):
    """An address that a guest reports."""

    ip: str
    prefix: int | None = None


class NicPart(Part):
    """A network card; ``network`` is a MoRef, None if it is in none."""

    key: int
    label: str
    card: str
    mac: str
    network: str | None = None
    address_type: str | None = None
    connected: bool | None = None
    start_connected: bool | None = None
    external_id: str | None = None
    addresses: tuple[AddressPart, ...] = ()


class DiskPart(Part):
    """A disk; ``used_bytes`` is its share of what the VM takes on its datastores. ``mapping`` is an RDM's mode."""

    key: int
    label: str
    capacity_bytes: int = Field(ge=0)
    used_bytes: int = Field(ge=0)
    datastore: str | None = None
    mode: str | None = None
    sharing: str | None = None
    thin: bool | None = None
    mapping: str | None = None
    controller: str | None = None
    bus_sharing: str | None = None


class MediumPart(Part):
    """A CD-ROM or floppy drive with something in it."""

    key: int
    label: str
    kind: Literal["cdrom", "floppy"]
    backing: str
    path: str | None = None
    connected: bool = False
    start_connected: bool = False


class PassthroughPart(Part):
    """A device of the host that is handed through."""

    key: int
    label: str
    kind: Literal["usb", "pci"]


class VmSnapshotPart(Part):
    """A snapshot of a VM; ``parent`` is another one's MoRef."""

    moref: str
    name: str
    parent: str | None = None
    created_ms: int | None = None


class VmPart(Part):
    """A virtual machine.

    ``stays`` marks one that a wave lets remain on a segment that it cuts over; ``change_bytes_per_second`` is None
    where nobody knows how much its disks change; ``custom_attributes`` are the keys alone.
    """

    moref: str
    name: str
    instance_uuid: str | None = None
    bios_uuid: str | None = None
    power: Literal["poweredOn", "poweredOff", "suspended"] = "poweredOn"
    template: bool = False
    hcx_appliance: bool = False
    stays: bool = False
    folder: str | None = None
    pool: str | None = None
    host: str | None = None
    vapp: str | None = None
    guest_id: str | None = None
    guest: str | None = None
    host_name: str | None = None
    hardware: str | None = None
    cpus: int | None = None
    memory_mb: int | None = None
    committed_bytes: int | None = None
    change_bytes_per_second: float | None = Field(default=None, ge=0)
    tools_running: str | None = None
    tools_version: str | None = None
    tools_installer_mounted: bool = False
    connection_state: str | None = None
    consolidation_needed: bool = False
    fault_tolerance: str | None = None
    question: str | None = None
    encrypted: bool = False
    migrate_encryption: str | None = None
    min_evc_mode: str | None = None
    managed_by: str | None = None
    change_tracking: bool | None = None
    nics: tuple[NicPart, ...] = ()
    disks: tuple[DiskPart, ...] = ()
    media: tuple[MediumPart, ...] = ()
    passthrough: tuple[PassthroughPart, ...] = ()
    snapshots: tuple[VmSnapshotPart, ...] = ()
    tags: tuple[str, ...] = ()
    custom_attributes: tuple[int, ...] = ()


class SitePart(Part):
    """One site."""

    vcenter: VcenterPart
    endpoint: EndpointPart
    nsx: NsxPart | None = None
    places: tuple[PlacePart, ...]
    datastores: tuple[DatastorePart, ...] = ()
    networks: tuple[NetworkPart, ...] = ()
    vms: tuple[VmPart, ...] = ()


class AppliancePart(Part):
    """An appliance of a mesh at the source; ``peers`` are the names of those at the other end."""

    appliance_id: str
    name: str
    kind: str
    status: str | None = None
    reasons: tuple[str, ...] = ()
    version: str | None = None
    peers: tuple[str, ...] = ()


class UplinkPart(Part):
    """What HCX measures between the sites."""

    name: str = ""
    upload_kbps: float | None = None
    download_kbps: float | None = None
    latency_ms: float | None = None
    loss_percent: float | None = None


class MeshPart(Part):
    """A service mesh; ``uplinks`` is empty where the release does not measure them."""

    mesh_id: str
    name: str
    state: str | None = None
    services: tuple[str, ...] = ()
    services_down: tuple[str, ...] = ()
    appliances: tuple[AppliancePart, ...] = ()
    uplinks: tuple[UplinkPart, ...] = ()


class ExtensionPart(Part):
    """A network extension.

    ``source`` and ``destination`` are MoRefs, None where the network is not (or no longer) there, or at a third site.
    """

    extension_id: str
    source: str | None = None
    destination: str | None = None
    source_name: str = ""
    destination_name: str = ""
    gateway: str | None = None
    netmask: str | None = None
    mesh_id: str | None = None
    source_appliance: str | None = None
    destination_appliance: str | None = None
    state: str | None = None
    mon: bool = False
    mon_vms: tuple[str, ...] = ()


class StoragePolicyPart(Part):
    """A storage policy; ``site`` is None where HCX does not say."""

    policy_id: str
    name: str
    site: Literal["source", "destination"] | None = None


class MigrationPart(Part):
    """A migration that HCX lists: one in flight, or the past of a VM of the waves.

    ``state`` is HCX's word, ``phase`` what it means.
    """

    migration_id: str
    group_id: str | None = None
    entity_id: str | None = None
    entity_name: str | None = None
    state: str
    phase: str
    message: str = ""
    kind: str | None = None
    leaves_source: bool = True
    archived: bool = False
    created_ms: int | None = None
    ended_ms: int | None = None


class GroupPart(Part):
    """A mobility group that such a migration is in."""

    group_id: str
    name: str


class HcxPart(Part):
    """What the source's HCX manager knows. ``limits`` are the vendor's documented ones; no call tells them."""

    version: str
    meshes: tuple[MeshPart, ...] = ()
    extensions: tuple[ExtensionPart, ...] = ()
    storage_policies: tuple[StoragePolicyPart, ...] = ()
    migrations: tuple[MigrationPart, ...] = ()
    groups: tuple[GroupPart, ...] = ()
    limits: dict[str, int] = {}


class Snapshot(Part):
    """A site pair as it was at an instant.

    :param taken_at: when reading began.
    :param waves: names of the waves that it was taken for.
    :param whole: whether it holds every VM, not only the waves' and their neighbours.
    :param sources: how each part came to be known, in a few words.
    """

    format: Literal["hcx-waves-snapshot"]
    version: Literal[1]
    taken_at: AwareDatetime
    waves: tuple[str, ...] = ()
    whole: bool = False
    sources: dict[str, str] = {}
    source: SitePart
    destination: SitePart
    hcx: HcxPart
