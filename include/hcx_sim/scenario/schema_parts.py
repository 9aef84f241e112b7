"""The parts of a scenario document: sites, meshes, networks and VMs."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hcx_sim.scenario.schema_sites import (
    ApplianceSpec,
    DatastoreSpec,
    FirewallRuleSpec,
    IdentitySpec,
    PlaceSpec,
)
from hcx_sim.world.model import Power, SiteName, VmRole

ALL_SERVICES = ["INTERCONNECT", "VMOTION", "BULK_MIGRATION", "RAV", "NETWORK_EXTENSION"]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SiteSpec(_Document):
    """One site; ``nsx`` decides paths, logins and what the manager offers.

    ``places`` and ``datastores`` describe a real site by MoRefs. With ``places`` the fields ``datacenter``,
    ``cluster``, ``hosts``, ``resource_pools`` and ``folders`` mean nothing, with ``datastores`` neither do
    ``datastore`` and ``datastore_gb``. ``storage_policies`` maps ids to names.
    """

    nsx: Literal["vmc", "onprem"] = "vmc"
    datacenter: str = "SDDC-Datacenter"
    cluster: str = "Cluster-1"
    hosts: int = Field(default=3, ge=1, le=64)
    tier1_id: str | None = None
    resource_pools: list[str] = ["Compute-ResourcePool", "Mgmt-ResourcePool"]
    folders: list[str] = ["Workloads"]
    datastore: str = "WorkloadDatastore"
    datastore_gb: float = Field(default=40_000, gt=0)
    vcenter_version: str = "8.0.3"
    vcenter_build: str = "24322831"
    firewall_default_allow: bool = True
    firewall: list[FirewallRuleSpec] = []
    more_tier1_ids: list[str] = []
    more_switches: list[str] = []
    identity: IdentitySpec = IdentitySpec()
    places: list[PlaceSpec] = []
    datastores: list[DatastoreSpec] = []
    storage_policies: dict[str, str] = {}


class MeshSpec(_Document):
    """A service mesh; bandwidth of the link that its IX appliances share.

    ``mesh_id`` is made up unless given. ``appliances`` names them; without, there are one pair of interconnect
    and ``network_extension_appliances`` pairs of network extension appliances with names made from the mesh's.
    """

    name: str = "mesh-1"
    link_mbps: float = Field(default=1000.0, gt=0)
    link_assumed: bool = False  # nobody has measured it
    services: list[str] = ALL_SERVICES
    network_extension_appliances: int = Field(default=1, ge=0, le=32)
    round_trip_ms: float = Field(default=10.0, ge=0)
    loss_percent: float = Field(default=0.0, ge=0, le=100)
    mesh_id: str | None = None
    state: str = "COMMITTED"
    tunnel_up: bool = True
    appliances: list[ApplianceSpec] = []


class NetworkSpec(_Document):
    """A network at one site, stretched to the other or not.

    ``kind``: NSX segment ``fixed`` or ``flexible``, ``vlan`` (port group behind a physical router) or
    ``standard`` (standard switch, cannot be stretched). ``gateway`` defaults to the subnet's first address; a
    network without ``subnet`` has none. ``gateway6`` is a second gateway, of IPv6, which NSX shows beside the first and
    the world does not route. A real network is given its ``moref`` and, where it is a segment, its
    ``segment_id`` (else the name is the id); ``domain`` joins the networks of both sites that carry one subnet.
    """

    name: str
    subnet: IPv4Network | None = None
    gateway: IPv4Address | None = None
    no_gateway: bool = False
    gateway6: IPv6Interface | None = None
    site: SiteName = SiteName.SOURCE
    kind: Literal["fixed", "flexible", "vlan", "standard"] | None = None
    vlan_id: int | None = Field(default=None, ge=0, le=4094)
    switch: str | None = None
    connectivity: Literal["ON", "OFF"] = "ON"
    dhcp_ranges: list[str] = []
    stretched: bool = False
    mesh: str | None = None
    destination_name: str | None = None
    mon: bool = False
    port_binding: Literal["earlyBinding", "lateBinding", "ephemeral"] = "earlyBinding"
    properties: dict[str, Any] = {}
    moref: str | None = None
    segment_id: str | None = None
    display_name: str | None = None
    opaque: bool = False
    domain: str | None = None
    connectivity_path: str | None = None
    realisation: str = "success"
    hcx_created: bool = False
    segment_body: dict[str, Any] = {}
    extended_elsewhere: dict[str, list[str]] = {}  # name of another site -> VMs there that use this gateway
    secondary: list[IPv4Interface] = []  # gateways of further subnets on the same wire, which are not extended
    devices: dict[str, str] = {}  # MACs by address of physical devices on the same layer 2, which are no VMs
    strange_ports: list[str] = []

    @property
    def is_called(self) -> frozenset[str]:
        """What a card or an extension may call this network."""
        return frozenset({self.name} if self.moref is None else {self.name, self.moref})

    @property
    def gateway_interface(self) -> IPv4Interface | None:
        """The gateway's address with the subnet's prefix length, None without a gateway."""
        if self.no_gateway or self.subnet is None:
            return None
        address = self.gateway or next(self.subnet.hosts())
        return IPv4Interface(f"{address}/{self.subnet.prefixlen}")


class NicSpec(_Document):
    """A network card: the network's name or MoRef (None: in no network) and the guest's addresses.

    ``origins`` says where an address comes from, in vSphere's words (``manual``, ``dhcp``, ``linklayer``, ``random``,
    ``other``), with another prefix length than the network's after a slash (``manual/32``). Without it Tools report
    no origin, as those of Linux do.
    """

    network: str | None
    ips: list[IPv4Address | IPv6Address] = []
    origins: dict[str, str] = {}
    mac: str | None = None
    connected: bool = True
    key: int | None = None
    label: str | None = None
    adapter: str = "VirtualVmxnet3"
    address_type: str = "assigned"
    external_id: str | None = None


class SnapshotSpec(_Document):
    """A snapshot of a VM; ``parent`` is another one's MoRef. ``created_ms`` is epoch milliseconds."""

    moref: str
    name: str
    parent: str | None = None
    created_ms: int = 0


