"""The faults that vCenter throws, with the messages it gives them.

pyVmomi's fault types are exceptions: handlers raise them as they are. Type names and members are [D nsx-vsphere 4.2];
the wording follows what vCenter prints and is not promised anywhere. [I nsx-vsphere 4.2]
"""

from __future__ import annotations

from typing import Any

from pyVmomi import vim, vmodl


class Faulted(Exception):  # noqa: N818 - it carries a fault, and is none itself
    """A typed vSphere fault on its way to the client.

    ``fault`` is an instance of a pyVmomi ``MethodFault``; its ``msg`` becomes the ``faultstring``.
    """

    def __init__(self, fault: Any) -> None:
        """Carry ``fault``."""
        super().__init__(fault.msg)
        self.fault = fault


def faulted(fault_type: Any, message: str, **members: Any) -> Faulted:
    """Return an exception with a fault of ``fault_type``."""
    return Faulted(fault_type(msg=message, **members))


def not_authenticated(receiver: Any) -> Faulted:
    """The session is missing or over. [D nsx-vsphere 4.4]"""
    return faulted(
        vim.fault.NotAuthenticated,
        "The session is not authenticated.",
        object=receiver,
        privilegeId="System.View",
    )


def invalid_login() -> Faulted:
    """Wrong user name or password."""
    return faulted(vim.fault.InvalidLogin, "Cannot complete login due to an incorrect user name or password.")


def no_permission(target: Any, privilege_id: str) -> Faulted:
    """The account lacks a privilege on an object."""
    return faulted(
        vim.fault.NoPermission,
        "Permission to perform this operation was denied.",
        object=target,
        privilegeId=privilege_id,
    )


def object_not_found(target: Any) -> Faulted:
    """The object was deleted or never existed."""
    kind = type(target)._wsdlName
    text = f"The object 'vim.{kind}:{target._moId}' has already been deleted or has not been completely created"
    return faulted(vmodl.fault.ManagedObjectNotFound, text, obj=target)


def method_not_found(target: Any, method: str) -> Faulted:
    """The object has no such method."""
    text = f"The method {method} is not found on {type(target)._wsdlName}."
    return faulted(vmodl.fault.MethodNotFound, text, receiver=target, method=method)


def not_supported(reason: str = "The operation is not supported on the object.") -> Faulted:
    """The method exists in the API and this server does not offer it."""
    return faulted(vmodl.fault.NotSupported, reason)


def invalid_request(reason: str) -> Faulted:
    """The request cannot be understood."""
    return faulted(vmodl.fault.InvalidRequest, reason)


def invalid_argument(name: str) -> Faulted:
    """An argument is not acceptable; ``name`` is its property path."""
    text = f"A specified parameter was not correct: {name}"
    return faulted(vmodl.fault.InvalidArgument, text, invalidProperty=name)


def invalid_property(name: str) -> Faulted:
    """A property path that the type does not have. [D nsx-vsphere 4.2]"""
    return faulted(vmodl.query.InvalidProperty, f"A specified parameter was not correct: {name}", name=name)


def invalid_collector_version() -> Faulted:
    """``WaitForUpdatesEx`` was given a version that the collector no longer has."""
    return faulted(vmodl.query.InvalidCollectorVersion, "The collector version is not valid.")


def request_canceled() -> Faulted:
    """A wait was ended by ``CancelWaitForUpdates``, or a task by ``CancelTask``."""
    return faulted(vmodl.fault.RequestCanceled, "The task was canceled by a user.")


def system_error(reason: str) -> Faulted:
    """Something went wrong inside."""
    return faulted(vmodl.fault.SystemError, f"A general system error occurred: {reason}", reason=reason)


def invalid_power_state(requested: str | None, existing: str) -> Faulted:
    """The VM is in the wrong power state for the request; both states are told. [D nsx-vsphere 4.2]"""
    state = vim.VirtualMachine.PowerState
    return faulted(
        vim.fault.InvalidPowerState,
        "The attempted operation cannot be performed in the current state "
        f"({ {'poweredOn': 'Powered on', 'poweredOff': 'Powered off'}.get(existing, 'Suspended') }).",
        requestedState=None if requested is None else state(requested),
        existingState=state(existing),
    )


def invalid_state(message: str) -> Faulted:
    """The object is in a state that does not allow the request."""
    return faulted(vim.fault.InvalidState, message)


def duplicate_name(name: str, holder: Any) -> Faulted:
    """Another object of the folder has the name."""
    return faulted(vim.fault.DuplicateName, f"The name '{name}' already exists.", name=name, object=holder)


def invalid_name(name: str, target: Any | None = None) -> Faulted:
    """The name is empty or too long."""
    return faulted(vim.fault.InvalidName, f"The name '{name}' is not valid.", name=name, entity=target)


def task_in_progress(task: Any) -> Faulted:
    """Another task has the object."""
    return faulted(vim.fault.TaskInProgress, "Another task is already in progress.", task=task)


def tools_unavailable() -> Faulted:
    """VMware Tools do not run in the guest."""
    text = "Cannot complete operation because VMware Tools is not running in this virtual machine."
    return faulted(vim.fault.ToolsUnavailable, text)


def concurrent_access() -> Faulted:
    """The given version is not the current one. Declared [D nsx-vsphere 4.6], its cause [I nsx-vsphere 4.6]."""
    text = "The resource, e.g. a file, is being modified by another operation, or its version is out of date."
    return faulted(vim.fault.ConcurrentAccess, text)


def config_fault(reason: str) -> Faulted:
    """The virtual machine's configuration cannot be changed that way."""
    return faulted(vim.fault.GenericVmConfigFault, reason, reason=reason)


def invalid_device(index: int, path: str = "virtualDeviceSpec.device") -> Faulted:
    """Entry ``index`` of a list of device changes is not acceptable."""
    text = f"Invalid configuration for device '{index}'."
    return faulted(vim.fault.InvalidDeviceSpec, text, property=f"{path}[{index}]", deviceIndex=index)


def named(code: str, message: str | None) -> Any:
    """Return a fault of the type called ``code`` for injected errors; a SystemError when there is none."""
    text = message or f"Injected fault {code}."
    for namespace in (vim.fault, vmodl.fault, vmodl.query):
        try:
            return getattr(namespace, code)(msg=text)
        except AttributeError:
            continue
    return vmodl.fault.SystemError(msg=text, reason=code)
