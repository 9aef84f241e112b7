"""Switch the source gateway off and on again, and the destination's on; each is read before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, JsonValue

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import ClientError, OutcomeUnknownError
from hcx_waves.clients.hcx.values import instant_of
from hcx_waves.clients.nsx import Connectivity
from hcx_waves.cutover.emptiness import EmptyProof, prove_segment_empty
from hcx_waves.cutover.errors import (
    CONNECT_DESTINATION_OPTIONS,
    CommandFailedError,
    ExtensionPresentError,
    RealisationFailedError,
    ReconnectRefusedError,
    TwoGatewaysError,
)
from hcx_waves.cutover.extension import Removal, UnextendPhase, unextend_status
from hcx_waves.cutover.guards import (
    find_extension,
    is_worked_on,
    look_at_destination,
    read_both,
    require_no_second_gateway,
)
from hcx_waves.cutover.source import GatewayDefinition, GatewayReading, GatewayState, SourceGateway
from hcx_waves.cutover.waiting import Patience, Wait
from hcx_waves.model.base import DomainModel
from hcx_waves.model.choices import Disconnect
from hcx_waves.model.plan import PlannedSegment, WavePlan
from hcx_waves.model.subnets import one_of_each_family
from hcx_waves.procedure_errors import NotSettledError, ProcedureError


class GatewayChange(DomainModel):
    """What a change of a gateway did, and when it was certain.

    The instants are those of :class:`~hcx_waves.cutover.waiting.Patience`; None if there was nothing to do.
    """

    segment: str
    already: bool = False
    """It was so already; nothing was sent."""
    sent_at: AwareDatetime | None = None
    last_not_at: AwareDatetime | None = None
    """When the last look that did not show the new state in effect began; the sending, if there was none."""
    seen_at: AwareDatetime | None = None
    """When the look that showed it in effect was answered."""
    changed_at: AwareDatetime | None = None
    """When the product says that it was last changed, by its own clock; for what was so already."""
    evidence: str = ""


class DisconnectResult(GatewayChange):
    """The source gateway is off."""

    means: Disconnect
    snapshot: dict[str, JsonValue]
    """What it takes to restore it."""
    proof: EmptyProof


class Situation(StrEnum):
    """The situation of a segment when the source gateway is wanted again."""

    CONNECTED = "connected"
    """The source gateway is on: nothing to do."""
    RECONNECTABLE = "reconnectable"
    """It is off, the extension is whole, no unextend is under way: it may be connected again."""
    UNEXTENDING = "unextending"
    """HCX has accepted an unextend that is not known to have failed."""
    ISOLATED = "isolated"
    """The extension is gone and the destination is not connected: the source cannot help any more."""
    CUT_OVER = "cut_over"
    """The destination routes the segment, as planned."""
    UNCLEAR = "unclear"
    """The source gateway could not be read."""


class SegmentLook(DomainModel):
    """What was read of a segment at one moment, at both sites and in HCX."""

    at: AwareDatetime
    """When it was asked: what was off then has been off since."""
    answered_at: AwareDatetime
    situation: Situation
    source: GatewayReading
    destination: GatewayReading

    @property
    def has_no_gateway(self) -> bool:
        """Whether neither site's gateway is stored as on."""
        return {self.source.state, self.destination.state} == {GatewayState.DISCONNECTED}

    @property
    def has_gateway(self) -> bool:
        """Whether a gateway is on, in effect."""
        return self.source.is_on or self.destination.is_on


REFUSED_OPTIONS = {
    Situation.UNEXTENDING: ReconnectRefusedError.default_options,
    Situation.ISOLATED: (
        *CONNECT_DESTINATION_OPTIONS,
        "Or reverse, in this order: source gateway on, extend the network again in HCX,",
        "  migrate the VMs back.",
    ),
    Situation.CUT_OVER: ("Nothing is to be done at the source: clear task verify_destination_routed.",),
    Situation.UNCLEAR: (
        "Look at the segment's gateways at both sites: exactly one must be on.",
        "Correct what keeps the source gateway from being read,",
        "  then clear this task together with its gate.",
    ),
}
"""What a person can do when the source gateway was not switched on again, a line each."""
_REFUSALS = {
    Situation.UNEXTENDING: "HCX has accepted the unextend, so the destination may be connected at any moment",
    Situation.ISOLATED: "the extension is gone: the source gateway no longer reaches the VMs",
    Situation.CUT_OVER: "the destination routes the segment",
    Situation.UNCLEAR: "the state of the source gateway could not be read",
}


