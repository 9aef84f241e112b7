"""The calls of the vCenter samples, made with pyVmomi, and its typed answers as the samples show them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from pyVim.connect import Disconnect
from pyVmomi import VmomiSupport, vim, vmodl

from support.pyvmomi_client import PC, Client, log_in
from support.sim_contract import Stage

GROUP = vim.dvs.DistributedVirtualPortgroup
IDLE_SECONDS = 1801


def plain(value: Any) -> Any:
    """A typed value as the samples show it: references as morefs, faults and unset members as they are there."""
    if isinstance(value, VmomiSupport.ManagedObject):
        return value._moId
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, vmodl.MethodFault):
        return type(value).__name__
    if isinstance(value, VmomiSupport.DataObject):
        members = {info.name: getattr(value, info.name) for info in value._GetPropertyList()}
        return {n: plain(each) for n, each in members.items() if each is not None and not n.startswith("dynamic")}
    return str(value) if isinstance(value, str) else value


def content_of(content: Any) -> dict[str, Any]:
    """One object of a collector's answer; a dotted path becomes nested members."""
    body: dict[str, Any] = {}
    for each in content.propSet:
        *parents, last = each.name.split(".")
        holder = body
        for name in parents:
            holder = holder.setdefault(name, {})
        holder[last] = plain(each.val)
    missing = [{"path": each.path, "fault": type(each.fault).__name__} for each in content.missingSet]
    return {"obj": content.obj._moId, "propSet": body, **({"missingSet": missing} if missing else {})}


def declared_type(kind: Any, path: str) -> Any:
    """The type that pyVmomi's own type information gives a property path."""
    for name in path.split("."):
        kind = kind._GetPropertyInfo(name).type
    return kind


