"""The rollback of a run: what it comes to, and its three steps: networks back, VMs back, unextended without connecting.

Each step looks first, and does nothing that is done; a second try goes on where the first was stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import AwareDatetime, Field

from hcx_waves.clients.errors import ValidationFailed
from hcx_waves.cutover.extension import require_unextended, unextend_network, unextend_status
from hcx_waves.cutover.waiting import Patience
from hcx_waves.cutover.way_back import (
    ExtendedAgain,
    WayPoint,
    extend_network_again,
    extended_now,
    extension_now,
    read_way_point,
    return_gateway,
    with_extension,
)
from hcx_waves.migration.groups import is_in_flight
from hcx_waves.migration.intents import intent_of
from hcx_waves.migration.reverse import away_now, prove_back, reverse_plan, swapped
from hcx_waves.migration.start import start_wave
from hcx_waves.migration.status import read_status
from hcx_waves.migration.verify import verify_virtual_machines
from hcx_waves.model.base import DomainModel
from hcx_waves.model.plan import PlannedSegment, WavePlan
from hcx_waves.model.price import WayBackPrice
from hcx_waves.procedure_errors import NotSettledError, ProcedureError
from hcx_waves.rescue.rescuer import Rescuer

LONGEST_UNEXTEND, LONGEST_EXTEND, LONGEST_MIGRATION = timedelta(hours=2), timedelta(hours=1), timedelta(hours=24)


class NetworkBack(DomainModel):
    """One segment of a rollback."""

    segment: str
    point: WayPoint

    @property
    def is_full(self) -> bool:
        """Whether its gateway comes back, and it is extended again and unextended at the end."""
        return self.point in (WayPoint.UNEXTENDED, WayPoint.UNEXTENDING, WayPoint.RETURNED)


class Rollback(DomainModel):
    """What a rollback comes to; the approval holds for exactly this. Fields are added, never renamed."""

    run_id: str
    """The wave's run that is undone."""
    plan: WavePlan
    at: AwareDatetime
    networks: tuple[NetworkBack, ...] = ()
    vms: tuple[str, ...] = ()
    """Names of the VMs that are migrated back, in this order."""
    stays: dict[str, str] = Field(default_factory=dict)
    """VMs that are at the destination and cannot come back, and why; their segments stay extended."""
    price: WayBackPrice | None = None

    @property
    def is_needless(self) -> bool:
        """Whether there is nothing to do."""
        at_source = (WayPoint.UNTOUCHED, WayPoint.RETURNED)
        return not self.vms and all(one.point in at_source for one in self.networks)


class NetworkReturned(DomainModel):
    """What became of one segment's network."""

    segment: str
    came_from: WayPoint
    off_at: AwareDatetime | None = None
    on_at: AwareDatetime | None = None
    extension_id: str = ""
    """Of the new extension; empty where it was extended all the time."""


class ReturnedNetworks(DomainModel):
    """What became of the networks. Fields are added, never renamed."""

    items: tuple[NetworkReturned, ...] = ()


class VmsBack(DomainModel):
    """What became of the VMs: those that are proven at their places. Fields are added, never renamed."""

    proven: tuple[str, ...] = ()


class UnextendedAgain(DomainModel):
    """Which networks were unextended without connecting, and which stay extended. Fields are added, never renamed."""

    done: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


class NotBackError(ProcedureError):
    """A VM did not come back, or is not where it was."""

    default_hint = "Look at its migration in HCX, correct the cause, then clear the task: it goes on with this VM."
    default_options = (
        "Correct what HCX reports for the migration of the VM.",
        "Then clear this task: it looks first and goes on with this VM.",
    )


class RollbackRefusedError(ProcedureError):
    """The rollback must not begin."""

    default_hint = "Correct what is named, then start the rollback again. Nothing was changed."


def chosen_run(params: Mapping[str, Any]) -> str:
    """Return the run that the form of a rollback names; empty for the one that was active last."""
    return str(params.get("run") or "").strip()


