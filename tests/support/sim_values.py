"""What the placeholders of the contract samples stand for in a living world.

Taken from the world's facts, not from a product's answers, so that both can be compared; ids that only a product
gives out (appliances, tokens) are asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Interface
from typing import TYPE_CHECKING, Any

from hcx_sim.world.model import (
    Bridge,
    Datastore,
    Nic,
    Placement,
    Port,
    Segment,
    Site,
    SiteName,
    VcNetwork,
    Vm,
    VmRole,
)
from support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from support.sim_contract import Stage

# Placeholders whose example value is as good as any other: names that are free, secrets that are wrong.
SAFE_EXAMPLES = frozenset({
    "unknown_id", "wrong_password", "wrong_refresh_token", "group_name", "new_segment_id", "new_segment_name",
    "gateway_rule_id",
})  # fmt: skip
VCENTER_TYPES = {
    "cluster": "ClusterComputeResource",
    "datacenter": "Datacenter",
    "resource_pool": "ResourcePool",
    "dvs": "VmwareDistributedVirtualSwitch",
}


class UnresolvedError(KeyError):
    """The world has nothing that a placeholder could stand for, or only the answer can tell."""


Resolver = Callable[["Stage"], str | int]


def found(value: Any) -> Any:
    """Pass a value on; raises :class:`UnresolvedError` for None."""
    if value is None:
        raise UnresolvedError
    return value


def site_of(stage: Stage, side: str | None = None) -> Site:
    """The site that is asked, or one by name."""
    return stage.pair.world.sites[side or stage.site.value]


def vm_of(stage: Stage) -> Vm:
    """The VM of the samples: the one that a set-up has named, else the first running workload at the site."""
    if stage.vm:
        return stage.pair.vm(stage.vm)
    site = SiteName.SOURCE if stage.sample.system == "hcx" else stage.site
    workloads = (vm for vm in stage.pair.world.vms.values() if vm.site is site and vm.role is VmRole.WORKLOAD)
    return found(next((vm for vm in workloads if not vm.retired and not vm.template), None))  # type: ignore[no-any-return]


def template_of(stage: Stage) -> Vm:
    """The first template of the site."""
    templates = (vm for vm in stage.pair.world.vms.values() if vm.site is stage.site and vm.template)
    return found(next(templates, None))  # type: ignore[no-any-return]


def nic_of(stage: Stage) -> Nic:
    """The VM's first network card."""
    return vm_of(stage).nics[0]


def network_of(stage: Stage) -> VcNetwork:
    """The network of the VM's first card."""
    vm = vm_of(stage)
    return stage.pair.world.networks[f"{vm.site}/{vm.nics[0].network_moref}"]


def path_of(stage: Stage, segment: Segment) -> str:
    """The policy path of a segment."""
    parent = f"/infra/tier-1s/{site_of(stage, segment.site.value).tier1_id}" if segment.fixed else "/infra"
    return f"{parent}/segments/{segment.segment_id}"


def hcx_network_id(stage: Stage, network: VcNetwork) -> str:
    """How HCX names a network: the path of its segment, else its moref."""
    if network.segment_id is None:
        return network.moref
    return path_of(stage, stage.pair.world.segments[f"{network.site}/{network.segment_id}"])


def hcx_network_type(network: VcNetwork) -> str:
    """The HCX type of a network."""
    if network.segment_id is not None:
        return "NsxtSegment"
    return "Network" if network.network_kind.value == "standard" else "DistributedVirtualPortgroup"


def bridge_of(stage: Stage) -> Bridge:
    """The first network extension."""
    return found(next(iter(stage.pair.world.bridges.values()), None))  # type: ignore[no-any-return]


def far_segment_of(stage: Stage) -> Segment:
    """The destination segment of the first network extension."""
    return stage.pair.world.segments[bridge_of(stage).destination_segment_key]