def disconnect_source_segment(
    plan: WavePlan,
    segment_name: str,
    clients: SiteClients,
    gateway: SourceGateway,
    patience: Patience,
    *,
    on_snapshot: Callable[[GatewayDefinition], None] | None = None,
    on_act: Callable[[datetime], None] | None = None,
) -> DisconnectResult:
    """Prove the segment empty once more, switch its source gateway off, and wait until that is in effect.

    Does nothing to a gateway that is off. A lost answer is resolved by looking.

    :param on_snapshot: is given what it takes to restore the gateway, before anything is changed.
    :param on_act: is given the last instant at which the gateway was certainly on, right before it is switched off; not
        called if it is off.
    :raises SegmentNotEmptyError: if anything is left; nothing was changed.
    :raises TwoGatewaysError: if the destination routes as well; nothing was changed.
    :raises CommandFailedError: if a check command gives no answer, or a command fails.
    :raises NotSettledError, RealisationFailedError: if it was accepted and is not in effect in time.
    """
    segment = plan.segment(segment_name)
    before, destination = read_both(clients, segment, gateway)
    _require_known(before, segment_name)
    require_no_second_gateway(before, destination, segment_name)
    proof = prove_segment_empty(plan, segment_name, clients, patience.now())
    snapshot = gateway.definition()
    if on_snapshot is not None:
        on_snapshot(snapshot)
    facts: dict[str, Any] = {"means": gateway.means, "snapshot": snapshot, "proof": proof}
    if before.is_off:
        changed_at = instant_of(snapshot.get("_last_modified_time"))
        return DisconnectResult(
            segment=segment_name, already=True, changed_at=changed_at, evidence=before.evidence, **facts
        )
    if on_act is not None and before.state is not GatewayState.DISCONNECTED:
        on_act(patience.now())
    change = _change(segment_name, gateway, before, GatewayState.DISCONNECTED, gateway.disconnect, patience)
    return DisconnectResult(**change.model_dump(), **facts)


def read_situation(
    plan: WavePlan,
    segment_name: str,
    clients: SiteClients,
    gateway: SourceGateway,
    removal: Removal | None = None,
) -> Situation:
    """Read source, destination and extension, and return the situation of the segment; changes nothing.

    :param removal: what ``unextend_network`` returned, if it was called.
    """
    segment = plan.segment(segment_name)
    source, destination = read_both(clients, segment, gateway)
    return situation_of(segment, clients, source, destination, removal)


def look_at_segment(
    plan: WavePlan,
    segment_name: str,
    clients: SiteClients,
    gateway: SourceGateway,
    now: Callable[[], datetime],
    removal: Removal | None = None,
) -> SegmentLook:
    """Read what :func:`read_situation` reads, and return all of it; changes nothing.

    :param now: returns the present instant.
    """
    segment, asked_at = plan.segment(segment_name), now()
    source, destination = read_both(clients, segment, gateway)
    answered_at = now()
    situation = situation_of(segment, clients, source, destination, removal)
    return SegmentLook(
        at=asked_at, answered_at=answered_at, situation=situation, source=source, destination=destination
    )


def situation_of(
    segment: PlannedSegment,
    clients: SiteClients,
    source: GatewayReading,
    destination: GatewayReading,
    removal: Removal | None,
) -> Situation:
    """Return the situation of a segment whose gateways were read just before; reads its extension and its unextend.

    :param removal: what ``unextend_network`` returned, if it was called.
    """
    if source.state is GatewayState.CONNECTED:
        return Situation.CONNECTED
    if source.state is GatewayState.UNKNOWN:
        return Situation.UNCLEAR
    if destination.state is GatewayState.CONNECTED:
        return Situation.CUT_OVER
    extension = find_extension(clients, segment)
    if extension is None:
        return Situation.ISOLATED
    if removal is not None:
        status = unextend_status(clients.hcx, removal)
        return Situation.RECONNECTABLE if status.phase is UnextendPhase.FAILED else Situation.UNEXTENDING
    return Situation.UNEXTENDING if is_worked_on(extension) else Situation.RECONNECTABLE


def reconnect_source_segment(
    plan: WavePlan,
    segment_name: str,
    clients: SiteClients,
    gateway: SourceGateway,
    patience: Patience,
    *,
    snapshot: Mapping[str, Any] | None = None,
    removal: Removal | None = None,
    decided_by: str = "",
) -> GatewayChange:
    """Switch the source gateway on again, after a look that says that this is safe.

    :param snapshot: from :class:`DisconnectResult`.
    :param removal: what ``unextend_network`` returned, if it was called.
    :param decided_by: the person who decided to go back although an unextend was accepted; only that refusal is
        lifted, never the guard against two gateways.
    :raises ReconnectRefusedError: if the destination routes, the extension is gone, or an unextend is under way;
        ``details["situation"]`` says which.
    :raises TwoGatewaysError: if the source is on while the destination routes.
    :raises NotSettledError, RealisationFailedError: if it was accepted and is not in effect in time.
    """
    segment = plan.segment(segment_name)
    situation = read_situation(plan, segment_name, clients, gateway, removal)
    lifted = situation is Situation.UNEXTENDING and decided_by
    if situation in _REFUSALS and not lifted:
        raise ReconnectRefusedError(
            f"segment {segment_name!r} was not connected at the source again: {_REFUSALS[situation]}",
            options=REFUSED_OPTIONS[situation],
            situation=situation.value,
            segment=segment_name,
        )
    before, destination = read_both(clients, segment, gateway)
    if destination.state is not GatewayState.DISCONNECTED:
        raise TwoGatewaysError(
            f"segment {segment_name!r} is routed at the destination: connecting the source would make two gateways",
            source=before.evidence,
            destination=destination.evidence,
        )
    if before.is_on:
        return GatewayChange(segment=segment_name, already=True, evidence=before.evidence)
    return _change(segment_name, gateway, before, GatewayState.CONNECTED, lambda: gateway.reconnect(snapshot), patience)


