"""Which VMs and networks belong to a snapshot: those of the waves, and the other VMs on the same networks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from hcx_snapshot.model import ExtensionPart
from hcx_waves.clients.nsx import NsxSegment
from hcx_waves.clients.vsphere.models import VirtualMachineSummary
from hcx_waves.model.spelling import as_seen
from hcx_waves.model.subnets import interfaces_of
from hcx_waves.resolve.network_index import NetworkIndex, segment_id_of, segment_path_of
from hcx_waves.wavefile.wave import Wave

Summaries = Sequence[VirtualMachineSummary]


@dataclass(frozen=True)
class SnapshotScope:
    """What is asked for, by name.

    :param waves: the waves' names.
    :param names: VM names as they are seen; vCenter's spelling may differ, which is a finding.
    :param uuids: instance UUIDs, in lower case.
    :param stays: names of VMs that may remain on a segment that is cut over.
    :param segments: names and, where given, NSX ids of segments.
    """

    waves: tuple[str, ...]
    names: frozenset[str]
    uuids: frozenset[str]
    stays: frozenset[str]
    segments: tuple[tuple[str, str | None], ...]

    @classmethod
    def of(cls, wanted: Iterable[Wave | str]) -> SnapshotScope:
        """Return the scope of waves and of VMs by name."""
        given = tuple(wanted)
        waves = [one for one in given if isinstance(one, Wave)]
        requests = [request for wave in waves for request in wave.requests]
        segments = [segment for wave in waves for segment in wave.segments]
        names = {one for one in given if isinstance(one, str)} | {request.name for request in requests}
        return cls(
            waves=tuple(sorted({wave.name for wave in waves})),
            names=frozenset(as_seen(name) for name in names),
            uuids=frozenset(one.instance_uuid.lower() for one in requests if one.instance_uuid),
            stays=frozenset(stay.vm for segment in segments for stay in segment.stays),
            segments=tuple(dict.fromkeys((segment.name, segment.segment_id) for segment in segments)),
        )

    def is_wanted(self, vm: VirtualMachineSummary) -> bool:
        """Whether a VM is asked for by its name or identity."""
        return as_seen(vm.name) in self.names or (vm.instance_uuid or "").lower() in self.uuids


@dataclass(frozen=True)
class Neighbourhood:
    """The networks whose VMs belong to a snapshot, by MoRef."""

    source: frozenset[str]
    destination: frozenset[str]


def neighbourhood_of(
    scope: SnapshotScope,
    source_vms: Summaries,
    source: NetworkIndex,
    destination: NetworkIndex,
    extensions: Collection[ExtensionPart],
    segments: Mapping[str, Collection[NsxSegment]],
) -> Neighbourhood:
    """Return the waves' segments, the extended networks of their VMs, and what these are at the destination.

    :param segments: NSX segments by site, ``source`` and ``destination``.
    """
    near = {moref for name, segment_id in scope.segments for moref in _named(source, name, segment_id)}
    extended = {one.source for one in extensions if one.source is not None}
    near |= {moref for vm in source_vms if scope.is_wanted(vm) for moref in vm.networks if moref in extended}
    far = {one.destination for one in extensions if one.source in near and one.destination is not None}
    far |= _routing_the_same(near, source, destination, segments)
    return Neighbourhood(frozenset(near), frozenset(far))


def _named(networks: NetworkIndex, name: str, segment_id: str | None) -> list[str]:
    found = networks.of_segment(segment_id) if segment_id else networks.named(name)
    return [network.moref for network in found]


def _routing_the_same(
    near: Collection[str],
    source: NetworkIndex,
    destination: NetworkIndex,
    segments: Mapping[str, Collection[NsxSegment]],
) -> set[str]:
    """Return the destination's networks that have the gateway address of a source network: segments cut over before."""
    gateways = {
        gateway
        for segment in segments["source"]
        if _shown_by(source, segment) & set(near)
        for gateway in interfaces_of(segment.gateway_addresses)
    }
    return {
        moref
        for segment in segments["destination"]
        if gateways & set(interfaces_of(segment.gateway_addresses))
        for moref in _shown_by(destination, segment)
    }


def _shown_by(networks: NetworkIndex, segment: NsxSegment) -> set[str]:
    return {network.moref for network in networks.of_segment(segment_id_of(segment.path))}


def segment_ids_of(networks: NetworkIndex, morefs: Collection[str]) -> frozenset[str]:
    """Return the ids of the NSX segments behind networks."""
    paths = (segment_path_of(network) for network in networks.networks if network.moref in morefs)
    return frozenset(segment_id_of(path) for path in paths if path)