def placement_of(stage: Stage, site: SiteName | str, kind: str) -> Placement:
    """The first object of a kind in a vCenter; of the resource pools one below the root."""
    wanted = VCENTER_TYPES[kind]
    fits = [p for p in stage.pair.world.placements.values() if p.site == site and p.type_name == wanted]
    return fits[-1] if kind == "resource_pool" else fits[0]


def folder_of(stage: Stage, site: SiteName | str) -> Placement:
    """The folder of the workloads."""
    placements = stage.pair.world.placements.values()
    return next(p for p in placements if p.site == site and p.type_name == "Folder" and p.name == "Workloads")


def datastore_of(stage: Stage, site: SiteName | str) -> Datastore:
    """The first datastore of a site."""
    return next(d for d in stage.pair.world.datastores.values() if d.site == site)


def segment_of(stage: Stage) -> Segment:
    """The segment of the samples: the one that a set-up has named, else that of the VM."""
    name = stage.segment or found(network_of(stage).segment_id)
    return found(stage.pair.world.segments.get(f"{stage.site}/{name}"))  # type: ignore[no-any-return]


def interface_of(stage: Stage) -> IPv4Interface:
    """Gateway and subnet of the segment of the samples, of the extended network in HCX ones."""
    segment = far_segment_of(stage) if stage.sample.system == "hcx" else segment_of(stage)
    return IPv4Interface(found(segment.gateway_cidr))


def dhcp_range(stage: Stage) -> str:
    """A DHCP range of the subnet, or one that may be added to it."""
    ranges = segment_of(stage).dhcp_ranges
    prefix = str(interface_of(stage).ip).rpartition(".")[0]
    return ranges[0] if ranges else f"{prefix}.200-{prefix}.210"


def port_of(stage: Stage) -> Port:
    """The segment port of the VM's first card."""
    vm = vm_of(stage)
    ports = (p for p in stage.pair.world.ports.values() if p.site is vm.site and p.vm_uid == vm.uid)
    return found(next((p for p in ports if p.mac == vm.nics[0].mac), None))  # type: ignore[no-any-return]


def appliance_id(stage: Stage, site: str) -> str:
    """The Network Extension appliance of a site, as its manager names it."""
    body = {"filter": {"applianceType": "HCX-NET-EXT", "endpointId": site_of(stage, site).hcx_endpoint_id}}
    return str(stage.ask("POST", "/interconnect/appliances/query", body)["items"][0]["applianceId"])


def access_token(stage: Stage) -> str:
    """A fresh access token of the cloud service; in samples of the sign-in service it is what the answer gives."""
    if stage.sample.system == "csp":
        raise UnresolvedError
    form = {"refresh_token": stage.pair.credentials.refresh_token}
    path = "/csp/gateway/am/api/auth/api-tokens/authorize"
    answer = stage.pair.http().post(stage.pair.url("csp") + path, data=form, timeout=HANG_SECONDS)
    return str(answer.json()["access_token"])


def window_ms(stage: Stage, hours: int) -> int:
    """An instant so many hours ahead."""
    return int((stage.pair.now.timestamp() + hours * 3600) * 1000)


def _credentials(stage: Stage, part: str) -> str:
    system = stage.sample.system
    return str(getattr(stage.pair.login("nsx" if system == "nsx" else "hcx", stage.site), part))


