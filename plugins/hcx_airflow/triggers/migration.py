"""Wait for the migrations of a wave: one HCX query a poll, however many VMs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from typing_extensions import override

from hcx_airflow.hooks.hcx import HcxHook
from hcx_airflow.hooks.roles import connection_id_for
from hcx_airflow.pace.base import Pace
from hcx_airflow.triggers.base import OutcomeTrigger, failed_outcome, read_json
from hcx_airflow.triggers.following import Following
from hcx_airflow.triggers.polling import Ended, Poller, Watch, in_thread

if TYPE_CHECKING:
    from hcx_waves.clients.hcx import HcxClient
    from hcx_waves.migration.start import StartedWave
    from hcx_waves.migration.status import WaveStatus

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

        if self.client is None or self.started is None:
            return Ended.NOTHING
        before = None if self.status is None else _summary(self.status)
        self.status = read_status(self.client, self.started, self.pace.now())
        self.say(*self.status.notes(self.said))
        if self.following is not None:
            self.following.see(self.status)
        if _summary(self.status) != before:
            logger.info("%s", _summary(self.status))
        if self.status.is_terminal or self._is_enough(self.status):
            return Ended.TERMINAL
        return Ended.STUCK if self.status.is_stuck and not self.until_seeded else None

    def _is_enough(self, status: WaveStatus) -> bool:
        if self.until_ended is not None:
            return status.vm(self.until_ended).is_terminal
        return self.until_seeded and _is_seeded(status)

    @override
    def outcome(self) -> dict[str, Any]:
        courses = [] if self.following is None else self.following.courses.to_json()
        return {"status": None if self.status is None else self.status.model_dump(mode="json"), "courses": courses}


def _has_own_time(hook: HcxHook, pace: Pace) -> bool:
    """Whether the sites' instants are those of the run: not of a simulated site whose clock runs faster than ours."""
    return pace.twin is not None or not hook.extras.simulated


def _summary(status: WaveStatus) -> str:
    phases = ", ".join(f"{count} {phase}" for phase, count in sorted(status.counts.items()))
    return f"{status.percent:.0f} %: {phases}"


def _is_seeded(status: WaveStatus) -> bool:
    from hcx_waves.migration.switchover import seeded

    waiting = seeded(status)
    return all(vm.is_terminal or vm.name in waiting for vm in status.vms)


class MigrationStatusTrigger(OutcomeTrigger):
    """Waits until HCX is through with every VM of a wave, nothing moves any more, or the deadline has passed.

    Class path and arguments are stored with deferred tasks: additive only. They hold ids, never secrets; the
    connection is looked up by the triggerer.

    :param started: what ``start_migrations`` left, as a mapping or as JSON: the started wave with ``hcx_conn_id``,
        ``deadline`` (ISO instant) and ``poll_seconds``.
    :param rehearsal: whether the connection must lead to a twin.
    :param until_seeded: whether to wait only until every VM waits for its switchover.
    :param until_ended: the VM whose end is enough.
    """

    def __init__(
        self,
        *,
        started: Mapping[str, Any] | str | None,
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
    def serialize(self) -> tuple[str, dict[str, Any]]:
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
    async def wait(self) -> dict[str, Any]:
        started = read_json(self.started)
        if not started or not started.get("vms"):
            return nothing_to_wait_for(self.pace)
        conn_id = connection_id_for(str(started["hcx_conn_id"]), rehearsal=self.rehearsal)
        hook = HcxHook(
            conn_id,
            rehearsal=self.rehearsal,
            connection=await BaseHook.aget_connection(conn_id),
            twin=self.pace.twin,
        )
        poller = migration_poller(
            hook, started, self.pace, until_seeded=self.until_seeded, until_ended=self.until_ended
        )
        async with in_thread(poller, self.pace) as made:
            return await made.run()


def nothing_to_wait_for(pace: Pace) -> dict[str, Any]:
    """Return the outcome of a run that has started nothing."""
    outcome = failed_outcome(None, Ended.NOTHING, pace)
    return {**outcome, "status": {"at": outcome["at"], "vms": []}}


@contextmanager
def migration_poller(
    hook: HcxHook,
    started: Mapping[str, Any],
    pace: Pace,
    *,
    until_seeded: bool = False,
    until_ended: str | None = None,
) -> Iterator[Poller]:
    """Make what looks at a started wave; its client is closed at the end."""
    from hcx_waves.migration.start import StartedWave

    fields = {name: started[name] for name in StartedWave.model_fields if name in started}
    wave = StartedWave.model_validate(fields)
    with hook.client() as client:
        hook.check(client)
        watch = MigrationWatch(
            conn_ids={hook.system: hook.conn_id},
            pace=pace,
            client=client,
            started=wave,
            until_seeded=until_seeded,
            until_ended=until_ended,
            following=Following.of(started, until_seeded=until_seeded, estimates=_has_own_time(hook, pace)),
        )
        yield Poller(watch, datetime.fromisoformat(started["deadline"]), float(started["poll_seconds"]))
