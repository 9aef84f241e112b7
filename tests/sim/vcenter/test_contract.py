"""Every vCenter sample of the contract, asked of the simulator through pyVmomi."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from pyVmomi import VmomiSupport, vim, vmodl

from support import contract
from support.site_pair import SitePair

PC = vmodl.query.PropertyCollector
GROUP = vim.dvs.DistributedVirtualPortgroup
_NET = {"name": "seed-net", "subnet": "192.168.1.0/24"}
_VM = {
    "name": "web01",
    "nics": [{"network": "seed-net", "ips": ["192.168.1.11"]}],
    "iso": "[WorkloadDatastore] iso/tools.iso",
    "snapshots": ["before"],
}
_VMS = [_VM, {"name": "golden", "template": True}]
WORLD: dict[str, Any] = {"name": "contract", "networks": [_NET], "vms": _VMS}
OPAQUE = {**WORLD, "settings": {"vcenter": {"opaque_networks": True}}}
PHYSICAL = {**WORLD, "networks": [{**_NET, "kind": "vlan", "vlan_id": 7}]}


def _scenario(sample: contract.Sample) -> dict[str, Any]:
    if "opaque" in sample.id:
        return OPAQUE
    without_nsx = "without NSX" in (sample.precondition or "")
    return PHYSICAL if without_nsx else WORLD


def _plain(value: Any) -> Any:
    """Return a typed value as the samples show it."""
    if isinstance(value, VmomiSupport.ManagedObject):
        return value._moId
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, vmodl.MethodFault):
        return type(value).__name__
    if isinstance(value, VmomiSupport.DataObject):
        members = {info.name: getattr(value, info.name) for info in value._GetPropertyList()}
        return {
            name: _plain(each) for name, each in members.items() if each is not None and not name.startswith("dynamic")
        }
    return str(value) if isinstance(value, str) else value


def _nested(properties: list[Any]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for each in properties:
        *parents, last = each.name.split(".")
        holder = body
        for name in parents:
            holder = holder.setdefault(name, {})
        holder[last] = _plain(each.val)
    return body


def _content(content: Any) -> dict[str, Any]:
    body = {"obj": content.obj._moId, "propSet": _nested(content.propSet)}
    missing = [{"path": each.path, "fault": type(each.fault).__name__} for each in content.missingSet]
    return {**body, "missingSet": missing} if missing else body


class Stage:
    """A client in the world of one sample."""

    def __init__(self, client: Any, pair: SitePair, sample: contract.Sample) -> None:
        self.client = client
        self.pair = pair
        self.sample = sample
        self.asked = sample.request.body

    def network(self) -> Any:
        return self.client.read(self.client.vm("web01"), "network")["network"][0]

    def target(self) -> Any:
        kind = self.asked["type"]
        if kind == "VirtualMachine":
            return self.client.vm("golden" if self.sample.variant == "template" else "web01")
        return self.network()

    def read_one(self) -> dict[str, Any]:
        spec = self.client.spec_of(self.target(), *self.asked["pathSet"])
        return _content(self.client.collector.RetrievePropertiesEx([spec], PC.RetrieveOptions()).objects[0])

    def devices(self) -> dict[str, Any]:
        """Return only the device that the sample shows, as it shows one."""
        body = self.read_one()
        keys = {each["key"] for each in self.sample.response.body["propSet"]["config"]["hardware"]["device"]}
        hardware = body["propSet"]["config"]["hardware"]
        hardware["device"] = [each for each in hardware["device"] if each["key"] in keys]
        return body

    def retrieve(self) -> dict[str, Any]:
        collector, variant = self.client.collector, self.sample.variant
        if variant == "object_gone":
            return _content(self.client.read(vim.VirtualMachine("vm-4711"), "name"))
        paths = self.asked["pathSet"]
        if variant == "invalid_property":
            return self.client.read(self.client.vm("web01"), *paths)  # type: ignore[no-any-return]
        spec = self.client.spec(self.client.view(vim.VirtualMachine), vim.VirtualMachine, *paths)
        if variant == "not_authenticated":
            self.pair.advance(31 * 60)
        if variant == "missing_set":
            hidden = {"denied:config.instanceUuid": "System.Read"}
            for vm in self.pair.world.vms.values():
                self.pair.run(lambda vm=vm: self.pair.world.update(vm, properties=hidden))
        result = collector.RetrievePropertiesEx([spec], PC.RetrieveOptions(maxObjects=self.asked.get("maxObjects")))
        body: dict[str, Any] = {"objects": [_content(each) for each in result.objects]}
        return {**body, "token": result.token} if result.token else body

    def continue_retrieve(self) -> dict[str, Any]:
        spec = self.client.spec(self.client.view(vim.VirtualMachine), vim.VirtualMachine, "name")
        token = self.client.collector.RetrievePropertiesEx([spec], PC.RetrieveOptions(maxObjects=1)).token
        result = self.client.collector.ContinueRetrievePropertiesEx(token)
        return {"objects": [_content(each) for each in result.objects]}

    def wait_for_task(self) -> dict[str, Any]:
        task = self.client.vm("web01").PowerOff()
        self.client.succeed(task)
        self.client.collector.CreateFilter(self.client.spec_of(task, *self.asked["pathSet"]), False)
        update = self.client.collector.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=0))
        return _plain(update)  # type: ignore[no-any-return]

    def current_time(self) -> dict[str, Any]:
        return {"returnval": _plain(self.client.service.CurrentTime())}

    def _block(self) -> Any:
        read = self.client.read(self.network(), "config.configVersion", "config.defaultPortConfig")
        policy = read["config.defaultPortConfig"]
        policy.blocked = vim.BoolPolicy(inherited=False, value=True)
        return GROUP.ConfigSpec(configVersion=read["config.configVersion"], defaultPortConfig=policy)

    def reconfigure(self) -> dict[str, Any]:
        group, spec = self.network(), self._block()
        if self.sample.variant == "stale":
            self.client.succeed(group.ReconfigureDVPortgroup_Task(spec))
            raise self.client.fail(group.ReconfigureDVPortgroup_Task(spec))
        return self._task(group.ReconfigureDVPortgroup_Task(spec))

    def rollback(self) -> dict[str, Any]:
        self.client.succeed(self.network().ReconfigureDVPortgroup_Task(self._block()))
        return self._task(self.network().DVPortgroupRollback_Task(None))

    def _task(self, task: Any) -> dict[str, Any]:
        self.client.succeed(task)
        return {"returnval": task._moId}

    def fetch_ports(self) -> dict[str, Any]:
        switch = self.client.view(vim.DistributedVirtualSwitch).view[0]
        criteria = vim.dvs.PortCriteria(portgroupKey=[self.network().key], inside=True)
        return {"returnval": _plain(switch.FetchDVPorts(criteria))}


CALLS: dict[str, Callable[[Stage], dict[str, Any]]] = {
    "opaque_network.properties": Stage.read_one,
    "port_group.properties": Stage.read_one,
    "port_group.reconfigure": Stage.reconfigure,
    "port_group.rollback": Stage.rollback,
    "property_collector.retrieve_properties_ex": Stage.retrieve,
    "property_collector.continue_retrieve_properties_ex": Stage.continue_retrieve,
    "property_collector.wait_for_updates_ex": Stage.wait_for_task,
    "service_instance.current_time": Stage.current_time,
    "switch.fetch_ports": Stage.fetch_ports,
    "virtual_machine.devices": Stage.devices,
    "virtual_machine.properties": Stage.read_one,
}


def _answer(stage: Stage) -> dict[str, Any]:
    try:
        return CALLS[stage.sample.call](stage)
    except vmodl.MethodFault as error:
        members = {name: _plain(getattr(error, name)) for name in ("name", "obj") if getattr(error, name, None)}
        return {"fault": type(error).__name__, **members}


SAMPLES = [
    pytest.param(each, id=each.id, marks=pytest.mark.world(scenario=_scenario(each)))
    for each in contract.load_samples("vcenter")
]


@pytest.mark.parametrize("sample", SAMPLES)
def test_sample(client: Any, site_pair: SitePair, sample: contract.Sample) -> None:
    answer = _answer(Stage(client, site_pair, sample))
    assert contract.check_answer(sample, answer) == []
    expected = sample.response.body
    if isinstance(expected, dict) and "fault" in expected:
        assert answer["fault"] == expected["fault"]
