"""How a migration moves from phase to phase.

The flow knows the itinerary and keeps timers, transfers and lanes; what a phase does is registered by the modules
that own it. Fault points of the engine (rules with ``product: engine``), struck with the VM's name:
``migration.base_sync``, ``migration.delta_sync``, ``migration.switchover``, ``migration.cleanup`` and
``migration.cancel``. ``fail`` ends the step after ``seconds``, ``delay`` lengthens it, ``stall`` never ends it.
"""

from __future__ import annotations

from collections.abc import Callable

from hcx_sim.faults.rules import FaultRule
from hcx_sim.hcx.mobility.itinerary import next_phase
from hcx_sim.hcx.mobility.lanes import Lanes
from hcx_sim.hcx.mobility.model import SWITCHING, WAITING_TO_SWITCH, LogLine, Migration, Phase
from hcx_sim.hcx.mobility.relocation_task import follow
from hcx_sim.hcx.mobility.store import Store
from hcx_sim.hcx.mobility.transfer import Transfers
from hcx_sim.world.model import Vm
from hcx_sim.world.world import World

TIMER = "hcx.mobility.timer"
DELTA_ALARM = "delta"
FAULT_POINTS = (
    "migration.base_sync", "migration.delta_sync", "migration.switchover", "migration.cleanup", "migration.cancel",
)  # fmt: skip
HOLDS_TURN = frozenset({Phase.SWITCHOVER_TURN, Phase.FINAL_SYNC, Phase.RELOCATION, Phase.SWITCHOVER})

Action = Callable[[Migration], None]

MESSAGES: dict[Phase, str] = {
    Phase.TRANSFER_WINDOW: "Waiting for the transfer window",
    Phase.QUEUED: "Queued",
    Phase.PREPARING: "Preparing the migration",
    Phase.BASE_SYNC: "Base sync in progress",
    Phase.SWITCHOVER_WINDOW: "Replicated, waiting for the switchover window",
    Phase.SWITCHOVER_TURN: "Ready, waiting for its turn to switch over",
    Phase.SHUTDOWN: "Shutting down the source virtual machine",
    Phase.FINAL_SYNC: "Switchover: last delta sync",
    Phase.RELOCATION: "Relocation in progress",
    Phase.SWITCHOVER: "Switchover in progress",
    Phase.CLEANUP: "Cleaning up",
    Phase.ROLLBACK: "Rolling back",
    Phase.CANCELLING: "Cancelling",
    Phase.CANCEL_FAILED: "Failed to cancel gracefully",
    Phase.COMPLETE: "Migration completed",
    Phase.CANCELLED: "Migration cancelled",
}


