"""Validation over the wire: what is refused, what only warns, and that nothing is started by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.mobility import Manager, messages, scenario, vm_spec, warnings
from support.site_pair import SitePair

DISK = {"size_gb": 10, "used_gb": 1}
VMS = [
    vm_spec("vm-a", 11),
    vm_spec("vm-old", 12, hardware_version="vmx-08"),
    vm_spec("vm-rdm", 13, disks=[{**DISK, "backing": "rdmPhysical"}]),
    vm_spec("vm-virtual-rdm", 14, disks=[{**DISK, "backing": "rdmVirtual"}]),
    vm_spec("vm-shared", 15, disks=[{**DISK, "sharing": "sharingMultiWriter"}]),
    vm_spec("vm-suspended", 16, power="suspended"),
    vm_spec("golden", 17, template=True),
    vm_spec("vm-iso", 18, iso="[ds] tools.iso", snapshots=["s"]),
]
CASES: list[tuple[str, Callable[[dict[str, Any]], object], str]] = [
    ("unknown VM", lambda i: i["entity"].update(entityId="vm-999"), "Virtual machine 'vm-999' was not found"),
    ("VM of the other site", lambda i: i["entity"].update(entityId=""), "was not found at the source"),
    ("unknown type", lambda i: i.update(migrationType="Teleport"), "Migration type 'Teleport' is not supported."),
    ("no type", lambda i: (i.pop("migrationType"), i.pop("switchoverParams")), "The migration type is missing."),
    ("two types", lambda i: i["switchoverParams"].update(switchoverType="vMotion"), "does not go with"),
    ("unknown endpoint", lambda i: i["source"].update(endpointId="2025-x"), "Source endpoint '2025-x' is not known."),
    ("unknown target", lambda i: i["destination"].update(endpointId="y"), "Destination endpoint 'y' is not known."),
    ("same site", lambda i: i.update(destination=i["source"]), "Source and destination are the same site."),
    ("unknown mesh", lambda i: i.update(servicemeshId="servicemesh-0"), "Service mesh 'servicemesh-0' was not found."),
    ("prefixed id (T91)", lambda i: i["placement"][0].update(id="ClusterComputeResource-domain-c9"),
     "Target cluster 'ClusterComputeResource-domain-c9' was not found at the destination."),
    ("unknown folder", lambda i: i["placement"][1].update(id="group-v9"), "Target folder 'group-v9' was not found"),
    ("wrong kind of id", lambda i: i["placement"][1].update(id="domain-c9"), "Target folder 'domain-c9' was not"),
    ("unknown container", lambda i: i["placement"][0].update(type="galaxy"), "Placement type 'galaxy' is not"),
    ("no compute", lambda i: i["placement"].pop(0), "The target cluster, host or resource pool is missing."),
    ("no placement", lambda i: i.pop("placement"), "The target cluster, host or resource pool is missing."),
    ("unknown host", lambda i: i["placement"].append({"type": "host", "id": "host-1"}), "Target host 'host-1' was"),
    ("no storage", lambda i: i.pop("storage"), "The target datastore is missing."),
    ("unknown datastore", lambda i: i["storage"]["defaultStorage"].update(id="datastore-9"), "'datastore-9' was not"),
    ("datastore cluster", lambda i: i["storage"]["defaultStorage"].update(type="storagePod"), "of type 'storagepod'"),
    ("no mapping", lambda i: i.pop("networkParams"), "No target network is given for network adapter 1"),
    ("unknown network", lambda i: i["networkParams"]["networkMappings"][0].update(destNetworkId="/infra/segments/no"),
     "Target network '/infra/segments/no' of network adapter 1 was not found"),
    ("nonsense time", lambda i: i["switchoverParams"].update(schedule={"startTime": "tomorrow"}), "not a time in"),
    ("time beyond all calendars", lambda i: i["switchoverParams"].update(schedule={"startTime": 10**20}), "not a time"),
    ("reversed window", lambda i: i["switchoverParams"].update(schedule={"startTime": 2e14, "expiryTime": 1e14}),
     "ends before it starts"),
    ("window in the past", lambda i: i["switchoverParams"].update(schedule={"startTime": 1, "expiryTime": 2}),
     "already over"),
    ("unknown group", lambda i: i.update(migrationGroupId="no-such-group"), "No such mobility group."),
]  # fmt: skip


@pytest.mark.world(scenario=scenario(VMS))
@pytest.mark.parametrize(("change", "message"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_wrong_intent_is_refused(site_pair: SitePair, change: Callable[[Any], object], message: str) -> None:
    manager = Manager(site_pair)
    intent = manager.intent("vm-a")
    change(intent)
    for path in ("validate", "start"):
        answer = manager.post(f"/mobility/migrations/{path}", {"items": [intent]})
        assert answer.status_code == 400
        assert any(message in each for each in messages(answer)), messages(answer)
        assert set(answer.json()) == {"errors", "warnings", "items"}
    assert manager.query() == []


@pytest.mark.world(scenario=scenario(VMS))
@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("vm-old", "RAV", "hardware version vmx-08; vmx-09 is needed"),
        ("vm-old", "vMotion", "hardware version vmx-08; vmx-09 is needed"),
        ("vm-rdm", "vSphereReplication", "raw device mapping in physical mode"),
        ("vm-virtual-rdm", "RAV", "only bulk migration supports it"),
        ("vm-shared", "RAV", "is shared with other virtual machines"),
        ("vm-suspended", "RAV", "is suspended"),
        ("golden", "RAV", "it is a template"),
    ],
)
def test_a_vm_that_cannot_move_so_is_refused(site_pair: SitePair, name: str, kind: str, message: str) -> None:
    manager = Manager(site_pair)
    answer = manager.validate(manager.intent(name, kind))
    assert answer.status_code == 400
    assert any(message in each for each in messages(answer)), messages(answer)


@pytest.mark.world(scenario=scenario(VMS))
def test_old_hardware_and_virtual_rdm_may_go_by_bulk(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    kinds = [manager.intent(name, "vSphereReplication") for name in ("vm-old", "vm-virtual-rdm")]
    assert manager.validate(*kinds).status_code == 202


@pytest.mark.world(scenario=scenario(VMS))
def test_a_mesh_needs_the_service_and_a_tunnel(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    mesh = site_pair.world.meshes[manager.mesh_id()]
    site_pair.run(lambda: site_pair.world.update(mesh, services=["INTERCONNECT", "VMOTION"]))
    assert messages(manager.validate(manager.intent("vm-a"))) == [
        "Service mesh 'mesh-1' does not offer the service RAV."
    ]
    assert messages(manager.validate(manager.intent("vm-a", mesh=None))) == [
        "No service mesh offers the service RAV with its tunnel up."
    ]
    site_pair.run(lambda: site_pair.world.update(mesh, services=["RAV"], tunnel_up=False))
    assert messages(manager.validate(manager.intent("vm-a"))) == ["The tunnel of service mesh 'mesh-1' is down."]


@pytest.mark.world(scenario=scenario(VMS))
def test_warnings_alone_do_not_refuse(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    answer = manager.validate(manager.intent("vm-iso"))
    assert answer.status_code == 202
    assert [text.split(";")[0] for text in warnings(answer)] == [
        "Virtual machine 'vm-iso' has snapshots",
        "An ISO image is mounted in 'vm-iso'",
    ]
    assert messages(answer) == []


@pytest.mark.world(scenario=scenario(VMS))
def test_a_vm_moves_once_at_a_time_and_is_named_once(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    twice = manager.validate(manager.intent("vm-a"), manager.intent("vm-a"))
    assert messages(twice) == ["Virtual machine 'vm-a' is named more than once."]
    manager.start(manager.intent("vm-a", window=(600, 900)))
    again = manager.post("/mobility/migrations/start", {"items": [manager.intent("vm-a")]})
    assert (again.status_code, messages(again)) == (400, ["Virtual machine 'vm-a' is being migrated already."])


@pytest.mark.world(scenario=scenario(VMS))
def test_one_bad_item_refuses_the_whole_start(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    bad = manager.intent("vm-old")
    answer = manager.post("/mobility/migrations/start", {"items": [manager.intent("vm-a"), bad]})
    assert answer.status_code == 400
    assert [len(item.get("errors", [])) for item in answer.json()["items"]] == [0, 1]
    assert manager.query() == []


@pytest.mark.world(scenario=scenario(VMS))
@pytest.mark.parametrize(
    "mapping",
    [
        {"srcNetworkId": "{moref}", "destNetworkId": "{target}"},
        {"srcNetworkName": "app", "destNetworkName": "app"},
        {"srcNetworkValue": "/infra/segments/app", "destNetworkHref": "/infra/tier-1s/cgw/segments/app"},
    ],
)
def test_default_mappings_map_networks_by_id_path_or_name(site_pair: SitePair, mapping: dict[str, str]) -> None:
    manager = Manager(site_pair)
    vm = site_pair.vm("vm-a")
    target = next(
        network for network in site_pair.world.networks.values()
        if network.site.value == "destination" and network.name == "app"
    )  # fmt: skip
    filled = {
        name: value.format(moref=vm.nics[0].network_moref, target=target.moref) for name, value in mapping.items()
    }
    intent = manager.intent("vm-a")
    intent["networkParams"] = {"defaultMappings": [filled]}
    answer = manager.post("/mobility/migrations/start", {"items": [intent]})
    assert answer.status_code == 202, answer.text
    site_pair.run_until_idle()
    assert site_pair.vm("vm-a").nics[0].network_moref == target.moref


@pytest.mark.world(scenario=scenario(VMS))
def test_a_resource_pool_or_a_host_is_enough_of_a_placement(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    by_pool, by_host = manager.intent("vm-a"), manager.intent("vm-a")
    by_pool["placement"] = [{"containerType": "resourcePool", "containerId": "resgroup-102"}]
    by_host["placement"] = [{"type": "host", "id": "host-17"}, {"type": "folder", "id": "group-v201"}]
    assert manager.validate(by_host).status_code == 202
    manager.start(by_pool)
    site_pair.run_until_idle()
    vm = site_pair.vm("vm-a")
    assert (vm.pool_moref, vm.cluster_moref, vm.folder_moref) == ("resgroup-102", "domain-c9", "group-v3")


@pytest.mark.world(scenario=scenario(VMS))
def test_asaf_a_minimal_source_or_none_at_all_is_enough(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    intent = manager.intent("vm-a")
    del intent["source"], intent["destination"]
    assert manager.validate(intent).status_code == 202


@pytest.mark.world(scenario=scenario(VMS))
def test_an_empty_or_broken_request_is_a_400_in_the_newer_style(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    empty = manager.post("/mobility/migrations/start", {})
    assert (empty.status_code, empty.json()["errors"][0]["message"]) == (400, "The request has no items.")
    broken = manager.http.post(f"{manager.base}/mobility/migrations/start", data="{items=[{")
    assert broken.status_code == 400
    assert "Malformed JSON" in broken.json()["errors"][0]["message"]


@pytest.mark.world(scenario=scenario(VMS))
def test_without_a_session_nothing_is_answered(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    manager.http.headers.pop("x-hm-authorization")
    for path in ("/mobility/migrations/start", "/migrations?action=query", "/mobility/groups/archive"):
        answer = manager.http.post(f"{manager.base}{path}", json={})
        assert (answer.status_code, answer.content) == (401, b"")


@pytest.mark.world(scenario=scenario(VMS))
def test_what_validates_carries_the_ids_of_a_start_and_changes_nothing(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    body = {"items": [manager.intent("vm-a"), manager.intent("vm-virtual-rdm", "vSphereReplication")]}
    items = manager.post("/mobility/migrations/validate", body).json()["items"]
    assert [set(item) for item in items] == [{"migrationId", "migrationGroupId", "entityId"}] * 2
    assert len({item["migrationId"] for item in items}) == 2
    assert manager.post("/mobility/migrations/validate", body).json()["items"] == items
    bad = manager.post("/mobility/migrations/validate", {"items": [manager.intent("vm-old")]})
    assert bad.status_code == 400
    assert "migrationId" not in bad.json()["items"][0]
    assert manager.query() == []


@pytest.mark.world(scenario=scenario(VMS, hcx={"empty_findings": True}))
def test_switch_items_may_carry_empty_findings(site_pair: SitePair) -> None:
    manager = Manager(site_pair)
    for call in ("validate", "start"):
        (item,) = manager.post(f"/mobility/migrations/{call}", {"items": [manager.intent("vm-a")]}).json()["items"]
        assert (item["errors"], item["warnings"]) == ([], [])
