"""Getting going: transfer windows, the limits on concurrent replications, and preparing the VM.

Limits: 300 replications per manager, 200 per mesh [D hcx 8.1]. Whether the next one queues or is rejected is
not published [? hcx 8.1]; ``settings.hcx.over_limit`` decides.
"""

from __future__ import annotations

from collections import Counter

from hcx_sim.hcx.mobility.flow import Flow
from hcx_sim.hcx.mobility.model import Migration, MigrationType, Phase

ADMIT = "hcx.mobility.admit"
_ADMIT_NAME = "~admission"


class Admission:
    """The phases before the first byte of every migration."""

    def __init__(self, flow: Flow) -> None:
        """Register the phases with the flow."""
        self._flow = flow
        self._world = flow.world
        self._queue: dict[str, tuple[int, str]] = {}  # migration id -> since, VM name
        self._admitted: dict[str, str] = {}  # migration id -> mesh
        flow.world.engine.on(ADMIT, self._admit)
        flow.on_enter(Phase.TRANSFER_WINDOW, self._await_window)
        flow.on_alarm("transfer_window", flow.advance)
        flow.on_enter(Phase.QUEUED, self._enqueue)
        flow.on_enter(Phase.PREPARING, self._prepare)
        flow.on_alarm("prepared", self._prepared)

    def room_problem(self, mesh_key: str, more_on_mesh: int, more: int) -> str | None:
        """Return why ``more`` replications, ``more_on_mesh`` of them on a mesh, would be rejected; None if not.

        Everything that has been started and has not ended counts, also what waits for its transfer window.
        """
        settings = self._world.settings.hcx
        if settings.over_limit != "reject":
            return None
        per_mesh: Counter[str] = Counter(
            migration.known.mesh_key
            for migration in self._flow.store.active()
            if migration.known.migration_type.replicates
        )
        if per_mesh.total() + more > settings.max_concurrent_per_manager:
            return f"The limit of {settings.max_concurrent_per_manager} concurrent migrations per manager is reached."
        if per_mesh[mesh_key] + more_on_mesh > settings.max_concurrent_per_mesh:
            return f"The limit of {settings.max_concurrent_per_mesh} concurrent migrations per service mesh is reached."
        return None

    def release(self, migration: Migration) -> None:
        """Give back the place of a migration that is over, or take it out of the queue."""
        self._queue.pop(migration.migration_id, None)
        if self._admitted.pop(migration.migration_id, None) is not None:
            self._ask()

    def reschedule(self, migration: Migration) -> None:
        """Follow a changed transfer window."""
        if migration.phase is Phase.TRANSFER_WINDOW:
            self._await_window(migration)

    def _await_window(self, migration: Migration) -> None:
        window = migration.known.transfer_window
        now_us = self._world.now_us
        self._flow.silence(migration, "transfer_window")
        if window.pending(now_us) and window.start_us is not None:
            self._flow.alarm_at(migration, "transfer_window", window.start_us)
        elif window.expired(now_us):
            self._missed(migration)
        else:
            self._flow.advance(migration)

    def _missed(self, migration: Migration) -> None:
        message = "The transfer window has passed."
        if self._world.settings.hcx.missed_window == "fail":
            self._flow.fail(migration, Phase.TRANSFER_FAILED, message)
        else:
            migration.missed_window = True
            self._flow.say(migration, f"{message} Reschedule the migration.")

    def _enqueue(self, migration: Migration) -> None:
        self._queue[migration.migration_id] = (self._world.now_us, migration.entity_name)
        self._ask()

    def _ask(self) -> None:
        if self._queue:
            # behind everything else of this instant, so that places go by VM name and not by arrival
            self._world.engine.schedule(0.0, ADMIT, _ADMIT_NAME)

    def _admit(self) -> None:
        settings = self._world.settings.hcx
        per_mesh = Counter(self._admitted.values())
        for migration_id in sorted(self._queue, key=lambda each: self._queue[each]):
            if len(self._admitted) >= settings.max_concurrent_per_manager:
                return
            migration = self._flow.store.migrations[migration_id]
            mesh_key = migration.known.mesh_key
            if per_mesh[mesh_key] >= settings.max_concurrent_per_mesh:
                continue
            per_mesh[mesh_key] += 1
            del self._queue[migration_id]
            self._admitted[migration_id] = mesh_key
            self._flow.advance(migration)

    def _prepare(self, migration: Migration) -> None:
        settings = self._world.settings.hcx
        stream = self._world.random.stream(f"queue/{migration.entity_name}")
        self._flow.alarm(migration, "prepared", settings.queue_seconds.draw(stream) + settings.validation_seconds)

    def _prepared(self, migration: Migration) -> None:
        vm = self._flow.vm_of(migration)
        plan = migration.known
        if vm is None:
            outcome = Phase.TRANSFER_FAILED if plan.migration_type.replicates else Phase.FAILED
            self._flow.fail(migration, outcome, f"Virtual machine {plan.vm_name} is no longer at the source.")
            return
        always = plan.migration_type in (MigrationType.BULK, MigrationType.OSAM)  # bulk always removes [D hcx 4.8]
        if vm.snapshots and (plan.options.remove_snapshots or always):
            self._world.update(vm, snapshots=[])
            self._flow.say(migration, "Snapshots removed")
        if vm.iso_path is not None and plan.options.remove_isos:
            self._world.update(vm, iso_path=None, iso_connected=False)
            self._flow.say(migration, "ISO images unmounted")
        self._flow.advance(migration)
