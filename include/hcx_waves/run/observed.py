"""What was observed of VMs and segments, by whom and when. Pure.

Nothing here is concluded from the plan alone: what nobody has looked at is unknown, and an interval whose end nobody
has seen is open.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime

from hcx_waves.cutover.outage import OutageBounds
from hcx_waves.cutover.source import GatewayState
from hcx_waves.migration.status import VmPhase
from hcx_waves.model.base import DomainModel
from hcx_waves.model.choices import Disconnect
from hcx_waves.model.formatting import instant
from hcx_waves.model.plan import PlannedVm, WavePlan
from hcx_waves.run.outage import RoutedInstants, measured_outage
from hcx_waves.run.results import RunResults, SegmentResults

VCENTER, HCX = "vCenter", "HCX"
_STATES = {GatewayState.CONNECTED: "on", GatewayState.DISCONNECTED: "off", GatewayState.UNKNOWN: "unknown"}


class SeenSite(DomainModel):
    """Where a VM was when somebody looked last."""

    site: str
    """``source`` or ``destination``."""
    source: str
    """Who has said so: ``vCenter`` or ``HCX``."""
    as_of: AwareDatetime
    moved_since: bool = False
    """Whether its migration was started afterwards, so that it may be elsewhere by now."""

    def __str__(self) -> str:
        since = "; its migration was started since, and nobody has looked" if self.moved_since else ""
        return f"{self.site} ({self.source}, {instant(self.as_of, seconds=True)}{since})"


class OutageState(StrEnum):
    """What is known of a segment's outage. Stored in reports: add, never rename."""

    NONE = "none"
    """This run has not touched its gateways."""
    OVER = "over"
    RUNNING = "running"
    """It had no gateway when somebody looked last."""
    UNKNOWN = "unknown"
    """A gateway may have been switched off, and nobody has seen what came of it."""


class SeenOutage(DomainModel):
    """What was observed of a segment's outage."""

    state: OutageState
    since: AwareDatetime | None = None
    """An instant at which it certainly had begun."""
    as_of: AwareDatetime | None = None
    """The last look that showed no gateway, or the first that showed one again."""
    bounds: OutageBounds | None = None

    @property
    def at_least_seconds(self) -> float | None:
        """How long it has lasted at least; None if it is not running."""
        if self.state is not OutageState.RUNNING or self.since is None or self.as_of is None:
            return None
        return max(0.0, (self.as_of - self.since).total_seconds())

    def __str__(self) -> str:
        if self.state is OutageState.NONE:
            return "none"
        if self.state is OutageState.RUNNING:
            since = "an unknown instant" if self.since is None else instant(self.since, seconds=True)
            return f"running since {since}: at least {self.at_least_seconds or 0:.1f} s, as of {self._as_of}"
        if self.state is OutageState.OVER:
            return "over, its length was not measured" if self.bounds is None else str(self.bounds)
        return f"unknown; a gateway was on at {self._as_of}" if self.as_of is not None else "unknown"

    @property
    def _as_of(self) -> str:
        return instant(self.as_of, seconds=True)


class SeenGateways(DomainModel):
    """Which gateways of a segment were on when somebody looked last."""

    source: str
    destination: str
    as_of: AwareDatetime

    def __str__(self) -> str:
        return f"source {self.source}, destination {self.destination} ({instant(self.as_of, seconds=True)})"


def seen_sites(plan: WavePlan, results: RunResults) -> dict[str, SeenSite]:
    """Return where each VM of a plan was seen last, by name."""
    return {vm.name: _seen_site(plan, vm, results) for vm in plan.vms}


def was_started(results: RunResults, name: str) -> bool:
    """Whether this run has made HCX migrate a VM, as far as it has left a trace."""
    if results.started is not None:
        return any(vm.name == name for vm in results.started.vms)
    return results.started_ids is not None and name in results.started_ids.migration_ids


def _seen_site(plan: WavePlan, vm: PlannedVm, results: RunResults) -> SeenSite:
    proofs = () if results.verified is None else results.verified.proofs
    proof = next((one for one in proofs if one.name == vm.name), None)
    at = None if results.verified is None else results.verified.at
    if proof is not None and proof.after is not None and at is not None and not vm.already_there:
        return SeenSite(site=proof.after.site, source=VCENTER, as_of=at)
    status = next((one for one in (results.status.vms if results.status else ()) if one.name == vm.name), None)
    if status is not None and results.status is not None and status.phase is VmPhase.DONE:
        return SeenSite(site="destination", source=HCX, as_of=results.status.at)
    # Only a migration that HCX has taken can have moved it since the plan was made.
    site = "destination" if vm.already_there else "source"
    return SeenSite(site=site, source=VCENTER, as_of=plan.resolved_at, moved_since=was_started(results, vm.name))


