"""Cut a segment over: prove it empty, disconnect, unextend, and verify that the destination routes it."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from hcx_airflow import names, results
from hcx_airflow.cutover_steps import my_turn, require_open_window, require_unblocked, source_gateway
from hcx_airflow.documents import Arguments
from hcx_airflow.due import why_not_due
from hcx_airflow.gates import table
from hcx_airflow.gates.approval import require_approval
from hcx_airflow.hooks.sites import hcx_connection_id, nsx_connection_id
from hcx_airflow.operators.base import SegmentOperator
from hcx_airflow.results import Slot
from hcx_airflow.task import TaskRun
from hcx_airflow.waits import expect_wait
from hcx_airflow.work import read_scope, read_wave, read_work

if TYPE_CHECKING:
    from hcx_waves.cutover.emptiness import EmptyProof
    from hcx_waves.cutover.extension import Removal
    from hcx_waves.cutover.gateway import DisconnectResult
    from hcx_waves.model.plan import WavePlan
    from hcx_waves.run.results import RoutedResult, UnextendStarted

LONGEST_UNEXTEND = timedelta(hours=2)
QUICK: Arguments = {"retries": 6, "delay": timedelta(seconds=2)}


class ProveSegmentEmptyOperator(SegmentOperator):
    """Prove that nothing uses the segment at the source any more; stores what was checked.

    Skips the segment if the run stops before the cutover.

    :raises BlockedError: if a VM of the segment was left behind.
    :raises SegmentNotEmptyError: naming what is still on it.
    """

    result: ClassVar[Slot[Any]] = results.PROOF
    # Not of the unextend, right before: nothing but that may take time in an outage.
    lends_links_to: ClassVar[tuple[str, ...]] = (names.AWAIT_UNEXTENDED,)

    @override
    def act(self, run: TaskRun) -> EmptyProof | None:
        from hcx_waves.cutover.emptiness import prove_segment_empty

        if read_scope(run, read_wave(run)).stop_before_cutover:
            raise AirflowSkipException("this run stops before the cutover")
        not_due = why_not_due(run, self.segment)
        if not_due is not None:
            # Not skipped: a skip would skip the gate as well, and with it the segments that are due.
            run.results.leave(results.NOT_DUE, not_due)
            self.log.info("Nothing to clean up: %s", not_due)
            return None
        require_unblocked(run, self.segment)
        work = read_work(run)
        with self.sites(run, work.wave) as clients:
            # Before a deletion a person is asked only about what can be deleted.
            deleting = run.is_cleanup and work.plan.segment(self.segment).deletes_source
            proof = prove_segment_empty(work.plan, self.segment, clients, run.now(), deleting=deleting)
        for one in proof.excluded:
            self.log.info("Allowed exception: %s (%s)", one.name, one.reason)
        self.log.info("Segment %s is empty at the source", self.segment)
        return proof


class DisconnectSourceSegmentOperator(SegmentOperator):
    """Disconnect the source gateway of the segment, and wait until that is in effect. The outage begins.

    Proves the segment empty once more right before. What is needed to restore the gateway is stored first.
    """

    result: ClassVar[Slot[Any]] = results.DISCONNECTED
    retries_and_delay: ClassVar[Arguments] = QUICK

    @override
    def act(self, run: TaskRun) -> DisconnectResult:
        from hcx_waves.cutover.gateway import disconnect_source_segment

        # XComs do not survive a retry; what it takes to restore the gateway must, and when the outage can have begun.
        stored, acting_since = run.results.recall(results.SNAPSHOT), run.results.recall(results.ACTING_SINCE)
        acted: list[datetime] = []

        def keep_beginning(at: datetime) -> None:
            acted.append(at)
            run.results.keep(results.ACTING_SINCE, at)

        work = read_work(run)
        decision = require_approval(run, work, table.CUTOVER)
        require_unblocked(run, self.segment)
        require_open_window(work, self.segment, run.now())
        self.log.info("The cutover was %s", decision.spoken)
        if stored is None:
            run.results.keep(results.WAY_BACK, way_back(work.plan, self.segment))
        with my_turn(run, work.plan.segment(self.segment)), self.sites(run, work.wave, check=False) as clients:
            done = disconnect_source_segment(
                work.plan,
                self.segment,
                clients,
                source_gateway(run, work, self.segment, clients),
                run.clock.patience(pause_seconds=0.2),
                on_snapshot=None if stored is not None else lambda kept: run.results.keep(results.SNAPSHOT, dict(kept)),
                on_act=keep_beginning,
            )
        self.log.info("The source gateway of %s %s", self.segment, "was already off" if done.already else "is off")
        if acted or acting_since is None:
            return done
        # An earlier try has switched it off, so the bounds are wider than this try's own.
        return done.model_copy(update={"last_not_at": acting_since, "seen_at": done.seen_at or run.now()})


def way_back(plan: WavePlan, segment: str) -> WavePlan:
    """Return what of a plan it takes to connect a segment's source gateway again.

    It is kept where no user of Airflow can write: whoever destroys the plan in an outage must not make it last.
    """
    # No plan is without a VM.
    return plan.model_copy(update={"vms": plan.vms[:1], "segments": (plan.segment(segment),), "switchover_order": ()})


class UnextendNetworkOperator(SegmentOperator):
    """Ask HCX to unextend the network and connect the destination's gateway, once.

    :param connect: whether the destination segment is connected to its gateway.
    """

    result: ClassVar[Slot[Any]] = results.UNEXTEND_STARTED
    retries_and_delay: ClassVar[Arguments] = QUICK

    def __init__(self, *, connect: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.connect = connect

    @override
    def act(self, run: TaskRun) -> UnextendStarted:
        from hcx_waves.cutover.extension import unextend_network
        from hcx_waves.run.results import UnextendStarted

        stored = run.results.recall(results.REMOVAL)
        work = read_work(run)
        with my_turn(run, work.plan.segment(self.segment)), ExitStack() as stack:
            # In its turn: a way back that has just ended has made the approval void.
            require_approval(run, work, table.CUTOVER, again=True)
            clients = stack.enter_context(self.sites(run, work.wave, check=False))
            removal = unextend_network(
                work.plan,
                self.segment,
                clients,
                source_gateway(run, work, self.segment, clients),
                run.now(),
                connect=self.connect,
                previous=stored,
                # Kept before HCX is asked: an answer that gets lost must not look like an unextend that never was.
                on_submission=lambda submitted: run.results.keep(results.REMOVAL, submitted),
            )
        run.results.keep(results.REMOVAL, removal)
        self.log.info("Unextend of %s: %s", self.segment, _words(removal))
        poll_seconds = work.scope.seconds_between_looks(rehearsal=run.rehearsal)
        expect_wait(run, run.sibling(names.AWAIT_UNEXTENDED), poll_seconds)
        return UnextendStarted(
            **removal.model_dump(),
            hcx_conn_id=hcx_connection_id(work.wave, rehearsal=run.rehearsal),
            nsx_conn_id=nsx_connection_id(work.wave, rehearsal=run.rehearsal),
            destination_segment_path=work.plan.segment(self.segment).destination_segment_path,
            poll_seconds=poll_seconds,
            deadline=run.now() + LONGEST_UNEXTEND,
            stall_limits=work.wave.limits.stalls,
        )


def _words(removal: Removal) -> str:
    if removal.already_gone:
        return "the extension was already removed"
    job = f"job {removal.job_id}" if removal.job_id else "without a job id"
    return f"{'already under way' if removal.adopted else 'accepted by HCX'}, {job}"


class VerifyDestinationRoutedOperator(SegmentOperator):
    """Verify that the destination, and only it, routes the segment; stores the measured outage.

    An unextend that failed only to connect the destination counts as ended once somebody has connected it.

    :raises UnextendFailedError: if the unextend failed.
    :raises TwoGatewaysError: if the source gateway is not proven off.
    """

    result: ClassVar[Slot[Any]] = results.ROUTED
    retries_and_delay: ClassVar[Arguments] = {"retries": 15, "delay": timedelta(seconds=2)}

    @override
    def act(self, run: TaskRun) -> RoutedResult:
        from hcx_waves.cutover.extension import may_be_repaired, require_unextended
        from hcx_waves.cutover.guards import look_at_destination
        from hcx_waves.cutover.routing import verify_destination_routed
        from hcx_waves.run.outage import measured_outage, routed_instants
        from hcx_waves.run.results import RoutedResult

        awaited = run.results.beside(results.UNEXTENDED)
        status = None if awaited is None else awaited.status
        if status is not None and not may_be_repaired(status):
            require_unextended(status, self.segment)
            status = None
        work = read_work(run)
        with self.sites(run, work.wave, check=False) as clients:
            if status is not None and not look_at_destination(clients, work.plan.segment(self.segment)).is_on:
                require_unextended(status, self.segment)
            ended = routed_instants(work.plan, self.segment, clients, awaited, run.clock.patience(pause_seconds=0.2))
            gateway = source_gateway(run, work, self.segment, clients)
            proof = verify_destination_routed(work.plan, self.segment, clients, gateway, run.now())
        removal = run.results.beside(results.REMOVAL)
        outage = measured_outage(
            ended,
            run.results.beside(results.DISCONNECTED),
            run.results.beside(results.ACTING_SINCE),
            None if removal is None else removal.accepted_at,
        )
        self.log.info("The destination routes segment %s; outage: %s", self.segment, outage or "not measured")
        return RoutedResult(**proof.model_dump(), outage=outage)