RESOLVERS: dict[str, Resolver] = {
    "username": lambda s: _credentials(s, "username"),
    "password": lambda s: _credentials(s, "password"),
    "vm_id": lambda s: vm_of(s).moref,
    "vm_name": lambda s: vm_of(s).name,
    "mac_address": lambda s: nic_of(s).mac,
    "vm_ip_address": lambda s: nic_of(s).ip_addresses[0],
    "instance_uuid": lambda s: vm_of(s).instance_uuid,
    "bios_uuid": lambda s: vm_of(s).bios_uuid,
    "vc_guid": lambda s: site_of(s).vcenter_instance_uuid,
    # HCX
    "mesh_id": lambda s: found(next(iter(s.pair.world.meshes), None)),
    "stretch_id": lambda s: bridge_of(s).key,
    "gateway_address": lambda s: str(interface_of(s).ip),
    "netmask": lambda s: str(interface_of(s).netmask),
    "window_start_ms": lambda s: window_ms(s, 1),
    "window_end_ms": lambda s: window_ms(s, 2),
    "source_network_id": lambda s: hcx_network_id(s, network_of(s)),
    "source_network_name": lambda s: network_of(s).name,
    "source_network_type": lambda s: hcx_network_type(network_of(s)),
    "destination_network_id": lambda s: path_of(s, far_segment_of(s)),
    "destination_network_name": lambda s: far_segment_of(s).display_name,
    "destination_gateway_id": lambda s: f"/infra/tier-1s/{site_of(s, 'destination').tier1_id}",
    "remote_hcx_url": lambda s: s.pair.url("hcx", s.site.other),
    # NSX
    "segment_id": lambda s: segment_of(s).segment_id,
    "segment_name": lambda s: segment_of(s).display_name,
    "segment_path": lambda s: path_of(s, segment_of(s)),
    "gateway_cidr": lambda s: str(interface_of(s)),
    "subnet_cidr": lambda s: str(interface_of(s).network),
    "dhcp_range": dhcp_range,
    "tier_1_id": lambda s: site_of(s).tier1_id,
    "transport_zone_path": lambda s: site_of(s).transport_zone_path,
    "enforcement_point_id": lambda s: site_of(s).enforcement_point,
    "domain_id": lambda s: "cgw" if site_of(s).nsx_flavour == "vmc" else "default",
    "gateway_policy_id": lambda s: "default",
    "port_id": lambda s: port_of(s).port_id,
    "unique_id": lambda s: s.ask("GET", path_of(s, segment_of(s)), system="nsx")["unique_id"],
    "attachment_id": lambda s: found(port_of(s).attachment_id),
    # vCenter
    "host_id": lambda s: vm_of(s).host_moref,
    "folder_id": lambda s: vm_of(s).folder_moref,
    "resource_pool_id": lambda s: found(vm_of(s).pool_moref),
    "datastore_id": lambda s: vm_of(s).disks[0].datastore_moref,
    "network_moref": lambda s: network_of(s).moref,
    "network_name": lambda s: network_of(s).name,
    "template_id": lambda s: template_of(s).moref,
    "template_name": lambda s: template_of(s).name,
    # the cloud
    "access_token": access_token,
    "refresh_token": lambda s: s.pair.credentials.refresh_token,
    "org_id": lambda s: s.pair.credentials.org_id,
    "sddc_id": lambda s: site_of(s).sddc_id,
    "nsx_password": lambda s: s.pair.login("nsx", s.site).password,
    "vc_password": lambda s: s.pair.login("vcenter", s.site).password,
}


def _of_both_sites(side: str) -> dict[str, Resolver]:
    """Resolvers of the placeholders that name a site."""
    return {
        f"{side}_endpoint_id": lambda s: site_of(s, side).hcx_endpoint_id,
        f"{side}_resource_id": lambda s: site_of(s, side).vcenter_instance_uuid,
        f"{side}_cluster_id": lambda s: placement_of(s, side, "cluster").moref,
        f"{side}_datacenter_id": lambda s: placement_of(s, side, "datacenter").moref,
        f"{side}_resource_pool_id": lambda s: placement_of(s, side, "resource_pool").moref,
        f"{side}_dvs_id": lambda s: placement_of(s, side, "dvs").moref,
        f"{side}_folder_id": lambda s: folder_of(s, side).moref,
        f"{side}_datastore_id": lambda s: datastore_of(s, side).moref,
        f"{side}_storage_profile_id": lambda s: next(iter(datastore_of(s, side).policies)),
        f"{side}_appliance_id": lambda s: appliance_id(s, side),
    }


RESOLVERS |= _of_both_sites("source") | _of_both_sites("destination")
