"""The inventory document: VMs with their networks and disks, flows, where all of it came from, and how much is known.

It holds no notes of VMs and no descriptions of snapshots: those are looked through for secrets, and left out.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from hcx_waves.inventory.problems import InventoryRemark
from hcx_waves.model.base import DomainModel
from hcx_waves.model.names import VmName

FORMAT: Literal["hcx-waves-inventory"] = "hcx-waves-inventory"
VERSION: Literal[1] = 1
ROLES = ("application", "owner", "environment", "criticality", "affinity", "wave")
"""What a column of one's own (a custom attribute, a tag category) may mean."""


class EstateNic(DomainModel):
    """A network card."""

    network: str
    """The network's name; empty if it is in none."""
    mac: str | None = None
    connected: bool = True


class EstateDisk(DomainModel):
    """A disk."""

    path: str = ""
    """``[datastore] folder/file.vmdk``: two VMs with the same path share the disk."""
    capacity_bytes: int = Field(default=0, ge=0)
    shared: bool = False
    """Whether the VM's own settings let others write to it."""
    raw: bool = False


class EstateVm(DomainModel):
    """A virtual machine."""

    key: str
    """The identity in this document: ``<vCenter's UUID>/<VM id>``, as far as they are known, else the name."""
    name: VmName
    vcenter_uuid: str | None = None
    moref: str | None = None
    instance_uuid: str | None = None
    bios_uuid: str | None = None
    power: Literal["poweredOn", "poweredOff", "suspended"] | None = None
    template: bool = False
    host_name: str | None = None
    """The guest's name in DNS."""
    guest: str | None = None
    datacenter: str | None = None
    cluster: str | None = None
    host: str | None = None
    folder: str | None = None
    resource_pool: str | None = None
    cpus: int | None = None
    memory_mb: int | None = None
    provisioned_bytes: int | None = None
    used_bytes: int | None = None
    change_bytes_per_second: float | None = None
    nics: tuple[EstateNic, ...] = ()
    disks: tuple[EstateDisk, ...] = ()
    cluster_rules: tuple[str, ...] = ()
    """Names of affinity rules; the files do not say of which kind."""
    apart_from: tuple[str, ...] = ()
    """Keys of VMs that an anti-affinity rule keeps it apart from."""
    application: str | None = None
    owner: str | None = None
    environment: str | None = None
    criticality: str | None = None
    affinity: str | None = None
    wave: str | None = None
    """The wave that a list asks for."""

    @property
    def networks(self) -> tuple[str, ...]:
        """The names of its networks, each once, sorted."""
        return tuple(sorted({nic.network for nic in self.nics if nic.network}))


class EstateNetwork(DomainModel):
    """A network that the files describe."""

    name: str
    switch: str | None = None
    vlan: str | None = None
    extended: bool = False
    """Whether HCX has extended it already."""


class EstateFlow(DomainModel):
    """Traffic that was seen between two VMs."""

    source: str
    """The key of a VM."""
    destination: str
    """The same."""
    port: int | None = None
    bytes: int | None = Field(default=None, ge=0)
    first: str | None = None
    last: str | None = None


class InventorySource(DomainModel):
    """A file that was read."""

    file: str
    kind: str
    """``rvtools``, ``list``, ``powercli``, ``cmf``, ``azure-migrate``, ``hcx-wave``, ``snapshot``, ``flows``,
    ``azure-dependencies``."""
    sha256: str
    captured_at: AwareDatetime | None = None
    """When the inventory was exported, if the file says so with a time zone."""
    read: dict[str, int] = Field(default={})
    """The sheets or tables that were read, with their rows."""
    ignored: tuple[str, ...] = ()
    """The sheets that were not."""
    own_columns: tuple[str, ...] = ()
    """Custom attributes and tag categories of the export; ``--column`` gives them a meaning."""


class InventoryCoverage(DomainModel):
    """How much is known in one category of data."""

    category: Literal["inventory", "networks", "disks", "applications", "flows", "criticality"]
    known: int
    """VMs of which it is known."""
    vms: int

    @property
    def share(self) -> float:
        """The share of the VMs, 0 to 1."""
        return self.known / self.vms if self.vms else 0.0


class InventoryDocument(DomainModel):
    """What is known of an estate."""

    format: Literal["hcx-waves-inventory"] = FORMAT
    version: Literal[1] = VERSION
    sources: tuple[InventorySource, ...] = ()
    coverage: tuple[InventoryCoverage, ...] = ()
    vms: tuple[EstateVm, ...] = ()
    networks: tuple[EstateNetwork, ...] = ()
    flows: tuple[EstateFlow, ...] = ()
    remarks: tuple[InventoryRemark, ...] = ()
