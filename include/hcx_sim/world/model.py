"""Things that exist in the two sites: plain data, changed only through :meth:`hcx_sim.world.world.World.update`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar


class SiteName(StrEnum):
    """The two ends of the pair."""

    SOURCE = "source"
    DESTINATION = "destination"

    @property
    def other(self) -> SiteName:
        """The opposite site."""
        return SiteName.DESTINATION if self is SiteName.SOURCE else SiteName.SOURCE


class Power(StrEnum):
    """vSphere ``VirtualMachinePowerState``. [D nsx-vsphere 4.1]"""

    ON = "poweredOn"
    OFF = "poweredOff"
    SUSPENDED = "suspended"


class VmRole(StrEnum):
    """What a VM is to a migration: only workloads have to leave a segment before it is cut."""

    WORKLOAD = "workload"
    ROUTER = "router"
    HCX_APPLIANCE = "hcx_appliance"


class NetworkKind(StrEnum):
    """How a vCenter shows a network."""

    DVPG = "dvpg"
    OPAQUE = "opaque"
    STANDARD = "standard"


@dataclass(slots=True)
class Entity:
    """Anything of the world; ``key`` is unique per kind and never changes."""

    kind: ClassVar[str] = "entity"
    key: str


@dataclass(slots=True)
class Site(Entity):
    """One data centre: who its managers say they are. ``key`` is the site's name."""

    kind: ClassVar[str] = "site"
    name: SiteName
    nsx_flavour: str  # "vmc" or "onprem"
    tier1_id: str
    enforcement_point: str
    transport_zone_path: str
    vcenter_name: str
    vcenter_instance_uuid: str
    vcenter_version: str
    vcenter_build: str
    hcx_endpoint_id: str
    hcx_endpoint_name: str
    hcx_type: str  # "VC" on premises, "VMC" and the like for a cloud manager
    sddc_id: str
    firewall_default_allow: bool = True
    more_tier1_ids: list[str] = field(default_factory=list)  # gateways that segments may be connected to as well


@dataclass(slots=True)
class Placement(Entity):
    """A folder, datacentre, cluster, host, resource pool or switch; ``key`` is ``site/moref``."""

    kind: ClassVar[str] = "placement"
    site: SiteName
    moref: str
    type_name: str  # the vSphere type: Folder, Datacenter, ClusterComputeResource, HostSystem, ResourcePool ...
    name: str
    parent_moref: str | None
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Datastore(Entity):
    """A datastore; ``key`` is ``site/moref``; capacities in bytes."""

    kind: ClassVar[str] = "datastore"
    site: SiteName
    moref: str
    name: str
    type_name: str  # vsan, VMFS
    capacity_bytes: int
    free_bytes: int
    policies: dict[str, str] = field(default_factory=dict)  # storage policy id -> name
    properties: dict[str, Any] = field(default_factory=dict)  # vSphere property path -> value, overrides


@dataclass(slots=True)
class PhysicalGateway:
    """A router interface outside NSX; ``connected`` is what the user's router commands change."""

    address: str
    connected: bool = True


@dataclass(slots=True)
class VcNetwork(Entity):
    """A network as a vCenter sees it; ``key`` is ``site/moref``.

    ``segment_id`` names the NSX segment behind it, None for a VLAN port group, which has ``gateway`` instead.
    """

    kind: ClassVar[str] = "network"
    site: SiteName
    moref: str
    name: str
    network_kind: NetworkKind
    portgroup_key: str
    segment_id: str | None = None
    vlan_id: int | None = None
    gateway: PhysicalGateway | None = None
    gateway_connected: bool = True  # of the physical gateway
    blocked: bool = False
    config_version: int = 0
    port_binding: str = "earlyBinding"
    subnet: str | None = None
    removed: bool = False
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Segment(Entity):
    """An NSX segment; ``key`` is ``site/segment_id``.

    ``connectivity`` is the intent (ON, OFF, or None when the body has no ``advanced_config``, which means ON);
    ``gateway_up`` is what the data plane does, which follows when the change is realised.
    """

    kind: ClassVar[str] = "segment"
    site: SiteName
    segment_id: str
    fixed: bool
    display_name: str
    gateway_cidr: str | None
    connectivity: str | None
    gateway_up: bool
    network_moref: str
    dhcp_ranges: list[str] = field(default_factory=list)
    connectivity_path: str | None = None
    l2_extension: dict[str, Any] | None = None
    extra: dict[str, Any] = field(default_factory=dict)  # every other body field, as last written
    revision: int = 0
    realisation: str = "success"  # success, pending, in_progress, failed
    created_us: int = 0
    modified_us: int = 0
    hcx_created: bool = False


