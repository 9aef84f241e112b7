"""What checks make of facts that a simulated site does not show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hcx_waves.clients.errors import ValidationFailed
from hcx_waves.clients.hcx import Appliance, ServiceMesh, Submission
from hcx_waves.clients.identity import EndpointIdentity
from hcx_waves.clients.vsphere.inventory_models import Datastore
from hcx_waves.clients.vsphere.models import Disk, VirtualMachineDetail
from hcx_waves.gateway_users import dhcp_served_by
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.findings import Finding
from hcx_waves.model.plan import ObjectRef, PlannedSegment, PlannedVm
from hcx_waves.preflight.checks import (
    clock_skew,
    datastore_capacity,
    extension_appliances,
    mesh_health,
    segment_firewall,
    vm_disk_modes,
    vm_presence,
    vm_validation,
)
from hcx_waves.preflight.checks.vm_cpu_generation import offers
from hcx_waves.preflight.words import is_bad, is_good, spoken_reasons


class Facts:
    """A context with just these facts."""

    def __init__(self, **facts: Any) -> None:
        vars(self).update(facts)


def planned(migration: MigrationType = MigrationType.RAV) -> PlannedVm:
    store = ObjectRef(object_id="datastore-1", name="Store")
    return PlannedVm(
        name="web01", vm_id="vm-1", instance_uuid="u", powered_on=True, migration=migration, datastore=store
    )


def detail(**fields: Any) -> VirtualMachineDetail:
    usual = {
        "moref": "vm-1", "name": "web01", "instance_uuid": "u", "bios_uuid": None, "power_state": "poweredOn",
        "networks": (), "folder": None, "is_template": False, "resource_pool": None, "host": None,
    }  # fmt: skip
    return VirtualMachineDetail(**{**usual, **fields})


def disk(controller: str) -> Disk:
    return Disk(2000, "Hard disk 1", 10, None, None, "persistent", "sharingNone", True, None, controller, None)


def ids(findings: Any) -> list[tuple[str, str]]:
    found: list[Finding] = list(findings)
    return [(str(one.severity), one.finding_id) for one in found]


@pytest.mark.parametrize(("migration", "count"), [(MigrationType.BULK, 1), (MigrationType.RAV, 0)])
def test_bulk_does_not_move_nvme_controllers(migration: MigrationType, count: int) -> None:
    facts: Any = Facts(moving=[(planned(migration), detail(disks=(disk("VirtualNVMEController"),)))])
    assert ids(vm_disk_modes.CHECK.run(facts)) == [("blocking", "vm-nvme-controller")] * count


@pytest.mark.parametrize(
    ("accessible", "maintenance", "expected"),
    [
        (True, "normal", []),
        (None, None, []),
        (False, "normal", [("blocking", "datastore-unusable")]),
        (True, "inMaintenance", [("blocking", "datastore-unusable")]),
    ],
)
def test_a_datastore_must_be_usable(accessible: bool | None, maintenance: str | None, expected: Any) -> None:
    store = Datastore("datastore-1", "Store", "VMFS", None, accessible, maintenance, None, None)
    facts: Any = Facts(datastores=(store,), moving=[(planned(), detail())])
    assert ids(datastore_capacity.CHECK.run(facts)) == expected


@pytest.mark.parametrize(
    ("host", "needed", "answer"),
    [
        ("intel-cascadelake", "intel-haswell", True),
        ("intel-haswell", "intel-haswell", True),
        ("intel-haswell", "intel-cascadelake", False),
        ("amd-zen3", "amd-zen2", True),
        ("amd-zen3", "intel-haswell", False),
        ("intel-graniterapids", "intel-haswell", None),
        ("intel-haswell", "something", None),
    ],
)
def test_evc_modes_are_ordered_within_a_vendor(host: str, needed: str, answer: bool | None) -> None:
    assert offers(host, needed) is answer


@pytest.mark.parametrize(
    ("body", "served"),
    [
        ({}, []),
        ({"subnets": [{"gateway_address": "10.0.0.1/24"}]}, []),
        ({"dhcp_config_path": "/infra/dhcp-relay-configs/r"}, ["/infra/dhcp-relay-configs/r"]),
        ({"subnets": [{"dhcp_ranges": ["10.0.0.5-10.0.0.9"]}]}, ["10.0.0.5-10.0.0.9"]),
        ({"subnets": [{"dhcp_config": {"server_address": "10.0.0.2/24"}}]}, ["10.0.0.2/24"]),
    ],
)
def test_what_serves_dhcp(body: dict[str, Any], served: list[str]) -> None:
    assert dhcp_served_by(body) == served


@pytest.mark.parametrize(
    ("path", "domain"),
    [
        ("/infra/tier-1s/cgw/segments/a", "cgw"),
        ("/infra/segments/a", "default"),
        ("/infra/tier-1s/t1/segments/a", "default"),
    ],
)
def test_the_firewall_domain_follows_from_the_segment(path: str, domain: str) -> None:
    assert segment_firewall.domain_of(PlannedSegment.model_construct(destination_segment_path=path)) == domain


def test_words_of_hcx_without_doubt() -> None:
    assert is_good("Up")
    assert is_bad("DOWN")
    assert not is_good("purple")
    assert not is_bad("purple")
    assert spoken_reasons(["a", {"message": "b"}]) == " (a; b)"
    assert spoken_reasons([]) == ""


def test_an_adopted_vm_must_still_be_at_the_destination() -> None:
    vm = planned().model_copy(update={"already_there": True})
    facts: Any = Facts(source_vms=(), destination_vms=(), of_this_run=(vm,))
    (finding,) = vm_presence.CHECK.run(facts)
    assert finding.message == "is no longer at the destination as vm-1 with instance UUID u"
    facts = Facts(source_vms=(), destination_vms=(detail(instance_uuid="U"),), of_this_run=(vm,))
    assert list(vm_presence.CHECK.run(facts)) == []


def test_a_refusal_that_names_no_vm_is_about_the_whole() -> None:
    refused = ValidationFailed(
        "refused",
        items=[{"entity_id": "vm-1", "errors": [{"message": "too old"}], "warnings": ["has an ISO"]}],
        messages=["too old", "no licence"],
    )
    facts: Any = Facts(validation=refused, to_move=(planned(),))
    found = {(str(one.severity), one.subject): one.message for one in vm_validation.CHECK.run(facts)}
    assert found == {
        ("blocking", "web01"): "HCX refuses: too old",
        ("warning", "web01"): "HCX warns: has an ISO",
        ("blocking", "HCX validation"): "HCX refuses: no licence",
    }


def test_warnings_of_an_accepted_validation_are_told() -> None:
    accepted = Submission.model_validate(
        {
            "warnings": [{"message": "slow link"}],
            "items": [{"entityId": "vm-1", "warnings": [{"message": "old tools"}]}],
        }
    )
    facts: Any = Facts(validation=accepted, to_move=(planned(),))
    found = [(one.subject, one.message) for one in vm_validation.CHECK.run(facts)]
    assert found == [("HCX validation", "HCX warns: slow link"), ("web01", "HCX warns: old tools")]


def test_nothing_to_start_needs_no_validation() -> None:
    nothing: Any = Facts(validation=None)
    assert list(vm_validation.CHECK.run(nothing)) == []


@pytest.mark.parametrize(
    ("word", "expected"), [("up", []), ("", ["unknown"]), ("purple", ["unknown"]), ("DOWN", ["down"])]
)
def test_an_appliance_is_judged_by_words_without_doubt(word: str, expected: list[str]) -> None:
    appliance = Appliance.model_validate(
        {"applianceId": "a-1", "applianceType": "HCX-NET-EXT", "status": {"summary": {"overallStatus": word}}}
    )
    facts: Any = Facts(appliances=(appliance,), extensions={}, extended_segments=())
    assert list(extension_appliances.CHECK.run(facts)) == []
    segment = PlannedSegment.model_construct(extension_id="x")
    extension = type("Extension", (), {"source_appliance": appliance})
    facts = Facts(appliances=(appliance,), extensions={"x": extension}, extended_segments=(segment,))
    endings = {"extension-appliance-down": "down", "extension-appliance-state-unknown": "unknown"}
    assert [endings[one.finding_id] for one in extension_appliances.CHECK.run(facts)] == expected


def test_a_mesh_that_tells_nothing_is_told() -> None:
    mesh = ServiceMesh.model_validate({"serviceMeshId": "m-1", "name": "mesh", "state": "COMMITTED"})
    facts: Any = Facts(meshes=(mesh,), appliances=(), to_move=(planned(),), extended_segments=())
    assert ids(mesh_health.CHECK.run(facts)) == [("warning", "mesh-tells-no-health")]


def test_a_clock_is_wrong_by_what_the_questions_do_not_explain() -> None:
    noon = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)

    def vcenter(*seconds: float, simulated: bool = True) -> Any:
        times = iter(seconds)
        identity = EndpointIdentity(simulated=simulated, world_id=None, role="site" if simulated else "real")
        return Facts(
            server_time=lambda: noon + timedelta(seconds=next(times)),
            identity=lambda: identity,
        )

    def found(source: Any, destination: Any) -> list[tuple[str, str]]:
        facts: Any = Facts(clients=Facts(source_vcenter=source, destination_vcenter=destination), now=noon)
        return [(one.subject, one.message) for one in clock_skew.CHECK.run(facts)]

    assert found(vcenter(0, 900), vcenter(450)) == []
    assert found(vcenter(0, 10), vcenter(100)) == [("destination vCenter", "its clock is 90 s ahead of the source's")]
    assert found(vcenter(-400, -399, simulated=False), vcenter(-400)) == [
        ("source vCenter", "its clock is 400 s behind ours")
    ]
