"""The data that checks read: each product's answer is read once, and only if a check needs it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from hcx_waves.clients.errors import ClientError, NotFound, ValidationFailed
from hcx_waves.clients.hcx import (
    Appliance,
    HcxSite,
    InventoryEntity,
    MeshHealth,
    Migration,
    MobilityGroup,
    NetworkExtension,
    ServiceMesh,
    Submission,
)
from hcx_waves.clients.nsx import NsxPolicyClient, NsxSegment, Vif
from hcx_waves.clients.vsphere.inventory_models import Cluster, Datastore, Folder, Host, ResourcePool
from hcx_waves.clients.vsphere.models import VirtualMachineDetail, VirtualMachineSummary
from hcx_waves.gateway_users.model import GatewayUsers
from hcx_waves.migration.groups import is_from, is_in_flight
from hcx_waves.migration.intents import intent_of, is_own_group, planned_window
from hcx_waves.model.choices import CutoverPolicy
from hcx_waves.model.plan import PlannedSegment, PlannedVm, WavePlan
from hcx_waves.preflight.reads import ReadOnce
from hcx_waves.preflight.steps import WaveStep
from hcx_waves.probe.kept import KeptProbe
from hcx_waves.resolve.network_index import NetworkIndex
from hcx_waves.wavefile.wave import Wave

if TYPE_CHECKING:
    from hcx_waves.clients.bundle import SiteClients


class PreflightContext:
    """The plan, the wave, and what the sites say.

    :param now: the instant at which the wave is judged.
    :param other_waves: waves of the same sites, to name the wave that a foreign VM belongs to.
    :param only: names of the VMs that the run moves; all unless given.
    :param cuts: whether the run cuts segments over.
    :param step: the step that comes next: some things matter more, the later they are found.
    :param probes: what probes have last seen at the endpoints.
    :param segment: the name of the one segment that the step is about; all unless given.
    """

    def __init__(
        self,
        plan: WavePlan,
        wave: Wave,
        clients: SiteClients,
        *,
        now: datetime,
        other_waves: Sequence[Wave] = (),
        only: Collection[str] | None = None,
        cuts: bool = True,
        step: WaveStep = WaveStep.START,
        probes: Sequence[KeptProbe] = (),
        segment: str | None = None,
    ) -> None:
        self.plan, self.wave, self.clients, self.now = plan, wave, clients, now
        self.other_waves = tuple(one for one in other_waves if one.name != wave.name)
        self._only = None if only is None else frozenset(only)
        self._cuts = cuts
        self.step = step
        self.probes = tuple(probes)
        self._segment = segment
        self.users: dict[str, GatewayUsers | ClientError] = {}

    @cached_property
    def to_move(self) -> tuple[PlannedVm, ...]:
        """The VMs that this run is to move."""
        return tuple(vm for vm in self._at_source if self._only is None or vm.name in self._only)

    @cached_property
    def of_this_run(self) -> tuple[PlannedVm, ...]:
        """The VMs that this run moves, and those that are there already."""
        return (*self.to_move, *(vm for vm in self.plan.vms if vm.already_there))

    @property
    def _at_source(self) -> tuple[PlannedVm, ...]:
        return tuple(vm for vm in self.plan.vms if not vm.already_there)

    @cached_property
    def segments_to_cut(self) -> tuple[PlannedSegment, ...]:
        """The extended segments that this run cuts over: not those that a VM of the wave stays on in this run."""
        moved = {vm.name for vm in self.to_move}
        left_out = {name for vm in self._at_source if vm.name not in moved for name in vm.segments}
        return tuple(
            one
            for one in self.extended_segments
            if self._cuts and one.cutover is CutoverPolicy.NOW and one.name not in left_out
        )

    @property
    def extended_segments(self) -> tuple[PlannedSegment, ...]:
        """The segments that are extended, as far as the plan knows."""
        return tuple(one for one in self.plan.segments if one.extension_id and self._segment in (None, one.name))

    @ReadOnce
    def source_vms(self) -> tuple[VirtualMachineSummary, ...]:
        """Every VM at the source, light."""
        return tuple(self.clients.source_vcenter.list_virtual_machines())

    @ReadOnce
    def destination_vms(self) -> tuple[VirtualMachineSummary, ...]:
        """Every VM at the destination, light."""
        return tuple(self.clients.destination_vcenter.list_virtual_machines())

    @ReadOnce
    def moving(self) -> tuple[tuple[PlannedVm, VirtualMachineDetail], ...]:
        """The VMs that are still to be moved, with everything that the source knows of them; without the missing."""
        morefs = [vm.vm_id for vm in self.to_move]
        found = self.clients.source_vcenter.read_virtual_machines(morefs, skip_missing=True) if morefs else []
        details = {detail.moref: detail for detail in found}
        return tuple((vm, details[vm.vm_id]) for vm in self.to_move if vm.vm_id in details)

    @ReadOnce
    def others_on_segments(self) -> dict[str, VirtualMachineDetail]:
        """The VMs on segments that are cut over and that the run does not move, by MoRef, as vCenter places them."""
        own = {vm.vm_id for vm in self.to_move}
        networks = {
            network.moref
            for segment in self.segments_to_cut
            for network in self.source_networks.meant_by(segment.source.network_id)
        }
        morefs = sorted({vm.moref for vm in self.source_vms if networks & set(vm.networks)} - own)
        found = self.clients.source_vcenter.read_virtual_machines(morefs, skip_missing=True) if morefs else []
        return {detail.moref: detail for detail in found}

    @ReadOnce
    def source_networks(self) -> NetworkIndex:
        """The source's networks, as vCenter and HCX name them."""
        listed = self.clients.hcx.networks(HcxSite(remote=False))
        return NetworkIndex(self.clients.source_vcenter.list_networks(), listed)

    @ReadOnce
    def destination_networks(self) -> NetworkIndex:
        """The destination's networks, as vCenter and HCX name them."""
        listed = self.clients.hcx.networks(HcxSite(local=False))
        return NetworkIndex(self.clients.destination_vcenter.list_networks(), listed)

    @ReadOnce
    def hosts(self) -> tuple[Host, ...]:
        """The destination's hosts."""
        return tuple(self.clients.destination_vcenter.list_hosts())

    @ReadOnce
    def source_hosts(self) -> tuple[Host, ...]:
        """The source's hosts."""
        return tuple(self.clients.source_vcenter.list_hosts())

    @ReadOnce
    def source_datastores(self) -> tuple[Datastore, ...]:
        """The source's datastores."""
        return tuple(self.clients.source_vcenter.list_datastores())

    @ReadOnce
    def clusters(self) -> tuple[Cluster, ...]:
        """The destination's clusters."""
        return tuple(self.clients.destination_vcenter.list_clusters())

    @ReadOnce
    def source_clusters(self) -> tuple[Cluster, ...]:
        """The source's clusters."""
        return tuple(self.clients.source_vcenter.list_clusters())

    @ReadOnce
    def resource_pools(self) -> tuple[ResourcePool, ...]:
        """The destination's resource pools."""
        return tuple(self.clients.destination_vcenter.list_resource_pools())

    @ReadOnce
    def folders(self) -> tuple[Folder, ...]:
        """The destination's folders."""
        return tuple(self.clients.destination_vcenter.list_folders())

    @ReadOnce
    def datastores(self) -> tuple[Datastore, ...]:
        """The destination's datastores."""
        return tuple(self.clients.destination_vcenter.list_datastores())

    @ReadOnce
    def storage_policies(self) -> tuple[InventoryEntity, ...]:
        """The storage policies that HCX knows."""
        return self.clients.hcx.storage_profiles()

    @ReadOnce
    def extensions(self) -> dict[str, NetworkExtension]:
        """HCX's network extensions by id."""
        return {one.extension_id: one for one in self.clients.hcx.extensions()}

    @ReadOnce
    def vc_guid(self) -> str | None:
        """The vCenter's id that newer HCX calls take."""
        return self.clients.hcx.metainfo().vc_guid

    @ReadOnce
    def meshes(self) -> tuple[ServiceMesh, ...]:
        """The service meshes."""
        return self.clients.hcx.service_meshes(self.vc_guid)

    @ReadOnce
    def appliances(self) -> tuple[Appliance, ...]:
        """The appliances that the source's manager knows."""
        return self.clients.hcx.appliances(vc_guid=self.vc_guid)

    @ReadOnce
    def underlay(self) -> tuple[MeshHealth, ...]:
        """What HCX measures between the sites; nothing where the release does not offer it."""
        try:
            return self.clients.hcx.underlay_health(self.vc_guid)
        except NotFound:
            return ()

    @ReadOnce
    def migrations(self) -> tuple[Migration, ...]:
        """Every migration that HCX lists, archived ones left out."""
        return self.clients.hcx.query_migrations()

    @ReadOnce
    def groups(self) -> tuple[MobilityGroup, ...]:
        """The mobility groups."""
        return self.clients.hcx.groups()

    @ReadOnce
    def own_group_ids(self) -> frozenset[str]:
        """The ids of this wave's mobility groups, whatever plan made them."""
        return frozenset(group.group_id for group in self.groups if is_own_group(self.plan, group.name))

    def in_flight(self, vm: PlannedVm) -> Migration | None:
        """Return the migration of a VM that HCX works on, None if there is none."""
        return self._active_by_entity.get(vm.vm_id)

    @ReadOnce
    def active_migrations(self) -> tuple[Migration, ...]:
        """The migrations that HCX works on or may work on."""
        return tuple(one for one in self.migrations if is_in_flight(one))

    @ReadOnce
    def departures(self) -> tuple[Migration, ...]:
        """The migrations that leave the source; MoRefs of the two sites may coincide."""
        return tuple(one for one in self.migrations if is_from(one, self.plan.source.endpoint_id))

    @ReadOnce
    def _active_by_entity(self) -> dict[str, Migration]:
        return {str(one.entity_id): one for one in self.departures if one.entity_id is not None and is_in_flight(one)}

    @ReadOnce
    def validation(self) -> Submission | ValidationFailed | None:
        """HCX's own judgement of what is to be started; None if nothing is. VMs in flight are left out."""
        plan, window = self.plan, planned_window(self.plan)
        intents = [intent_of(vm, plan, window) for vm in self.to_move if self.in_flight(vm) is None]
        if not intents:
            return None
        try:
            return self.clients.hcx.validate_migrations(intents)
        except ValidationFailed as refused:
            return refused

    @property
    def source_nsx(self) -> NsxPolicyClient:
        """The source's NSX, for checks that need it.

        :raises NotFound: if the source has none; checks that say they need it are not run then.
        """
        if self.clients.source_nsx is None:
            raise NotFound("the source has no NSX", system="nsx")
        return self.clients.source_nsx

    @ReadOnce
    def source_segments(self) -> dict[str, NsxSegment]:
        """The source's NSX segments by path."""
        return {one.path: one for one in self.source_nsx.segments()}

    @ReadOnce
    def destination_segments(self) -> dict[str, NsxSegment]:
        """The destination's NSX segments by path."""
        return {one.path: one for one in self.clients.destination_nsx.segments()}

    @ReadOnce
    def vifs(self) -> tuple[Vif, ...]:
        """The NICs that NSX knows, of both sites."""
        here = () if self.clients.source_nsx is None else self.clients.source_nsx.vifs()
        return (*here, *self.clients.destination_nsx.vifs())

    @ReadOnce
    def all_departures(self) -> tuple[Migration, ...]:
        """What HCX moves and has moved away, archived or not."""
        listed = self.clients.hcx.query_migrations(include_archived=True)
        return tuple(one for one in listed if is_from(one, self.plan.source.endpoint_id))

    @cached_property
    def _other_vms(self) -> dict[str, str]:
        return {request.name.casefold(): wave.name for wave in self.other_waves for request in wave.requests}

    def wave_of(self, name: str) -> str | None:
        """Return the name of the other wave that moves a VM, None if none is known."""
        return self._other_vms.get(name.casefold())
