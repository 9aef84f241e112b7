"""Wait until HCX has unextended a network, and note when the destination's gateway comes up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseHook, Connection
from pydantic import JsonValue
from typing_extensions import override

from hcx_airflow.clock.base import RunClock
from hcx_airflow.documents import Arguments
from hcx_airflow.hooks.hcx import HcxHook
from hcx_airflow.hooks.nsx_policy import NsxPolicyHook
from hcx_airflow.hooks.roles import connection_id_for
from hcx_airflow.hooks.vmc import VmcHook
from hcx_airflow.results import UNEXTEND_STARTED
from hcx_airflow.triggers.base import OutcomeTrigger
from hcx_airflow.triggers.polling import Poller, Watch, in_thread
from hcx_airflow.triggers.standing import Standing
from hcx_airflow.waits import WaitNote

if TYPE_CHECKING:
    from hcx_waves.clients.hcx import HcxClient
    from hcx_waves.clients.nsx import NsxPolicyClient
    from hcx_waves.cutover.extension import Removal, UnextendStatus
    from hcx_waves.run.results import Ended, UnextendStarted, UnextendWait


@dataclass
class UnextendWatch(Watch):
    """Looks at an unextend, and at the segment it connects."""

    hcx: HcxClient | None = None
    nsx: NsxPolicyClient | None = None
    removal: Removal | None = None
    destination_path: str = ""
    status: UnextendStatus | None = None
    routed_not_last: datetime | None = None
    routed_first: datetime | None = None

    @override
    def look(self) -> Ended | None:
        from hcx_waves.cutover.extension import unextend_status
        from hcx_waves.run.results import Ended

        if self.hcx is None or self.removal is None:
            return Ended.NOTHING
        self._look_at_destination()
        self.status = unextend_status(self.hcx, self.removal)
        if self.status.is_terminal or self.standing is None:
            return Ended.TERMINAL if self.status.is_terminal else None
        now = self.clock.now()
        self.standing.saw_unextend(self.removal.segment, self.status.percent, self.removal.accepted_at, now)
        self.standing.saw_manager(self.hcx, now)
        return Ended.STALLED if any(one.is_past_limit for one in self.standing.stalls) else None

    def _look_at_destination(self) -> None:
        from hcx_waves.cutover.source import reading_of

        if self.nsx is None or self.routed_first is not None:
            return
        asked = self.clock.now()
        reading = reading_of(self.nsx, self.nsx.segment(self.destination_path))
        if reading.is_on:
            self.routed_first = self.clock.now()
        else:
            self.routed_not_last = asked

    @override
    def result(self, **why: Any) -> UnextendWait:
        from hcx_waves.run.results import UnextendWait

        return UnextendWait(
            status=self.status, routed_not_last=self.routed_not_last, routed_first=self.routed_first, **why
        )


class UnextendTrigger(OutcomeTrigger):
    """Waits until an unextend has succeeded or failed, or the deadline has passed.

    Class path and arguments are stored with deferred tasks: additive only. They hold ids, never secrets.

    :param started: what ``unextend_network`` left, as a mapping or as JSON: the removal with ``hcx_conn_id``,
        ``nsx_conn_id``, ``destination_segment_path``, ``deadline`` (ISO instant) and ``poll_seconds``; with its seal,
        if this ends the task.
    :param rehearsal: whether the connections must lead to twins.
    """

    def __init__(
        self, *, started: Mapping[str, JsonValue] | str | None, rehearsal: bool = False, ends_task: bool = True
    ) -> None:
        super().__init__(ends_task=ends_task, rehearsal=rehearsal)
        self.started = started

    @override
    def serialize(self) -> tuple[str, Arguments]:
        return (
            "hcx_airflow.triggers.unextend.UnextendTrigger",
            {"started": self.started, "rehearsal": self.rehearsal, "ends_task": self.ends_task},
        )

    @override
    async def wait(self) -> UnextendWait:
        from hcx_waves.run.results import Ended

        started = await self.read_started(self.started, UNEXTEND_STARTED)
        if started is None:
            return self.without_look(Ended.NOTHING)
        connections = {
            conn_id: await BaseHook.aget_connection(conn_id)
            for conn_id in connections_of(started, rehearsal=self.rehearsal)
        }
        place = self.wait_note(started.poll_seconds)
        poller = unextend_poller(started, connections, self.clock, rehearsal=self.rehearsal, place=place)
        async with in_thread(poller, self.clock) as made:
            return cast("UnextendWait", await made.run())

    @override
    def without_look(self, ended: Ended, error: Mapping[str, JsonValue] | None = None) -> UnextendWait:
        return unextend_without_look(self.clock, ended, error)


def unextend_without_look(clock: RunClock, ended: Ended, error: Mapping[str, JsonValue] | None = None) -> UnextendWait:
    """Return the result of a wait that never looked."""
    from hcx_waves.run.results import UnextendWait

    return UnextendWait(ended=ended, error=None if error is None else dict(error), at=clock.now())


@contextmanager
def unextend_poller(
    started: UnextendStarted,
    connections: Mapping[str, Connection],
    clock: RunClock,
    *,
    rehearsal: bool,
    place: WaitNote | None = None,
) -> Iterator[Poller]:
    """Make what looks at an unextend; its clients are closed at the end.

    :param connections: the Airflow connections that were fetched already, by id.
    :param place: what is noted of each look for the watchdog; None for nothing.
    """
    from hcx_waves.run.stall_watch import StallKeeper

    hcx_id, nsx_id = connections_of(started, rehearsal=rehearsal)
    common: Arguments = {"rehearsal": rehearsal, "twin": clock.twin}
    with ExitStack() as stack:
        hook = HcxHook(hcx_id, connection=connections.get(hcx_id), **common)
        hcx = stack.enter_context(hook.client())
        hook.check(hcx)
        nsx_connection = connections.get(nsx_id) or BaseHook.get_connection(nsx_id)
        watch = UnextendWatch(
            conn_ids={"hcx": hcx_id, "nsx": nsx_id, "vmc": nsx_id},
            clock=clock,
            hcx=hcx,
            nsx=_open_nsx(nsx_id, {**common, "connection": nsx_connection, "site": "destination"}, stack),
            removal=started,
            destination_path=started.destination_segment_path,
            # In an outage nobody waits for an account to be accepted again.
            standing=Standing(StallKeeper(started.stall_limits), hcx_id, place, is_patient=False),
        )
        yield Poller(watch, started.deadline, started.poll_seconds)


def connections_of(started: UnextendStarted, *, rehearsal: bool) -> tuple[str, str]:
    """Return the connections to HCX and to the destination's NSX: in a rehearsal twins', whatever was left.

    :raises ConnectionSettingsError: if a live run names a twin.
    """
    hcx_id, nsx_id = (connection_id_for(one, rehearsal=rehearsal) for one in (started.hcx_conn_id, started.nsx_conn_id))
    return hcx_id, nsx_id


def _open_nsx(conn_id: str, chosen: Arguments, stack: ExitStack) -> NsxPolicyClient:
    if chosen["connection"].conn_type != VmcHook.conn_type:
        nsx = NsxPolicyHook(conn_id, **chosen)
        client: NsxPolicyClient = stack.enter_context(nsx.client())
        nsx.check(client)
        return client
    cloud = VmcHook(conn_id, **chosen)
    opened = stack.enter_context(cloud.client())
    cloud.check(opened)
    return stack.enter_context(cloud.nsx_client(opened))
