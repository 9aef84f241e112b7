"""Start the migrations unless the inventory has drifted from the plan, evaluate the outcomes, and verify the VMs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import Context
from typing_extensions import override

from hcx_airflow import names, results
from hcx_airflow.documents import Arguments
from hcx_airflow.errors import BlockedError, DriftedError, IncompleteError, NothingMigratedError, WaitedInVainError
from hcx_airflow.forecasts import expected_vms
from hcx_airflow.gates import table
from hcx_airflow.gates.approval import require_approval
from hcx_airflow.hooks.sites import hcx_connection_id
from hcx_airflow.operators.base import WaveOperator
from hcx_airflow.rechecks import held_back, recheck
from hcx_airflow.results import Slot, to_json
from hcx_airflow.task import TaskRun
from hcx_airflow.triggers.migration import MigrationStatusTrigger
from hcx_airflow.waits import expect_wait
from hcx_airflow.work import Work, read_work
from hcx_waves.clients.errors import ClientError

if TYPE_CHECKING:
    from hcx_waves.clients.bundle import SiteClients
    from hcx_waves.migration.cancel import CancelReport
    from hcx_waves.run.results import Evaluation, MigrationsWait, Released, StartedMigrations, Verification

LAST_TRY_TO_SETTLE = 4
LONGEST_WAIT = timedelta(days=30)
AFTER_WINDOW = timedelta(hours=6)


class StartMigrationsOperator(WaveOperator):
    """Start the wave's migrations as one mobility group, once.

    What is under way already is adopted, also after the task has been cleared. Killing the task cancels nothing:
    see :class:`CancelMigrationsOperator`.

    :param hold_switchovers: whether switchovers are held back until they are released; by default if the wave has an
        ``approve_switchover`` gate or an order of switchovers.
    """

    result: ClassVar[Slot[Any]] = results.STARTED
    lends_links_to: ClassVar[tuple[str, ...]] = (names.AWAIT_SEEDED, names.AWAIT_MIGRATIONS)

    def __init__(self, *, hold_switchovers: bool | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hold_switchovers = hold_switchovers

    @override
    def act(self, run: TaskRun) -> StartedMigrations:
        from hcx_waves.migration.start import start_wave
        from hcx_waves.migration.switchover import hold
        from hcx_waves.run.results import StartedIds, StartedMigrations

        work = read_work(run)
        moving = work.scope.moves(work.plan)
        decision = require_approval(run, work, table.WAVE, adopts=True)
        self.log.info("Wave %s was %s", run.wave_id, decision.spoken)
        if not moving:
            self.log.info("This run moves no VMs")
            return StartedMigrations(group_id="", group_name="", vms=(), **self._waiting(run, work))
        window = hold(run.now()) if self._holds(work) else None
        with self.sites(run, work.wave) as clients:
            self._refuse_drift(run, work, clients)
            started = start_wave(work.plan, clients, window=window, only=moving)
            version = _version(clients)
        trace: Arguments = {"at": run.now(), "approved_by": decision.approver}
        run.results.keep(
            results.STARTED_IDS, StartedIds(group_id=started.group_id, migration_ids=started.migration_ids, **trace)
        )
        verb = "Adopted" if started.adopted else "Started"
        self.log.info("%s mobility group %s: %s", verb, started.group_name, ", ".join(moving))
        for warning in started.warnings:
            self.log.warning("HCX: %s", warning)
        waiting = self._waiting(run, work)
        first = names.AWAIT_MIGRATIONS if window is None else names.AWAIT_SEEDED
        expect_wait(run, first, work.scope.poll_seconds(work.wave))
        return StartedMigrations(
            **started.model_dump(), held=window is not None, hcx_version=version, **trace, **waiting
        )

    def _holds(self, work: Work) -> bool:
        if self.hold_switchovers is not None:
            return self.hold_switchovers
        return work.wave.gates.approve_switchover is not None or bool(work.wave.switchover_order)

    def _refuse_drift(self, run: TaskRun, work: Work, clients: SiteClients) -> None:
        """Refuse to start what has changed since it was approved. Once started, the inventory changes by itself."""
        from hcx_waves.migration.intents import group_name
        from hcx_waves.preflight.steps import WaveStep
        from hcx_waves.resolve import drift_of

        if clients.hcx.find_group_by_name(group_name(work.plan)) is not None:
            return
        require_approval(run, work, table.WAVE)
        differences = drift_of(work.plan, work.wave, clients, now=run.now())
        if differences:
            changed = "the inventory has changed since the approval"
            run.results.leave(results.DRIFT, f"{changed}: {'; '.join(differences)}")
            raise DriftedError(
                f"{changed}. Nothing was started. Start a new run to plan and be asked again. Changes:", differences
            )
        stops = recheck(run, work, clients, WaveStep.START, work.scope.moves(work.plan)).stops
        if stops:
            raise BlockedError(
                "checks that were made again found what has changed since the approval. Nothing was started. Resolve "
                f"each of them, then clear {names.APPROVE_WAVE} together with this task: {_listed(stops)}"
            )

    def _waiting(self, run: TaskRun, work: Work) -> Arguments:
        """Return what the sensor needs to know: where to ask, how often, and until when."""
        window, forecast = work.plan.clock.switchover, expected_vms(run)
        return {
            "hcx_conn_id": hcx_connection_id(work.wave, rehearsal=run.rehearsal),
            "poll_seconds": work.scope.poll_seconds(work.wave),
            "deadline": run.now() + LONGEST_WAIT if window is None else max(window.closes, run.now()) + AFTER_WINDOW,
            "expected_vms": forecast,
            "switchover_order": work.plan.switchover_order if forecast else (),
            "stall_limits": work.wave.limits.stalls,
        }

    @override
    def on_kill(self) -> None:
        self.log.warning(
            "The task was killed. Migrations that were started continue; to stop them, cancel them in HCX."
        )


def _version(clients: SiteClients) -> str:
    """Return what the manager says of its version; empty if it says nothing. It was mostly read by now."""
    try:
        return clients.hcx.version().text
    except ClientError:
        return ""


class EvaluateMigrationsOperator(WaveOperator):
    """Evaluate the result of the sensor: which VMs have arrived, which have not, and which segments that blocks.

    :raises NothingMigratedError: if no VM is at the destination. More failures than the wave allows block its segments.
    """

    result: ClassVar[Slot[Any]] = results.EVALUATED

    @override
    def act(self, run: TaskRun) -> Evaluation:
        from hcx_waves.run.evaluation import evaluate, with_seen_in_vcenter

        work = read_work(run)
        awaited = _awaited(run)
        if awaited.status is not None and awaited.status.unlisted:
            with self.sites(run, work.wave) as clients:
                awaited = with_seen_in_vcenter(work.plan, awaited, clients)
        found = evaluate(work.plan, work.scope, awaited, work.wave.limits.max_failed_vms)
        for line in found.notes:
            self.log.warning("%s", line)
        for name, outcome in found.outcomes.items():
            self.log.info("%-24s %s %s", name, outcome.label, found.messages.get(name, ""))
        for segment, reason in found.blocked_segments.items():
            self.log.warning("Segment %s will not be cut over: %s", segment, reason)
        if found.fatal:
            run.results.leave(results.EVALUATED, found)
            raise NothingMigratedError(found.fatal)
        return found


class VerifyVirtualMachinesOperator(WaveOperator):
    """Verify in both vCenters that each VM that HCX reports as moved is in place and unchanged.

    :raises IncompleteError: if none of them is.
    """

    result: ClassVar[Slot[Any]] = results.VERIFIED

    @override
    def act(self, run: TaskRun) -> Verification:
        from hcx_waves.procedure_errors import NotSettledError
        from hcx_waves.run.evaluation import verify

        work = read_work(run)
        evaluated = run.results.beside(results.EVALUATED)
        if evaluated is None:
            raise WaitedInVainError(f"{names.EVALUATE_MIGRATIONS} has stored no result. Clear it to evaluate again")
        looked_at = run.now()
        with self.sites(run, work.wave) as clients:
            found = verify(work.plan, evaluated, _awaited(run), clients)
        found = found.model_copy(update={"at": looked_at})
        if found.may_settle and run.ti.try_number < LAST_TRY_TO_SETTLE:
            raise NotSettledError("guests have not reported their IP addresses yet")
        for proof in found.proofs:
            words = "; ".join(proof.reasons + proof.outstanding + proof.changes) or "unchanged"
            self.log.info("%-24s %s: %s", proof.name, proof.outcome.label, words)
        if not any(proof.is_proven for proof in found.proofs):
            run.results.leave(results.VERIFIED, found)
            raise IncompleteError(
                "no VM could be verified at the destination, so no segment is cut over. Correct what is logged "
                "above, then clear this task"
            )
        return found


class ReleaseSwitchoversOperator(WaveOperator):
    """Release held switchovers after ``approve_switchover``: those of the wave's order one by one, then all others.

    It waits in the triggerer for each VM of the order. Right before each release the checks that protect the switchover
    are made again; a VM with a finding that blocks stays held, and in an order those after it.

    :raises IncompleteError: if a VM of the order fails, or VMs stay held for what was found; the others are released.
    """

    result: ClassVar[Slot[Any]] = results.RELEASED

    @override
    def act(self, run: TaskRun) -> Released:
        from hcx_waves.migration.switchover import release_due
        from hcx_waves.preflight.steps import WaveStep
        from hcx_waves.run.results import Released

        work = read_work(run)
        approved_by = ""
        if work.wave.gates.approve_switchover is not None:
            decision = require_approval(run, work, table.SWITCHOVER)
            approved_by = decision.approver
        else:
            # What the wave's approval has started is let go by it as well, unless that was taken back meanwhile.
            decision = require_approval(run, work, table.WAVE, again=True)
        self.log.info("Switchovers were %s", decision.spoken)
        started = run.results.beside(results.STARTED)
        released = run.results.recall(results.RELEASED_SO_FAR) or ()
        if started is None or not started.vms:
            return Released(released=released)
        with self.sites(run, work.wave, check=False) as clients:
            waiting = [name for name in work.scope.moves(work.plan) if name not in released]
            found = recheck(run, work, clients, WaveStep.SWITCHOVER, waiting)
            held = held_back(found, waiting)
            step = release_due(clients.hcx, work.plan, started, released, run.now(), held_back=held)
        if step.stopped_by is not None:
            raise IncompleteError(
                f"the switchover of {step.stopped_by} did not succeed, so the VMs after it in the order stay held. "
                "Release or cancel them in HCX"
            )
        released += step.names
        run.results.keep(results.RELEASED_SO_FAR, released)
        self.log.info("Released %s", ", ".join(step.names) or "nothing")
        if step.waiting_for is not None:
            trigger = MigrationStatusTrigger(
                started=to_json(results.STARTED, started),
                rehearsal=self.rehearsal,
                until_ended=step.waiting_for,
                ends_task=False,
            )
            self.defer(trigger=trigger, method_name="execute_complete")
        _refuse_held_back({name: held[name] for name in step.held_back}, asks=bool(approved_by))
        return Released(released=released, at=run.now(), approved_by=approved_by)

    def execute_complete(self, context: Context, event: Arguments) -> Any:
        """Continue when a VM of the order has ended."""
        from hcx_waves.run.results import Ended, MigrationsWait

        waited = MigrationsWait.model_validate(event)
        if waited.error:
            raise ClientError.from_dict(waited.error)
        if waited.ended is Ended.STALLED:
            raise IncompleteError(_standing_words(waited))
        return self.take_part(context, self.act)


def _standing_words(waited: MigrationsWait) -> str:
    """Say which switchover of an order stands, so that those after it are not released."""
    found = "; ".join(f"{one} (guide: {one.guide_url})" for one in waited.past_limit)
    return (
        f"a switchover of the order is past its limit, so the VMs after it stay held. {found}. Once it has ended, "
        "clear this task"
    )


def _refuse_held_back(held: Mapping[str, str], *, asks: bool) -> None:
    if held:
        gate = f"{names.APPROVE_SWITCHOVER} and " if asks else ""
        raise IncompleteError(
            f"not released, as their switchover would fail: {_listed(held)}. Resolve it, then clear {gate}this task; "
            "the others are not affected"
        )


class CancelMigrationsOperator(WaveOperator):
    """Cancel the migrations that ``start_migrations`` of this run has recorded, and no others.

    :param force: clear what could not be cancelled gracefully, at both sites.
    :param start_task_id: the task whose record is used.
    """

    result: ClassVar[Slot[Any]] = results.CANCELLED

    def __init__(self, *, force: bool = False, start_task_id: str = names.START_MIGRATIONS, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.force = force
        self.start_task_id = start_task_id

    @override
    def act(self, run: TaskRun) -> CancelReport:
        from hcx_airflow.work import read_wave
        from hcx_waves.migration.cancel import cancel_migrations

        started = run.results.beside(replace(results.STARTED_IDS, task=self.start_task_id))
        ids = [] if started is None else list(started.migration_ids.values())
        with self.sites(run, read_wave(run)) as clients:
            report = cancel_migrations(clients.hcx, ids, force=self.force)
        self.log.info("Cancelled: %s", report or "nothing; this run has started no migrations")
        return report


def _listed(reasons: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {reason}" for name, reason in reasons.items())


def _awaited(run: TaskRun) -> MigrationsWait:
    """Return what the sensor has left.

    :raises WaitedInVainError: if it left nothing.
    """
    awaited = run.results.beside(results.AWAITED)
    if awaited is None:
        raise WaitedInVainError(f"{names.AWAIT_MIGRATIONS} has stored no result. Clear it to look again")
    return awaited
