"""The document of a snapshot, as a simulated world is made from it. See docs/snapshot.md for what each field means.

Strict: a field that is not known here is refused, so that nothing of a live site is silently lost in its twin.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

FORMAT = "hcx-waves-snapshot"
VERSION = 1


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Vcenter(_Part):
    """A vCenter's identity."""

    instance_uuid: str
    name: str
    version: str
    build: str


class Endpoint(_Part):
    """A site as HCX knows it."""

    endpoint_id: str
    name: str
    kind: str | None = None
    hcx_version: str | None = None


class Rule(_Part):
    """A rule of the gateway firewall; ``place`` is its position among all rules of the domain."""

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


class SegmentPart(_Part):
    """An NSX segment."""

    segment_id: str
    name: str
    path: str
    kind: str | None = None
    connectivity: Literal["ON", "OFF"] | None = None
    connectivity_path: str | None = None
    gateways: tuple[str, ...] = ()
    dhcp_ranges: tuple[str, ...] = ()
    dhcp_server: str | None = None
    dhcp_config_path: str | None = None
    realisation: str | None = None
    strange_ports: tuple[str, ...] = ()


class Nsx(_Part):
    """An NSX manager."""

    flavour: Literal["vmc", "onprem"]
    version: str | None = None
    transport_zone_path: str | None = None
    segments: tuple[SegmentPart, ...] = ()
    firewall: tuple[Rule, ...] = ()


class ClusterRule(_Part):
    """An affinity rule of a cluster."""

    name: str
    kind: str
    enabled: bool | None = None
    mandatory: bool | None = None
    vms: tuple[str, ...] = ()


class Place(_Part):
    """A folder, datacentre, cluster, host or pool."""

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
    rules: tuple[ClusterRule, ...] = ()


class Store(_Part):
    """A datastore."""

    moref: str
    name: str
    kind: str | None = None
    accessible: bool = True
    maintenance_mode: str | None = None
    capacity_bytes: int = Field(gt=0)
    free_bytes: int = Field(ge=0)


class Network(_Part):
    """A network as vCenter shows it; ``segment_path`` names the NSX segment behind it."""

    moref: str
    name: str
    kind: Literal["distributed", "opaque", "standard"]
    key: str | None = None
    binding: str | None = None
    segment_path: str | None = None
    hcx_id: str | None = None
    hcx_kind: str | None = None


class Address(_Part):
    """A guest's address."""

    ip: str
    prefix: int | None = None


class NicPart(_Part):
    """A network card; ``network`` is a MoRef."""

    key: int
    label: str
    card: str
    mac: str
    network: str | None = None
    address_type: str | None = None
    connected: bool | None = None
    start_connected: bool | None = None
    external_id: str | None = None
    addresses: tuple[Address, ...] = ()


class DiskPart(_Part):
    """A disk; ``datastore`` is a MoRef."""

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


class MediumPart(_Part):
    """A CD-ROM or floppy drive with something in it."""

    key: int
    label: str
    kind: Literal["cdrom", "floppy"]
    backing: str
    path: str | None = None
    connected: bool = False
    start_connected: bool = False


class PassthroughPart(_Part):
    """A device of the host that is handed through."""

    key: int
    label: str
    kind: Literal["usb", "pci"]


class SnapshotPart(_Part):
    """A snapshot of a VM."""

    moref: str
    name: str
    parent: str | None = None
    created_ms: int | None = None


class VmPart(_Part):
    """A virtual machine."""

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
    snapshots: tuple[SnapshotPart, ...] = ()
    tags: tuple[str, ...] = ()
    custom_attributes: tuple[int, ...] = ()


class SitePart(_Part):
    """One site."""

    vcenter: Vcenter
    endpoint: Endpoint
    nsx: Nsx | None = None
    places: tuple[Place, ...]
    datastores: tuple[Store, ...] = ()
    networks: tuple[Network, ...] = ()
    vms: tuple[VmPart, ...] = ()


class AppliancePart(_Part):
    """An appliance of a mesh, of the source's manager."""

    appliance_id: str
    name: str
    kind: str
    status: str | None = None
    reasons: tuple[str, ...] = ()
    version: str | None = None
    peers: tuple[str, ...] = ()


class UplinkPart(_Part):
    """What HCX measures between the sites."""

    name: str = ""
    upload_kbps: float | None = None
    download_kbps: float | None = None
    latency_ms: float | None = None
    loss_percent: float | None = None


class MeshPart(_Part):
    """A service mesh."""

    mesh_id: str
    name: str
    state: str | None = None
    services: tuple[str, ...] = ()
    services_down: tuple[str, ...] = ()
    appliances: tuple[AppliancePart, ...] = ()
    uplinks: tuple[UplinkPart, ...] = ()


class ExtensionPart(_Part):
    """An extension between two networks, whose MoRefs it gives."""

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


class PolicyPart(_Part):
    """A storage policy; ``site`` is None where HCX does not say."""

    policy_id: str
    name: str
    site: Literal["source", "destination"] | None = None


class MigrationPart(_Part):
    """A migration that HCX lists."""

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


class GroupPart(_Part):
    """A mobility group."""

    group_id: str
    name: str


class HcxPart(_Part):
    """What the source's HCX manager knows."""

    version: str
    meshes: tuple[MeshPart, ...] = ()
    extensions: tuple[ExtensionPart, ...] = ()
    storage_policies: tuple[PolicyPart, ...] = ()
    migrations: tuple[MigrationPart, ...] = ()
    groups: tuple[GroupPart, ...] = ()
    limits: dict[str, int] = {}


class SnapshotDocument(_Part):
    """The whole document."""

    format: Literal["hcx-waves-snapshot"]
    version: Literal[1]
    taken_at: AwareDatetime
    waves: tuple[str, ...] = ()
    whole: bool = False
    sources: dict[str, str] = {}
    source: SitePart
    destination: SitePart
    hcx: HcxPart
