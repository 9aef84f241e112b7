"""Moving bytes: base sync, delta syncs while a migration waits, the last delta, and the disks of live and cold moves.

A delta carries what the VM has changed since the last sync began; one starts every RPO (2 h, KB 323663, or the
interval of a continuous sync). A retry with seed checkpoint starts from what the failed attempt left.
"""

from __future__ import annotations

from hcx_sim.engine.clock import MICROSECONDS, seconds
from hcx_sim.hcx.mobility.flow import DELTA_ALARM, Flow
from hcx_sim.hcx.mobility.model import WAITING_TO_SWITCH, Migration, Phase, Seed
from hcx_sim.world.model import Power, Vm
from hcx_sim.world.operations import total_disk_bytes

_MIB = 1024 * 1024
_FAILED = "Replication of the disks failed."


class Replication:
    """The phases that transfer data, and the space that it takes at the destination."""

    def __init__(self, flow: Flow) -> None:
        """Register the phases with the flow."""
        self._flow = flow
        self._world = flow.world
        flow.on_enter(Phase.BASE_SYNC, self._base)
        flow.on_alarm("base", self._begin_base)
        flow.on_alarm("base_fails", self._base_fails)
        flow.on_transferred("base", self._base_done)
        flow.on_alarm(DELTA_ALARM, self._delta_due)
        flow.on_alarm("delta_late", self._begin_delta)
        flow.on_alarm("delta_fails", self._delta_fails)
        flow.on_transferred("delta", self._delta_done)
        flow.on_enter(Phase.FINAL_SYNC, self._final)
        flow.on_alarm("final_late", self._begin_final)
        flow.on_transferred("final", flow.advance)
        flow.on_enter(Phase.RELOCATION, self._relocate)
        flow.on_transferred("relocation", flow.advance)

    def _base(self, migration: Migration) -> None:
        rule = self._flow.strike("migration.base_sync", migration)
        if rule is None:
            self._begin_base(migration)
        elif rule.behaviour == "delay":
            self._flow.alarm(migration, "base", rule.seconds)
        elif rule.behaviour == "stall":
            migration.sync.stalled = True
        else:
            migration.error = rule.message or _FAILED
            self._flow.alarm(migration, "base_fails", rule.seconds)
            if rule.seconds:
                self._begin_base(migration)

    def _begin_base(self, migration: Migration) -> None:
        vm = self._flow.vm_of(migration)
        if vm is None or not self._reserve(migration, vm):
            name = migration.entity_name
            problem = "is no longer at the source" if vm is None else "does not fit the target datastore"
            self._flow.fail(migration, Phase.TRANSFER_FAILED, f"Virtual machine {name} {problem}.")
            return
        sync = migration.sync
        seeded_bytes = self._adopt_seed(migration, vm)
        sync.base_bytes = total_disk_bytes(vm.disks)
        sync.total_bytes = sync.done_bytes = seeded_bytes
        sync.last_us = self._world.now_us
        if seeded_bytes:
            self._flow.say(migration, f"Base sync continues from seed data, {seeded_bytes / 2**30:.1f} GiB")
        self._flow.begin_stream(migration, "base", sync.base_bytes - seeded_bytes)

    def _base_done(self, migration: Migration) -> None:
        if "base_fails" in migration.timers:
            self._base_fails(migration)
        else:
            migration.sync.base_done_us = self._world.now_us
            self._flow.advance(migration)

    def _base_fails(self, migration: Migration) -> None:
        self._flow.fail(migration, Phase.TRANSFER_FAILED, migration.error or _FAILED)

    def await_delta(self, migration: Migration) -> None:
        """Let delta syncs go on while a replicated migration waits; calling it again changes nothing."""
        plan = migration.known
        if not plan.migration_type.replicates or migration.sync.stream or DELTA_ALARM in migration.timers:
            return
        interval_seconds = plan.sync_interval_seconds or self._world.settings.hcx.rpo_seconds
        due_us = migration.sync.last_us + seconds(interval_seconds)
        self._flow.alarm_at(migration, DELTA_ALARM, due_us)

    def _delta_due(self, migration: Migration) -> None:
        rule = self._flow.strike("migration.delta_sync", migration)
        if rule is None:
            self._begin_delta(migration)
        elif rule.behaviour == "delay":
            self._flow.alarm(migration, "delta_late", rule.seconds)
        elif rule.behaviour == "stall":
            migration.sync.stalled = True
        else:
            migration.error = rule.message or _FAILED
            self._flow.alarm(migration, "delta_fails", rule.seconds)

    def _delta_fails(self, migration: Migration) -> None:
        self._flow.fail(migration, Phase.TRANSFER_FAILED, migration.error)

    def _begin_delta(self, migration: Migration) -> None:
        size_bytes = self._changed(migration)
        if size_bytes is None:
            self._flow.fail(migration, Phase.TRANSFER_FAILED, f"{migration.entity_name} is no longer at the source.")
            return
        migration.sync.last_us = self._world.now_us
        migration.sync.deltas += 1
        self._flow.begin_stream(migration, "delta", size_bytes)

    def _delta_done(self, migration: Migration) -> None:
        if migration.phase in WAITING_TO_SWITCH:
            self.await_delta(migration)

    def _changed(self, migration: Migration) -> int | None:
        """Return the bytes changed since the last sync began, at most the used size; None without a VM."""
        vm = self._flow.vm_of(migration)
        if vm is None:
            return None
        elapsed_seconds = (self._world.now_us - migration.sync.last_us) / MICROSECONDS
        writes = vm.power is Power.ON or migration.powered_off  # powered off by us just before the last delta
        changed = int(vm.change_rate_bytes_per_second * elapsed_seconds) if writes else 0
        return min(changed, total_disk_bytes(vm.disks))

    def _final(self, migration: Migration) -> None:
        rule = self._flow.strike("migration.delta_sync", migration)
        if rule is None:
            self._begin_final(migration)
        elif rule.behaviour == "delay":
            self._flow.alarm(migration, "final_late", rule.seconds)
        elif rule.behaviour == "stall":
            migration.sync.stalled = True
        else:
            self._flow.fail(migration, Phase.FAILED, rule.message or _FAILED)

    def _begin_final(self, migration: Migration) -> None:
        missing = self._flow.halt_stream(migration)
        migration.sync.total_bytes -= missing
        changed = self._changed(migration)
        if changed is None:
            self._flow.fail(migration, Phase.FAILED, f"{migration.entity_name} is no longer at the source.")
            return
        migration.sync.last_us = self._world.now_us
        self._flow.begin_stream(migration, "final", missing + changed)

    def _relocate(self, migration: Migration) -> None:
        vm = self._flow.vm_of(migration)
        if vm is None or not self._reserve(migration, vm):
            problem = "is no longer at the source" if vm is None else "does not fit the target datastore"
            self._flow.fail(migration, Phase.FAILED, f"Virtual machine {migration.entity_name} {problem}.")
            return
        memory_bytes = vm.memory_mb * _MIB if migration.known.migration_type.live else 0
        migration.sync.base_bytes = total_disk_bytes(vm.disks) + memory_bytes
        self._flow.begin_stream(migration, "relocation", migration.sync.base_bytes)

    def _reserve(self, migration: Migration, vm: Vm) -> bool:
        """Take the space on the target datastore; return whether there was enough."""
        plan = migration.known
        datastore_key = f"{plan.destination}/{plan.target.datastore_moref}"
        datastore = self._world.datastores.get(datastore_key)
        if datastore is None:
            return False
        seed = self._flow.store.seeds.get((plan.vm_uid, datastore_key))
        need = max(0, total_disk_bytes(vm.disks) - (seed.seeded_bytes if seed else 0))
        if need > datastore.free_bytes:
            return False
        self._world.update(datastore, free_bytes=datastore.free_bytes - need)
        migration.reserved_bytes += need
        return True

    def release_space(self, migration: Migration) -> None:
        """Give back what a migration has reserved."""
        plan = migration.known
        datastore = self._world.datastores.get(f"{plan.destination}/{plan.target.datastore_moref}")
        if datastore is not None and migration.reserved_bytes:
            self._world.update(datastore, free_bytes=datastore.free_bytes + migration.reserved_bytes)
        migration.reserved_bytes = 0

    def _adopt_seed(self, migration: Migration, vm: Vm) -> int:
        """Return the bytes of an earlier attempt that are still good; without seed checkpoint they are lost."""
        plan = migration.known
        key = (plan.vm_uid, f"{plan.destination}/{plan.target.datastore_moref}")
        seed = self._flow.store.seeds.pop(key, None)
        if seed is None:
            return 0
        migration.reserved_bytes += seed.seeded_bytes
        if not plan.long_recovery:
            return 0
        stale_seconds = (self._world.now_us - seed.since_us) / MICROSECONDS
        stale_bytes = int(vm.change_rate_bytes_per_second * stale_seconds)
        return min(max(0, seed.seeded_bytes - stale_bytes), total_disk_bytes(vm.disks))

    def keep_seed(self, migration: Migration) -> None:
        """After a failure: keep the replicated data as a seed if asked for, else delete it. [D hcx 4.8]"""
        plan = migration.known
        sync = migration.sync
        seeded_bytes = min(sync.base_bytes, sync.done_bytes, migration.reserved_bytes)
        datastore_key = f"{plan.destination}/{plan.target.datastore_moref}"
        datastore = self._world.datastores.get(datastore_key)
        if not plan.long_recovery or not plan.migration_type.replicates or seeded_bytes <= 0 or datastore is None:
            self.release_space(migration)
            return
        spare = migration.reserved_bytes - seeded_bytes
        self._world.update(datastore, free_bytes=datastore.free_bytes + spare)
        migration.reserved_bytes = 0
        key = (plan.vm_uid, datastore_key)
        self._flow.store.seeds[key] = Seed(
            plan.vm_uid, datastore_key, seeded_bytes, sync.last_us, migration.migration_id
        )
        self._note_seed(migration, seeded_bytes)

    def drop_seed(self, migration: Migration) -> bool:
        """Delete the seed data that a migration left; return whether there was any."""
        for key, seed in list(self._flow.store.seeds.items()):
            if seed.migration_id == migration.migration_id:
                del self._flow.store.seeds[key]
                datastore = self._world.datastores.get(seed.datastore_key)
                if datastore is not None:
                    self._world.update(datastore, free_bytes=datastore.free_bytes + seed.seeded_bytes)
                self._note_seed(migration, 0)
                return True
        return False

    def _note_seed(self, migration: Migration, seeded_bytes: int) -> None:
        subject = f"migration:{migration.migration_id}"
        self._world.audit.add("note", subject, vm=migration.entity_name, seed_bytes=seeded_bytes)