def connect_destination(
    plan: WavePlan,
    segment_name: str,
    clients: SiteClients,
    gateway: SourceGateway,
    patience: Patience,
    *,
    while_extended: bool = False,
) -> GatewayChange:
    """Connect the destination gateway directly: repairs an unextend that forgot or failed to do it.

    :param while_extended: a person's decision to do it although the extension is still listed.
    :raises TwoGatewaysError: if the source gateway is not proven off; nothing was changed.
    :raises ExtensionPresentError: if the network is still extended.
    :raises NotSettledError, RealisationFailedError: if it was accepted and is not in effect in time.
    """
    segment = plan.segment(segment_name)
    source, destination = read_both(clients, segment, gateway)
    if source.may_serve:
        raise TwoGatewaysError(
            f"the source gateway of segment {segment_name!r} is not proven off: connecting the destination could make "
            "two gateways",
            source=source.evidence,
            destination=destination.evidence,
        )
    if not while_extended and find_extension(clients, segment) is not None:
        raise ExtensionPresentError(f"segment {segment_name!r} is still extended ({segment.extension_id})")
    if destination.is_on:
        return GatewayChange(segment=segment_name, already=True, evidence=destination.evidence)
    sent_at = patience.now()
    if destination.state is not GatewayState.CONNECTED:
        _send(lambda: _connect(clients, segment))
    wait = patience.until(lambda: look_at_destination(clients, segment), lambda seen: seen.is_on or bool(seen.failure))
    return _settled(segment_name, wait, sent_at, "the destination gateway")


def _require_known(reading: GatewayReading, segment_name: str) -> None:
    if reading.state is GatewayState.UNKNOWN:
        raise CommandFailedError(
            f"it is not known whether the source gateway of segment {segment_name!r} is on: {reading.evidence}",
            hint="Correct the check command, if one reads it: it must exit with 0 (disconnected) or 1 (connected). If "
            "NSX has no gateway for the segment, set `disconnect` to hook or manual. Nothing was changed.",
            evidence=reading.evidence,
        )


def _connect(clients: SiteClients, segment: PlannedSegment) -> None:
    nsx = clients.destination_nsx
    current = nsx.segment(segment.destination_segment_path)
    gateways = one_of_each_family(segment.gateway_addresses)
    nsx.set_connectivity(current, Connectivity.ON, gateway_address=gateways)


def _change(
    name: str,
    gateway: SourceGateway,
    before: GatewayReading,
    wanted: GatewayState,
    act: Callable[[], None],
    patience: Patience,
) -> GatewayChange:
    """Act unless the intent is stored already, then wait until it is in effect."""
    sent_at = patience.now()
    if before.state is not wanted:
        _send(act)
    wait = patience.until(
        gateway.look, lambda seen: (seen.state is wanted and seen.settled) or seen.failure is not None
    )
    return _settled(name, wait, sent_at, "the source gateway")


def _send(act: Callable[[], None]) -> None:
    """Make a change; a lost answer is no failure, since the state is read afterwards."""
    try:
        act()
    except OutcomeUnknownError:
        return
    except ProcedureError:
        raise
    except ClientError as error:
        if not error.is_transient:
            raise


def _settled(name: str, wait: Wait[GatewayReading], sent_at: AwareDatetime, what: str) -> GatewayChange:
    seen = wait.seen
    if seen.failure is not None:
        raise RealisationFailedError(
            f"{what} of segment {name!r}: the change was stored and could not be realised: {seen.failure}",
            evidence=seen.evidence,
            segment=name,
        )
    if not wait.is_good:
        raise NotSettledError(
            f"{what} of segment {name!r} accepted the change, which is not in effect yet",
            evidence=seen.evidence,
            segment=name,
        )
    last_not = wait.last_not or sent_at
    return GatewayChange(
        segment=name, sent_at=sent_at, last_not_at=last_not, seen_at=wait.first_seen, evidence=seen.evidence
    )