class DiskSpec(_Document):
    """A disk; ``used_gb`` (default: 60 % of the size) is what a first replication copies."""

    size_gb: float = Field(gt=0)
    used_gb: float | None = Field(default=None, ge=0)
    mode: str = "persistent"
    sharing: str = "sharingNone"
    backing: Literal["flat", "rdmPhysical", "rdmVirtual"] = "flat"
    datastore: str | None = None
    key: int | None = None
    label: str | None = None


class VmSpec(_Document):
    """A VM; ``properties`` overrides any vSphere property path with plain data.

    ``folder``, ``resource_pool``, ``host`` and a disk's ``datastore`` are names, or MoRefs where the site has any.
    """

    name: str
    site: SiteName = SiteName.SOURCE
    nics: list[NicSpec] = []
    disks: list[DiskSpec] = Field(default_factory=lambda: [DiskSpec(size_gb=40)])
    power: Power = Power.ON
    template: bool = False
    role: VmRole = VmRole.WORKLOAD
    cpus: int = Field(default=2, ge=1)
    memory_gb: float = Field(default=4, gt=0)
    guest_id: str = "ubuntu64Guest"
    guest_name: str = "Ubuntu Linux (64-bit)"
    hardware_version: str = "vmx-19"
    tools_running: bool = True
    tools_version_status: str = "guestToolsCurrent"
    change_rate_mbps: float = Field(default=1.0, ge=0)
    change_rate_assumed: bool = False  # nobody has measured it
    snapshots: list[str | SnapshotSpec] = []
    iso: str | None = None
    iso_connected: bool = True
    folder: str = "Workloads"
    resource_pool: str = "Compute-ResourcePool"
    tags: list[str] = []
    custom_attributes: dict[str, str] = {}
    properties: dict[str, Any] = {}
    uid: str | None = None
    instance_uuid: str | None = None
    bios_uuid: str | None = None
    retired: bool = False
    moref: str | None = None
    host: str | None = None
    host_name: str | None = None
