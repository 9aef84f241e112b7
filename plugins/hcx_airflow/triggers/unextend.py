"""Wait until HCX has unextended a network, and see the destination's gateway come up meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, Connection
from typing_extensions import override

from hcx_airflow.hooks.hcx import HcxHook
from hcx_airflow.hooks.nsx_policy import NsxPolicyHook
from hcx_airflow.hooks.roles import connection_id_for
from hcx_airflow.hooks.vmc import VmcHook
from hcx_airflow.pace.base import Pace
from hcx_airflow.triggers.base import OutcomeTrigger, failed_outcome, read_json
from hcx_airflow.triggers.polling import Ended, Poller, Watch, in_thread

if TYPE_CHECKING:
    from hcx_waves.clients.hcx import HcxClient
    from hcx_waves.clients.nsx import NsxPolicyClient
    from hcx_waves.cutover.extension import Removal, UnextendStatus


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

        if self.hcx is None or self.removal is None:
            return Ended.NOTHING
        self._look_at_destination()
        self.status = unextend_status(self.hcx, self.removal)
        return Ended.TERMINAL if self.status.is_terminal else None

    def _look_at_destination(self) -> None:
        from hcx_waves.cutover.source import reading_of

        if self.nsx is None or self.routed_first is not None:
            return
        asked = self.pace.now()
        reading = reading_of(self.nsx, self.nsx.segment(self.destination_path))
        if reading.is_on:
            self.routed_first = self.pace.now()
        else:
            self.routed_not_last = asked

    @override
    def outcome(self) -> dict[str, Any]:
        return {
            "status": None if self.status is None else self.status.model_dump(mode="json"),
            "routed_not_last": None if self.routed_not_last is None else self.routed_not_last.isoformat(),
            "routed_first": None if self.routed_first is None else self.routed_first.isoformat(),
        }


class UnextendTrigger(OutcomeTrigger):
    """Waits until an unextend has ended, well or badly, or the deadline has passed.

    Class path and arguments are stored with deferred tasks: additive only. They hold ids, never secrets.

    :param started: what ``unextend_network`` left, as a mapping or as JSON: the removal with ``hcx_conn_id``,
        ``nsx_conn_id``, ``destination_segment_path``, ``deadline`` (ISO instant) and ``poll_seconds``.
    :param rehearsal: whether the connections must lead to twins.
    """

    def __init__(
        self, *, started: Mapping[str, Any] | str | None, rehearsal: bool = False, ends_task: bool = True
    ) -> None:
        super().__init__(ends_task=ends_task, rehearsal=rehearsal)
        self.started = started

    @override
    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            "hcx_airflow.triggers.unextend.UnextendTrigger",
            {"started": self.started, "rehearsal": self.rehearsal, "ends_task": self.ends_task},
        )

    @override
    async def wait(self) -> dict[str, Any]:
        started = read_json(self.started)
        if not started:
            return failed_outcome(None, Ended.NOTHING, self.pace)
        connections = {
            conn_id: await BaseHook.aget_connection(conn_id)
            for conn_id in connections_of(started, rehearsal=self.rehearsal)
        }
        poller = unextend_poller(started, connections, self.pace, rehearsal=self.rehearsal)
        async with in_thread(poller, self.pace) as made:
            return await made.run()


@contextmanager
def unextend_poller(
    started: Mapping[str, Any], connections: Mapping[str, Connection], pace: Pace, *, rehearsal: bool
) -> Iterator[Poller]:
    """Make what looks at an unextend; its clients are closed at the end.

    :param connections: the Airflow connections that were fetched already, by id.
    """
    from hcx_waves.cutover.extension import Removal

    fields = {name: started[name] for name in Removal.model_fields if name in started}
    hcx_id, nsx_id = connections_of(started, rehearsal=rehearsal)
    common: dict[str, Any] = {"rehearsal": rehearsal, "twin": pace.twin}
    with ExitStack() as stack:
        hook = HcxHook(hcx_id, connection=connections.get(hcx_id), **common)
        hcx = stack.enter_context(hook.client())
        hook.check(hcx)
        nsx_connection = connections.get(nsx_id) or BaseHook.get_connection(nsx_id)
        watch = UnextendWatch(
            conn_ids={"hcx": hcx_id, "nsx": nsx_id, "vmc": nsx_id},
            pace=pace,
            hcx=hcx,
            nsx=_open_nsx(nsx_id, {**common, "connection": nsx_connection, "site": "destination"}, stack),
            removal=Removal.model_validate(fields),
            destination_path=str(started["destination_segment_path"]),
        )
        yield Poller(watch, datetime.fromisoformat(started["deadline"]), float(started["poll_seconds"]))


def connections_of(started: Mapping[str, Any], *, rehearsal: bool) -> tuple[str, str]:
    """Return the connections to HCX and to the destination's NSX: in a rehearsal twins', whatever was left.

    :raises ConnectionSettingsError: if a live run names a twin.
    """
    hcx_id, nsx_id = (
        connection_id_for(str(started[name]), rehearsal=rehearsal) for name in ("hcx_conn_id", "nsx_conn_id")
    )
    return hcx_id, nsx_id


def _open_nsx(conn_id: str, chosen: dict[str, Any], stack: ExitStack) -> NsxPolicyClient:
    if chosen["connection"].conn_type != VmcHook.conn_type:
        nsx = NsxPolicyHook(conn_id, **chosen)
        client: NsxPolicyClient = stack.enter_context(nsx.client())
        nsx.check(client)
        return client
    cloud = VmcHook(conn_id, **chosen)
    opened = stack.enter_context(cloud.client())
    cloud.check(opened)
    return stack.enter_context(cloud.nsx_client(opened))
