"""Operations on virtual machines and other inventory objects, each one call and the wait for its task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyVmomi import vim

from hcx_waves.clients.errors import ClientError, Lookup, NotFound, OutcomeUnknownError
from hcx_waves.clients.vsphere.devices import label_of
from hcx_waves.clients.vsphere.names import encoded
from hcx_waves.clients.vsphere.properties import PropertyReader
from hcx_waves.clients.vsphere.session import Live, VsphereSession
from hcx_waves.clients.vsphere.tasks import TaskResult, TaskWaiter

DEFAULT_WAIT_SECONDS = 300.0
OnStarted = Callable[[str], None]


@dataclass(frozen=True)
class Waiting:
    """How an operation waits for its task.

    :param seconds: how long before it is given up (the task itself goes on).
    :param on_started: called with the task id once vCenter has accepted the call and before anything waits,
        so that the id can be stored.
    :param on_progress: called with each new percentage.
    """

    seconds: float = DEFAULT_WAIT_SECONDS
    on_started: OnStarted | None = None
    on_progress: Callable[[int], None] | None = None


DEFAULT_WAITING = Waiting()


class TaskRunner:
    """Starts a task once and waits for it."""

    def __init__(self, session: VsphereSession, waiter: TaskWaiter) -> None:
        self._session = session
        self._waiter = waiter

    def run(
        self, method: str, kind: Any, moref: str, start: Callable[[Any, Live], Any], waiting: Waiting
    ) -> TaskResult:
        """Call a ``..._Task`` method of an object and wait for the task.

        :param start: makes the call on the object's handle and returns the task.
        :raises OutcomeUnknownError: if the answer to the call is lost (look at the object's recent tasks), or
            if the task was accepted and its end was not seen (its look-up waits again).
        :raises ClientError: the call's or the task's own fault, as mapped.
        """
        lookup = Lookup(
            client="vcenter",
            method="recent_tasks",
            arguments={"moref": moref, "kind": kind.__name__.rpartition(".")[2]},
            meaning=f"a task of {method} that was queued since then has acted; none means it was not executed",
        )
        task_id = self._session.mutate(
            method, moref, lambda live: str(start(live.managed(kind, moref), live)._moId), lookup
        )
        if waiting.on_started is not None:
            waiting.on_started(task_id)
        outcome = self._watch(method, task_id, waiting)
        if isinstance(outcome, ClientError):
            raise outcome
        return outcome

    def call(self, method: str, kind: Any, moref: str, invoke: Callable[[Any], Any], lookup: Lookup) -> None:
        """Call a method that makes no task."""
        self._session.mutate(method, moref, lambda live: invoke(live.managed(kind, moref)), lookup)

    def _watch(self, method: str, task_id: str, waiting: Waiting) -> TaskResult | ClientError:
        try:
            return self._waiter.wait(
                task_id, timeout_seconds=waiting.seconds, method=method, on_progress=waiting.on_progress
            )
        except ClientError as error:
            lookup = Lookup(
                client="vcenter",
                method="wait_for_task",
                arguments={"task_id": task_id},
                meaning="waits for the task again; it returns, or raises the task's own fault",
            )
            raise OutcomeUnknownError(
                f"vCenter accepted the call as {task_id}, but its end was not seen",
                lookup=lookup,
                cause=error,
                **self._session.context_of(method, task_id),
            ) from error


class VirtualMachineOperations:
    """The changes to virtual machines. Every method raises as :meth:`TaskRunner.run` says."""

    def __init__(self, runner: TaskRunner, reader: PropertyReader) -> None:
        self._runner = runner
        self._reader = reader

    def power_on(self, moref: str, waiting: Waiting = DEFAULT_WAITING) -> TaskResult:
        """Power a VM on.

        :raises ConflictError: if it is on already (``InvalidPowerState``).
        """
        return self._vm_task("PowerOnVM_Task", moref, lambda vm, _: vm.PowerOn(), waiting)

    def power_off(self, moref: str, waiting: Waiting = DEFAULT_WAITING) -> TaskResult:
        """Power a VM off hard.

        :raises ConflictError: if it is off already (``InvalidPowerState``).
        """
        return self._vm_task("PowerOffVM_Task", moref, lambda vm, _: vm.PowerOff(), waiting)

    def shut_down_guest(self, moref: str) -> None:
        """Ask the guest to shut down; returns as soon as the request is accepted.

        :raises VendorFault: if VMware Tools do not run (``ToolsUnavailable``).
        """
        lookup = Lookup(
            client="vcenter",
            method="read_virtual_machines",
            arguments={"morefs": [moref]},
            meaning="the power state becomes poweredOff when the guest was asked; asking again is harmless",
        )
        self._runner.call("ShutdownGuest", vim.VirtualMachine, moref, lambda vm: vm.ShutdownGuest(), lookup)

    def create_snapshot(
        self,
        moref: str,
        name: str,
        *,
        description: str = "",
        memory: bool = False,
        quiesce: bool = False,
        waiting: Waiting = DEFAULT_WAITING,
    ) -> TaskResult:
        """Take a snapshot; the task's result is its moref."""
        return self._vm_task(
            "CreateSnapshot_Task",
            moref,
            lambda vm, _: vm.CreateSnapshot(name, description, memory, quiesce),
            waiting,
        )

    def remove_snapshot(
        self, snapshot: str, *, with_children: bool = False, waiting: Waiting = DEFAULT_WAITING
    ) -> TaskResult:
        """Remove a snapshot (its changes are kept), by its moref, and consolidate.

        :raises NotFound: if it does not exist.
        """
        return self._runner.run(
            "RemoveSnapshot_Task",
            vim.vm.Snapshot,
            snapshot,
            lambda handle, _: handle.Remove(with_children, True),
            waiting,
        )

    def remove_all_snapshots(self, moref: str, waiting: Waiting = DEFAULT_WAITING) -> TaskResult:
        """Remove all snapshots of a VM and consolidate."""
        return self._vm_task("RemoveAllSnapshots_Task", moref, lambda vm, _: vm.RemoveAllSnapshots(True), waiting)

    def mount_iso(
        self, moref: str, path: str, *, key: int | None = None, waiting: Waiting = DEFAULT_WAITING
    ) -> TaskResult:
        """Put an ISO into a CD-ROM drive and connect it.

        :param path: ``[datastore] folder/file.iso``.
        :param key: the drive's device key; None takes the VM's first drive.
        :raises NotFound: if there is no such drive.
        """
        drive = self._cdrom(moref, key)
        drive.backing = vim.vm.device.VirtualCdrom.IsoBackingInfo(fileName=path)
        return self._reconfigure_drive(moref, drive, connected=True, waiting=waiting)

    def unmount_iso(self, moref: str, *, key: int | None = None, waiting: Waiting = DEFAULT_WAITING) -> TaskResult:
        """Take the medium out of a CD-ROM drive.

        A guest that has locked the drive makes vCenter ask a question (``question`` of the detail); the task
        waits until somebody answers it.

        :raises NotFound: if there is no such drive.
        """
        drive = self._cdrom(moref, key)
        drive.backing = vim.vm.device.VirtualCdrom.RemotePassthroughBackingInfo(deviceName="", exclusive=False)
        return self._reconfigure_drive(moref, drive, connected=False, waiting=waiting)

    def create_virtual_machine(
        self,
        folder: str,
        resource_pool: str,
        config_spec: Any,
        *,
        host: str | None = None,
        waiting: Waiting = DEFAULT_WAITING,
    ) -> TaskResult:
        """Create a VM, for tests; the task's result is its moref.

        :param config_spec: a ``vim.vm.ConfigSpec``.
        :raises ConflictError: if the folder has a VM of that name (``DuplicateName``).
        """

        def start(handle: Any, live: Live) -> Any:
            target = None if host is None else live.managed(vim.HostSystem, host)
            return handle.CreateVm(config_spec, live.managed(vim.ResourcePool, resource_pool), target)

        return self._runner.run("CreateVM_Task", vim.Folder, folder, start, waiting)

    def rename(self, moref: str, name: str, waiting: Waiting = DEFAULT_WAITING) -> TaskResult:
        """Rename a VM.

        :param name: as a person writes it; it is encoded for the wire here.
        :raises ConflictError: if the folder has an object of that name (``DuplicateName``).
        """
        return self._vm_task("Rename_Task", moref, lambda vm, _: vm.Rename(encoded(name)), waiting)

    def destroy(self, moref: str, waiting: Waiting = DEFAULT_WAITING) -> TaskResult:
        """Delete a VM and its files.

        :raises ConflictError: if it is powered on (``InvalidPowerState``).
        """
        return self._vm_task("Destroy_Task", moref, lambda vm, _: vm.Destroy(), waiting)

    def _vm_task(self, method: str, moref: str, start: Callable[[Any, Live], Any], waiting: Waiting) -> TaskResult:
        return self._runner.run(method, vim.VirtualMachine, moref, start, waiting)

    def _cdrom(self, moref: str, key: int | None) -> Any:
        """Read a VM's CD-ROM drive as the device that a reconfiguration sends back."""
        found = self._reader.one(vim.VirtualMachine, moref, "config.hardware.device")
        drives = [
            device
            for device in found.get("config.hardware.device") or ()
            if isinstance(device, vim.vm.device.VirtualCdrom) and key in (None, device.key)
        ]
        if not drives:
            wanted = "a CD-ROM drive" if key is None else f"a CD-ROM drive with key {key}"
            raise NotFound(
                f"the VM has no {wanted.removeprefix('a ')}",
                system="vcenter",
                method="ReconfigVM_Task",
                path=moref,
            )
        return min(drives, key=lambda device: (label_of(device), device.key))

    def _reconfigure_drive(self, moref: str, drive: Any, *, connected: bool, waiting: Waiting) -> TaskResult:
        device = vim.vm.device
        drive.connectable = device.VirtualDevice.ConnectInfo(
            connected=connected, startConnected=connected, allowGuestControl=True
        )
        edit = device.VirtualDeviceSpec(operation=device.VirtualDeviceSpec.Operation.edit, device=drive)
        spec = vim.vm.ConfigSpec(deviceChange=[edit])
        return self._vm_task("ReconfigVM_Task", moref, lambda vm, _: vm.Reconfigure(spec), waiting)
