"""The wave's segments at both sites, found by HCX's extension record and never by a pattern in a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface, ip_interface

from hcx_waves.clients.hcx import NetworkExtension
from hcx_waves.clients.nsx import NsxSegment
from hcx_waves.clients.vsphere.inventory_models import Network
from hcx_waves.model.choices import Disconnect
from hcx_waves.model.plan import NetworkRef, PlannedSegment
from hcx_waves.resolve.network_index import extension_ref, same_network, segment_id_of, segment_path_of
from hcx_waves.resolve.problems import Problems
from hcx_waves.resolve.survey import Survey
from hcx_waves.wavefile.segments import Segment
from hcx_waves.wavefile.wave import Wave


@dataclass(frozen=True)
class FoundSegment:
    """A segment of the wave and the source network that it is.

    :param planned: None if there is no plan for it; the reason has been noted.
    """

    name: str
    network: Network
    planned: PlannedSegment | None


class SegmentFinder:
    """Finds the segments of one wave.

    :param destination_endpoint_id: HCX's endpoint to which extensions must lead; None if it is not known.
    """

    def __init__(self, wave: Wave, survey: Survey, destination_endpoint_id: str | None, problems: Problems) -> None:
        self._wave, self._survey = wave, survey
        self._endpoint_id = destination_endpoint_id
        self._problems = problems

    def find(self) -> list[FoundSegment]:
        """Return every segment whose source network was found, in the wave's order."""
        found = [self._one(segment) for segment in self._wave.segments]
        return [one for one in found if one is not None]

    def extension_of(self, network: Network) -> NetworkExtension | None:
        """Return the extension of a source network to this destination; None if there is none or not exactly one."""
        found = self._extensions_of(network)
        return found[0] if len(found) == 1 else None

    def unrouted(
        self, segment: Segment, *, extension_id: str = "", gateways: Sequence[str] = ()
    ) -> PlannedSegment | None:
        """Return a segment whose extension is gone, whether the destination routes it or not; for a way back.

        :param extension_id: of the extension that was removed, if a record tells.
        :param gateways: in CIDR form, as recorded before the source was switched off; the source's own unless given.
        :returns: None unless exactly one segment of the destination fits: by the wave file's ``destination``, else by
            the gateway's address.
        """
        network = self._source_network(segment)
        if network is None:
            return None
        source = self._source_segment(segment, network)
        wanted = set(gateways or (source.gateway_addresses if source is not None else ()))
        fits = [
            one
            for one in self._survey.destination_segments
            if (
                segment.destination in (one.display_name, one.segment_id, one.path)
                if segment.destination is not None
                else wanted & set(one.gateway_addresses)
            )
        ]
        behind = [one for fit in fits for one in self._survey.destination_networks.of_segment(fit.segment_id)]
        if len(fits) != 1 or len(behind) != 1:
            return None
        ref = self._survey.destination_networks.ref(behind[0])
        planned = self._planned(segment, network, source, ref, fits[0], None)
        return planned.model_copy(
            update={"extension_id": extension_id, "gateway_addresses": tuple(gateways) or planned.gateway_addresses}
        )

    def _one(self, segment: Segment) -> FoundSegment | None:
        network = self._source_network(segment)
        if network is None:
            return None
        source = self._source_segment(segment, network)
        extensions = self._extensions_of(network)
        planned = None
        if len(extensions) > 1:
            ids = ", ".join(sorted(one.extension_id for one in extensions))
            self._problems.add(segment.name, f"HCX lists {len(extensions)} extensions to this destination: {ids}")
        elif extensions:
            planned = self._extended(segment, network, source, extensions[0])
        else:
            planned = self._cut_before(segment, network, source)
        return FoundSegment(segment.name, network, planned)

    def _source_network(self, segment: Segment) -> Network | None:
        index = self._survey.source_networks
        found = index.of_segment(segment.segment_id) if segment.segment_id else index.named(segment.name)
        if len(found) == 1:
            return found[0]
        what = f"with NSX id {segment.segment_id}" if segment.segment_id else "of this name"
        if not found:
            message = f"the source vCenter has no network {what}"
            self._problems.add(segment.name, message, "Write the name as the VMs' networks show it.")
        else:
            morefs = ", ".join(one.moref for one in found)
            message = f"the source vCenter has {len(found)} networks {what}: {morefs}"
            self._problems.add(segment.name, message, "Write the segment_id of the one that is intended.")
        return None

    def _source_segment(self, segment: Segment, network: Network) -> NsxSegment | None:
        """Return the NSX segment behind the source network; notes a problem where the cutover needs one."""
        path = segment_path_of(network)
        segments = self._survey.source_segments or ()
        found = [one for one in segments if same_network(one.path, path)]
        if path is None and segment.segment_id is None:
            found = [one for one in segments if one.display_name == network.name]
        if len(found) == 1:
            return found[0]
        if segment.is_cut and segment.means_of_disconnect is Disconnect.NSX:
            reason = "NSX at the source is not connected" if self._survey.source_segments is None else "NSX has none"
            self._problems.add(
                segment.name,
                f"has no NSX segment at the source that could be disconnected: {reason}",
                "Write disconnect: hook or disconnect: manual, or give the source's NSX connection.",
            )
        return None

    def _extensions_of(self, network: Network) -> list[NetworkExtension]:
        found = self._survey.source_networks.extension_of(network, self._survey.extensions)
        wanted = self._endpoint_id
        return [one for one in found if wanted is None or one.destination.endpoint_id in (None, wanted)]

    def _extended(
        self, segment: Segment, network: Network, source: NsxSegment | None, extension: NetworkExtension
    ) -> PlannedSegment | None:
        destination = extension_ref(extension.destination_network)
        target = self._destination_segment(destination)
        if target is None:
            self._problems.add(
                segment.name,
                f'HCX has extended it to "{destination.name}" ({destination.network_id}), which NSX at the '
                "destination does not have",
                "Check the destination's NSX connection; if the segment was deleted, unextend and extend again.",
            )
            return None
        names = {destination.name, target.display_name, target.segment_id, target.path}
        if segment.destination is not None and segment.destination not in names:
            self._problems.add(
                segment.name,
                f'HCX has extended it to "{destination.name}", not to "{segment.destination}"',
                "Correct destination, or extend the network to the one that is intended.",
            )
            return None
        return self._planned(segment, network, source, destination, target, extension)

    def _destination_segment(self, network: NetworkRef) -> NsxSegment | None:
        path: str | None = network.network_id
        if not path or "/segments/" not in path:
            known = [one for one in self._survey.destination_networks.networks if one.moref == network.network_id]
            path = segment_path_of(known[0]) if known else None
        found = [one for one in self._survey.destination_segments if same_network(one.path, path)]
        return found[0] if len(found) == 1 else None

    def _cut_before(self, segment: Segment, network: Network, source: NsxSegment | None) -> PlannedSegment | None:
        """Return a segment that an earlier run has cut over: source off, and its subnet routed at the destination."""
        twins = [] if source is None else _routed_twins(source, self._survey.destination_segments)
        if source is not None and source.is_disconnected and len(twins) == 1:
            index = self._survey.destination_networks
            behind = index.of_segment(twins[0].segment_id)
            if len(behind) == 1:
                return self._planned(segment, network, source, index.ref(behind[0]), twins[0], None)
        self._problems.add(
            segment.name,
            "HCX has not extended it to this destination",
            "Extend the network first; one that is already cut over must be disconnected at the source.",
        )
        return None

    def _planned(
        self,
        segment: Segment,
        network: Network,
        source: NsxSegment | None,
        destination: NetworkRef,
        target: NsxSegment,
        extension: NetworkExtension | None,
    ) -> PlannedSegment:
        gateways = _gateways(extension, source, target)
        return PlannedSegment(
            name=segment.name,
            key=segment.key,
            cutover=segment.cutover,
            disconnect=segment.means_of_disconnect,
            source=self._survey.source_networks.ref(network),
            source_segment_path=None if source is None else source.path,
            destination=destination,
            destination_segment_path=target.path,
            extension_id="" if extension is None else extension.extension_id,
            gateway_addresses=gateways,
            stays=tuple(sorted(one.vm for one in segment.stays)),
            deletes_source=segment.is_cut and self._wave.deletes_source(segment),
            rename_destination=segment.rename_destination,
        )


def _gateways(extension: NetworkExtension | None, source: NsxSegment | None, target: NsxSegment) -> tuple[str, ...]:
    """Return the gateway in CIDR form: the extension's, which does not change while a segment is off, else NSX's."""
    if extension is not None and extension.gateway and extension.netmask:
        try:
            return (str(ip_interface(f"{extension.gateway}/{extension.netmask}")),)
        except ValueError:
            pass
    return (source.gateway_addresses if source is not None else ()) or target.gateway_addresses


def _routed_twins(source: NsxSegment, segments: Sequence[NsxSegment]) -> list[NsxSegment]:
    """Return the destination's connected segments with the source's gateway; with its id if that has lost its own."""
    wanted = {str(IPv4Interface(one)) for one in source.gateway_addresses}
    routed = [one for one in segments if not one.is_disconnected]
    if wanted:
        return [one for one in routed if wanted & set(one.gateway_addresses)]
    return [one for one in routed if one.segment_id == segment_id_of(source.path)]
