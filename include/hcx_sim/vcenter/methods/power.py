"""Power of VMs: tasks for the hard operations, and the soft ones that the guest carries out."""

from __future__ import annotations

from typing import Any

from hcx_sim.coverage import Confidence
from hcx_sim.vcenter.faults import invalid_power_state, not_supported, tools_unavailable
from hcx_sim.vcenter.registry import Context, method
from hcx_sim.vcenter.state import state_of, vcenter_of
from hcx_sim.vcenter.tasks import Job, operation, run_task
from hcx_sim.world.model import Power, SiteName, Vm
from hcx_sim.world.world import World

VM = "VirtualMachine"
GUEST_SHUTDOWN = "vcenter.guest_shutdown"
GUEST_REBOOT = "vcenter.guest_reboot"
_NO_TOOLS = "guestToolsNotInstalled"


def install(world: World) -> None:
    """Register the event handlers in a new world."""

    def shut_down(site: str, moref: str) -> None:
        vm = world.vms.get(f"{site}/{moref}")
        if vm is not None and vm.power is Power.ON:
            world.update(vm, power=Power.OFF, tools_running=False)

    def reboot(site: str, moref: str) -> None:
        vm = world.vms.get(f"{site}/{moref}")
        if vm is not None and vm.power is Power.ON:
            _booted(world, SiteName(site), vm)

    world.engine.on(GUEST_SHUTDOWN, shut_down)
    world.engine.on(GUEST_REBOOT, reboot)


def _booted(world: World, site: SiteName, vm: Vm) -> None:
    vcenter_of(world).booted_us[vm.uid] = world.now_us
    state_of(world, site).changes.touch(vm.moref)
    world.audit.add("note", f"vm:{vm.key}", rebooted=True, name=vm.name)


def refuse_template(vm: Vm) -> None:
    """Raise ``Faulted`` with a NotSupported for a template."""
    if vm.template:
        raise not_supported("The operation is not supported on a template.")


def _check_power_on(job: Job) -> None:
    refuse_template(job.entity)
    if job.entity.power is Power.ON:
        raise invalid_power_state(Power.ON.value, job.entity.power.value)


@operation("powerOn", _check_power_on)
def _power_on(job: Job) -> None:
    job.world.update(job.entity, power=Power.ON, tools_running=job.entity.tools_version_status != _NO_TOOLS)


def _check_power_off(job: Job) -> None:
    if job.entity.power is Power.OFF:
        raise invalid_power_state(Power.OFF.value, job.entity.power.value)


@operation("powerOff", _check_power_off)
def _power_off(job: Job) -> None:
    job.world.update(job.entity, power=Power.OFF, tools_running=False)


def _check_running(job: Job) -> None:
    requested = Power.SUSPENDED.value if job.task.operation == "suspend" else Power.ON.value
    if job.entity.power is not Power.ON:
        raise invalid_power_state(requested, job.entity.power.value)


@operation("suspend", _check_running)
def _suspend(job: Job) -> None:
    job.world.update(job.entity, power=Power.SUSPENDED, tools_running=False)


@operation("reset", _check_running)
def _reset(job: Job) -> None:
    _booted(job.world, job.inventory.site, job.entity)


@method(VM, "PowerOnVM_Task", mutating=True)
def power_on(context: Context) -> Any:
    """Power on; InvalidPowerState when it is on."""
    return run_task(context, "powerOn")


@method(VM, "PowerOffVM_Task", mutating=True)
def power_off(context: Context) -> Any:
    """Power off the hard way; InvalidPowerState when it is off."""
    return run_task(context, "powerOff")


@method(VM, "SuspendVM_Task", mutating=True)
def suspend(context: Context) -> Any:
    """Suspend; InvalidPowerState unless it is on."""
    return run_task(context, "suspend")


@method(VM, "ResetVM_Task", mutating=True)
def reset(context: Context) -> Any:
    """Reset; InvalidPowerState unless it is on."""
    return run_task(context, "reset")


def _guest(context: Context, requested: Power | None) -> Vm:
    vm: Vm = context.target.record
    if vm.power is not Power.ON:
        raise invalid_power_state(requested.value if requested is not None else None, vm.power.value)
    if not vm.tools_running:
        raise tools_unavailable()
    return vm


def _later(context: Context, vm: Vm, kind: str) -> None:
    stream = context.world.random.stream(f"{kind}/{vm.name}")
    delay_seconds = context.world.settings.vcenter.guest_shutdown_seconds.draw(stream)
    context.call.summary = {"object": vm.moref, "name": vm.name}
    context.world.engine.schedule(delay_seconds, kind, vm.key, site=vm.site.value, moref=vm.moref)


@method(VM, "ShutdownGuest", mutating=True, note="the guest takes settings.vcenter.guest_shutdown_seconds")
def shutdown_guest(context: Context) -> None:
    """Ask the guest to shut down; ToolsUnavailable without running Tools."""
    _later(context, _guest(context, Power.OFF), GUEST_SHUTDOWN)


@method(VM, "RebootGuest", Confidence.DOCUMENTED, "PYV", mutating=True)
def reboot_guest(context: Context) -> None:
    """Ask the guest to restart; ToolsUnavailable without running Tools."""
    _later(context, _guest(context, Power.ON), GUEST_REBOOT)
