"""How migrations end: completed, rolled back, cancelled, forced; and what is left behind.

A rollback that does not finish blocks the next attempt until a force cancel (UG 4.9). A graceful cancel is a workflow
of its own that takes time and can fail [D hcx 7]; its path on the wire is a guess.
"""

from __future__ import annotations

from hcx_sim.hcx.mobility.admission import Admission
from hcx_sim.hcx.mobility.flow import Flow
from hcx_sim.hcx.mobility.model import TERMINAL, Migration, Phase
from hcx_sim.hcx.mobility.replication import Replication
from hcx_sim.world.model import Power

UNCANCELLABLE = frozenset({Phase.SWITCHOVER, Phase.CLEANUP, Phase.ROLLBACK, Phase.CANCELLING, Phase.CANCEL_FAILED})
_LEFTOVERS = "The rollback is incomplete; force cancel the migration before the next attempt."


class RefusedError(Exception):
    """A cancellation that the present phase does not allow; the message says why."""


def _refuse_past(migration: Migration) -> None:
    """Refuse to end a migration of before the world began: nothing is known of it but that it was there."""
    if migration.plan is None and migration.phase is not Phase.DRAFT:
        raise RefusedError(f"The migration of {migration.entity_name} began before this world did.")


class Endings:
    """The phases from which nothing leads back to the migration's way."""

    def __init__(self, flow: Flow, admission: Admission, replication: Replication) -> None:
        """Register the phases with the flow."""
        self._flow = flow
        self._admission = admission
        self._replication = replication
        flow.on_enter(Phase.CLEANUP, self._clean_up)
        flow.on_alarm("cleaned_up", flow.advance)
        flow.on_alarm("cleanup_fails", self._cleanup_fails)
        flow.on_enter(Phase.ROLLBACK, self._roll_back)
        flow.on_alarm("rolled_back", self._rolled_back)
        flow.on_enter(Phase.CANCELLING, self._cancelling)
        flow.on_alarm("cancelled", self._end_cancel)
        flow.on_alarm("cancel_fails", self._cancel_fails)
        flow.on_enter(Phase.CANCEL_FAILED, self._cancel_failed)
        flow.on_alarm("forced_cleanup", self._forced_cleanup)
        for phase in TERMINAL:
            flow.on_enter(phase, self._end)

    def cancel(self, migration: Migration) -> None:
        """Begin to cancel gracefully; raises :class:`RefusedError` when the phase does not allow it."""
        _refuse_past(migration)
        if not migration.phase.active or migration.phase in UNCANCELLABLE:
            raise RefusedError(f"The migration of {migration.entity_name} cannot be cancelled: {migration.message}.")
        migration.outcome = Phase.CANCELLED
        self._flow.enter(migration, Phase.CANCELLING)

    def force_cancel(self, migration: Migration, *, drop_seed: bool) -> None:
        """Cancel whatever goes on, or clear the left-overs of an ended migration; ``drop_seed`` deletes seed data.

        Raises :class:`RefusedError` when there is nothing to cancel, clear or delete.
        """
        _refuse_past(migration)
        dropped = drop_seed and migration.phase.terminal and self._replication.drop_seed(migration)
        if migration.phase.active:
            migration.forced = True
            migration.outcome = Phase.COMPLETE if migration.phase is Phase.CLEANUP else Phase.CANCELLED
            migration.drops_seed = drop_seed
            self._flow.enter(migration, Phase.CANCELLING, "Force cancelling")
        elif migration.cleanup_pending:
            self._flow.say(migration, "Force cleanup in progress")
            self._flow.alarm(migration, "forced_cleanup", self._flow.world.settings.hcx.cancel_seconds)
        elif not dropped:
            raise RefusedError(f"The migration of {migration.entity_name} has nothing to cancel: {migration.message}.")

    def _clean_up(self, migration: Migration) -> None:
        self._tidy(migration, 0.0, "cleaned_up", "cleanup_fails")

    def _roll_back(self, migration: Migration) -> None:
        self._tidy(migration, self._flow.world.settings.hcx.cancel_seconds, "rolled_back", "cleanup_fails")

    def _tidy(self, migration: Migration, takes_seconds: float, done: str, failed: str) -> None:
        rule = self._flow.strike("migration.cleanup", migration)
        if rule is not None and rule.behaviour == "stall":
            migration.sync.stalled = True
        elif rule is not None and rule.behaviour == "fail":
            self._flow.alarm(migration, failed, takes_seconds + rule.seconds)
        else:
            self._flow.alarm(migration, done, takes_seconds + (rule.seconds if rule else 0.0))

    def _cleanup_fails(self, migration: Migration) -> None:
        if migration.phase is Phase.CLEANUP:
            migration.warnings.append("Cleaning up at the source was incomplete.")
            self._flow.advance(migration)
        else:
            self._leave_leftovers(migration)
            self._rolled_back(migration)

    def _leave_leftovers(self, migration: Migration) -> None:
        if not migration.cleanup_pending:
            migration.cleanup_pending = True
            migration.warnings.append(_LEFTOVERS)

    def _rolled_back(self, migration: Migration) -> None:
        if not migration.forced and migration.entity_name in self._flow.world.settings.hcx.failing_cleanups:
            self._leave_leftovers(migration)
        self._restore(migration)
        outcome = migration.outcome or Phase.FAILED
        message = migration.error if outcome in (Phase.FAILED, Phase.TRANSFER_FAILED) else None
        self._flow.enter(migration, outcome, message)

    def _restore(self, migration: Migration) -> None:
        """Start a source VM that the switchover had shut down."""
        vm = self._flow.vm_of(migration)
        if migration.powered_off and vm is not None and vm.power is Power.OFF:
            self._flow.world.update(vm, power=Power.ON)
        migration.powered_off = False

    def _cancelling(self, migration: Migration) -> None:
        takes_seconds = self._flow.world.settings.hcx.cancel_seconds
        if migration.forced:
            self._flow.alarm(migration, "cancelled", takes_seconds)
            return
        rule = self._flow.strike("migration.cancel", migration)
        fails = migration.entity_name in self._flow.world.settings.hcx.failing_cancels
        if rule is not None and rule.behaviour == "stall":
            migration.sync.stalled = True
        elif fails or (rule is not None and rule.behaviour == "fail"):
            self._flow.alarm(migration, "cancel_fails", takes_seconds)
        else:
            self._flow.alarm(migration, "cancelled", takes_seconds + (rule.seconds if rule else 0.0))

    def _cancel_fails(self, migration: Migration) -> None:
        self._flow.enter(migration, Phase.CANCEL_FAILED)

    def _cancel_failed(self, migration: Migration) -> None:
        migration.error = "The migration failed to cancel gracefully; force cancel it."

    def _end_cancel(self, migration: Migration) -> None:
        migration.error = ""
        self._rolled_back(migration)

    def _forced_cleanup(self, migration: Migration) -> None:
        migration.cleanup_pending = False
        self._flow.say(migration, "Left-overs removed")
        subject = f"migration:{migration.migration_id}"
        self._flow.world.audit.add("note", subject, vm=migration.entity_name, cleaned_up=True)

    def _end(self, migration: Migration) -> None:
        migration.ended_us = self._flow.world.now_us
        if migration.drops_seed:
            self._replication.release_space(migration)
        elif migration.phase is not Phase.COMPLETE:
            self._replication.keep_seed(migration)
        self._admission.release(migration)
        self._flow.store.end(migration)
