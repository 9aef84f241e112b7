"""The wave's segments at both sites, found by HCX's extension record and never by a pattern in a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hcx_waves.clients.hcx import NetworkExtension
from hcx_waves.clients.nsx import NsxSegment
from hcx_waves.clients.vsphere.inventory_models import Network
from hcx_waves.model.choices import Disconnect
from hcx_waves.model.formatting import listed
from hcx_waves.model.plan import NetworkRef, PlannedSegment
from hcx_waves.model.spelling import MOST_NAMES, KnownNames
from hcx_waves.model.subnets import interfaces_of
from hcx_waves.resolve.named_networks import NamedNetworks
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
    :param switches: reads the names of the source's distributed switches by MoRef.
    """

    def __init__(
        self,
        wave: Wave,
        survey: Survey,
        destination_endpoint_id: str | None,
        problems: Problems,
        switches: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._wave, self._survey = wave, survey
        self.names = NamedNetworks(survey.source_networks, switches)
        self.unclear: set[str] = set()
        """MoRefs of networks that a segment of the wave may mean, among others; that has been noted."""
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
        found = index.of_segment(segment.segment_id) if segment.segment_id else self.names.named(segment.name)
        if len(found) == 1:
            return found[0]
        what = f"with NSX id {segment.segment_id}" if segment.segment_id else "of this name"
        if not found:
            self._problems.add(segment.name, f"the source vCenter has no network {what}", self._hint(segment))
        else:
            self.unclear.update(one.moref for one in found)
            morefs = listed([one.moref for one in found], MOST_NAMES)
            message = f"the source vCenter has {len(found)} networks {what}: {morefs}"
            self._problems.add(segment.name, message, self.names.how_to_choose(found))
        return None

    def _hint(self, segment: Segment) -> str:
        """Say what a segment's name or NSX id was probably meant for."""
        wanted = segment.segment_id or segment.name
        known = self._survey.source_segments or ()
        if segment.segment_id and self.names.named(segment.segment_id):
            return f"{segment.segment_id} is a network of vCenter, not an NSX id: write it as name, without segment_id."
        ids = [one for one in known if wanted in (one.segment_id, one.display_name, one.path)]
        if ids:
            what = f'segment "{ids[0].display_name}" (NSX id {ids[0].segment_id})'
            return f"NSX has {what}, which no network of vCenter shows under that name."
        if segment.segment_id:
            return KnownNames(one.segment_id for one in known).hint(wanted, "NSX ids")
        if not self.names.is_near(wanted) and self._survey.destination_networks.named(wanted):
            return "The destination has a network of that name: write the name that it has at the source."
        return f"Write the name as the VMs' networks show it. {self.names.hint(wanted)}"

    def _source_segment(self, segment: Segment, network: Network) -> NsxSegment | None:
        """Return the NSX segment behind the source network; notes a problem where the cutover needs one."""
        path = segment_path_of(network)
        segments = self._survey.source_segments or ()
        found = [one for one in segments if same_network(one.path, path)]
        if path is None and segment.segment_id is None:
            found = [one for one in segments if one.display_name == network.name]
        by_nsx = segment.is_cut and segment.means_of_disconnect is Disconnect.NSX
        if len(found) == 1:
            if by_nsx and not found[0].has_gateway:
                self._problems.add(
                    segment.name,
                    f"NSX at the source has no gateway for it, as {found[0].why_no_gateway}: switching connectivity "
                    "off in NSX would leave the real gateway on",
                    "Write disconnect: hook or disconnect: manual, for the router that has the gateway.",
                )
            return found[0]
        if by_nsx:
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
        twins = [] if source is None else _twins(source, self._survey.destination_segments, routed=True)
        off = source is not None and source.has_gateway and source.is_disconnected
        if source is not None and off and len(twins) == 1:
            index = self._survey.destination_networks
            behind = index.of_segment(twins[0].segment_id)
            if len(behind) == 1:
                return self._planned(segment, network, source, index.ref(behind[0]), twins[0], None)
        if source is None or not source.is_disconnected:
            self._problems.add(
                segment.name,
                "HCX has not extended it to this destination",
                "Extend the network first; one that is already cut over must be disconnected at the source.",
            )
        else:
            self._stranded(segment, source, twins)
        return None

    def _stranded(self, segment: Segment, source: NsxSegment, twins: Sequence[NsxSegment]) -> None:
        """Note that a segment's source gateway is off and HCX does not extend it, and how to repair what that means."""
        if twins:
            named = ", ".join(one.path for one in twins)
            self._problems.add(
                segment.name,
                f"its source gateway is off, HCX does not extend it, and {len(twins)} connected segments at the "
                f"destination may be it: {named}",
                "Connect the one that is it, and only that one, in the destination's NSX; then start a new run.",
            )
            return
        off = _twins(source, self._survey.destination_segments, routed=False)
        where = ", ".join(f'"{one.display_name}" ({one.path})' for one in off)
        self._problems.add(
            segment.name,
            "STRANDED: no gateway is on. Its source gateway is off, HCX does not extend it any more, and "
            + (
                f"at the destination {where} is not connected"
                if off
                else "no segment at the destination has its gateway"
            )
            + ": its VMs reach nothing outside of it",
            _repair(off),
        )

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
            extension_gateway_id=None if extension is None else extension.destination_network.gateway_id,
            extension_appliance_id=None if extension is None else extension.source_appliance.appliance_id,
        )


def _gateways(extension: NetworkExtension | None, source: NsxSegment | None, target: NsxSegment) -> tuple[str, ...]:
    """Return the gateways in CIDR form, of both families.

    That of IPv4 is the extension's, which does not change while a segment is off, else NSX's. HCX's record has no
    gateway of IPv6, so that is always NSX's.
    """
    stored = (source.gateway_addresses if source is not None else ()) or target.gateway_addresses
    extended = _gateway_of(extension)
    if extended is None:
        return stored
    families = {one.version for one in interfaces_of([extended])}
    return (extended, *(str(one) for one in interfaces_of(stored) if one.version not in families))


def _gateway_of(extension: NetworkExtension | None) -> str | None:
    if extension is None or not extension.gateway or not extension.netmask:
        return None
    found = interfaces_of([f"{extension.gateway}/{extension.netmask}"])
    return str(found[0]) if found else None


def _twins(source: NsxSegment, segments: Sequence[NsxSegment], *, routed: bool) -> list[NsxSegment]:
    """Return the destination's segments with a gateway of the source; with its id if one of them has lost its own.

    One family is enough: the other may never have been extended.

    :param routed: whether those that are connected are looked for, or those that are not.
    """
    wanted = set(interfaces_of(source.gateway_addresses))
    asked = [one for one in segments if one.is_disconnected is not routed]
    same_id = [one for one in asked if one.segment_id == segment_id_of(source.path)]
    if not wanted:
        return same_id
    found = [one for one in asked if wanted & set(interfaces_of(one.gateway_addresses))]
    # A segment shows no gateway while it is disconnected [C nsx-vsphere 2.2].
    return found or ([] if routed else [one for one in same_id if not one.gateway_addresses])


def _repair(off: Sequence[NsxSegment]) -> str:
    named = f'of "{off[0].display_name}" ' if len(off) == 1 else ""
    return (
        "Find out at which site its VMs are. "
        f"If at the destination: in its NSX (Networking > Segments), switch the connectivity {named}on. "
        "If at the source: switch it on in the source's NSX, then extend the network again in HCX. "
        "Never switch both on. Then start a new run."
    )
