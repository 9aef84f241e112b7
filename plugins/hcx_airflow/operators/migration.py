"""Start the migrations, judge how they ended, and prove it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from airflow.sdk import Context
from typing_extensions import override

from hcx_airflow.common.errors import DRIFT_KEY, DriftedError, IncompleteError, NothingMigratedError
from hcx_airflow.hooks.sites import hcx_connection_id
from hcx_airflow.operators.base import WaveOperator
from hcx_airflow.runs.forecasts import expected_of
from hcx_airflow.runs.task import TaskRun
from hcx_airflow.triggers.migration import MigrationStatusTrigger
from hcx_waves.clients.errors import ClientError

APPROVE_WAVE = "approve_wave"
APPROVE_SWITCHOVER = "approve_switchover"
STARTED_KEY = "started"
RELEASED_KEY = "released"
LAST_TRY_TO_SETTLE = 4
LONGEST_WAIT = timedelta(days=30)
AFTER_WINDOW = timedelta(hours=6)
_NOTHING_STARTED: dict[str, Any] = {
    "group_id": "", "group_name": "", "vms": [], "adopted": False, "earlier_groups": [], "warnings": [], "held": False,
}  # fmt: skip


class StartMigrationsOperator(WaveOperator):
    """Start the wave's migrations as one mobility group, once.

    What is under way already is adopted, also after the task has been cleared. Killing the task cancels nothing:
    see :class:`CancelMigrationsOperator`.

    :param hold_switchovers: whether switchovers are held back until they are released; by default if the wave has an
        ``approve_switchover`` gate or an order of switchovers.
    """

    lends_links_to: ClassVar[tuple[str, ...]] = ("await_seeded", "await_migrations")

    def __init__(self, *, hold_switchovers: bool | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hold_switchovers = hold_switchovers

    @override
    def act(self, run: TaskRun) -> dict[str, Any]:
        from hcx_waves.clients.hcx import Schedule
        from hcx_waves.migration.start import start_wave
        from hcx_waves.migration.switchover import hold

        plan = run.plan
        names = run.scope.moves(plan)
        decision = run.approval(APPROVE_WAVE, run.wave.gates.approve_wave)
        self.log.info("Wave %s was %s", run.wave_id, decision.spoken)
        window: Schedule | None = hold(run.now()) if self._holds(run) else None
        if not names:
            self.log.info("No VM is to be moved by this run")
            return {**_NOTHING_STARTED, **self._waiting(run)}
        with run.sites() as clients:
            self._refuse_drift(run, clients)
            started = start_wave(plan, clients, window=window, only=names)
        result = {**started.model_dump(mode="json"), **self._waiting(run), "held": window is not None}
        run.remember(STARTED_KEY, {"group_id": started.group_id, "migration_ids": started.migration_ids})
        verb = "Adopted" if started.adopted else "Started"
        self.log.info("%s mobility group %s: %s", verb, started.group_name, ", ".join(names))
        for warning in started.warnings:
            self.log.warning("HCX: %s", warning)
        return result

    def _holds(self, run: TaskRun) -> bool:
        if self.hold_switchovers is not None:
            return self.hold_switchovers
        return run.wave.gates.approve_switchover is not None or bool(run.wave.switchover_order)

    def _refuse_drift(self, run: TaskRun, clients: Any) -> None:
        """Refuse to start what has changed since it was approved. Once started, the inventory changes by itself."""
        from hcx_waves.migration.intents import group_name
        from hcx_waves.resolve import drift_of

        if clients.hcx.find_group_by_name(group_name(run.plan)) is not None:
            return
        differences = drift_of(run.plan, run.wave, clients, now=run.now())
        if differences:
            drifted = DriftedError("the inventory is not what was approved; nothing was started", differences)
            run.ti.xcom_push(key=DRIFT_KEY, value=str(drifted))
            raise drifted

    def _waiting(self, run: TaskRun) -> dict[str, Any]:
        """Return what the sensor needs to know: where to ask, how often, and until when."""
        window = run.plan.clock.switchover
        deadline = run.now() + LONGEST_WAIT if window is None else max(window.closes, run.now()) + AFTER_WINDOW
        return {
            "hcx_conn_id": hcx_connection_id(run.wave, rehearsal=run.rehearsal),
            "poll_seconds": run.scope.poll_seconds(run.wave),
            "deadline": deadline.isoformat(),
            **expected_of(run),
        }

    @override
    def on_kill(self) -> None:
        self.log.warning("The task was killed; migrations that were started go on. Cancelling is a task of its own.")


class EvaluateMigrationsOperator(WaveOperator):
    """Judge what the sensor has seen: who has arrived, who has not, and which segments that blocks.

    :raises NothingMigratedError: if no VM is at the destination, or more failed than the wave allows.
    """

    @override
    def act(self, run: TaskRun) -> dict[str, Any]:
        from hcx_airflow.runs.outcomes import evaluate

        result = evaluate(run.plan, run.wave, run.scope, run.nearby("await_migrations"))
        for line in result["notes"]:
            self.log.warning("%s", line)
        for vm in result["vms"]:
            self.log.info("%-24s %s %s", vm["name"], vm["outcome"], vm["message"])
        for segment, reason in result["blocked_segments"].items():
            self.log.warning("Segment %s will not be cut over: %s", segment, reason)
        if result["fatal"]:
            run.ti.xcom_push(key="return_value", value=result)
            raise NothingMigratedError(result["fatal"])
        return result


class VerifyVirtualMachinesOperator(WaveOperator):
    """Prove in both vCenters that each VM that HCX reports as moved is where and as it should be.

    :raises IncompleteError: if not one of them is.
    """

    @override
    def act(self, run: TaskRun) -> dict[str, Any]:
        from hcx_airflow.runs.outcomes import prove
        from hcx_waves.procedure_errors import NotSettledError

        evaluated = run.nearby("evaluate_migrations")
        with run.sites() as clients:
            result = prove(run.plan, evaluated, run.nearby("await_migrations"), clients)
        if result["may_settle"] and run.ti.try_number < LAST_TRY_TO_SETTLE:
            raise NotSettledError("guests have not reported their addresses yet")
        for proof in result["proofs"]:
            words = "; ".join(proof["reasons"] + proof["outstanding"]) or "as before"
            self.log.info("%-24s %s: %s", proof["name"], proof["outcome"], words)
        if not any(proof["proven"] for proof in result["proofs"]):
            run.ti.xcom_push(key="return_value", value=result)
            raise IncompleteError("no VM was found at the destination as it should be; no segment is cut over")
        return result


class ReleaseSwitchoversOperator(WaveOperator):
    """Let held VMs switch over, after ``approve_switchover``: in the wave's order one by one, then all others.

    Between two of the order it waits in the triggerer.

    :raises IncompleteError: if a VM of the order fails; those after it stay held.
    """

    @override
    def act(self, run: TaskRun) -> dict[str, Any]:
        from hcx_airflow.runs.switchovers import release_next

        if run.wave.gates.approve_switchover is not None:
            decision = run.approval(APPROVE_SWITCHOVER, run.wave.gates.approve_switchover)
            self.log.info("Switchovers were %s", decision.spoken)
        started = run.nearby("start_migrations")
        released: list[str] = list(run.recall(RELEASED_KEY) or ())
        if not started["vms"]:
            return {"released": released}
        with run.sites(check=False) as clients:
            step = release_next(run.plan, started, released, clients, run.now())
        released += step.released
        run.remember(RELEASED_KEY, released)
        self.log.info("Released %s", ", ".join(step.released) or "nothing")
        if step.waiting_for is not None:
            trigger = MigrationStatusTrigger(
                started=started, rehearsal=self.rehearsal, until_ended=step.waiting_for, ends_task=False
            )
            self.defer(trigger=trigger, method_name="execute_complete")
        return {"released": released}

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Go on after a VM of the order is through."""
        if event.get("error"):
            raise ClientError.from_dict(event["error"])
        return self.take_part(context, self.act)


class CancelMigrationsOperator(WaveOperator):
    """Cancel the migrations that ``start_migrations`` of this run has recorded, and no others. Says what it did.

    :param force: clear what could not be cancelled gracefully, at both sites.
    :param start_task_id: the task whose record is used.
    """

    def __init__(self, *, force: bool = False, start_task_id: str = "start_migrations", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.force = force
        self.start_task_id = start_task_id

    @override
    def act(self, run: TaskRun) -> dict[str, Any]:
        from hcx_waves.migration.cancel import cancel_migrations

        started = run.xcom(self.start_task_id, STARTED_KEY) or {}
        ids = list(started.get("migration_ids", {}).values())
        with run.sites() as clients:
            report = cancel_migrations(clients.hcx, ids, force=self.force)
        self.log.info("Cancelled: %s", report or "nothing, as this run has started nothing")
        return dict(report.model_dump(mode="json"))
