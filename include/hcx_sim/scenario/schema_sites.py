"""The part of a scenario that describes a real site: its managers' identities, its places and its datastores.

A made-up site needs none of it; see :class:`~hcx_sim.scenario.schema.SiteSpec` for the short form.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

PlaceKind = Literal[
    "Folder",
    "Datacenter",
    "ClusterComputeResource",
    "ComputeResource",
    "HostSystem",
    "ResourcePool",
    "VirtualApp",
    "VmwareDistributedVirtualSwitch",
]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")


class IdentitySpec(_Document):
    """Who the managers of a site say they are; what is None is made up from the seed."""

    vcenter_name: str | None = None
    vcenter_instance_uuid: str | None = None
    hcx_endpoint_id: str | None = None
    hcx_endpoint_name: str | None = None
    hcx_type: str | None = None
    enforcement_point: str | None = None
    transport_zone_path: str | None = None


class PlaceSpec(_Document):
    """A folder, datacentre, cluster, host, pool or switch by its MoRef.

    ``properties`` are the place's own facts (``memory_bytes``, ``evc_mode``, ``child_type``) and overrides of
    vSphere property paths (``runtime.inMaintenanceMode``).
    """

    moref: str
    kind: PlaceKind
    name: str
    parent: str | None = None
    properties: dict[str, Any] = {}


class DatastoreSpec(_Document):
    """A datastore by its MoRef. ``free_gb`` counts what is on it already; None: what the scenario's VMs leave."""

    moref: str
    name: str
    kind: str = "vsan"
    capacity_gb: float = Field(gt=0)
    free_gb: float | None = Field(default=None, ge=0)
    properties: dict[str, Any] = {}


class FirewallRuleSpec(_Document):
    """A rule of the gateway firewall. ``cidrs``: the networks it is about, empty means any."""

    policy_id: str = "default"
    rule_id: str
    action: Literal["ALLOW", "DROP", "REJECT"] = "ALLOW"
    sequence_number: int = Field(default=0, ge=0)
    enabled: bool = True
    cidrs: list[str] = []
    body: dict[str, Any] = {}


class ApplianceSpec(_Document):
    """A pair of appliances of a mesh, by the names of their VMs at the two sites."""

    kind: Literal["IX", "NE"]
    source: str
    destination: str


class ExtensionSpec(_Document):
    """An extension between two networks of the scenario, each given by MoRef or name."""

    extension_id: str
    source: str
    destination: str
    mesh: str | None = None
    source_appliance: str | None = None
    destination_appliance: str | None = None
    up: bool = True
    mon: bool = False
    mon_vms: list[str] = []


class MigrationSpec(_Document):
    """A migration that HCX knows of when the world begins: it stands where it stood and moves nothing.

    Instants are epoch milliseconds.
    """

    migration_id: str
    group_id: str
    entity_id: str
    entity_name: str
    phase: Literal["draft", "running", "complete", "failed", "transfer_failed", "cancelled"]
    message: str = ""
    kind: str | None = None
    created_ms: int = 0
    ended_ms: int | None = None
    leaves_source: bool = True
    archived: bool = False


class GroupSpec(_Document):
    """A mobility group that HCX knows of when the world begins."""

    group_id: str
    name: str
