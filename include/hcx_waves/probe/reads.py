"""The reads of a probe: those that the product makes, by the same methods of the same clients."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import ParamSpec, TypeVar

from hcx_waves.clients.errors import ClientError
from hcx_waves.clients.hcx import HcxClient, HcxSite
from hcx_waves.clients.nsx import NsxPolicyClient, NsxSegment
from hcx_waves.clients.vsphere import VsphereClient

_log = logging.getLogger(__name__)

Found = TypeVar("Found")
P = ParamSpec("P")
_MOST_OF_A_KIND = 3
_MOST_VMS = 20
LOCAL = HcxSite(remote=False)


@dataclass
class Reads:
    """Makes reads one after the other; one that fails does not stop the others.

    :ivar failures: what kept reads from succeeding, by the call where it is one, else by a name of the read.
    :ivar paging: lists that do not page as asked, with what is wrong.
    """

    failures: dict[str, ClientError] = field(default_factory=dict)
    paging: dict[str, str] = field(default_factory=dict)

    def read(self, name: str, call: Callable[P, Found], *args: P.args, **options: P.kwargs) -> Found | None:
        """Make a read and return its result; None if it fails."""
        try:
            return call(*args, **options)
        except ClientError as error:
            _log.info("%s: %s", name, error)
            self.failures[name] = error
            return None

    def pages(self, key: str, whole: Sequence[str] | None, paged: Callable[[int], Iterable[str]]) -> None:
        """Read a list once more in two pages, and compare.

        :param key: the call.
        :param whole: the ids of what was listed at once.
        :param paged: lists the ids by pages of a size.
        """
        if whole is None or len(whole) < 2:
            return
        size = (len(whole) + 1) // 2
        again = self.read(key, lambda: list(paged(size)))
        if again is None:
            return
        lost = len(set(whole) - set(again))
        if lost:
            self.paging[key] = f"{lost} of {len(whole)} objects are not listed if asked for by pages of {size}"


def read_hcx(client: HcxClient, reads: Reads) -> None:
    """Make the reads of an HCX Manager."""
    reads.read("version", client.version)
    context = reads.read("hcx.metainfo.interconnect", client.metainfo)
    vc_guid = None if context is None else context.vc_guid
    reads.read("hcx.cloud_configs.list", client.cloud_configs)
    containers = reads.read("hcx.inventory.resource_containers.list", client.resource_containers) or ()
    reads.read("hcx.service_meshes.list", client.service_meshes, vc_guid)
    reads.read("hcx.appliances.query", client.appliances, vc_guid=vc_guid)
    reads.read("hcx.underlay.service_mesh_health", client.underlay_health, vc_guid)
    vms = reads.read(
        "hcx.inventory.virtual_machines.list", lambda: [vm.entity_id for vm in client.virtual_machines(LOCAL)]
    )
    reads.pages(
        "hcx.inventory.virtual_machines.list",
        vms,
        lambda size: (vm.entity_id for vm in client.virtual_machines(LOCAL, page_size=size)),
    )
    reads.read("hcx.inventory.networks.list", client.networks)
    reads.read("hcx.inventory.storage_profiles.list", client.storage_profiles)
    _read_mobility(client, reads)
    remote = next((one.endpoint_id for one in containers if one.is_local is False), None)
    local = next((one.endpoint_id for one in containers if one.is_local), None)
    for extension in islice(reads.read("hcx.l2_extensions.list", client.extensions) or (), _MOST_OF_A_KIND):
        if remote is not None and local is not None:
            _read_mon(client, reads, extension.extension_id, remote, local)


def _read_mobility(client: HcxClient, reads: Reads) -> None:
    groups = reads.read("hcx.mobility.groups.query", lambda: [one.group_id for one in client.groups()])
    reads.pages(
        "hcx.mobility.groups.query", groups, lambda size: (one.group_id for one in client.groups(page_size=size))
    )
    if groups:
        reads.read("hcx.mobility.groups.intents", client.group_intents, groups[:_MOST_OF_A_KIND])
    found = reads.read("hcx.migrations.query", lambda: [one.migration_id for one in client.query_migrations()])
    reads.pages(
        "hcx.migrations.query",
        found,
        lambda size: (one.migration_id for one in client.query_migrations(page_size=size)),
    )


def _read_mon(client: HcxClient, reads: Reads, extension_id: str, remote: str, local: str) -> None:
    reads.read(
        "hcx.l2_extensions.virtual_machines.list",
        client.mon_virtual_machines,
        extension_id,
        destination_endpoint_id=remote,
        source_endpoint_id=local,
    )


def read_nsx(client: NsxPolicyClient, reads: Reads) -> None:
    """Make the reads of an NSX manager."""
    fixed = reads.read("fixed segments", client.fixed_segments) or ()
    flexible = reads.read("flexible segments", client.flexible_segments) or ()
    reads.pages(
        "nsx.flexible_segments.list",
        [one.path for one in flexible],
        lambda size: (one.path for one in client.flexible_segments(page_size=size)),
    )
    for kind in ([one for one in (*fixed, *flexible) if one.is_fixed], [one for one in flexible if not one.is_fixed]):
        for segment in islice(kind, _MOST_OF_A_KIND):
            _read_segment(client, reads, segment)
    reads.read("nsx.realized_state.vifs", client.vifs)
    reads.read("nsx.realized_state.virtual_machines", client.virtual_machines)
    for domain in ("cgw", "default"):
        policies = reads.read(f"gateway policies of {domain}", client.gateway_policies, domain)
        for policy in islice(policies or (), _MOST_OF_A_KIND):
            reads.read("gateway policy", client.gateway_policy, str(policy.get("id") or ""), domain)


def _read_segment(client: NsxPolicyClient, reads: Reads, segment: NsxSegment) -> None:
    reads.read("segment", client.segment, segment.path)
    reads.read("segment state", client.segment_state, segment.path)
    reads.read("ARP table", client.gateway_arp_table, segment.path)
    for port in islice(reads.read("ports", client.ports, segment.path) or (), _MOST_OF_A_KIND):
        if port.path:
            reads.read("port state", client.port_state, port.path)


def read_vcenter(client: VsphereClient, reads: Reads) -> None:
    """Make the reads of a vCenter."""
    reads.read("about", client.about)
    reads.read("vcenter.service_instance.current_time", client.server_time)
    vms = reads.read("VMs", client.list_virtual_machines) or []
    some = [vm.moref for vm in vms[:_MOST_VMS]]
    reads.read("vcenter.virtual_machine.properties", client.read_virtual_machines, some, skip_missing=True)
    networks = reads.read("networks", client.list_networks) or []
    for network in networks[:1]:
        reads.read("VMs of a network", client.virtual_machines_on, network.moref)
    for listing in (
        client.list_folders,
        client.list_resource_pools,
        client.list_hosts,
        client.list_clusters,
        client.list_datastores,
    ):
        reads.read(listing.__name__, listing)
