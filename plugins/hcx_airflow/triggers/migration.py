"""Wait for the migrations of a wave: one HCX query a poll, however many VMs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseHook
from pydantic import JsonValue
from typing_extensions import override

from hcx_airflow.clock.base import RunClock
from hcx_airflow.documents import Arguments
from hcx_airflow.hooks.hcx import HcxHook
from hcx_airflow.hooks.roles import connection_id_for
from hcx_airflow.results import STARTED
from hcx_airflow.triggers.base import OutcomeTrigger
from hcx_airflow.triggers.following import Following
from hcx_airflow.triggers.polling import Poller, Watch, in_thread
from hcx_airflow.triggers.standing import Standing
from hcx_airflow.waits import WaitNote

if TYPE_CHECKING:
    from hcx_waves.clients.hcx import HcxClient
    from hcx_waves.migration.start import StartedWave
    from hcx_waves.migration.status import WaveStatus
    from hcx_waves.run.results import Ended, MigrationsWait, StartedMigrations

logger = logging.getLogger(__name__)


@dataclass
class MigrationWatch(Watch):
    """Looks at all migrations of a started wave.

    :param until_seeded: whether it is over as soon as every VM waits for its switchover or has ended.
    :param until_ended: the VM whose end is enough.
    """

    client: HcxClient | None = None
    started: StartedWave | None = None
    until_seeded: bool = False
    until_ended: str | None = None
    status: WaveStatus | None = None
    following: Following | None = None

    @override
    def look(self) -> Ended | None:
        from hcx_waves.migration.status import read_status
        from hcx_waves.run.results import Ended

        if self.client is None or self.started is None:
            return Ended.NOTHING
        before = None if self.status is None else self.status.summary
        lost = () if self.status is None else self.status.unlisted
        self.status = read_status(self.client, self.started, self.clock.now(), self._due_after)
        self.say(*self.status.notes(self.said))
        if self.following is not None:
            self.say(*self.following.see(self.status))
        self._follow_stalls(self.client, self.status)
        if self.status.summary != before:
            logger.info("%s", self.status.summary)
        if self.status.is_terminal or self._is_enough(self.status):
            return Ended.TERMINAL
        # A manager that is restarting may list nothing for a moment; one look does not tell.
        if set(self.status.unlisted) - set(lost):
            return None
        if self._is_stuck(self.status):
            return Ended.STUCK
        return Ended.STALLED if self._is_stalled(self.status) else None

    @property
    def _due_after(self) -> timedelta:
        """After how long a switchover that is due counts as lost."""
        from hcx_waves.migration.status import STALL_AFTER

        return STALL_AFTER if self.standing is None else self.standing.keeper.limits.switchover_start

    def _follow_stalls(self, client: HcxClient, status: WaveStatus) -> None:
        if self.standing is not None:
            now = self.clock.now()
            self.standing.saw_status(status, now)
            self.standing.saw_manager(client, now)

    def _is_stalled(self, status: WaveStatus) -> bool:
        """Whether nothing moves any more, for longer than the wave allows."""
        from hcx_waves.run.stall_watch import nothing_moves

        if self.standing is None:
            return False
        stalls = self.standing.stalls
        if self.until_ended is not None:
            return any(one.is_past_limit and one.subject == self.until_ended for one in stalls)
        waiting = _waiting_for_release(status) if self.until_seeded else ()
        left = tuple(vm for vm in status.vms if vm.name not in waiting)
        return nothing_moves(status.model_copy(update={"vms": left}), stalls, self.clock.now())

    def _is_stuck(self, status: WaveStatus) -> bool:
        """Whether waiting for longer is in vain. VMs that miss a window while others are seeded do not count."""
        if self.until_ended is not None and self.until_ended in status.unlisted:
            return True
        if not self.until_seeded:
            return status.is_stuck
        return bool(status.unlisted) and _is_seeded(status, besides=status.unlisted)

    def _is_enough(self, status: WaveStatus) -> bool:
        if self.until_ended is not None:
            return status.vm(self.until_ended).is_terminal
        return self.until_seeded and _is_seeded(status)

    @override
    def result(self, **why: Any) -> MigrationsWait:
        from hcx_waves.run.results import MigrationsWait

        courses = () if self.following is None else tuple(self.following.courses.courses.values())
        return MigrationsWait(status=self.status, courses=courses, **why)


def _standing(started: StartedMigrations, hook: HcxHook, place: WaitNote | None) -> Standing:
    from hcx_waves.run.stall_watch import MigrationStalls, StallKeeper

    expected = {vm.name: vm for vm in started.expected_vms}
    keeper = StallKeeper(started.stall_limits)
    return Standing(keeper, hook.conn_id, place, MigrationStalls(expected), version=started.hcx_version)


def _has_own_time(hook: HcxHook, clock: RunClock) -> bool:
    """Whether the sites' instants are those of the run: not of a simulated site whose clock runs faster than ours."""
    return clock.twin is not None or not hook.extras.simulated


