"""The source gateway of a segment: the interface for switching it off and on, and its implementation for NSX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

from hcx_waves.clients.errors import NotFound
from hcx_waves.clients.nsx import Connectivity, NsxPolicyClient, NsxSegment
from hcx_waves.model.base import DomainModel
from hcx_waves.model.choices import Disconnect
from hcx_waves.model.plan import PlannedSegment
from hcx_waves.model.subnets import one_of_each_family

GatewayDefinition = dict[str, Any]
"""How a gateway was defined before it was switched off, as JSON: what it takes to switch it on as it was."""
_PENDING = frozenset({"pending", "in_progress", "partial_success"})


class GatewayState(StrEnum):
    """Whether a gateway serves its segment."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    UNKNOWN = "unknown"


class GatewayReading(DomainModel):
    """What was read of a gateway."""

    state: GatewayState
    settled: bool = True
    """Whether the product says that this is in effect."""
    pending: bool = False
    """Whether the product says that it is about to come into effect; the gateway may then be either. A segment that
    no host needs may be neither settled nor pending (``unknown``, ``NOT_AVAILABLE``) [I nsx-vsphere 2.5]."""
    failure: str | None = None
    """What the product says if it could not bring the change into effect."""
    evidence: str = ""
    absent: bool = False
    """Whether the product says that there is no such segment, so that no gateway of it serves anything."""

    @property
    def is_off(self) -> bool:
        """Whether it is off, and the product says that this is in effect."""
        return self.state is GatewayState.DISCONNECTED and self.settled

    @property
    def may_serve(self) -> bool:
        """Whether it may be on: it is, its state is unknown, or switching it off is not in effect yet or failed."""
        return self.state is not GatewayState.DISCONNECTED or self.pending or self.failure is not None

    @property
    def is_on(self) -> bool:
        """Whether it is on, and the product says that this is in effect."""
        return self.state is GatewayState.CONNECTED and self.settled


class SourceGateway(Protocol):
    """A way to switch a source gateway off and on. Each change is idempotent and proves nothing: look afterwards."""

    @property
    def means(self) -> Disconnect:
        """Which of the ways it is."""

    def look(self) -> GatewayReading:
        """Read the state; changes nothing."""

    def definition(self) -> GatewayDefinition:
        """Read what is needed to restore the gateway, as JSON."""

    def disconnect(self) -> None:
        """Switch it off."""

    def reconnect(self, definition: Mapping[str, Any] | None) -> None:
        """Switch it on as it was."""


class NsxSource:
    """A segment of the source's NSX: connectivity OFF keeps gateway address, DHCP ranges and path [D nsx-vsphere 2.3].

    :param path: the segment's policy path.
    :param gateway_address: in CIDR form, or one of each family, for a segment that shows none while it is
        disconnected [C nsx-vsphere 2.2].
    """

    means = Disconnect.NSX

    def __init__(self, nsx: NsxPolicyClient, path: str, gateway_address: str | Sequence[str] | None = None) -> None:
        self._nsx = nsx
        self._path = path
        self._gateway_address = gateway_address

    def look(self) -> GatewayReading:
        """Read the segment and how far it is realised; unknown if the gateway is not NSX's: it may be on elsewhere."""
        segment = self._nsx.segment(self._path)
        if not segment.has_gateway:
            evidence = f"{segment.path}: NSX has no gateway for it, as {segment.why_no_gateway}"
            return GatewayReading(state=GatewayState.UNKNOWN, evidence=evidence)
        return reading_of(self._nsx, segment)

    def definition(self) -> GatewayDefinition:
        """Read the segment's whole body."""
        return dict(self._nsx.segment(self._path).raw)

    def disconnect(self) -> None:
        """PATCH connectivity OFF, on what was just read.

        :raises NotFound: if NSX has no gateway for the segment.
        """
        self._nsx.set_connectivity(self._with_gateway(), Connectivity.OFF)

    def reconnect(self, definition: Mapping[str, Any] | None) -> None:
        """PATCH connectivity ON, with the segment's own subnets: a PATCH replaces the array [D nsx-vsphere 2.3]."""
        segment = self._with_gateway()
        saved = dict(definition or {})
        if saved.get("subnets") and not segment.raw.get("subnets"):
            segment = NsxSegment.of_wire({**segment.raw, "subnets": saved["subnets"]})
        self._nsx.set_connectivity(segment, Connectivity.ON, gateway_address=self._gateway_address)

    def _with_gateway(self) -> NsxSegment:
        segment = self._nsx.segment(self._path)
        if segment.has_gateway:
            return segment
        raise NotFound(
            f"NSX has no gateway for {segment.path}, as {segment.why_no_gateway}",
            system="nsx",
            hint="In the wave file, set the segment's `disconnect` to hook or manual, for the router that has it.",
        )


class AbsentSource:
    """The gateway of a source segment that was deleted: it is off for as long as there is no such segment.

    :param gateway: of the segment when it was there.
    """

    def __init__(self, gateway: SourceGateway, segment: PlannedSegment, nsx: NsxPolicyClient | None) -> None:
        self._gateway, self._segment, self._nsx = gateway, segment, nsx
        self.means = gateway.means

    def look(self) -> GatewayReading:
        """Look whether the segment is there again; if so, read its gateway."""
        path = self._segment.source_segment_path
        if self._nsx is None or path is None or self._nsx.segment_exists(path):
            return self._gateway.look()
        evidence = f"{path}: there is no such segment"
        return GatewayReading(state=GatewayState.DISCONNECTED, evidence=evidence, absent=True)

    def definition(self) -> GatewayDefinition:
        """Read what is needed to restore the gateway: only what is there has one."""
        return self._gateway.definition()

    def disconnect(self) -> None:
        """Switch it off, if the segment is there again."""
        self._gateway.disconnect()

    def reconnect(self, definition: Mapping[str, Any] | None) -> None:
        """Switch it on, if the segment is there again."""
        self._gateway.reconnect(definition)


def reading_of(nsx: NsxPolicyClient, segment: NsxSegment) -> GatewayReading:
    """Return the state of a segment's gateway; ``type`` or connectivity, either proves that it is off (2.3)."""
    state = nsx.segment_state(segment.path)
    off = segment.is_disconnected
    shown = f"connectivity {segment.connectivity.value}, type {segment.segment_type or 'not given'}"
    return GatewayReading(
        state=GatewayState.DISCONNECTED if off else GatewayState.CONNECTED,
        settled=state.is_success,
        pending=state.state.lower() in _PENDING,
        failure=(state.failure_message or state.state) if state.is_failure else None,
        evidence=f"{segment.path}: {shown}, state {state.state}",
    )


def nsx_source(nsx: NsxPolicyClient | None, segment: PlannedSegment) -> NsxSource:
    """Return a planned segment's gateway in the source's NSX.

    :raises NotFound: if the segment or the client is not NSX's.
    """
    if nsx is None or segment.source_segment_path is None:
        raise NotFound(
            f"segment {segment.name!r} has no gateway in the source's NSX",
            system="nsx",
            hint="In the wave file, set the segment's `disconnect` to hook or manual, or connect that NSX.",
        )
    return NsxSource(nsx, segment.source_segment_path, one_of_each_family(segment.gateway_addresses))