class BackWay:
    """Looks at a run from its end, and takes its way back.

    :param on_event: is told what was done, with the subject; before the next step begins.
    """

    def __init__(self, rescuer: Rescuer, on_event: Callable[[str, str], None] = lambda _subject, _text: None) -> None:
        self._rescuer, self._tell = rescuer, on_event
        self._plan, self._clients, self._patience = rescuer.plan, rescuer.clients, rescuer.patience

    def look(self) -> Rollback:
        """Say what the rollback comes to; changes nothing.

        :raises SourceSegmentGoneError: if a cleanup has deleted a source segment: restore it first.
        :raises RollbackRefusedError: if migrations are in flight, or no VM can come back.
        :raises ClientError: if a product cannot be read.
        """
        self._require_rest()
        networks = tuple(NetworkBack(segment=one.name, point=self._point(one)) for one in self._cut())
        away, stays = away_now(self._plan, self._clients), {}
        for name, there in sorted(away.items()):
            try:
                back = reverse_plan(self._plan, name, there)
                self._clients.hcx.validate_migrations([intent_of(back.vms[0], back, None)])
            except ValidationFailed as error:
                stays[name] = "; ".join(error.messages) or error.message
            except ProcedureError as error:
                stays[name] = error.message
        found = Rollback(
            run_id=self._rescuer.records.run_id,
            plan=self._plan,
            at=self._patience.now(),
            networks=networks,
            vms=tuple(sorted(set(away) - set(stays))),
            stays=stays,
        )
        if found.is_needless and stays:
            listed = "; ".join(f"{name}: {why}" for name, why in stays.items())
            raise RollbackRefusedError(f"no VM can come back: {listed}")
        return found

    def return_networks(self, agreed: Rollback) -> ReturnedNetworks:
        """Let the source route again, and extend again what is not extended.

        :raises ProcedureError: from the step that could not be done; what is done stays done.
        """
        return ReturnedNetworks(items=tuple(self._return(self._plan.segment(one.segment)) for one in agreed.networks))

    def return_vms(self, agreed: Rollback) -> VmsBack:
        """Migrate the VMs back, one at a time: the next begins when the last is proven where it was.

        :raises NotBackError: naming the VM; those before it are back.
        """
        for name in agreed.vms:
            self._migrate(name)
        return VmsBack(proven=agreed.vms)

    def unextend(self, returned: ReturnedNetworks) -> UnextendedAgain:
        """Unextend, without connecting the destination, what this rollback has extended again and no VM needs.

        :raises NotSettledError, UnextendFailedError: if one has not ended well.
        """
        away = away_now(self._plan, self._clients)
        needed = {segment for name in away for segment in self._plan.vm(name).segments}
        done, left = [], []
        for one in returned.items:
            if not one.extension_id:
                continue
            if one.segment in needed:
                left.append(one.segment)
                continue
            self._unextend(one)
            done.append(one.segment)
        return UnextendedAgain(done=tuple(done), left=tuple(left))

    def _cut(self) -> Iterator[PlannedSegment]:
        return (one for one in self._plan.segments if one.cutover == "now" and one.extension_id)

    def _point(self, segment: PlannedSegment) -> WayPoint:
        gateway, record = self._rescuer.gateway(segment), self._rescuer.record(segment)
        return read_way_point(self._plan, segment.name, self._clients, gateway, record.removal)

    def _require_rest(self) -> None:
        ids = [vm.vm_id for vm in self._plan.vms]
        found = self._clients.hcx.find_migrations_for_entities(ids)
        busy = sorted(
            {str(one.entity_name) for newest in found.values() for one in list(newest)[:1] if is_in_flight(one)}
            & {vm.name for vm in self._plan.vms}
        )
        if busy:
            raise RollbackRefusedError(
                f"migrations are in flight: {', '.join(busy)}",
                hint="Wait for them, or cancel them (recover__<wave> with action cancel); then start the rollback.",
            )

    def _return(self, segment: PlannedSegment) -> NetworkReturned:
        gateway, record = self._rescuer.gateway(segment), self._rescuer.record(segment)
        own = (self._plan, segment.name, self._clients, gateway)
        waits = _long(self._patience, LONGEST_UNEXTEND)
        waits.until(lambda: self._point(segment), lambda seen: seen is not WayPoint.UNEXTENDING)
        done = return_gateway(*own, self._patience, snapshot=record.snapshot, removal=record.removal)
        off = None if done.destination_off is None else done.destination_off.sent_at
        if not done.source_on.already:
            self._tell(segment.name, "the source gateway is on again, the destination's is proven off")
        extension_id = self._extend(segment, done.came_from)
        return NetworkReturned(
            segment=segment.name,
            came_from=done.came_from,
            off_at=off,
            on_at=done.source_on.seen_at,
            extension_id=extension_id,
        )

    def _extend(self, segment: PlannedSegment, came_from: WayPoint) -> str:
        listed = extension_now(self._clients, segment)
        if listed is not None:
            # The planned extension is the wave's own, and stays; another is one that a try before this has made.
            return "" if listed.extension_id == segment.extension_id else listed.extension_id
        if came_from in (WayPoint.UNTOUCHED, WayPoint.SOURCE_OFF):
            return ""
        gateway = self._rescuer.gateway(segment)
        asked = extend_network_again(self._plan, segment.name, self._clients, gateway, self._patience.now())
        wait = _long(self._patience, LONGEST_EXTEND).until(
            lambda: extended_now(self._plan, asked, self._clients), lambda seen: seen is not None
        )
        found: ExtendedAgain | None = wait.seen
        if found is None:
            raise NotSettledError(f"HCX has not extended {segment.name!r} again yet", segment=segment.name)
        self._tell(segment.name, "extended again")
        return found.extension_id

    def _migrate(self, name: str) -> None:
        there = away_now(self._plan, self._clients).get(name)
        if there is not None:
            back = reverse_plan(self._plan, name, there)
            started = start_wave(back, self._clients)
            wait = _long(self._patience, LONGEST_MIGRATION).until(
                lambda: read_status(self._clients.hcx, started, self._patience.now()), lambda seen: seen.is_terminal
            )
            (proof,) = verify_virtual_machines(back, wait.seen, swapped(self._clients))
            if not proof.is_proven:
                raise NotBackError(f"{name} is not back: {'; '.join(proof.reasons)}", vm=name)
        reasons = prove_back(self._plan, [name], self._clients)[name]
        if reasons:
            raise NotBackError(f"{name} is not back as it was: {'; '.join(reasons)}", vm=name)
        if there is not None:
            self._tell(name, "migrated back, proven at its place")

    def _unextend(self, one: NetworkReturned) -> None:
        again = with_extension(self._plan, one.segment, one.extension_id)
        gateway = self._rescuer.gateway(self._plan.segment(one.segment))
        now = self._patience.now()
        removal = unextend_network(again, one.segment, self._clients, gateway, now, connect=False)
        wait = _long(self._patience, LONGEST_UNEXTEND).until(
            lambda: unextend_status(self._clients.hcx, removal), lambda seen: seen.is_terminal
        )
        if not removal.already_gone:
            require_unextended(wait.seen, one.segment)
            self._tell(one.segment, "unextended, the destination stays isolated")


def _long(patience: Patience, limit: timedelta) -> Patience:
    """Return patience for what HCX works on: looks every five seconds."""
    return Patience(patience.now, patience.sleep, limit.total_seconds(), 5.0)