def _waiting_for_release(status: WaveStatus) -> Sequence[str]:
    from hcx_waves.migration.switchover import seeded

    return seeded(status)


def _is_seeded(status: WaveStatus, besides: Sequence[str] = ()) -> bool:
    waiting = (*_waiting_for_release(status), *besides)
    return all(vm.is_terminal or vm.name in waiting for vm in status.vms)


class MigrationStatusTrigger(OutcomeTrigger):
    """Waits until every migration of a wave has ended, nothing moves any more, or the deadline has passed.

    Class path and arguments are stored with deferred tasks: additive only. They hold ids, never secrets; the
    connection is looked up by the triggerer.

    :param started: what ``start_migrations`` left, as a mapping or as JSON: the started wave with ``hcx_conn_id``,
        ``deadline`` (ISO instant) and ``poll_seconds``; with its seal, if this ends the task.
    :param rehearsal: whether the connection must lead to a twin.
    :param until_seeded: whether to wait only until every VM waits for its switchover.
    :param until_ended: the VM whose end is enough.
    """

    def __init__(
        self,
        *,
        started: Mapping[str, JsonValue] | str | None,
        rehearsal: bool = False,
        until_seeded: bool = False,
        until_ended: str | None = None,
        ends_task: bool = True,
    ) -> None:
        super().__init__(ends_task=ends_task, rehearsal=rehearsal)
        self.started = started
        self.until_seeded = until_seeded
        self.until_ended = until_ended

    @override
    def serialize(self) -> tuple[str, Arguments]:
        return (
            "hcx_airflow.triggers.migration.MigrationStatusTrigger",
            {
                "started": self.started,
                "rehearsal": self.rehearsal,
                "until_seeded": self.until_seeded,
                "until_ended": self.until_ended,
                "ends_task": self.ends_task,
            },
        )

    @override
    async def wait(self) -> MigrationsWait:
        from hcx_waves.run.results import Ended

        started = await self.read_started(self.started, STARTED)
        if started is None or not started.vms:
            return self.without_look(Ended.NOTHING)
        conn_id = connection_id_for(started.hcx_conn_id, rehearsal=self.rehearsal)
        hook = HcxHook(
            conn_id,
            rehearsal=self.rehearsal,
            connection=await BaseHook.aget_connection(conn_id),
            twin=self.clock.twin,
        )
        poller = migration_poller(
            hook,
            started,
            self.clock,
            until_seeded=self.until_seeded,
            until_ended=self.until_ended,
            place=self.wait_note(started.poll_seconds),
        )
        async with in_thread(poller, self.clock) as made:
            return cast("MigrationsWait", await made.run())

    @override
    def without_look(self, ended: Ended, error: Mapping[str, JsonValue] | None = None) -> MigrationsWait:
        return migrations_without_look(self.clock, ended, error)


def migrations_without_look(
    clock: RunClock, ended: Ended, error: Mapping[str, JsonValue] | None = None
) -> MigrationsWait:
    """Return the result of a wait that never looked; with nothing to wait for, of no VM."""
    from hcx_waves.migration.status import WaveStatus
    from hcx_waves.run.results import Ended, MigrationsWait

    now = clock.now()
    status = WaveStatus(at=now, vms=()) if ended is Ended.NOTHING else None
    return MigrationsWait(ended=ended, error=None if error is None else dict(error), at=now, status=status)


@contextmanager
def migration_poller(
    hook: HcxHook,
    started: StartedMigrations,
    clock: RunClock,
    *,
    until_seeded: bool = False,
    until_ended: str | None = None,
    place: WaitNote | None = None,
) -> Iterator[Poller]:
    """Make what looks at a started wave; its client is closed at the end.

    :param place: what is noted of each look for the watchdog; None for nothing.
    """
    with hook.client() as client:
        hook.check(client)
        watch = MigrationWatch(
            conn_ids={hook.system: hook.conn_id},
            clock=clock,
            client=client,
            started=started,
            until_seeded=until_seeded,
            until_ended=until_ended,
            following=Following.of(started, until_seeded=until_seeded, estimates=_has_own_time(hook, clock)),
            standing=_standing(started, hook, place),
        )
        yield Poller(watch, started.deadline, started.poll_seconds)
