"""Everything in a vCenter that is not a virtual machine: frozen results, vendor's terms, None means unset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class About:
    """What vCenter says about itself."""

    name: str
    full_name: str
    version: str
    build: str
    api_type: str
    api_version: str
    instance_uuid: str | None


@dataclass(frozen=True)
class SessionInfo:
    """The logged-in session. The session key is a credential and therefore not shown."""

    user_name: str
    full_name: str | None
    login_time: datetime | None
    last_active_time: datetime | None
    api_version: str


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network that VMs can be on: a standard one, or one of the derived kinds."""

    moref: str
    name: str
    accessible: bool | None = None


@dataclass(frozen=True, kw_only=True)
class DistributedVirtualPortgroup(Network):
    """A distributed port group.

    :param key: what NIC backings refer to.
    :param backing_type: ``standard`` or ``nsx``; an NSX one belongs to a segment.
    :param segment_id: for ``nsx``, the segment's id or policy path.
    :param binding: ``earlyBinding``, ``lateBinding`` or ``ephemeral``.
    """

    key: str
    switch: str | None = None
    backing_type: str | None = None
    segment_id: str | None = None
    logical_switch_uuid: str | None = None
    transport_zone_uuid: str | None = None
    binding: str | None = None
    is_uplink: bool = False
    config_version: str | None = None

    @property
    def is_nsx(self) -> bool:
        """Whether NSX owns the port group."""
        return self.backing_type == "nsx"


@dataclass(frozen=True, kw_only=True)
class OpaqueNetwork(Network):
    """A network of another manager, as older SDDCs show NSX segments.

    :param opaque_id: the logical switch's id.
    :param opaque_type: ``nsx.LogicalSwitch`` and the like.
    """

    opaque_id: str | None = None
    opaque_type: str | None = None


@dataclass(frozen=True)
class Folder:
    """A folder. ``path`` is e.g. ``/SDDC-Datacenter/vm/Workloads``; names in it are decoded."""

    moref: str
    name: str
    path: str
    parent: str | None
    child_types: tuple[str, ...]


@dataclass(frozen=True)
class ResourcePool:
    """A resource pool. ``owner`` is the cluster's (or host's) moref; the root pool is called ``Resources``."""

    moref: str
    name: str
    parent: str | None
    owner: str | None


@dataclass(frozen=True)
class Host:
    """An ESXi host. ``parent`` is its cluster."""

    moref: str
    name: str
    parent: str | None
    connection_state: str | None
    power_state: str | None
    in_maintenance_mode: bool | None
    version: str | None
    max_evc_mode: str | None
    current_evc_mode: str | None


@dataclass(frozen=True)
class ClusterRule:
    """An affinity rule. ``kind`` is the vendor's type, e.g. ``AntiAffinityRuleSpec``; ``vms`` are morefs."""

    name: str
    kind: str
    enabled: bool | None
    mandatory: bool | None
    vms: tuple[str, ...]


@dataclass(frozen=True)
class Cluster:
    """A cluster. CPU in MHz, memory in MB, as left over for VMs."""

    moref: str
    name: str
    parent: str | None
    resource_pool: str | None
    hosts: tuple[str, ...]
    datastores: tuple[str, ...]
    networks: tuple[str, ...]
    effective_cpu_mhz: int | None
    effective_memory_mb: int | None
    host_count: int | None
    effective_host_count: int | None
    evc_mode: str | None
    rules: tuple[ClusterRule, ...]


@dataclass(frozen=True)
class Datastore:
    """A datastore with its room."""

    moref: str
    name: str
    kind: str | None
    url: str | None
    accessible: bool | None
    maintenance_mode: str | None
    capacity_bytes: int | None
    free_bytes: int | None
