"""The closed schema of a scenario document."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from hcx_sim.faults.rules import FaultRule
from hcx_sim.settings import WorldSettings
from hcx_sim.world.model import Power, SiteName, VmRole

ALL_SERVICES = ["INTERCONNECT", "VMOTION", "BULK_MIGRATION", "RAV", "NETWORK_EXTENSION"]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SiteSpec(_Document):
    """One site; ``nsx`` decides paths, logins and what the manager offers."""

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


class MeshSpec(_Document):
    """A service mesh; bandwidth of the link that its IX appliances share."""

    name: str = "mesh-1"
    link_mbps: float = Field(default=1000.0, gt=0)
    services: list[str] = ALL_SERVICES
    network_extension_appliances: int = Field(default=1, ge=0, le=32)
    round_trip_ms: float = Field(default=10.0, ge=0)
    loss_percent: float = Field(default=0.0, ge=0, le=100)


class NetworkSpec(_Document):
    """A network at one site, stretched to the other or not.

    ``kind``: NSX segment ``fixed`` or ``flexible``, ``vlan`` (port group behind a physical router) or
    ``standard`` (standard switch, cannot be stretched). ``gateway`` defaults to the subnet's first address.
    """

    name: str
    subnet: IPv4Network
    gateway: IPv4Address | None = None
    no_gateway: bool = False
    site: SiteName = SiteName.SOURCE
    kind: Literal["fixed", "flexible", "vlan", "standard"] | None = None
    vlan_id: int | None = Field(default=None, ge=0, le=4094)
    connectivity: Literal["ON", "OFF"] = "ON"
    dhcp_ranges: list[str] = []
    stretched: bool = False
    mesh: str | None = None
    destination_name: str | None = None
    mon: bool = False
    port_binding: Literal["earlyBinding", "lateBinding", "ephemeral"] = "earlyBinding"
    properties: dict[str, Any] = {}

    @property
    def gateway_interface(self) -> IPv4Interface | None:
        """The gateway's address with the subnet's prefix length, None without a gateway."""
        if self.no_gateway:
            return None
        address = self.gateway or next(self.subnet.hosts())
        return IPv4Interface(f"{address}/{self.subnet.prefixlen}")


class NicSpec(_Document):
    """A network card: the network's name and the guest's addresses."""

    network: str
    ips: list[IPv4Address] = []
    mac: str | None = None
    connected: bool = True


class DiskSpec(_Document):
    """A disk; ``used_gb`` (default: 60 % of the size) is what a first replication copies."""

    size_gb: float = Field(gt=0)
    used_gb: float | None = Field(default=None, ge=0)
    mode: str = "persistent"
    sharing: str = "sharingNone"
    backing: Literal["flat", "rdmPhysical", "rdmVirtual"] = "flat"


class VmSpec(_Document):
    """A VM; ``properties`` overrides any vSphere property path with plain data."""

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
    snapshots: list[str] = []
    iso: str | None = None
    folder: str = "Workloads"
    resource_pool: str = "Compute-ResourcePool"
    tags: list[str] = []
    custom_attributes: dict[str, str] = {}
    properties: dict[str, Any] = {}
    uid: str | None = None
    instance_uuid: str | None = None
    bios_uuid: str | None = None
    retired: bool = False


class Scenario(_Document):
    """Everything from which a world is built.

    ``start`` is the first virtual instant; without it a scaled world starts at the wall clock's now, a paused
    or stepped one at a fixed instant.
    """

    name: str
    description: str = ""
    seed: int = 1
    start: AwareDatetime | None = None
    settings: WorldSettings = WorldSettings()
    sites: dict[SiteName, SiteSpec] = Field(default_factory=dict)
    meshes: list[MeshSpec] = Field(default_factory=lambda: [MeshSpec()])
    networks: list[NetworkSpec] = []
    vms: list[VmSpec] = []
    faults: list[FaultRule] = []

    def site_spec(self, site: SiteName) -> SiteSpec:
        """Return a site's description, the default one when the document has none."""
        return self.sites.get(site, SiteSpec())

    def start_at(self, default: datetime) -> datetime:
        """Return the first virtual instant."""
        return self.start or default

    @model_validator(mode="after")
    def _names_fit(self) -> Scenario:
        problems = [
            *_duplicates("mesh", [mesh.name for mesh in self.meshes]),
            *_duplicates("network", [f"{n.site}/{n.name}" for n in self.networks]),
            *_duplicates("vm", [f"{vm.site}/{vm.name}" for vm in self.vms]),
            *self._unknown_names(),
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _unknown_names(self) -> list[str]:
        meshes = {mesh.name for mesh in self.meshes}
        known = {(n.site, n.name) for n in self.networks}
        known |= {(SiteName.DESTINATION, n.destination_name or n.name) for n in self.networks if n.stretched}
        problems = [
            f"network {n.name!r}: no mesh called {n.mesh!r}" for n in self.networks if n.mesh and n.mesh not in meshes
        ]
        problems += [
            f"network {n.name!r}: only source networks are stretched"
            for n in self.networks
            if n.stretched and n.site is not SiteName.SOURCE
        ]
        for vm in self.vms:
            spec = self.site_spec(vm.site)
            problems += [
                f"vm {vm.name!r}: no network called {nic.network!r} at the {vm.site.value}"
                for nic in vm.nics
                if (vm.site, nic.network) not in known
            ]
            if vm.folder not in spec.folders:
                problems.append(f"vm {vm.name!r}: no folder called {vm.folder!r}")
            if vm.resource_pool not in spec.resource_pools:
                problems.append(f"vm {vm.name!r}: no resource pool called {vm.resource_pool!r}")
        return problems


def _duplicates(kind: str, names: list[str]) -> list[str]:
    return [f"two {kind}s are called {name!r}" for name, count in sorted(Counter(names).items()) if count > 1]
