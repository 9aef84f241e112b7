"""The destination network of each NIC: the wave's own mapping, or the network that HCX has extended."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from hcx_waves.clients.vsphere.inventory_models import Network
from hcx_waves.clients.vsphere.models import Nic, VirtualMachineDetail
from hcx_waves.model.formatting import listed
from hcx_waves.model.plan import NetworkRef, PlannedAddress, PlannedNic
from hcx_waves.model.spelling import MOST_NAMES
from hcx_waves.resolve.named_networks import NamedNetworks
from hcx_waves.resolve.network_index import extension_ref, same_network
from hcx_waves.resolve.problems import Problems
from hcx_waves.resolve.segments import FoundSegment, SegmentFinder
from hcx_waves.resolve.survey import Survey
from hcx_waves.wavefile.settings import NicMapping, VmRequest

_NUMBER = re.compile(r"(\d+)$")


class NicPlanner:
    """Plans the NICs of VMs.

    :param switches: reads the names of the destination's distributed switches by MoRef.
    """

    def __init__(
        self,
        survey: Survey,
        finder: SegmentFinder,
        segments: Sequence[FoundSegment],
        problems: Problems,
        switches: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._names_there = NamedNetworks(survey.destination_networks, switches)
        self._survey, self._finder, self._problems = survey, finder, problems
        self._segments = {one.network.moref: one for one in segments}

    def at_source(self, vm: VirtualMachineDetail, request: VmRequest) -> tuple[PlannedNic, ...]:
        """Return the NICs of a VM that is to be moved; those without a destination are noted."""
        planned = [self._to_move(vm, nic, request) for nic in vm.nics]
        known = {number_of(nic) for nic in vm.nics}
        for mapping in request.nics:
            if mapping.adapter not in known:
                self._problems.add(
                    vm.name, f"has no network adapter {mapping.adapter}", f"It has {len(vm.nics)}; correct nics."
                )
        for one in request.networks:
            if not self._finder.names.named(one.source):
                # A mapping that is misspelt would be passed over, and the NIC would go somewhere else.
                hint = self._finder.names.hint(one.source)
                self._problems.add(one.source, "is mapped under networks, and is no network of the source", hint)
        return tuple(nic for nic in planned if nic is not None)

    def at_destination(self, vm: VirtualMachineDetail, request: VmRequest) -> tuple[PlannedNic, ...]:
        """Return the NICs of a VM that has arrived, as they are."""
        planned = [self._arrived(vm, nic, request) for nic in vm.nics]
        return tuple(nic for nic in planned if nic is not None)

    def _to_move(self, vm: VirtualMachineDetail, nic: Nic, request: VmRequest) -> PlannedNic | None:
        network = self._survey.source_networks.of_nic(nic)
        if network is None:
            self._problems.add(vm.name, f"{nic.label} is in no network", "Connect it to a network, or remove it.")
            return None
        called = (request.destination_of(name, number_of(nic)) for name in self._finder.names.names_of(network))
        mapping = next((one for one in called if one is not None), None)
        segment = self._segments.get(network.moref)
        if mapping is not None:
            destination = self._mapped(vm, nic, mapping.destination)
        else:
            destination = self._extended(vm, nic, network, segment)
        if destination is None:
            return None
        connected = nic.start_connected is not False if nic.connected is None else nic.connected
        if vm.power_state != "poweredOn":
            connected = nic.start_connected is not False
        return PlannedNic(
            label=nic.label,
            mac_address=nic.mac,
            source=self._survey.source_networks.ref(network),
            destination=destination,
            connected=mapping.connected if isinstance(mapping, NicMapping) else connected,
            segment=None if segment is None else segment.name,
            ip_addresses=tuple(sorted(one.address for one in vm.addresses_of(nic))),
            guest_addresses=_addresses(vm, nic),
        )

    def _mapped(self, vm: VirtualMachineDetail, nic: Nic, name: str) -> NetworkRef | None:
        found = self._names_there.named(name)
        if len(found) == 1:
            return self._survey.destination_networks.ref(found[0])
        if found:
            morefs = listed([one.moref for one in found], MOST_NAMES)
            switches = filter(None, [self._names_there.switches_of(found)])
            self._problems.add(
                vm.name,
                f'{nic.label} is mapped to "{name}", and the destination has {len(found)}: {morefs}',
                " ".join(("Write the MoRef or the segment path of the one that is intended.", *switches)),
            )
        else:
            self._problems.add(
                vm.name,
                f'{nic.label} is mapped to "{name}", which the destination does not have',
                self._mapping_hint(name),
            )
        return None

    def _mapping_hint(self, name: str) -> str:
        if not self._names_there.is_near(name) and self._survey.source_networks.named(name):
            return "That is a network of the source: write one of the destination."
        return f"Correct the mapping, or create the network. {self._names_there.hint(name)}"

    def _extended(
        self, vm: VirtualMachineDetail, nic: Nic, network: Network, segment: FoundSegment | None
    ) -> NetworkRef | None:
        if segment is not None:
            # Why a segment has no plan has been said once, for the segment.
            return None if segment.planned is None else segment.planned.destination
        if network.moref in self._finder.unclear:
            return None
        extension = self._finder.extension_of(network)
        if extension is not None:
            self._problems.add(
                network.name,
                f"{vm.name} has a NIC in it, and the wave file does not mention this segment",
                "List it under segments, with cutover: now, later or never.",
            )
            return extension_ref(extension.destination_network)
        hint = f"Extend it, or write networks: [{{source: {network.name}, destination: ...}}]."
        if self._survey.destination_networks.named(network.name):
            hint += " The destination has a network of the same name."
        self._problems.add(
            vm.name,
            f'{nic.label} is in "{network.name}", which is neither extended to the destination nor mapped',
            hint,
        )
        return None

    def _arrived(self, vm: VirtualMachineDetail, nic: Nic, request: VmRequest) -> PlannedNic | None:
        index = self._survey.destination_networks
        network = index.of_nic(nic)
        if network is None:
            self._problems.add(vm.name, f"{nic.label} is in no network at the destination", "Connect it to a network.")
            return None
        destination = index.ref(network)
        segment = self._segment_of(destination)
        source = destination if segment is None or segment.planned is None else segment.planned.source
        if segment is None:
            source = self._mapped_from(network.name, request) or destination
        return PlannedNic(
            label=nic.label,
            mac_address=nic.mac,
            source=source,
            destination=destination,
            connected=nic.connected is not False,
            segment=None if segment is None else segment.name,
            ip_addresses=tuple(sorted(one.address for one in vm.addresses_of(nic))),
            guest_addresses=_addresses(vm, nic),
        )

    def _segment_of(self, destination: NetworkRef) -> FoundSegment | None:
        return next(
            (
                one
                for one in self._segments.values()
                if one.planned is not None
                and (
                    same_network(one.planned.destination.network_id, destination.network_id)
                    or same_network(one.planned.destination_segment_path, destination.network_id)
                )
            ),
            None,
        )

    def _mapped_from(self, destination: str, request: VmRequest) -> NetworkRef | None:
        sources = [mapping.source for mapping in request.networks if mapping.destination == destination]
        found = self._survey.source_networks.named(sources[0]) if len(sources) == 1 else ()
        return self._survey.source_networks.ref(found[0]) if len(found) == 1 else None


def number_of(nic: Nic) -> int:
    """Return the n of ``Network adapter n``; 0 for a label without number."""
    found = _NUMBER.search(nic.label)
    return int(found.group(1)) if found else 0


def _addresses(vm: VirtualMachineDetail, nic: Nic) -> tuple[PlannedAddress, ...]:
    found = sorted(vm.addresses_of(nic), key=lambda one: one.address)
    return tuple(
        PlannedAddress(address=one.address, prefix_length=one.prefix_length, origin=one.origin) for one in found
    )