def seen_outage(left: SegmentResults, *, asked_by_hand: bool = False) -> SeenOutage:
    """Return what was observed of a segment's outage.

    :param asked_by_hand: whether a person was asked to switch its gateway off.
    """
    first_off, last_off, on_again = _first_off(left), _last_off(left), _first_on(left)
    bounds = left.outage or _observed_bounds(left)
    if on_again is not None and first_off is not None:
        return SeenOutage(state=OutageState.OVER, since=first_off, as_of=on_again, bounds=bounds)
    if on_again is None and _was_cut_before(left) and left.routed is not None:
        return SeenOutage(state=OutageState.NONE)
    if left.routed is not None or (left.reconnect is not None and left.reconnect.acted):
        return SeenOutage(state=OutageState.OVER, as_of=on_again, bounds=bounds)
    if last_off is not None and not left.unreadable:
        return SeenOutage(state=OutageState.RUNNING, since=first_off, as_of=last_off, bounds=bounds)
    touched = left.snapshot is not None or left.acting_since is not None or left.removal is not None
    looked = left.reconnect is not None and left.reconnect.situation is not None
    if left.unreadable or touched or (asked_by_hand and not looked):
        return SeenOutage(state=OutageState.UNKNOWN, as_of=on_again)
    return SeenOutage(state=OutageState.NONE)


def seen_gateways(left: SegmentResults) -> SeenGateways | None:
    """Return which gateways of a segment were on when a step of this run looked last; None if none has looked."""
    back = left.reconnect
    if back is not None and back.acted and back.seen_at is not None:
        return SeenGateways(source="on", destination="off", as_of=back.seen_at)
    if back is not None and back.look is not None:
        source, destination = (_STATES[one.state] for one in (back.look.source, back.look.destination))
        return SeenGateways(source=source, destination=destination, as_of=back.look.at)
    if left.routed is not None:
        return SeenGateways(source="off", destination="on", as_of=left.routed.at)
    return None


def _observed_bounds(left: SegmentResults) -> OutageBounds | None:
    """Bound an outage that no step has measured, by every look at the gateways that this run has recorded."""
    not_last = [one for one in (_waited_not_last(left), _looked_off(left)) if one is not None]
    ended = RoutedInstants(max(not_last, default=None), _first_on(left))
    removal = None if left.removal is None else left.removal.accepted_at
    return measured_outage(ended, left.disconnect, left.acting_since, removal)


def _first_off(left: SegmentResults) -> datetime | None:
    """Return the first instant at which a look showed no gateway.

    That the source's was off already shows nothing of the kind: the destination's may have been on.
    """
    seen = [None if left.disconnect is None else left.disconnect.seen_at, _waited_not_last(left)]
    if left.disconnect is None and left.removal is not None and not left.removal.already_gone:
        seen.append(left.removal.accepted_at)
    look = None if left.reconnect is None else left.reconnect.look
    seen.append(look.answered_at if look is not None and look.shows_outage else None)
    return min((one for one in seen if one is not None), default=None)


def _was_cut_before(left: SegmentResults) -> bool:
    """Whether the segment had been cut over before this run: it found everything done already."""
    done, removal = left.disconnect, left.removal
    by_us = done is not None and done.means is Disconnect.NSX and left.acting_since is None
    return by_us and done is not None and done.already and (removal is None or removal.already_gone)


def _last_off(left: SegmentResults) -> datetime | None:
    return _latest(_first_off(left), _waited_not_last(left), _looked_off(left))


def _first_on(left: SegmentResults) -> datetime | None:
    """Return the first instant at which a look showed a gateway again."""
    back = left.reconnect
    seen = [None if left.awaited is None else left.awaited.routed_first]
    seen.append(left.routed.outage.ended_before if left.routed is not None and left.routed.outage else None)
    seen.append(back.seen_at if back is not None and back.acted else None)
    look = None if back is None else back.look
    seen.append(look.answered_at if look is not None and look.has_gateway else None)
    return min((one for one in seen if one is not None), default=None)


def _waited_not_last(left: SegmentResults) -> datetime | None:
    return None if left.awaited is None else left.awaited.routed_not_last


def _looked_off(left: SegmentResults) -> datetime | None:
    look = None if left.reconnect is None else left.reconnect.look
    return look.at if look is not None and look.shows_outage else None


def _latest(*instants: datetime | None) -> datetime | None:
    return max((one for one in instants if one is not None), default=None)