class Caller:
    """A logged-in client in the world of one sample, which makes the sample's call."""

    def __init__(self, stage: Stage, client: Client) -> None:
        self.stage = stage
        self.client = client
        self.collector = client.collector
        self.asked: dict[str, Any] = stage.sample.request.body

    def network(self) -> Any:
        """The network of the samples."""
        return GROUP(str(self.stage.value("network_moref")), self.client.service._stub)

    def target(self) -> Any:
        """The object whose properties a sample reads."""
        if self.asked["type"] != "VirtualMachine":
            kind = vim.OpaqueNetwork if self.asked["type"] == "OpaqueNetwork" else GROUP
            return kind(str(self.stage.value("network_moref")), self.client.service._stub)
        name = "template_id" if self.stage.sample.variant == "template" else "vm_id"
        return vim.VirtualMachine(str(self.stage.value(name)), self.client.service._stub)

    def typed(self) -> dict[str, Any]:
        """The properties as pyVmomi types them; absent is absent."""
        return self.client.read(self.target(), *self.asked["pathSet"])

    def read_one(self) -> dict[str, Any]:
        spec = self.client.spec_of(self.target(), *self.asked["pathSet"])
        return content_of(self.collector.RetrievePropertiesEx([spec], PC.RetrieveOptions()).objects[0])

    def devices(self) -> dict[str, Any]:
        """Only the kind of device that the sample shows: one with its key."""
        body = self.read_one()
        shown = self.stage.sample.response.body["propSet"]["config"]["hardware"]["device"]
        keys = {each["key"] for each in shown}
        hardware = body["propSet"]["config"]["hardware"]
        hardware["device"] = [each for each in hardware["device"] if each["key"] in keys]
        return body

    def retrieve(self) -> dict[str, Any]:
        if "objects" in self.asked:
            gone = vim.VirtualMachine(str(self.stage.value("unknown_id")), self.client.service._stub)
            return {"objects": [self.client.read(gone, *self.asked["pathSet"])]}
        if "view" not in self.asked:
            return {"objects": [self.typed()]}
        view = self.client.view(vim.VirtualMachine)
        spec = self.client.spec(view, vim.VirtualMachine, *self.asked["pathSet"])
        if self.stage.sample.variant == "not_authenticated":
            self.stage.pair.advance(IDLE_SECONDS)
        result = self.collector.RetrievePropertiesEx(
            [spec], PC.RetrieveOptions(maxObjects=self.asked.get("maxObjects"))
        )
        body: dict[str, Any] = {"objects": [content_of(each) for each in result.objects]}
        return {**body, "token": result.token} if result.token else body

    def continue_retrieve(self) -> dict[str, Any]:
        spec = self.client.spec(self.client.view(vim.VirtualMachine), vim.VirtualMachine, "name")
        token = self.collector.RetrievePropertiesEx([spec], PC.RetrieveOptions(maxObjects=1)).token
        result = self.collector.ContinueRetrievePropertiesEx(token)
        return {"objects": [content_of(each) for each in result.objects]}

    def wait_for_task(self) -> dict[str, Any]:
        task = self.target_vm().PowerOff()
        self.stage.values["vim_task_id"] = task._moId
        self.client.succeed(task)
        self.collector.CreateFilter(self.client.spec_of(task, *self.asked["pathSet"]), False)
        update: dict[str, Any] = plain(self.collector.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=0)))
        return update

    def target_vm(self) -> Any:
        """The VM of the samples."""
        return vim.VirtualMachine(str(self.stage.value("vm_id")), self.client.service._stub)

    def current_time(self) -> dict[str, Any]:
        return {"returnval": plain(self.client.service.CurrentTime())}

    def block(self) -> Any:
        """A spec that blocks a port group, made of what was read of it."""
        read = self.client.read(self.network(), "config.configVersion", "config.defaultPortConfig")
        policy = read["config.defaultPortConfig"]
        policy.blocked = vim.BoolPolicy(inherited=False, value=True)
        return GROUP.ConfigSpec(configVersion=read["config.configVersion"], defaultPortConfig=policy)

    def reconfigure(self) -> dict[str, Any]:
        group, spec = self.network(), self.block()
        if self.stage.sample.variant != "stale":
            return self._task(group.ReconfigureDVPortgroup_Task(spec))
        self.client.succeed(group.ReconfigureDVPortgroup_Task(spec))
        raise self.client.fail(group.ReconfigureDVPortgroup_Task(spec))

    def rollback(self) -> dict[str, Any]:
        self.client.succeed(self.network().ReconfigureDVPortgroup_Task(self.block()))
        return self._task(self.network().DVPortgroupRollback_Task(None))

    def _task(self, task: Any) -> dict[str, Any]:
        self.client.succeed(task)
        return {"returnval": task._moId}

    def fetch_ports(self) -> dict[str, Any]:
        switch = self.client.view(vim.DistributedVirtualSwitch).view[0]
        group = str(self.stage.value("network_moref"))
        criteria = vim.dvs.PortCriteria(portgroupKey=[group], inside=True, connected=True)
        return {"returnval": plain(switch.FetchDVPorts(criteria))}

    def answer(self) -> dict[str, Any]:
        """What the sample's call gives; a fault is shown with its type and the members that samples show."""
        try:
            return CALLS[self.stage.sample.call](self)
        except vmodl.MethodFault as error:
            members = {name: plain(getattr(error, name)) for name in ("name", "obj") if getattr(error, name, None)}
            return {"fault": type(error).__name__, **members}


CALLS: dict[str, Callable[[Caller], dict[str, Any]]] = {
    "opaque_network.properties": Caller.read_one,
    "port_group.properties": Caller.read_one,
    "port_group.reconfigure": Caller.reconfigure,
    "port_group.rollback": Caller.rollback,
    "property_collector.retrieve_properties_ex": Caller.retrieve,
    "property_collector.continue_retrieve_properties_ex": Caller.continue_retrieve,
    "property_collector.wait_for_updates_ex": Caller.wait_for_task,
    "service_instance.current_time": Caller.current_time,
    "switch.fetch_ports": Caller.fetch_ports,
    "virtual_machine.devices": Caller.devices,
    "virtual_machine.properties": Caller.read_one,
}


@contextmanager
def caller(stage: Stage) -> Iterator[Caller]:
    """Log in at the vCenter of a stage's site."""
    service = log_in(stage.pair, stage.site.value)
    try:
        yield Caller(stage, Client(stage.pair, service))
    finally:
        Disconnect(service)
