"""Connect the source gateway again after a cutover that failed before the unextend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from hcx_airflow import results
from hcx_airflow.cutover_steps import is_switched_by_hand, my_turn, source_gateway, went_back
from hcx_airflow.documents import Arguments
from hcx_airflow.errors import UnreadableResultError
from hcx_airflow.names import CONFIRM_DISCONNECTED
from hcx_airflow.operators.base import SegmentOperator
from hcx_airflow.operators.cutover import QUICK
from hcx_airflow.results import Slot, decision_slot
from hcx_airflow.task import TaskRun
from hcx_airflow.work import Work, read_work

if TYPE_CHECKING:
    from hcx_waves.cutover.gateway import GatewayChange, SegmentLook
    from hcx_waves.procedure_errors import ProcedureError
    from hcx_waves.run.decisions import Decision
    from hcx_waves.run.results import ReconnectResult


class ReconnectSourceSegmentOperator(SegmentOperator):
    """Connect the source gateway again if, and only if, the cutover failed before the unextend was accepted.

    Meant as a teardown: it runs after success and rejection as well, reads the state first, and usually has nothing to
    do. Once an unextend has been accepted it refuses: then a person decides.
    Where a person switches the gateway it always reads the state, as the gateway may be off although the person
    rejected the gate. It then fails with the instructions to undo this, until the check shows the gateway on.

    :param decided_by: the user who decided to go back although an unextend was accepted.
    """

    result: ClassVar[Slot[Any]] = results.RECONNECTED
    # Half an hour: whatever is away, the gateway is off meanwhile. The report waits for this task, so not for ever.
    retries_and_delay: ClassVar[Arguments] = {**QUICK, "retries": 30}

    def __init__(self, *, decided_by: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.decided_by = decided_by

    @override
    def act(self, run: TaskRun) -> ReconnectResult:
        from hcx_waves.cutover.gateway import look_at_segment, reconnect_source_segment
        from hcx_waves.procedure_errors import ProcedureError

        snapshot = run.results.beside(results.SNAPSHOT)
        work = read_work(run, even_if_changed=True, plan=run.results.beside(results.WAY_BACK))
        if snapshot is None and not self.decided_by and not is_switched_by_hand(work, self.segment):
            return self._nothing("this run has not changed the source gateway")
        removal = run.results.beside(results.REMOVAL)
        with my_turn(run, work.plan.segment(self.segment)), self.sites(run, work.wave, check=False) as clients:
            gateway = source_gateway(run, work, self.segment, clients)
            look = look_at_segment(work.plan, self.segment, clients, gateway, run.now, removal)
            left = self._left_as_it_is(run, work, look, snapshot is not None)
            if left is not None:
                return left
            try:
                change = reconnect_source_segment(
                    work.plan,
                    self.segment,
                    clients,
                    gateway,
                    run.clock.patience(pause_seconds=0.2),
                    snapshot=snapshot,
                    removal=removal,
                    decided_by=self.decided_by,
                )
            except ProcedureError as error:
                self._leave_open(run, work, look, error)
                raise
        return self._done(run, change, look)

    def _left_as_it_is(self, run: TaskRun, work: Work, look: SegmentLook, was_changed: bool) -> ReconnectResult | None:
        """Return what there is to say if nothing is to be done; None if the gateway is to be connected again.

        :param was_changed: whether this run has begun to switch the gateway off.
        """
        from hcx_waves.cutover.gateway import Situation

        if look.situation is Situation.CUT_OVER:
            return self._nothing("the destination routes the segment", look)
        if look.situation is Situation.CONNECTED:
            if was_changed:
                run.results.keep(results.WENT_BACK, True)
            return self._undone_by_hand(run) or self._nothing("the source gateway is on", look)
        if went_back(run) and not self.decided_by and not is_switched_by_hand(work, self.segment):
            # What switched it off since was not this run's cutover, so it is not for this run to undo.
            return self._nothing("this run has connected the source gateway again before", look)
        return None

    def _done(self, run: TaskRun, change: GatewayChange, look: SegmentLook) -> ReconnectResult:
        from hcx_waves.run.outage import RoutedInstants, measured_outage
        from hcx_waves.run.results import ReconnectResult

        run.results.keep(results.WENT_BACK, True)
        # Only what is measured is lost if somebody has destroyed this: the gateway is on.
        disconnected = run.results.beside_if_possible(results.DISCONNECTED)
        outage = measured_outage(
            RoutedInstants(change.last_not_at, change.seen_at),
            disconnected,
            run.results.beside(results.ACTING_SINCE),
            look.answered_at,
        )
        self.log.warning("The source gateway of %s is on again; outage: %s", self.segment, outage or "not measured")
        found: Arguments = {"situation": look.situation, "look": look, "decided_by": self.decided_by}
        return ReconnectResult(**change.model_dump(), acted=True, outage=outage, **found)

    def _nothing(self, why: str, look: SegmentLook | None = None) -> ReconnectResult:
        from hcx_waves.run.results import ReconnectResult

        self.log.info("Nothing to reconnect: %s", why)
        return ReconnectResult(segment=self.segment, situation=None if look is None else look.situation, look=look)

    def _leave_open(self, run: TaskRun, work: Work, look: SegmentLook, error: ProcedureError) -> None:
        """Store for the verdict and the report that the source gateway is not on again, and what to do."""
        from hcx_waves.run.results import ReconnectResult

        if is_switched_by_hand(work, self.segment):
            run.results.keep(results.FOUND_OFF, True)
        text = f"{error.message}. {self._undo(run, work)}".strip()
        left = ReconnectResult(segment=self.segment, situation=look.situation, look=look, open=text)
        run.results.leave(self.result, left)

    def _undone_by_hand(self, run: TaskRun) -> ReconnectResult | None:
        """Return the change, if an earlier try found the gateway off and a person has switched it on since."""
        from hcx_waves.cutover.gateway import Situation
        from hcx_waves.run.results import ReconnectResult

        if not run.results.recall(results.FOUND_OFF):
            return None
        self.log.warning("The source gateway of %s is on again: it was switched on by hand", self.segment)
        evidence = "an earlier check found it off; it was switched on by hand since"
        return ReconnectResult(
            segment=self.segment, already=True, evidence=evidence, acted=True, situation=Situation.CONNECTED
        )

    def _decision_of_person(self, run: TaskRun) -> Decision | None:
        try:
            return run.results.beside(decision_slot(CONFIRM_DISCONNECTED))
        except UnreadableResultError as error:
            self.log.warning("%s", error)
            return None

    def _undo(self, run: TaskRun, work: Work) -> str:
        """Return what to undo by hand; empty where no person switches the gateway."""
        manual = work.wave.segment(self.segment).manual
        if not is_switched_by_hand(work, self.segment) or manual is None:
            return ""
        decision = self._decision_of_person(run)
        who = None if decision is None else decision.user_name
        answered = f" ({who} answered {CONFIRM_DISCONNECTED})" if who else ""
        return f"Undo the disconnect by hand{answered}, then clear {run.task_id}: {manual.undo_instructions}"
