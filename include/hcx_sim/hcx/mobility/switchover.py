"""The switchover: the instant at which a VM leaves one site and lives at the other.

A live switchover ends with a stun of the running VM; longer than ``settings.hcx.max_switchover_seconds`` vSphere
gives up and the VM goes on at the source (KB 307365). A bulk switchover shuts the VM down, sends the last delta and
starts the replica. A vCenter that is down is tolerated in transfer and fails a switchover [C hcx 7], and so
does a tunnel that is down.
"""

from __future__ import annotations

from hcx_sim.engine.clock import seconds
from hcx_sim.hcx.mobility.arrival import arrive, target_problem
from hcx_sim.hcx.mobility.flow import Flow
from hcx_sim.hcx.mobility.model import Migration, MigrationType, Phase
from hcx_sim.world.model import Power, SiteName, Vm

_STEPS = 4  # how often a switchover looks whether it can go on


class Switchover:
    """The phases of switching over, up to and including the arrival."""

    def __init__(self, flow: Flow) -> None:
        """Register the phases with the flow."""
        self._flow = flow
        self._world = flow.world
        flow.on_enter(Phase.SHUTDOWN, self._shut_down)
        flow.on_enter(Phase.SWITCHOVER, self._begin)
        flow.on_alarm("switchover", self._go_on)
        flow.on_alarm("switchover_late", self._first_step)
        flow.on_alarm("switchover_fails", self._injected_failure)

    def _shut_down(self, migration: Migration) -> None:
        vm = self._flow.vm_of(migration)
        options = migration.known.options
        if vm is not None and vm.power is Power.ON:
            if not vm.tools_running and not options.force_power_off:
                message = "The guest could not be shut down as VMware Tools are not running."
                self._flow.fail(migration, Phase.FAILED, message)
                return
            migration.powered_off = True
            self._world.update(vm, power=Power.OFF)
        self._flow.advance(migration)

    def _begin(self, migration: Migration) -> None:
        migration.switchover_us = self._world.now_us
        migration.switchover_seconds = self._draw(migration)
        rule = self._flow.strike("migration.switchover", migration)
        if rule is None:
            self._first_step(migration)
        elif rule.behaviour == "delay":
            self._flow.alarm(migration, "switchover_late", rule.seconds)
        elif rule.behaviour == "stall":
            migration.sync.stalled = True
        else:
            migration.error = rule.message or "Relocating the virtual machine failed."
            self._flow.alarm(migration, "switchover_fails", rule.seconds)

    def _draw(self, migration: Migration) -> float:
        settings = self._world.settings.hcx
        kind = migration.known.migration_type
        if kind is MigrationType.RAV:
            purpose, duration = "rav_switchover", settings.rav_switchover
        elif kind.restarts:
            purpose, duration = "bulk_switchover", settings.bulk_switchover
        else:
            purpose, duration = "vmotion_overhead", settings.vmotion_overhead
        return duration.draw(self._world.random.stream(f"{purpose}/{migration.entity_name}"))

    def _first_step(self, migration: Migration) -> None:
        migration.switchover_us = self._world.now_us
        migration.switchover_step = 0
        self._go_on(migration)

    def _injected_failure(self, migration: Migration) -> None:
        self._flow.fail(migration, Phase.FAILED, f"{migration.error} {self._stays(migration)}")

    def _go_on(self, migration: Migration) -> None:
        problem = self._problem(migration)
        if problem is not None:
            self._flow.fail(migration, Phase.FAILED, f"{problem} {self._stays(migration)}")
            return
        if migration.switchover_step == _STEPS:
            self._finish(migration)
            return
        migration.switchover_step += 1
        elapsed_seconds = migration.switchover_seconds * migration.switchover_step / _STEPS
        began_us = migration.switchover_us or self._world.now_us
        self._flow.alarm_at(migration, "switchover", began_us + seconds(elapsed_seconds))

    def _problem(self, migration: Migration) -> str | None:
        """Return why a switchover cannot go on at this moment."""
        world, plan = self._world, migration.known
        for site in SiteName:
            if world.faults.refused("vcenter", site.value):
                return f"Switchover failed: cannot connect to {world.site(site).vcenter_name}."
        mesh = world.meshes.get(plan.mesh_key)
        if mesh is None or not mesh.tunnel_up:
            return "Switchover failed: the tunnel of the service mesh is down."
        vm = self._flow.vm_of(migration)
        if vm is None:
            return f"Switchover failed: virtual machine {plan.vm_name} is no longer at the source."
        return self._vm_problem(migration, vm) or target_problem(world, plan, vm)

    def _vm_problem(self, migration: Migration, vm: Vm) -> str | None:
        kind = migration.known.migration_type
        if not kind.restarts:
            if vm.snapshots:
                return "Switchover failed: the virtual machine has snapshots."
            if vm.iso_path is not None and vm.iso_connected:
                return "Switchover failed: an ISO image is mounted."
        if kind is MigrationType.COLD and vm.power is not Power.OFF:
            return "Switchover failed: the virtual machine was powered on."
        return None

    def _stays(self, migration: Migration) -> str:
        return f"Virtual machine {migration.entity_name} stays at the source."

    def _finish(self, migration: Migration) -> None:
        settings = self._world.settings.hcx
        if migration.entity_name in settings.failing_switchovers:
            self._flow.fail(migration, Phase.FAILED, f"Switchover failed. {self._stays(migration)}")
            return
        vm = self._flow.vm_of(migration)
        if vm is None:
            raise LookupError(f"virtual machine {migration.entity_name} vanished in the middle of an instant")
        if migration.known.migration_type.live and vm.power is Power.ON and not self._stun(migration, vm):
            return
        arrived = arrive(self._world, migration, vm)
        migration.switchover_ended_us = self._world.now_us
        self._flow.say(migration, f"Virtual machine arrived as {arrived.moref}")
        self._flow.advance(migration)

    def _stun(self, migration: Migration, vm: Vm) -> bool:
        """Stun a running VM; return whether it came through within the limit."""
        settings = self._world.settings.hcx
        stream = self._world.random.stream(f"stun/{migration.entity_name}")
        wanted_seconds = settings.stun.draw(stream)
        stun_seconds = min(wanted_seconds, settings.max_switchover_seconds)
        migration.stun_seconds = stun_seconds
        aborted = wanted_seconds > settings.max_switchover_seconds
        subject = f"vm:{vm.key}"
        self._world.audit.add("note", subject, vm=vm.name, stun_seconds=round(stun_seconds, 6), aborted=aborted)
        oracle = self._world.products.get("oracle")
        if oracle is not None:
            oracle.note_stun(vm.uid, stun_seconds)
        if aborted:
            limit = f"fsr.maxSwitchoverSeconds = {settings.max_switchover_seconds:g}"
            message = f"Switchover took longer than {limit} and was aborted."
            self._flow.fail(migration, Phase.FAILED, f"{message} {self._stays(migration)}")
            return False
        self._flow.say(migration, f"Virtual machine stunned for {stun_seconds:.3f} seconds")
        return True
