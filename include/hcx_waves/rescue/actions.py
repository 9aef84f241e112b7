"""What a person can do without Airflow: what would be done, and doing it by the guarded procedures of the core."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import AwareDatetime

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.cutover.commands import Commands
from hcx_waves.cutover.gateway import GatewayChange, connect_destination, reconnect_source_segment
from hcx_waves.cutover.waiting import Patience
from hcx_waves.migration.cancel import CancelReport, cancel_migrations
from hcx_waves.model.base import DomainModel
from hcx_waves.model.plan import PlannedSegment, WavePlan
from hcx_waves.procedure_errors import ProcedureError
from hcx_waves.rescue.machines import MachineLook, Whereabouts, look_at_machines
from hcx_waves.rescue.records import Records
from hcx_waves.rescue.segments import FINE, OFF, GatewayStanding, Looker, SegmentFinding
from hcx_waves.wavefile.wave import Wave


class RescueAction(StrEnum):
    """What the command can do."""

    LOOK = "look"
    RECONNECT_SOURCE = "reconnect-source"
    CONNECT_DESTINATION = "connect-destination"
    CANCEL = "cancel"


class RescueRefusedError(ProcedureError):
    """What was found when it was to be done is not what the person has agreed to."""

    default_hint = "Look again; nothing was sent."


@dataclass(frozen=True)
class Choices:
    """What a person has chosen beyond the action.

    :param decided_by: who decided to go back although an unextend may have been asked.
    :param while_extended: connect the destination although the extension is still listed.
    :param force: clear migrations that cannot be cancelled gracefully.
    """

    decided_by: str = ""
    while_extended: bool = False
    force: bool = False


class Intent(DomainModel):
    """What an action comes to for one object: it will do something, need not, or must not."""

    subject: str
    will: str = ""
    """What will be sent."""
    needless: str = ""
    refused: str = ""
    """Why it must not, and what to press."""

    def __str__(self) -> str:
        kind = "will" if self.will else "nothing to do" if self.needless else "refused"
        return f"{self.subject}: {kind}: {self.will or self.needless or self.refused}"


class Look(DomainModel):
    """Everything that was found at one moment."""

    at: AwareDatetime
    wave: str
    run_id: str
    plan_digest: str
    plan_from: str
    segments: tuple[SegmentFinding, ...]
    vms: tuple[MachineLook, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def is_fine(self) -> bool:
        """Whether each network has exactly one gateway, and everything could be read."""
        return not self.problems and all(one.state in FINE for one in self.segments)

    @property
    def off(self) -> tuple[SegmentFinding, ...]:
        """The segments without a gateway."""
        return tuple(one for one in self.segments if one.state in OFF)


class Rescuer:
    """Looks at a wave and acts for it.

    :param plan_from: where the plan is from, for people.
    :param problems: what the plan lacks.
    """

    def __init__(
        self,
        wave: Wave,
        plan: WavePlan,
        clients: SiteClients,
        records: Records,
        *,
        runner: Commands,
        patience: Patience,
        plan_from: str,
        problems: Sequence[str] = (),
    ) -> None:
        self.wave, self.plan, self._clients, self._records = wave, plan, clients, records
        self._patience, self._plan_from, self._problems = patience, plan_from, tuple(problems)
        self._looker = Looker(wave, plan, clients, runner)

    def look(self) -> Look:
        """Look at every segment and every VM; changes nothing."""
        records, plan = self._records, self.plan
        machines = look_at_machines(plan, self._clients, records.recorded_ids)
        changed = () if plan.wave_hash == self.wave.wave_hash else (_CHANGED,)
        return Look(
            at=self._patience.now(),
            wave=plan.wave,
            run_id=records.run_id,
            plan_digest=plan.digest(),
            plan_from=self._plan_from,
            segments=tuple(self.look_at(one) for one in plan.segments),
            vms=machines.vms,
            notes=(*records.notes, *changed),
            problems=(*self._problems, *machines.problems),
        )

    def look_at(self, planned: PlannedSegment) -> SegmentFinding:
        """Look at one segment."""
        return self._looker.look(planned, self._records.segment(planned))

    def reconnect(self, name: str, choices: Choices) -> GatewayChange:
        """Switch the source gateway on again, if that is still what was agreed to.

        :raises RescueRefusedError: if it must not be done any more; nothing was sent.
        :raises ClientError: as :func:`~hcx_waves.cutover.gateway.reconnect_source_segment` does.
        """
        planned = self._still(name, RescueAction.RECONNECT_SOURCE, choices)
        record = self._records.segment(planned)
        return reconnect_source_segment(
            self.plan,
            name,
            self._clients,
            self._looker.gateway(planned),
            self._patience,
            snapshot=record.snapshot,
            removal=record.removal,
            decided_by=choices.decided_by,
        )

    def connect(self, name: str, choices: Choices) -> GatewayChange:
        """Switch the destination gateway on, if that is still what was agreed to.

        :raises RescueRefusedError: if it must not be done any more; nothing was sent.
        :raises ClientError: as :func:`~hcx_waves.cutover.gateway.connect_destination` does.
        """
        planned = self._still(name, RescueAction.CONNECT_DESTINATION, choices)
        gateway = self._looker.gateway(planned)
        return connect_destination(
            self.plan, name, self._clients, gateway, self._patience, while_extended=choices.while_extended
        )

    def cancel(self, vms: Sequence[MachineLook], choices: Choices) -> CancelReport:
        """Cancel these migrations, and wait for a while until they have ended.

        :param vms: as they were found; only what is this wave's and in flight.
        :raises ClientError: if HCX cannot be asked.
        """
        report = cancel_migrations(self._clients.hcx, [vm.migration_id for vm in vms], force=choices.force)
        wanted = {vm.migration_id for vm in vms}
        if report.acted:
            self._patience.until(
                lambda: self._clients.hcx.query_migrations(migration_ids=sorted(wanted)),
                lambda found: all(one.state.is_terminal for one in found),
            )
        return report

    def _still(self, name: str, action: RescueAction, choices: Choices) -> PlannedSegment:
        planned = self.plan.segment(name)
        found = intent_for_segment(self.look_at(planned), action, choices)
        if found.refused:
            raise RescueRefusedError(f"the situation has changed: {found.refused}", segment=name)
        return planned


_CHANGED = "the wave file has changed since the plan was made: ids are the plan's, commands and instructions the file's"


def intents(look: Look, action: RescueAction, choices: Choices, names: Sequence[str]) -> tuple[Intent, ...]:
    """Return what an action comes to for each object.

    :param names: segments, or with ``cancel`` VMs; unless given, the segments that are off, or all VMs in flight.
    """
    if action is RescueAction.CANCEL:
        vms = [vm for vm in look.vms if (vm.name in names if names else vm.in_flight)]
        return tuple(intent_for_vm(vm, choices) for vm in vms)
    found = [one for one in look.segments if (one.name in names if names else one.state not in FINE and one.is_cut)]
    return tuple(intent_for_segment(one, action, choices) for one in found)


def intent_for_segment(found: SegmentFinding, action: RescueAction, choices: Choices) -> Intent:
    """Return what an action comes to for a segment as it was found."""
    if not found.is_cut:
        return Intent(subject=found.name, refused="this wave does not cut it over, so it does not switch its gateways")
    if action is RescueAction.RECONNECT_SOURCE:
        return _reconnecting(found, choices)
    return _connecting(found, choices)


def intent_for_vm(found: MachineLook, choices: Choices) -> Intent:
    """Return what a cancel comes to for a VM as it was found."""
    if not found.in_flight:
        return Intent(subject=found.name, needless=found.state or "HCX lists no migration of it that is under way")
    if not found.is_own:
        group = found.group or "of no known name"
        return Intent(
            subject=found.name,
            refused=f"its migration {found.migration_id} is in mobility group {group}, which is not this wave's. "
            "Whoever started it cancels it, in HCX",
        )
    late = ". It is switching over: HCX may refuse, or finish first" if found.phase == "switchover" else ""
    forced = "by force, at both sites" if choices.force else "gracefully"
    will = f"cancel migration {found.migration_id} ({found.state}) {forced}; the VM stays at the {_stays(found)}{late}"
    return Intent(subject=found.name, will=will)


def _stays(found: MachineLook) -> str:
    return "source" if found.site is Whereabouts.SOURCE else f"site where it is ({found.site.value})"


def _reconnecting(found: SegmentFinding, choices: Choices) -> Intent:
    state, name = found.state, found.name
    if state is GatewayStanding.AT_SOURCE:
        return Intent(subject=name, needless="the source gateway is on")
    if state in (GatewayStanding.SOURCE_OFF, GatewayStanding.UNEXTEND_FAILED):
        return Intent(subject=name, will=_RECONNECT)
    if found.may_decide and choices.decided_by:
        return Intent(
            subject=name, will=f"{_RECONNECT}. Decided by {choices.decided_by}: {found.unextend or _NO_RECORD}"
        )
    why = {
        GatewayStanding.AT_DESTINATION: "the destination routes it, and a second gateway is never connected",
        GatewayStanding.NO_GATEWAY: "the extension is gone, so the source gateway no longer reaches the VMs",
        GatewayStanding.UNEXTENDING: "HCX has accepted the unextend, and may connect the destination at any moment",
        GatewayStanding.UNRECORDED: _NO_RECORD,
        GatewayStanding.TWO_GATEWAYS: "both gateways are on, or may be",
        GatewayStanding.UNSETTLED: "a change is not in effect yet, or could not be realised",
    }.get(state, f"it is not known how it stands: {found.problem}")
    return Intent(subject=name, refused=f"{why}. Press: {found.press}")


def _connecting(found: SegmentFinding, choices: Choices) -> Intent:
    state, name = found.state, found.name
    if state is GatewayStanding.AT_DESTINATION:
        return Intent(subject=name, needless="the destination gateway is on")
    if state is GatewayStanding.NO_GATEWAY:
        return Intent(subject=name, will=_CONNECT)
    if state in OFF and choices.while_extended:
        return Intent(subject=name, will=f"{_CONNECT}, although the extension is {found.extension}")
    why = {
        GatewayStanding.AT_SOURCE: "the source gateway is on, and a second gateway is never connected",
        GatewayStanding.TWO_GATEWAYS: "both gateways are on, or may be",
        GatewayStanding.UNSETTLED: "a change is not in effect yet, or could not be realised",
        GatewayStanding.UNKNOWN: f"it is not known how it stands: {found.problem}",
    }.get(state, f"the network is still extended ({found.extension})")
    return Intent(subject=name, refused=f"{why}. Press: {found.press}")


_RECONNECT = "switch the source gateway on again, after reading once more that the destination's is off; read it back"
_CONNECT = "switch the destination gateway on, after reading once more that the source's is off; read it back"
_NO_RECORD = "no record on this machine says whether HCX was asked to unextend"
