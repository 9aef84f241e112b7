"""Notice stalls from what a wait reads anyway: no request is made for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hcx_waves.clients.errors import AuthenticationFailed, ClientError, PermissionDenied, SessionExpired, TlsError
from hcx_waves.migration.overdue import WITHOUT_FORECAST
from hcx_waves.migration.status import VmPhase, VmStatus, WaveStatus
from hcx_waves.model.expectation import ExpectedVm
from hcx_waves.model.formatting import duration, listed
from hcx_waves.model.stall_limits import StallLimits
from hcx_waves.run.stalls import Stall, StallEvent, StallId, StallNews, limit_of

TRANSFER_STANDS_AFTER = timedelta(minutes=10)
"""HCX reports bytes of a transfer far more often than this."""
NOT_BEGUN_AFTER = timedelta(minutes=30)
MANAGER_AWAY_AFTER = timedelta(minutes=2)
UNEXTEND_LONG_AFTER = timedelta(minutes=5)
"""An unextend usually takes about a minute [C hcx 5.4]."""
CLOCK_JUMP = timedelta(seconds=60)
SESSIONS_IN_A_ROW = 3
"""Sessions end when nobody uses them; one that is refused at look after look is another matter."""
_TRANSFERS = (VmPhase.BASE_SYNC, VmPhase.RUNNING)
_WAITING = (VmPhase.WAITING_FOR_TURN, VmPhase.WAITING_FOR_WINDOW, VmPhase.DELTA_SYNC)
_NOT_BEGUN = (VmPhase.QUEUED, VmPhase.DRAFT)
Key = tuple[StallId, str]


@dataclass(frozen=True)
class Condition:
    """A stall as one look shows it."""

    stall_id: StallId
    subject: str
    what: str
    since: datetime

    @property
    def key(self) -> Key:
        """What is about the same."""
        return self.stall_id, self.subject


@dataclass
class StallKeeper:
    """Follows conditions from look to look: when each began, and when it was seen no more.

    :param limits: of the wave.
    """

    limits: StallLimits = field(default_factory=StallLimits)
    stalls: list[Stall] = field(default_factory=list)
    _told: dict[Key, timedelta] = field(default_factory=dict)
    _past: set[Key] = field(default_factory=set)

    @property
    def open(self) -> dict[Key, Stall]:
        """What was not seen to end, by what it is about."""
        return {(one.stall_id, one.subject): one for one in self.stalls if one.is_open}

    def see(self, conditions: Iterable[Condition], now: datetime, *, known: Iterable[StallId]) -> list[StallEvent]:
        """Take one look into account.

        :param known: what the look can tell about: an open stall of these that it does not show is over.
        :returns: what is worth to be told.
        """
        shown = {one.key: one for one in conditions}
        tells = frozenset(known)
        events = [self._ended(key, now) for key in self.open if key[0] in tells and key not in shown]
        for key, condition in shown.items():
            events += self._seen(key, condition, now)
        return events

    def note(self, stall: Stall) -> list[StallEvent]:
        """Take a stall that is over already."""
        self.stalls.append(stall)
        return [StallEvent(news=StallNews.ENDED, stall=stall)]

    def _ended(self, key: Key, now: datetime) -> StallEvent:
        over = self._replace(key, until=now)
        self._told.pop(key, None)
        self._past.discard(key)
        return StallEvent(news=StallNews.ENDED, stall=over)

    def _seen(self, key: Key, condition: Condition, now: datetime) -> list[StallEvent]:
        if key in self.open:
            if condition.since > self.open[key].since:
                # It has moved in between, and stands again.
                self._replace(key, since=condition.since)
                self._past.discard(key)
            return self._news(key, self._replace(key, seen_at=now, what=condition.what))
        limit = limit_of(condition.stall_id, self.limits)
        stall = Stall(
            stall_id=condition.stall_id,
            subject=condition.subject,
            what=condition.what,
            since=condition.since,
            seen_at=now,
            limit_seconds=None if limit is None else limit.total_seconds(),
        )
        self.stalls.append(stall)
        return self._news(key, stall)

    def _news(self, key: Key, stall: Stall) -> list[StallEvent]:
        if stall.is_past_limit and key not in self._past:
            self._past.add(key)
            self._told[key] = stall.lasted
            return [StallEvent(news=StallNews.PAST_LIMIT, stall=stall)]
        told = self._told.get(key)
        if told is None:
            self._told[key] = stall.lasted
            return [StallEvent(news=StallNews.BEGAN, stall=stall)]
        if stall.lasted > max(2 * told, timedelta(minutes=10)):
            self._told[key] = stall.lasted
            return [StallEvent(news=StallNews.GOES_ON, stall=stall)]
        return []

    def _replace(self, key: Key, **changes: object) -> Stall:
        place = next(
            index for index, one in enumerate(self.stalls) if one.is_open and (one.stall_id, one.subject) == key
        )
        self.stalls[place] = self.stalls[place].model_copy(update=changes)
        return self.stalls[place]


OF_MIGRATIONS = frozenset(
    {
        StallId.TRANSFER_STANDS,
        StallId.TUNNEL_DOWN,
        StallId.MIGRATION_NOT_BEGUN,
        StallId.MIGRATION_NOT_LISTED,
        StallId.WINDOW_MISSED,
        StallId.SWITCHOVER_NOT_BEGUN,
        StallId.SWITCHOVER_LONG,
    }
)
OF_MANAGER = frozenset(
    {
        StallId.MANAGER_UNREACHABLE,
        StallId.CREDENTIALS_REFUSED,
        StallId.CERTIFICATE_CHANGED,
    }
)


@dataclass
class MigrationStalls:
    """Finds what stands among the migrations of a wave; looks come in order.

    :param expected: by VM name, what the wave's forecast expects.
    """

    expected: Mapping[str, ExpectedVm] = field(default_factory=dict)
    _quiet: dict[str, tuple[object, datetime]] = field(default_factory=dict)
    _in_switchover: dict[str, datetime] = field(default_factory=dict)
    _moved_at: datetime | None = None

    def conditions(self, status: WaveStatus) -> list[Condition]:
        """Return what stands by one look."""
        since = {vm.name: self._quiet_since(vm, status.at) for vm in status.vms}
        found = list(self._of_transfers(status, since))
        for vm in status.vms:
            found += self._of_vm(vm, status, since[vm.name])
        return found

    def _quiet_since(self, vm: VmStatus, now: datetime) -> datetime:
        """Return since when HCX says the same about the progress of a VM."""
        signature = (vm.phase, vm.state_name, vm.bytes_done, vm.percent, vm.message)
        known = self._quiet.get(vm.name)
        if known is None or known[0] != signature:
            self._quiet[vm.name] = (signature, now)
            self._moved_at = now
        return self._quiet[vm.name][1]

    def _of_transfers(self, status: WaveStatus, since: Mapping[str, datetime]) -> Iterator[Condition]:
        """Yield the transfers that stand: one by one, or the mesh if all of several on it do."""
        lanes: defaultdict[str | None, list[VmStatus]] = defaultdict(list)
        for vm in status.vms:
            if _is_transfer(vm) and _tells_progress(vm):
                lanes[vm.service_mesh_id].append(vm)
        for mesh, vms in lanes.items():
            standing = [vm for vm in vms if status.at - since[vm.name] >= TRANSFER_STANDS_AFTER]
            if mesh is not None and len(vms) > 1 and len(standing) == len(vms):
                begun = max(since[vm.name] for vm in vms)
                named = listed([vm.name for vm in vms], 3)
                what = (
                    f"nothing arrives of any of the {len(vms)} transfers over service mesh {mesh} ({named}): its "
                    "tunnel or an appliance may be down"
                )
                yield Condition(StallId.TUNNEL_DOWN, mesh, what, begun)
                continue
            for vm in standing:
                what = f"nothing has arrived of {vm.name} (migration {vm.migration_id}, HCX says {_words(vm)})"
                yield Condition(StallId.TRANSFER_STANDS, vm.name, what, since[vm.name])

    def _of_vm(self, vm: VmStatus, status: WaveStatus, quiet_since: datetime) -> Iterator[Condition]:
        yield from self._of_switchover(vm, status, quiet_since)
        if vm.phase is VmPhase.NOT_LISTED:
            what = f"HCX does not list the migration of {vm.name}; it may have been archived or deleted"
            yield Condition(StallId.MIGRATION_NOT_LISTED, vm.name, what, quiet_since)
        if vm.missed_window:
            what = f"{vm.name} has missed its switchover window and waits for a new one"
            yield Condition(StallId.WINDOW_MISSED, vm.name, what, vm.window_closes or quiet_since)
        if vm.stalled:
            what = f"the switchover of {vm.name} is due and does not begin: HCX may have lost it (KB 321654)"
            yield Condition(StallId.SWITCHOVER_NOT_BEGUN, vm.name, what, _due_since(vm, status))
        idle = self._moved_at is not None and status.at - self._moved_at >= NOT_BEGUN_AFTER
        if vm.phase in _NOT_BEGUN and idle and not vm.is_terminal:
            what = f"HCX has not begun to migrate {vm.name}; other work may take its places"
            yield Condition(StallId.MIGRATION_NOT_BEGUN, vm.name, what, quiet_since)

    def _of_switchover(self, vm: VmStatus, status: WaveStatus, quiet_since: datetime) -> Iterator[Condition]:
        if vm.phase is not VmPhase.SWITCHOVER:
            self._in_switchover.pop(vm.name, None)
            return
        begun = self._in_switchover.setdefault(vm.name, status.at)
        if status.at - begun <= self._longest(vm):
            return
        behind = [one for one in status.vms if one.phase in _WAITING and one.service_mesh_id == vm.service_mesh_id]
        waits = f"; {len(behind)} behind it cannot move" if behind else ""
        # What still makes progress, such as a large VM that moves by vMotion, is long and does not stand.
        since = max(begun, quiet_since) if _tells_progress(vm) else begun
        what = f"{vm.name} has been in its switchover for at least {duration(status.at - begun)}{waits}"
        yield Condition(StallId.SWITCHOVER_LONG, vm.name, what, since)

    def _longest(self, vm: VmStatus) -> timedelta:
        expected = self.expected.get(vm.name)
        if expected is None or expected.switchover_p99_seconds is None:
            return WITHOUT_FORECAST
        return timedelta(seconds=expected.switchover_p99_seconds)


def nothing_moves(status: WaveStatus, stalls: Iterable[Stall], now: datetime) -> bool:
    """Whether no VM makes any progress, and what keeps each is past its limit: then a person has to decide.

    As long as one VM moves, the wait goes on; the others are told meanwhile.
    """
    past = [one for one in stalls if one.is_past_limit]
    if not past:
        return False
    subjects = {one.subject for one in past}
    lanes = {vm.service_mesh_id for vm in status.vms if vm.name in subjects and vm.phase is VmPhase.SWITCHOVER}
    return all(
        vm.is_terminal
        or vm.is_stuck
        or vm.name in subjects
        or (_is_transfer(vm) and vm.service_mesh_id in subjects)
        or (vm.phase in _WAITING and vm.service_mesh_id in lanes and _is_due(vm, now))
        for vm in status.vms
    )


def of_error(error: ClientError, subject: str, since: datetime) -> Condition | None:
    """Return the stall that an error of a look is; None if it is an error for which no waiting helps.

    :param subject: the connection.
    :param since: when the first look failed in this way.
    """
    said = f": {error.vendor_message}" if error.vendor_message else ""
    if isinstance(error, SessionExpired):
        what = f"the HCX Manager refuses its own sessions although it takes the account{said}"
        return Condition(StallId.SESSIONS_REFUSED, subject, what, since)
    if isinstance(error, AuthenticationFailed | PermissionDenied):
        what = f"the HCX Manager refuses the account that it took before{said}"
        return Condition(StallId.CREDENTIALS_REFUSED, subject, what, since)
    if isinstance(error, TlsError):
        what = f"the HCX Manager shows a certificate that is not trusted ({error.message})"
        return Condition(StallId.CERTIFICATE_CHANGED, subject, what, since)
    if error.is_transient:
        what = f"the HCX Manager cannot be asked ({type(error).__name__}{said})"
        return Condition(StallId.MANAGER_UNREACHABLE, subject, what, since)
    return None


def of_unextend(segment: str, percent: float | None, since: datetime, now: datetime) -> list[Condition]:
    """Return the stall that an unextend is which goes on for too long."""
    if now - since < UNEXTEND_LONG_AFTER:
        return []
    done = "" if percent is None else f" (HCX says {percent:.0f} %)"
    what = f"the unextend of segment {segment} does not end{done}; its outage may be running"
    return [Condition(StallId.UNEXTEND_LONG, segment, what, since)]


def _is_transfer(vm: VmStatus) -> bool:
    """Whether data should arrive: not of a VM that is kept in sync until its window opens."""
    if vm.phase is VmPhase.DELTA_SYNC:
        return not vm.bytes_done or vm.window_opens is None
    return vm.phase in _TRANSFERS


def _tells_progress(vm: VmStatus) -> bool:
    return vm.bytes_done is not None or vm.percent is not None


def _words(vm: VmStatus) -> str:
    return f'"{vm.message or vm.state_name}"'


def _due_since(vm: VmStatus, status: WaveStatus) -> datetime:
    ended = [
        one.ended_at for one in status.vms if one.service_mesh_id == vm.service_mesh_id and one.ended_at is not None
    ]
    opened = vm.window_opens or status.at
    return max([opened, *(one for one in ended if one <= status.at)])


def _is_due(vm: VmStatus, now: datetime) -> bool:
    return vm.window_opens is None or vm.window_opens <= now
