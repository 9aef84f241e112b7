"""The simulated vCenters against the samples, asked by unmodified pyVmomi."""

from __future__ import annotations

from typing import Any

import pytest

from support import contract
from support.contract import Sample
from support.sim_contract import Book, Case, Ground, Stage, body_problems
from support.sim_vcenter import caller, declared_type
from support.site_pair import SiteServer

RICH = "rich01"
# Everything that the clients read is set on one VM; what no part of a simulated site sets by itself is given as data.
_GIVEN = {
    "config.managedBy": {"extensionKey": "com.example.backup", "type": "agent"},
    "config.keyId": {"keyId": "key-1", "providerId": {"id": "provider-1"}},
    "runtime.question": {
        "id": "4",
        "text": "Which?",
        "choice": {"choiceInfo": [{"_type": "ElementDescription", "label": "Yes", "summary": "Yes", "key": "0"}]},
    },
    "parentVApp": "VirtualApp:resgroup-v9",
}
_VMS = [
    {
        "name": RICH,
        "nics": [{"network": "seed-net", "ips": ["192.168.1.51"]}],
        "snapshots": ["before"],
        "iso": "[WorkloadDatastore] iso/tools.iso",
        "properties": _GIVEN,
    },
    {"name": "golden", "template": True},
]
CLOUD = Ground(add={"vms": _VMS})
OPAQUE = CLOUD.with_settings(vcenter={"opaque_networks": True})
WITHOUT_NSX = Ground("physical")


def leave(stage: Stage) -> None:
    """Nothing to do: the scenario is already so, or the call itself makes it so."""


def use_rich_vm(stage: Stage) -> None:
    """The VM that has everything."""
    stage.vm = RICH


def hide_instance_uuids(stage: Stage) -> None:
    """Of no VM may the user read everything."""
    world = stage.pair.world

    def hide() -> None:
        for vm in world.vms.values():
            world.update(vm, properties={**vm.properties, "denied:config.instanceUuid": "System.Read"})

    stage.pair.run(hide)


SETUPS = {
    "an opaque network exists": leave,
    "a port group without NSX exists": leave,
    "a port group without NSX was changed since": leave,
    "a port group without NSX was reconfigured": leave,
    "more than one VM": leave,
    "first page read": leave,
    "user may not read the property": hide_instance_uuids,
    "session idle for 30 minutes": leave,
    "a task exists": leave,
    "a VM is on the port group": leave,
    "an ISO is mounted": use_rich_vm,
    "VM is on an opaque network": leave,
    "a template exists": leave,
    "vcenter.virtual_machine.properties": use_rich_vm,
}
WORLDS = {
    "an opaque network exists": OPAQUE,
    "VM is on an opaque network": OPAQUE,
    "a port group without NSX exists": WITHOUT_NSX,
    "a port group without NSX was changed since": WITHOUT_NSX,
    "a port group without NSX was reconfigured": WITHOUT_NSX,
}
_ANY_VM = frozenset({"objects[].obj", "objects[].propSet.name"})
LOOSE = {
    # Which object is on which page is not defined.
    "vcenter.property_collector.retrieve_properties_ex.first_page": _ANY_VM,
    "vcenter.property_collector.continue_retrieve_properties_ex": _ANY_VM,
}
BOOK = Book(("vcenter",), CLOUD, SETUPS, WORLDS, loose=LOOSE)
LISTS = [case for case in BOOK.cases() if case.sample.call.endswith(".properties")]


@pytest.mark.parametrize("case", BOOK.cases(), ids=str)
def test_answer(case: Case, site_server: SiteServer) -> None:
    with case.stage(site_server) as stage, caller(stage) as client:
        answer = client.answer()
        problems = body_problems(case.sample, answer, stage.known(case.sample.response.body), case.loose)
    assert not problems, f"{'; '.join(problems)}\n{answer}"


@pytest.mark.parametrize("case", LISTS, ids=str)
def test_every_listed_property_is_there_with_its_declared_type(case: Case, site_server: SiteServer) -> None:
    """Of the properties that a sample asks for, all that its answer shows: also those that may be absent elsewhere."""
    with case.stage(site_server) as stage, caller(stage) as client:
        read = client.typed()
        kind = type(client.target())
    shown = _shown(case.sample)
    assert read.keys() == shown, "what an answer does not show is unset, and absent"
    wrong = {path: type(value) for path, value in read.items() if not _fits(value, declared_type(kind, path))}
    assert not wrong


def _shown(sample: Sample) -> set[str]:
    body = sample.response.body["propSet"]
    return {path for path in sample.request.body["pathSet"] if path in contract.field_paths(body)}


def _fits(value: Any, declared: Any) -> bool:
    if isinstance(value, list) and issubclass(declared, list):
        return all(isinstance(item, declared.Item) for item in value)
    return isinstance(value, declared)


def test_no_sample_is_forgotten() -> None:
    assert BOOK.forgotten() == []
