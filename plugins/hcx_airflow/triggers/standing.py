"""What stands while something is waited for: found at each look, told, noted, and left with the result."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from hcx_airflow.stalls import tell
from hcx_airflow.waits import WaitNote
from hcx_waves.clients.errors import AuthenticationFailed, ClientError, PermissionDenied, TlsError

if TYPE_CHECKING:
    from hcx_waves.clients.hcx import HcxClient
    from hcx_waves.migration.status import WaveStatus
    from hcx_waves.run.stall_watch import Condition, MigrationStalls, StallKeeper
    from hcx_waves.run.stalls import Stall, StallEvent

logger = logging.getLogger(__name__)
REFUSED_PAUSE_SECONDS = 300.0
"""Between two attempts with an account that was refused, so that none is locked by them."""
_REFUSALS = (AuthenticationFailed, PermissionDenied, TlsError)


@dataclass
class Standing:
    """Follows what stands in one wait.

    :param keeper: of the stalls.
    :param subject: the connection to HCX, by which its stalls are named.
    :param place: what is noted for the watchdog; None in rehearsals.
    :param migrations: finds what stands among migrations; None for an unextend.
    :param version: what the manager said of its version when the work was started; empty if that is not known.
    :param is_patient: whether errors that waiting alone does not end are waited out, up to the wave's limit. In an
        outage they are not.
    """

    keeper: StallKeeper
    subject: str
    place: WaitNote | None = None
    migrations: MigrationStalls | None = None
    version: str = ""
    is_patient: bool = True
    has_looked: bool = False
    last_refused: bool = False
    _failing_since: datetime | None = None
    _failing_as: str = ""
    _offset: float | None = None
    _logins: int | None = None
    _endpoint_id: str | None = None
    _refused_looks: int = 0
    _refused_since: datetime | None = None
    _changed: list[Condition] = field(default_factory=list)

    @property
    def stalls(self) -> tuple[Stall, ...]:
        """All stalls so far."""
        return tuple(self.keeper.stalls)

    def begin(self, now: datetime) -> None:
        """Find out whether anybody has looked lately, before the first look."""
        from hcx_waves.run.stalls import Stall, StallId

        last = None if self.place is None else self.place.last()
        if last is None or not last.is_stale(now):
            return
        away = Stall(
            stall_id=StallId.TRIGGERER_AWAY,
            subject=last.task_id,
            what="no triggerer looked at what is waited for",
            since=last.looked_at,
            seen_at=now,
            until=now,
            source="the looks of this wait",
        )
        self._tell(self.keeper.note(away))

    def saw_status(self, status: WaveStatus, now: datetime) -> None:
        """Take a look at migrations into account."""
        from hcx_waves.run.stall_watch import OF_MIGRATIONS

        if self.migrations is not None:
            self._tell(self.keeper.see(self.migrations.conditions(status), now, known=OF_MIGRATIONS))

    def saw_unextend(self, segment: str, percent: float | None, since: datetime, now: datetime) -> None:
        """Take a look at an unextend that goes on into account."""
        from hcx_waves.run.stall_watch import of_unextend
        from hcx_waves.run.stalls import StallId

        found = of_unextend(segment, percent, since, now)
        self._tell(self.keeper.see(found, now, known=(StallId.UNEXTEND_LONG,)))

    def saw_manager(self, client: HcxClient, now: datetime) -> None:
        """Take what an answer tells about the manager itself into account: its clock, its sessions, what it is."""
        from hcx_waves.run.stall_watch import OF_MANAGER
        from hcx_waves.run.stalls import StallId

        found = [*self._clock(client, now), *self._sessions(client, now), *self._changed]
        known = (*OF_MANAGER, StallId.CLOCK_JUMPED, StallId.SESSIONS_REFUSED, StallId.MANAGER_CHANGED)
        self._tell(self.keeper.see(found, now, known=known))
        self._failing_since, self.last_refused, self.has_looked = None, False, True

    def failed(self, error: ClientError, now: datetime) -> bool:
        """Take a look that failed into account.

        :returns: whether to look again, up to the limit.
        """
        from hcx_waves.run.stall_watch import MANAGER_AWAY_AFTER, of_error

        if self._failing_since is None or self._failing_as != type(error).__name__:
            self._failing_since, self._failing_as = now, type(error).__name__
        found = of_error(error, self.subject, self._failing_since)
        if found is None:
            return False
        self.last_refused = isinstance(error, _REFUSALS)
        if self.last_refused or now - self._failing_since >= MANAGER_AWAY_AFTER:
            self._tell(self.keeper.see([found], now, known=()))
        stall = self.keeper.open.get(found.key)
        over = stall is not None and stall.is_past_limit
        return self.is_patient and self.has_looked and not over

    def note(self, now: datetime, *, is_over: bool = False) -> None:
        """Note this look for the watchdog."""
        if self.place is not None:
            stalls = tuple(one.model_dump(mode="json") for one in self.keeper.open.values())
            self.place.model_copy(update={"looked_at": now, "stalls": stalls, "is_over": is_over}).write()

    def _clock(self, client: HcxClient, now: datetime) -> Sequence[Condition]:
        from hcx_waves.run.stall_watch import CLOCK_JUMP, Condition
        from hcx_waves.run.stalls import StallId

        offset = client.clock_offset_seconds
        if offset is None:
            return []
        if self._offset is None:
            self._offset = offset
        jump = offset - self._offset
        if abs(jump) < CLOCK_JUMP.total_seconds():
            return []
        open_one = self.keeper.open.get((StallId.CLOCK_JUMPED, self.subject))
        what = f"the clock of the HCX Manager has jumped by {jump:+.0f} s: windows open and close by it"
        return [Condition(StallId.CLOCK_JUMPED, self.subject, what, now if open_one is None else open_one.since)]

    def _sessions(self, client: HcxClient, now: datetime) -> Sequence[Condition]:
        """Return whether session after session is refused; asks once what the manager is after each new one."""
        from hcx_waves.run.stall_watch import SESSIONS_IN_A_ROW, Condition
        from hcx_waves.run.stalls import StallId

        logins, before = client.logins, self._logins
        self._logins = logins
        if self._endpoint_id is None:
            self._endpoint_id = client.endpoint_id
        if before is None or logins == before:
            self._refused_looks, self._refused_since = 0, None
            return []
        self._refused_looks += 1
        self._refused_since = self._refused_since or now
        self._compare(client, now)
        if self._refused_looks < SESSIONS_IN_A_ROW:
            return []
        what = f"the HCX Manager has refused its own session at {self._refused_looks} looks in a row"
        return [Condition(StallId.SESSIONS_REFUSED, self.subject, what, self._refused_since)]

    def _compare(self, client: HcxClient, now: datetime) -> None:
        """Compare what the manager says of itself in a new session with what it said before."""
        from hcx_waves.run.stall_watch import Condition
        from hcx_waves.run.stalls import StallId

        if self._changed:
            return
        if client.endpoint_id != self._endpoint_id:
            what = f"another HCX Manager answers: its endpoint id is {client.endpoint_id}, and was {self._endpoint_id}"
            self._changed.append(Condition(StallId.MANAGER_CHANGED, self.subject, what, now))
            return
        try:
            found = client.version_again().text
        except ClientError as error:
            logger.info("Cannot ask the manager for its version: %s", error)
            return
        if self.version and found != self.version:
            what = f"the HCX Manager says that it is {found}; it was {self.version} when the work was started"
            self._changed.append(Condition(StallId.MANAGER_CHANGED, self.subject, what, now))

    def _tell(self, events: Sequence[StallEvent]) -> None:
        for event in events:
            where = {} if self.place is None else {
                "wave": self.place.dag_id, "run_id": self.place.run_id, "task_id": self.place.task_id,
            }  # fmt: skip
            tell(event.model_copy(update=where))
