"""Takes a snapshot: reads both sites and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from hcx_snapshot.model import (
    FORMAT,
    VERSION,
    EndpointPart,
    ExtensionPart,
    HcxPart,
    SitePart,
    Snapshot,
    VcenterPart,
    VmPart,
)
from hcx_waves.clients import hcx as hcx_models
from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.hcx.inventory import HcxSite
from hcx_waves.clients.nsx import NsxPolicyClient, NsxSegment, Vif
from hcx_waves.clients.vsphere import VsphereClient
from hcx_waves.clients.vsphere.inventory_models import About
from hcx_waves.clients.vsphere.models import VirtualMachineDetail, VirtualMachineSummary
from hcx_waves.model.plan import PlannedSite
from hcx_waves.resolve.network_index import NetworkIndex
from hcx_waves.resolve.problems import PlanError, Problems
from hcx_waves.resolve.sites import planned_sites
from hcx_waves.snapshot import interconnect
from hcx_waves.snapshot.machines import vm_of
from hcx_waves.snapshot.networks import networks_of, nsx_of, owners_of
from hcx_waves.snapshot.places import Furniture, datastores_of, places_of
from hcx_waves.snapshot.scope import Neighbourhood, SnapshotScope, neighbourhood_of, segment_ids_of
from hcx_waves.wavefile.wave import Wave

_AT_ONCE = 500


class SnapshotError(ValueError):
    """A snapshot of these sites cannot be taken; the message lists every reason, one a line."""


@dataclass
class _End:
    """One site while it is read."""

    vcenter: VsphereClient
    nsx: NsxPolicyClient | None
    about: About
    vms: list[VirtualMachineSummary]
    networks: NetworkIndex
    segments: tuple[NsxSegment, ...]
    details: dict[str, VirtualMachineDetail]

    @classmethod
    def read(
        cls, vcenter: VsphereClient, nsx: NsxPolicyClient | None, hcx: hcx_models.HcxClient, side: HcxSite
    ) -> _End:
        """Read what is read of every site: all VMs lightly, all networks, all segments."""
        return cls(
            vcenter=vcenter,
            nsx=nsx,
            about=vcenter.about(),
            vms=vcenter.list_virtual_machines(),
            networks=NetworkIndex(vcenter.list_networks(), hcx.networks(side)),
            segments=() if nsx is None else nsx.segments(),
            details={},
        )

    def look_closely(self, is_meant: Callable[[VirtualMachineSummary], bool]) -> list[VirtualMachineDetail]:
        """Read everything about the VMs that are meant and were not read yet; return these."""
        morefs = [vm.moref for vm in self.vms if vm.moref not in self.details and is_meant(vm)]
        fresh: list[VirtualMachineDetail] = []
        for start in range(0, len(morefs), _AT_ONCE):
            fresh += self.vcenter.read_virtual_machines(morefs[start : start + _AT_ONCE], skip_missing=True)
        self.details |= {detail.moref: detail for detail in fresh}
        return fresh


def take_snapshot(
    clients: SiteClients,
    wanted: Iterable[Wave | str],
    *,
    now: datetime,
    whole_inventory: bool = False,
    change_rates: Mapping[str, float] | None = None,
) -> Snapshot:
    """Read a site pair. Every call is a read; give clients that may change nothing (``ClientOptions.read_only``).

    :param wanted: waves, and names of VMs that belong to none.
    :param now: when reading begins.
    :param whole_inventory: keep every VM of both sites, not only the waves' and their neighbours.
    :param change_rates: bytes per second that the disks of a VM change, by VM name, where they are known.
    :raises SnapshotError: if HCX does not pair these two vCenters.
    :raises ClientError: if a product cannot be read.
    """
    return _Reading(clients, SnapshotScope.of(wanted), whole_inventory, dict(change_rates or {})).snapshot(now)


class _Reading:
    """One snapshot while it is taken."""

    def __init__(
        self, clients: SiteClients, scope: SnapshotScope, whole: bool, change_rates: Mapping[str, float]
    ) -> None:
        self._scope, self._whole, self._rates = scope, whole, change_rates
        self._hcx = clients.hcx
        self._here = _End.read(clients.source_vcenter, clients.source_nsx, self._hcx, HcxSite(remote=False))
        self._there = _End.read(clients.destination_vcenter, clients.destination_nsx, self._hcx, HcxSite(local=False))
        self._vc_guid = self._hcx.metainfo().vc_guid
        self._appliances = self._hcx.appliances(vc_guid=self._vc_guid)
        self._containers = self._hcx.resource_containers()
        self._sites = self._paired()

    def snapshot(self, now: datetime) -> Snapshot:
        extensions = self._extensions()
        segments = {"source": self._here.segments, "destination": self._there.segments}
        near = neighbourhood_of(
            self._scope, self._here.vms, self._here.networks, self._there.networks, extensions, segments
        )
        vifs = self._look_closely(near)
        hcx = self._hcx_part(extensions)
        owners = owners_of([*vifs[0], *vifs[1]])
        source = self._site(self._here, self._sites[0], near.source, owners)
        destination = self._site(self._there, self._sites[1], frozenset(), owners)
        return Snapshot(
            format=FORMAT,
            version=VERSION,
            taken_at=now,
            waves=self._scope.waves,
            whole=self._whole,
            sources=self._sources(source.vms, destination.vms, hcx),
            source=source,
            destination=destination,
            hcx=hcx,
        )

    def _paired(self) -> tuple[PlannedSite, PlannedSite]:
        problems = Problems()
        sites = planned_sites(self._containers, self._here.about, self._there.about, problems)
        if sites is None:
            raise SnapshotError(str(PlanError(problems.found)))
        return sites

    def _extensions(self) -> tuple[ExtensionPart, ...]:
        listed = self._hcx.extensions()
        source, destination = self._sites
        routed = {}
        for one in listed:
            if one.features.mobility_optimized_networking:
                vms = self._hcx.mon_virtual_machines(
                    one.extension_id,
                    destination_endpoint_id=destination.endpoint_id,
                    source_endpoint_id=source.endpoint_id,
                )
                routed[one.extension_id] = tuple(sorted(vm.name for vm in vms if vm.is_proximity_routed))
        return interconnect.extensions_of(
            listed, self._here.networks, self._there.networks, destination.endpoint_id, self._appliances, routed
        )

    def _look_closely(self, near: Neighbourhood) -> tuple[tuple[Vif, ...], tuple[Vif, ...]]:
        """Read the VMs that belong to the snapshot; return what NSX knows of NICs, of the source and the other site."""
        here, there = self._here, self._there
        names = {one.appliance_name for one in self._appliances}
        peers = {name for one in self._appliances for name in interconnect.peer_names(one)}

        def chosen(morefs: frozenset[str], appliances: Collection[str]) -> Callable[[VirtualMachineSummary], bool]:
            return lambda vm: (
                self._whole
                or self._scope.is_wanted(vm)
                or vm.name in appliances
                or vm.name in self._scope.stays
                or not morefs.isdisjoint(vm.networks)
            )

        here.look_closely(chosen(near.source, names))
        there.look_closely(chosen(near.destination, peers | names))
        vifs = tuple(() if end.nsx is None else end.nsx.vifs() for end in (here, there))
        self._look_at_doubles([*vifs[0], *vifs[1]])
        return vifs[0], vifs[1]

    def _look_at_doubles(self, vifs: Collection[Vif]) -> None:
        """Read the VMs that share a MAC address or an instance UUID with a VM that is asked for."""
        asked = [vm for end in (self._here, self._there) for vm in end.details.values() if self._scope.is_wanted(vm)]
        macs = {mac for vm in asked for mac in vm.macs}
        uuids = {vm.instance_uuid.lower() for vm in asked if vm.instance_uuid}
        uuids |= {(vif.owner_vm_id or "").lower() for vif in vifs if (vif.mac_address or "").lower() in macs}
        for end in (self._here, self._there):
            end.look_closely(lambda vm: bool(vm.instance_uuid) and str(vm.instance_uuid).lower() in uuids)

    def _site(
        self, end: _End, planned: PlannedSite, near: Collection[str], owners: Mapping[str, str | None]
    ) -> SitePart:
        furniture = Furniture.of(end.vcenter)
        networks = networks_of(end.networks, end.segments)
        is_source = end is self._here
        uuids = {vm.instance_uuid.lower() for vm in end.vms if vm.instance_uuid}
        closely = segment_ids_of(end.networks, near)
        return SitePart(
            vcenter=VcenterPart(
                instance_uuid=planned.compute_resource_id,
                name=planned.vcenter_name or end.about.name,
                version=end.about.version,
                build=end.about.build,
            ),
            endpoint=self._endpoint(planned, is_source),
            nsx=None
            if end.nsx is None
            else nsx_of(end.nsx, end.segments, closely, owners, uuids, firewall=not is_source),
            places=places_of(furniture, [network.moref for network in networks]),
            datastores=datastores_of(furniture),
            networks=networks,
            vms=self._vms(end),
        )

    def _endpoint(self, planned: PlannedSite, is_source: bool) -> EndpointPart:
        kinds = {one.endpoint_id: one.endpoint_type for one in self._containers}
        if is_source:
            version: str | None = self._hcx.version().text
        else:
            paired = [one for one in self._hcx.cloud_configs() if one.endpoint_id == planned.endpoint_id]
            version = paired[0].version if paired else None
        return EndpointPart(
            endpoint_id=planned.endpoint_id,
            name=planned.endpoint_name,
            kind=kinds.get(planned.endpoint_id),
            hcx_version=version,
        )

    def _vms(self, end: _End) -> tuple[VmPart, ...]:
        appliances = {one.appliance_name for one in self._appliances}
        appliances |= {name for one in self._appliances for name in interconnect.peer_names(one)}
        details = sorted(end.details.values(), key=lambda vm: vm.moref)
        stays = self._scope.stays if end is self._here else ()
        return tuple(
            vm_of(one, end.networks, stays=stays, appliances=appliances, change_rates=self._rates) for one in details
        )

    def _hcx_part(self, extensions: tuple[ExtensionPart, ...]) -> HcxPart:
        hcx = self._hcx
        present = {one.migration_id for one in hcx.query_migrations()}
        asked = {moref for moref, vm in self._here.details.items() if self._scope.is_wanted(vm)}
        names = {vm.name for vm in self._here.details.values()} | {vm.name for vm in self._there.details.values()}
        migrations = interconnect.migrations_of(
            hcx.query_migrations(include_archived=True), present, asked, names, self._sites[0].endpoint_id
        )
        return HcxPart(
            version=hcx.version().text,
            meshes=interconnect.meshes_of(
                hcx.service_meshes(self._vc_guid), self._appliances, interconnect.underlay_of(hcx, self._vc_guid)
            ),
            extensions=extensions,
            storage_policies=interconnect.policies_of(
                hcx.storage_profiles(), self._sites[0].endpoint_id, self._sites[1].endpoint_id
            ),
            migrations=migrations,
            groups=interconnect.groups_of(hcx.groups(), migrations),
            limits=dict(interconnect.LIMITS),
        )

    def _sources(self, source: Collection[VmPart], destination: Collection[VmPart], hcx: HcxPart) -> dict[str, str]:
        """Say how the parts came to be known."""
        vms = [*source, *destination]
        movable = [vm for vm in source if not vm.hcx_appliance and not vm.template]
        known = sum(vm.change_bytes_per_second is not None for vm in movable)
        sized = sum(vm.committed_bytes is not None for vm in vms)
        measured = sum(bool(mesh.uplinks) for mesh in hcx.meshes)
        withheld = [*self._here.details.values(), *self._there.details.values()]
        unreadable = sorted({one.path for vm in withheld for one in vm.unreadable})
        sources = {
            "change_rates": f"given for {known} of {len(movable)} VMs of the source; no product tells them",
            "limits": "the vendor's documentation",
            "mac_owners": "both NSX managers" if self._here.nsx is not None else "the destination's NSX manager",
            "underlay": f"HCX's measurements for {measured} of {len(hcx.meshes)} meshes",
            "used_bytes": f"what vCenter says is committed for {sized} of {len(vms)} VMs, shared among their disks",
            "vms": "every VM" if self._whole else "the waves' VMs, their segments' and their doubles",
        }
        if unreadable:
            sources["withheld"] = ", ".join(unreadable)
        return sources
