"""Move a segment's gateway: prove it empty, disconnect, unextend, prove it routed; and the way back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from hcx_airflow.hooks.sites import hcx_connection_id, nsx_connection_id
from hcx_airflow.operators.base import SegmentOperator
from hcx_airflow.runs.cutover import (
    APPROVE_CUTOVER,
    REMOVAL_KEY,
    SNAPSHOT_KEY,
    gateway_of,
    removal_of,
    require_open_window,
    require_unblocked,
)
from hcx_airflow.runs.leftovers import NOT_DUE_KEY, why_not_due
from hcx_airflow.runs.outage import Beginning, RoutedInstants, measured_outage, routed_instants
from hcx_airflow.runs.task import TaskRun
from hcx_airflow.runs.way_back import is_switched_by_hand, leave_open, undone_by_hand

LONGEST_UNEXTEND = timedelta(hours=2)
QUICK: dict[str, Any] = {"retries": 6, "delay": timedelta(seconds=2)}


class ProveSegmentEmptyOperator(SegmentOperator):
    """Prove that nobody needs the segment at the source any more; leaves what was looked at.

    Skips, and with it the segment, if the run ends before the cutover.

    :raises BlockedError: if a VM of the segment was left behind.
    :raises SegmentNotEmptyError: naming whoever is still on it.
    """

    # Not of the unextend, right before: nothing but that may take time in an outage.
    lends_links_to: ClassVar[tuple[str, ...]] = ("await_unextended",)

    @override
    def act(self, run: TaskRun) -> dict[str, Any] | None:
        from hcx_waves.cutover.emptiness import prove_segment_empty

        if run.scope.stop_before_cutover:
            raise AirflowSkipException("this run ends before the cutover")
        not_due = why_not_due(run, self.segment)
        if not_due is not None:
            # Not skipped: a skip would skip the gate as well, and with it the segments that are due.
            run.ti.xcom_push(key=NOT_DUE_KEY, value=not_due)
            self.log.info("Nothing proven: %s", not_due)
            return None
        require_unblocked(run, self.segment)
        with run.sites() as clients:
            proof = prove_segment_empty(run.plan, self.segment, clients, run.now())
        for one in proof.excluded:
            self.log.info("May stay: %s (%s)", one.name, one.reason)
        self.log.info("Segment %s is empty at the source", self.segment)
        return proof.model_dump(mode="json")


class DisconnectSourceSegmentOperator(SegmentOperator):
    """Switch the segment's gateway at the source off, and wait until that is in effect. The outage begins.

    Proves the segment empty once more right before. What it takes to restore the gateway is stored first.
    """

    retries_and_delay: ClassVar[dict[str, Any]] = QUICK

    @override
    def act(self, run: TaskRun) -> dict[str, Any]:
        from hcx_waves.cutover.gateway import disconnect_source_segment

        # XComs do not survive a retry; what it takes to restore the gateway must, and when the outage can have begun.
        stored, beginning = run.recall(SNAPSHOT_KEY), Beginning(run)
        plan = run.plan
        decision = run.approval(APPROVE_CUTOVER, run.wave.gates.approve_cutover)
        require_unblocked(run, self.segment)
        require_open_window(run, self.segment, run.now())
        self.log.info("The cutover was %s", decision.spoken)
        with run.sites(check=False) as clients:
            result = disconnect_source_segment(
                plan,
                self.segment,
                clients,
                gateway_of(run, self.segment, clients),
                run.pace.patience(pause_seconds=0.2),
                on_snapshot=None if stored is not None else lambda snapshot: run.remember(SNAPSHOT_KEY, dict(snapshot)),
                on_act=beginning.keep,
            )
        self.log.info("Source gateway of %s: %s", self.segment, "off already" if result.already else "off")
        return beginning.complete(result.model_dump(mode="json"))


class UnextendNetworkOperator(SegmentOperator):
    """Ask HCX to unextend the network and connect the destination's gateway, once.

    :param connect: whether the destination segment is connected to its gateway.
    """

    retries_and_delay: ClassVar[dict[str, Any]] = QUICK

    def __init__(self, *, connect: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.connect = connect

    @override
    def act(self, run: TaskRun) -> dict[str, Any]:
        from hcx_waves.cutover.extension import Removal, unextend_network

        stored = run.recall(REMOVAL_KEY)
        plan = run.plan

        def keep(removal: Removal | None) -> None:
            run.remember(REMOVAL_KEY, None if removal is None else removal.model_dump(mode="json"))

        run.approval(APPROVE_CUTOVER, run.wave.gates.approve_cutover)
        with run.sites(check=False) as clients:
            removal = unextend_network(
                plan,
                self.segment,
                clients,
                gateway_of(run, self.segment, clients),
                run.now(),
                connect=self.connect,
                previous=None if stored is None else Removal.model_validate(stored),
                # Kept before HCX is asked: an answer that gets lost must not look like an unextend that never was.
                on_submission=keep,
            )
        keep(removal)
        self.log.info("Unextend of %s: %s", self.segment, _words(removal))
        return {
            **removal.model_dump(mode="json"),
            "hcx_conn_id": hcx_connection_id(run.wave, rehearsal=run.rehearsal),
            "nsx_conn_id": nsx_connection_id(run.wave, rehearsal=run.rehearsal),
            "destination_segment_path": plan.segment(self.segment).destination_segment_path,
            "poll_seconds": run.scope.seconds_between_looks(rehearsal=run.rehearsal),
            "deadline": (run.now() + LONGEST_UNEXTEND).isoformat(),
        }


def _words(removal: Any) -> str:
    if removal.already_gone:
        return "gone already"
    return f"{'under way' if removal.adopted else 'accepted'}, job {removal.job_id or 'unnamed'}"


class VerifyDestinationRoutedOperator(SegmentOperator):
    """Prove that the destination routes the segment, alone; leaves the measured outage.

    :raises UnextendFailedError: if the unextend ended badly.
    :raises TwoGatewaysError: if the source gateway is not certainly off.
    """

    retries_and_delay: ClassVar[dict[str, Any]] = {"retries": 15, "delay": timedelta(seconds=2)}

    @override
    def act(self, run: TaskRun) -> dict[str, Any]:
        from hcx_waves.cutover.extension import UnextendStatus, require_unextended
        from hcx_waves.cutover.routing import verify_destination_routed

        awaited = run.xcom(run.sibling("await_unextended")) or {}
        if awaited.get("status"):
            require_unextended(UnextendStatus.model_validate(awaited["status"]), self.segment)
        with run.sites(check=False) as clients:
            instants = routed_instants(run.plan, self.segment, clients, awaited, run.pace.patience(pause_seconds=0.2))
            gateway = gateway_of(run, self.segment, clients)
            proof = verify_destination_routed(run.plan, self.segment, clients, gateway, run.now())
        removal = removal_of(run)
        outage = measured_outage(run, instants, None if removal is None else removal.accepted_at)
        self.log.info("Segment %s is routed at the destination; outage %s", self.segment, outage or "not measured")
        measured = None if outage is None else outage.model_dump(mode="json")
        return {**proof.model_dump(mode="json"), "outage": measured}


class ReconnectSourceSegmentOperator(SegmentOperator):
    """Connect the source gateway again if, and only if, the cutover broke off before the unextend was accepted.

    Meant as a teardown: it runs after success and rejection as well, looks at the state first, and mostly finds that
    there is nothing to do. Once an unextend has been accepted it refuses: the way back is a person's decision then.
    Where a person switches the gateway it always looks, as the person may have done so and said no to the rest; it
    fails with what is to be undone, and by whom, until the check says that it is.

    :param decided_by: the person who decided to go back although an unextend was accepted.
    """

    retries_and_delay: ClassVar[dict[str, Any]] = QUICK

    def __init__(self, *, decided_by: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.decided_by = decided_by

    @override
    def act(self, run: TaskRun) -> dict[str, Any]:
        from hcx_waves.cutover.gateway import Situation, read_situation, reconnect_source_segment
        from hcx_waves.procedure_errors import ProcedureError

        snapshot = run.xcom(run.sibling("disconnect_source_segment"), SNAPSHOT_KEY)
        run.use_stored_plan()
        if snapshot is None and not self.decided_by and not is_switched_by_hand(run, self.segment):
            return self._nothing("this run has not touched the source gateway")
        removal = removal_of(run)
        with run.sites(check=False) as clients:
            gateway = gateway_of(run, self.segment, clients)
            situation = read_situation(run.plan, self.segment, clients, gateway, removal)
            looked_at = run.now()
            if situation in (Situation.CONNECTED, Situation.CUT_OVER):
                undone = situation is Situation.CONNECTED and undone_by_hand(run, self.segment)
                return undone or self._nothing(situation.value, situation.value)
            try:
                change = reconnect_source_segment(
                    run.plan,
                    self.segment,
                    clients,
                    gateway,
                    run.pace.patience(pause_seconds=0.2),
                    snapshot=snapshot,
                    removal=removal,
                    decided_by=self.decided_by,
                )
            except ProcedureError as error:
                leave_open(run, self.segment, situation.value, error)
                raise
        outage = measured_outage(run, RoutedInstants(change.last_not_at, change.seen_at), looked_at)
        self.log.warning("The source gateway of %s is on again; outage %s", self.segment, outage or "not measured")
        measured = None if outage is None else outage.model_dump(mode="json")
        return {**change.model_dump(mode="json"), "acted": True, "situation": situation.value, "outage": measured}

    def _nothing(self, why: str, situation: str | None = None) -> dict[str, Any]:
        self.log.info("Nothing to reconnect: %s", why)
        return {"segment": self.segment, "acted": False, "situation": situation}