@dataclass(slots=True)
class Nic:
    """A virtual network card. ``key`` is the vSphere device key, from 4000 upwards."""

    key: int
    label: str
    mac: str
    network_moref: str
    ip_addresses: list[str] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)  # address -> vSphere's origin, or "origin/prefix length"
    connected: bool = True
    address_type: str = "assigned"
    external_id: str = ""
    adapter: str = "VirtualVmxnet3"


@dataclass(slots=True)
class Disk:
    """A virtual disk; ``used_bytes`` is what a first replication copies."""

    key: int
    label: str
    capacity_bytes: int
    used_bytes: int
    datastore_moref: str
    mode: str = "persistent"
    sharing: str = "sharingNone"
    backing: str = "flat"  # flat, rdmPhysical, rdmVirtual


@dataclass(slots=True)
class Snapshot:
    """A snapshot of a VM, in a tree by ``parent_moref``; with the memory, the VM runs after a return to it."""

    moref: str
    name: str
    description: str
    created_us: int
    parent_moref: str | None = None
    with_memory: bool = False


@dataclass(slots=True)
class Vm(Entity):
    """One VM object in one vCenter; ``key`` is ``site/moref``.

    ``uid`` is the workload's identity, which survives migrations; a bulk migration leaves a *retired* copy of
    the same ``uid`` at the source. Exactly one object per ``uid`` is not retired.
    """

    kind: ClassVar[str] = "vm"
    uid: str
    site: SiteName
    moref: str
    name: str
    instance_uuid: str
    bios_uuid: str
    power: Power
    role: VmRole
    template: bool
    folder_moref: str
    pool_moref: str | None
    host_moref: str
    cluster_moref: str
    datacenter_moref: str
    guest_id: str
    guest_name: str
    host_name: str
    num_cpu: int
    memory_mb: int
    hardware_version: str
    nics: list[Nic]
    disks: list[Disk]
    iso_path: str | None = None
    iso_connected: bool = False
    tools_running: bool = True
    tools_version_status: str = "guestToolsCurrent"
    snapshots: list[Snapshot] = field(default_factory=list)
    change_rate_bytes_per_second: float = 0.0
    retired: bool = False
    change_version: int = 1
    tags: list[str] = field(default_factory=list)
    custom_attributes: dict[str, str] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)  # vSphere property path -> value, overrides


@dataclass(slots=True)
class Port(Entity):
    """A segment port; ``key`` is ``site/segment_id/port_id``.

    ``port_class`` is vm, appliance, free or unknown; ``vm_uid`` the workload whose NIC is attached.
    """

    kind: ClassVar[str] = "port"
    site: SiteName
    segment_id: str
    port_id: str
    display_name: str
    attachment_id: str | None
    port_class: str
    vm_uid: str | None = None
    vm_moref: str | None = None
    mac: str | None = None
    device_key: int | None = None
    attachment_state: str = "ATTACHED"
    releasing: bool = False


@dataclass(slots=True)
class Bridge(Entity):
    """The stretched layer 2 between a source network and a destination segment; ``key`` is the stretch id.

    ``up`` says whether frames pass. ``mon_vm_uids`` are VMs routed at the destination by Mobility Optimized
    Networking although the destination gateway is off.
    """

    kind: ClassVar[str] = "bridge"
    source_network_key: str
    destination_segment_key: str
    destination_network_key: str
    mesh_key: str = ""
    appliance_uids: dict[str, str] = field(default_factory=dict)  # site -> uid of the NE appliance VM
    created_us: int = 0
    up: bool = True
    mon: bool = False
    mon_vm_uids: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Mesh(Entity):
    """A service mesh; ``key`` is the service mesh id. Bandwidths in bits per second."""

    kind: ClassVar[str] = "mesh"
    name: str
    services: list[str]
    link_bits_per_second: float
    round_trip_ms: float = 10.0
    loss_percent: float = 0.0
    tunnel_up: bool = True
    state: str = "COMMITTED"
    ix_vm_uids: dict[str, str] = field(default_factory=dict)  # site -> appliance VM uid
    ne_vm_uids: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class FirewallRule(Entity):
    """A gateway firewall (CGW) rule; ``key`` is ``site/policy_id/rule_id``. Lowest sequence number wins."""

    kind: ClassVar[str] = "firewall_rule"
    site: SiteName
    policy_id: str
    rule_id: str
    body: dict[str, Any]
    sequence_number: int
    action: str  # ALLOW, DROP, REJECT
    cidrs: list[str]  # source or destination networks; empty means any
    enabled: bool = True
