"""Whatever is sent, the answer is a SOAP answer: a response or a typed fault, never a failure of the simulator."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from pyVmomi import vim, vmodl

from support.site_pair import SitePair

PC = vmodl.query.PropertyCollector
DEVICE = vim.vm.device
TEXTS = ("-1", "x", "true", "vm-1", "a.b[c]", "99999999999999999999", "[1]", "config..x")


def _bodies(client: Any) -> list[bytes]:
    """Valid requests of many kinds, to be spoilt."""
    stub, vm = client.service._stub, client.vm("web01")
    view = client.view(vim.VirtualMachine)
    spec = client.spec(view, vim.VirtualMachine, "name", "config.hardware.device[4000]", "runtime.powerState")
    nic = DEVICE.VirtualVmxnet3(
        key=4000,
        backing=DEVICE.VirtualEthernetCard.DistributedVirtualPortBackingInfo(
            port=vim.dvs.PortConnection(switchUuid="x", portgroupKey="dvportgroup-10")
        ),
        connectable=DEVICE.VirtualDevice.ConnectInfo(connected=False, startConnected=False, allowGuestControl=True),
    )
    disk = DEVICE.VirtualDisk(
        key=2000, capacityInKB=10**6, backing=DEVICE.VirtualDisk.FlatVer2BackingInfo(fileName="", diskMode="persistent")
    )
    iso = DEVICE.VirtualCdrom(
        key=16000, backing=DEVICE.VirtualCdrom.IsoBackingInfo(fileName="[WorkloadDatastore] a.iso")
    )
    changes = [DEVICE.VirtualDeviceSpec(operation="edit", device=each) for each in (nic, disk, iso)]
    config = vim.vm.ConfigSpec(name="x", numCPUs=2, deviceChange=changes)
    folder, pool = client.named(vim.Folder, "Workloads"), client.named(vim.ResourcePool, "Compute-ResourcePool")
    group = client.read(vm, "network")["network"][0]
    switch = client.view(vim.DistributedVirtualSwitch).view[0]
    calls = [
        (client.collector, "RetrievePropertiesEx", [[spec], PC.RetrieveOptions(maxObjects=2)]),
        (client.collector, "CreateFilter", [spec, True]),
        (client.collector, "CheckForUpdates", [""]),
        (vm, "Rename", ["web01-x"]),
        (vm, "PowerOff", []),
        (vm, "CreateSnapshot", ["s", "d", False, False]),
        (vm, "Reconfigure", [config]),
        (folder, "CreateVm", [config, pool, None]),
        (folder, "MoveInto", [[vm]]),
        (folder, "CreateFolder", ["f"]),
        (group, "Reconfigure", [vim.dvs.DistributedVirtualPortgroup.ConfigSpec(configVersion="0", name="g")]),
        (switch, "FetchPorts", [vim.dvs.PortCriteria(portgroupKey=["a"], inside=True)]),
        (client.content.viewManager, "CreateContainerView", [folder, [vim.VirtualMachine], True]),
        (client.content.viewManager, "CreateListView", [[vm, folder]]),
        (client.content.searchIndex, "FindByUuid", [None, "u", True, True]),
        (client.content.searchIndex, "FindByInventoryPath", ["a/b"]),
        (client.content.sessionManager, "SessionIsActive", ["a", "b"]),
        (client.content.authorizationManager, "HasPrivilegeOnEntities", [[vm], "s", ["System.Read"]]),
    ]
    return [
        stub.SerializeRequest(target, type(target)._GetMethodInfo(_method(target, name)), args)
        for target, name, args in calls
    ]


def _method(target: Any, name: str) -> str:
    names = {info.name.lower(): info.name for info in type(target)._GetMethodList()}
    return names[name.lower()]


def _spoil(text: str, draw: random.Random) -> str:
    """Leave an element out, empty it, double it, or give it another type or text."""
    elements = list(re.finditer(r"<(\w+)([^<>]*)>([^<>]*)</\1>", text))
    chosen = draw.choice(elements)
    name, attributes, content = chosen.groups()
    other = draw.choice(["VirtualMachine", "Folder", "HostSystem", "NoSuchType", "PropertyFilter", "Task"])
    replacement = draw.choice(
        [
            "",
            f"<{name}{attributes}></{name}>",
            chosen.group() * 2,
            f"<{name}{attributes}>{draw.choice(TEXTS)}</{name}>",
            f'<{name} type="{other}">{content}</{name}>',
            f'<{name} xsi:type="{other}">{content}</{name}>',
            f"<other{attributes}>{content}</other>",
            f"<{name}{attributes}><inner>{content}</inner></{name}>",
        ]
    )
    return text[: chosen.start()] + replacement + text[chosen.end() :]


@pytest.mark.parametrize("seed", range(8))
def test_spoilt_requests_get_vendor_shaped_answers(client: Any, site_pair: SitePair, seed: int) -> None:
    draw, http = random.Random(seed), site_pair.http()  # noqa: S311
    url, bodies = f"{site_pair.url('vcenter')}/sdk", _bodies(client)
    headers = {"Cookie": client.service._stub.cookie, "SOAPAction": client.service._stub.versionId}
    faults = set()
    for _ in range(150):
        text = draw.choice(bodies).decode()
        for _ in range(draw.choice([1, 1, 2])):
            text = _spoil(text, draw)
        answer = http.post(url, data=text.encode(), headers=headers)
        kind = re.search(r"<(\w+)Fault xmlns=|<(\w+)Response", answer.text)
        assert kind is not None, (text, answer.text)
        assert answer.status_code == (500 if kind[1] else 200), (text, answer.text)
        assert kind[1] != "SystemError", (text, answer.text)
        faults.add(kind[1])
    site_pair.run_until_idle(300)
    assert {None, "InvalidRequest", "InvalidArgument", "ManagedObjectNotFound"} <= faults