class Flow:
    """Moves the migrations of one world; phases register what they do with :meth:`on_enter` and the like."""

    def __init__(self, world: World, store: Store) -> None:
        """Prepare an empty flow and its event handlers."""
        self.world = world
        self.store = store
        self.transfers = Transfers(world, self._transferred)
        self.lanes = Lanes(world, self._granted)
        self._enter: dict[Phase, Action] = {}
        self._alarms: dict[str, Action] = {}
        self._arrivals: dict[str, Action] = {}
        world.engine.on(TIMER, self._ring)

    def on_enter(self, phase: Phase, action: Action) -> None:
        """Say what happens when a migration enters a phase."""
        self._enter[phase] = action

    def on_alarm(self, what: str, action: Action) -> None:
        """Say what happens when a timer set with :meth:`alarm` runs out."""
        self._alarms[what] = action

    def on_transferred(self, stream: str, action: Action) -> None:
        """Say what happens when a stream of that kind has arrived completely."""
        self._arrivals[stream] = action

    def advance(self, migration: Migration) -> None:
        """Move a migration to the next phase of its way."""
        self.enter(migration, next_phase(migration))

    def enter(self, migration: Migration, phase: Phase, message: str | None = None) -> None:
        """Move a migration to a phase: leave the present one, note the change, do what the phase does."""
        before = migration.phase
        self._leave(migration, phase)
        migration.phase = phase
        migration.phase_us = self.world.now_us
        if phase in SWITCHING and before not in SWITCHING:
            migration.switching_us = self.world.now_us
        self.say(migration, message or MESSAGES.get(phase) or migration.message)
        plan = migration.known
        self.world.audit.add(
            "note",
            f"migration:{migration.migration_id}",
            vm=plan.vm_name,
            mesh=plan.mesh_key,
            migration_type=plan.migration_type.value,
            before=before.value,
            phase=phase.value,
            message=migration.message,
        )
        follow(self.world, migration)
        action = self._enter.get(phase)
        if action is not None:
            action(migration)

    def fail(self, migration: Migration, outcome: Phase, message: str) -> None:
        """Give up: roll back, then end in ``outcome`` with ``message`` as the error."""
        migration.outcome = outcome
        migration.error = message
        self.enter(migration, Phase.ROLLBACK, message)

    def say(self, migration: Migration, message: str) -> None:
        """Set the message that clients see and add it to the log."""
        migration.message = message
        migration.updated_us = self.world.now_us
        migration.log.append(LogLine(self.world.now_us, message))

    def alarm(self, migration: Migration, what: str, after_seconds: float) -> None:
        """Set the timer ``what`` of a migration; it is cancelled when the phase is left."""
        self._set(migration, what, self.world.now_us + round(after_seconds * 1_000_000))

    def alarm_at(self, migration: Migration, what: str, at_us: int) -> None:
        """Set the timer ``what`` of a migration to an instant; see :meth:`alarm`."""
        self._set(migration, what, at_us)

    def silence(self, migration: Migration, what: str) -> None:
        """Take a timer back; one that is not set is ignored."""
        self.world.engine.cancel(migration.timers.pop(what, None))

    def strike(self, point: str, migration: Migration) -> FaultRule | None:
        """Return the engine fault that strikes a migration at one of ``FAULT_POINTS``."""
        plan = migration.known
        return self.world.faults.strike_engine(point, plan.vm_name, plan.source.value)

    def vm_of(self, migration: Migration) -> Vm | None:
        """Return the VM at the source, None when it is not there any more."""
        plan = migration.known
        vm = self.world.vms.get(plan.vm_key)
        return vm if vm is not None and vm.uid == plan.vm_uid and not vm.retired else None

    def begin_stream(self, migration: Migration, kind: str, size_bytes: int) -> None:
        """Transfer ``size_bytes``; ``kind`` decides what happens when they have arrived."""
        sync, plan = migration.sync, migration.known
        sync.stream = kind
        sync.stream_bytes = size_bytes
        sync.total_bytes += size_bytes
        if sync.started_us is None:
            sync.started_us = self.world.now_us
        self.transfers.start(plan.mesh_key, migration.migration_id, plan.vm_name, size_bytes)

    def halt_stream(self, migration: Migration) -> int:
        """End a running stream early; return the bytes that have not arrived."""
        sync = migration.sync
        if not sync.stream:
            return 0
        arrived = self.transfers.stop(migration.migration_id)
        missing = sync.stream_bytes - arrived
        sync.done_bytes += arrived
        sync.stream = ""
        return missing

    def _leave(self, migration: Migration, phase: Phase) -> None:
        keeps_syncing = migration.phase in WAITING_TO_SWITCH and phase in WAITING_TO_SWITCH
        for what in list(migration.timers):
            if not (keeps_syncing and what == DELTA_ALARM):
                self.silence(migration, what)
        if not keeps_syncing and phase not in (Phase.SHUTDOWN, Phase.FINAL_SYNC):
            self.halt_stream(migration)
        migration.sync.stalled = False
        if phase not in HOLDS_TURN:
            self.lanes.leave(migration.migration_id)

    def _set(self, migration: Migration, what: str, at_us: int) -> None:
        self.silence(migration, what)
        name = f"{what}/{migration.entity_name}/{migration.migration_id}"
        payload = {"migration_id": migration.migration_id, "what": what}
        migration.timers[what] = self.world.engine.schedule_at(at_us, TIMER, name, **payload)

    def _ring(self, migration_id: str, what: str) -> None:
        migration = self.store.migrations[migration_id]
        migration.timers.pop(what, None)
        self._alarms[what](migration)

    def _transferred(self, migration_id: str) -> None:
        migration = self.store.migrations[migration_id]
        sync = migration.sync
        kind, sync.stream = sync.stream, ""
        sync.done_bytes += sync.stream_bytes
        self._arrivals[kind](migration)

    def _granted(self, migration_id: str) -> None:
        self.advance(self.store.migrations[migration_id])
