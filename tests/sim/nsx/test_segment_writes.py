"""Checklist: empty answers of PATCH and DELETE, ``_revision`` and 412; and what a write may carry."""

from __future__ import annotations

from typing import Any

import pytest

from support.nsx_wire import FIXED, FLEXIBLE, Manager, connectivity_patch, refused, related, world_of
from support.site_pair import SitePair

pytestmark = world_of()
APP = f"{FIXED}/app-net"
FLEX = f"{FLEXIBLE}/flex-net"


def test_patch_and_delete_answer_200_empty_and_put_answers_the_object(source_nsx: Manager) -> None:
    patched = source_nsx.patch(APP, {"description": "patched"})
    assert (patched.status_code, patched.content) == (200, b"")
    body = source_nsx.read(APP)
    replaced = source_nsx.put(APP, {**body, "description": "replaced"})
    assert replaced.status_code == 200
    assert replaced.json() == source_nsx.read(APP)
    assert replaced.json()["description"] == "replaced"
    deleted = source_nsx.delete(f"{FIXED}/spare-net")
    assert (deleted.status_code, deleted.content) == (200, b"")


def test_revision_grows_by_one_per_change_and_not_without_one(source_nsx: Manager, site_pair: SitePair) -> None:
    assert source_nsx.read(APP)["_revision"] == 0
    source_nsx.patch(APP, {"description": "a"})
    source_nsx.patch(APP, {"description": "a"})
    assert source_nsx.read(APP)["_revision"] == 1
    site_pair.advance(60)
    body = source_nsx.put(APP, {**source_nsx.read(APP), "description": "b"}).json()
    assert body["_revision"] == 2
    assert body["_last_modified_time"] - body["_create_time"] == 60_000
    assert body["_last_modified_user"] == site_pair.login("nsx").username


@pytest.mark.parametrize("revision", [None, 0, 7])
def test_put_with_stale_or_missing_revision_is_412(source_nsx: Manager, site_pair: SitePair, revision: Any) -> None:
    source_nsx.patch(APP, {"description": "newer"})
    body = source_nsx.read(APP)
    body.pop("_revision")
    if revision is not None:
        body["_revision"] = revision
    refused(source_nsx.put(APP, {**body, "description": "lost update"}), 412)
    assert source_nsx.read(APP)["description"] == "newer"
    assert site_pair.calls("fixed_segments.put")[-1]["data"]["status"] == 412


def test_patch_ignores_a_stale_revision(source_nsx: Manager) -> None:
    source_nsx.patch(APP, {"description": "newer"})
    assert source_nsx.patch(APP, {"description": "newest", "_revision": 0}).status_code == 200


@world_of(patch_checks_revision=True)
def test_switch_patch_checks_a_supplied_revision(source_nsx: Manager) -> None:
    source_nsx.patch(APP, {"description": "newer"})
    refused(source_nsx.patch(APP, {"description": "newest", "_revision": 0}), 412)
    assert source_nsx.patch(APP, {"description": "newest"}).status_code == 200


def test_patch_replaces_arrays_and_keeps_what_it_does_not_name(source_nsx: Manager) -> None:
    source_nsx.patch(
        APP, {"tags": [{"scope": "a", "tag": "1"}, {"scope": "b", "tag": "2"}], "domain_name": "x.example"}
    )
    source_nsx.patch(APP, {"tags": [{"scope": "c", "tag": "3"}], "advanced_config": {"urpf_mode": "NONE"}})
    body = source_nsx.read(APP)
    assert body["tags"] == [{"scope": "c", "tag": "3"}]
    assert body["domain_name"] == "x.example"
    assert (body["advanced_config"]["urpf_mode"], body["advanced_config"]["connectivity"]) == ("NONE", "ON")


def test_dhcp_ranges_can_be_added_but_neither_removed_nor_changed(source_nsx: Manager) -> None:
    gateway = {"gateway_address": "10.1.1.1/24"}
    kept, more = "10.1.1.100-10.1.1.120", "10.1.1.200-10.1.1.210"
    for ranges in ([], [more], ["10.1.1.100-10.1.1.119"]):
        answer = source_nsx.patch(APP, {"subnets": [{**gateway, "dhcp_ranges": ranges}]})
        assert kept in related(refused(answer, 400, 255))
    assert source_nsx.patch(APP, {"subnets": [{**gateway, "dhcp_ranges": [kept, more]}]}).status_code == 200
    assert source_nsx.read(APP)["subnets"][0]["dhcp_ranges"] == [kept, more]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"subnets": [{"gateway_address": "not-an-address"}]}, "gateway_address"),
        ({"subnets": [{"gateway_address": "10.9.9.1"}]}, "gateway_address"),
        ({"subnets": [{"gateway_address": "10.9.9.0/24"}]}, "gateway_address"),
        ({"subnets": [{"gateway_address": "10.9.9.1/24", "dhcp_ranges": ["10.9.8.1-10.9.8.9"]}]}, "dhcp_ranges"),
        ({"subnets": [{"gateway_address": "10.9.9.1/24"}, {"gateway_address": "10.9.8.1/24"}]}, "subnets"),
        ({"advanced_config": {"connectivity": "MAYBE"}}, "connectivity"),
        ({"replication_mode": "BOTH"}, "replication_mode"),
        ({"vlan_ids": ["5000"]}, "vlan_ids"),
        ({"id": "another"}, "id"),
        ({"display_name": ""}, "display_name"),
        ({"resource_type": "Tier1"}, "resource_type"),
        ([1, 2], "body"),
    ],
)
def test_wrong_fields_are_400_255_with_the_cause_in_related_errors(source_nsx: Manager, body: Any, field: str) -> None:
    before = source_nsx.read(APP)
    assert field in related(refused(source_nsx.patch(APP, body), 400, 255))
    assert source_nsx.read(APP) == before


def test_a_body_that_is_no_json_is_400(source_nsx: Manager) -> None:
    answer = source_nsx.call("PATCH", APP, data=b"{not json", headers={"Content-Type": "application/json"})
    assert "JSON" in related(refused(answer, 400, 255))


def test_overlapping_subnets_are_400_500105(source_nsx: Manager) -> None:
    body = {"subnets": [{"gateway_address": "10.1.2.129/25"}]}
    assert "db-net" in related(refused(source_nsx.put(f"{FIXED}/new-net", body), 400, 500105))
    refused(source_nsx.patch(f"{FIXED}/spare-net", {"subnets": [{"gateway_address": "10.1.0.1/16"}]}), 400, 500105)
    assert "new-net" not in source_nsx.ids(FIXED)


@pytest.mark.parametrize("path", [f"{FIXED}/new-net", f"{FLEXIBLE}/new-net"])
def test_connecting_a_segment_without_any_gateway_is_400(source_nsx: Manager, path: str) -> None:
    made = source_nsx.put(path, {"advanced_config": {"connectivity": "OFF"}}).json()
    body = {**made, "advanced_config": {"connectivity": "ON"}}
    assert "gateway_address" in related(refused(source_nsx.put(path, body), 400))
    assert source_nsx.read(path)["advanced_config"]["connectivity"] == "OFF"


def test_created_segments_are_realised_and_shown_in_vcenter(source_nsx: Manager, site_pair: SitePair) -> None:
    body = {"display_name": "New net", "subnets": [{"gateway_address": "10.7.7.1/24"}], "tags": [{"tag": "t"}]}
    made = source_nsx.put(f"{FIXED}/new-net", body).json()
    assert (made["id"], made["type"], made["_revision"], made["_create_user"]) == ("new-net", "ROUTED", 0, "admin")
    assert made["subnets"] == [{"gateway_address": "10.7.7.1/24", "network": "10.7.7.0/24"}]
    assert made["tags"] == [{"tag": "t"}]
    segment = site_pair.world.segments["source/new-net"]
    assert segment.gateway_up is False
    site_pair.run_until_idle()
    assert segment.gateway_up is True
    assert site_pair.world.network_of_segment(segment).name == "New net"
    assert source_nsx.patch(f"{FLEXIBLE}/other", {"display_name": "other"}).status_code == 200
    other = source_nsx.read(f"{FLEXIBLE}/other")
    assert (other["type"], other["path"], other["parent_path"]) == ("DISCONNECTED", "/infra/segments/other", "/infra")


def test_fixed_segments_cannot_be_moved_to_another_gateway(source_nsx: Manager) -> None:
    assert "connectivity_path" in related(
        refused(source_nsx.patch(APP, {"connectivity_path": "/infra/tier-1s/x"}), 400)
    )
    assert "connectivity_path" in related(refused(source_nsx.patch(FLEX, {"connectivity_path": "/infra/none"}), 400))


def test_rename_keeps_id_and_path_and_reaches_vcenter_once_realised(source_nsx: Manager, site_pair: SitePair) -> None:
    source_nsx.patch(APP, {"display_name": "renamed"})
    body = source_nsx.read(APP)
    assert (body["id"], body["path"], body["display_name"]) == ("app-net", APP, "renamed")
    network = site_pair.world.network_of_segment(site_pair.world.segments["source/app-net"])
    assert network.name == "app-net"
    site_pair.run_until_idle()
    assert network.name == "renamed"


def test_unknown_fields_are_ignored_and_known_ones_kept(source_nsx: Manager) -> None:
    known = {
        "description": "d", "domain_name": "x.example", "dhcp_config_path": "/infra/dhcp-server-configs/a",
        "replication_mode": "SOURCE", "admin_state": "DOWN", "vlan_ids": ["10", "20-30"], "overlay_id": 71681,
        "mac_pool_id": "pool", "metadata_proxy_paths": ["/infra/metadata-proxies/a"], "evpn_segment": False,
        "extra_configs": [{"config_pair": {"key": "k", "value": "v"}}],
        "subnets": [{"gateway_address": "10.1.3.1/24",
                     "dhcp_config": {"resource_type": "SegmentDhcpV4Config", "lease_time": 86400, "options": {}}}],
    }  # fmt: skip
    spare = f"{FIXED}/spare-net"
    assert source_nsx.patch(spare, {**known, "no_such_field": 1, "unique_id": "x"}).status_code == 200
    body = source_nsx.read(spare)
    known["subnets"] = [{**known["subnets"][0], "network": "10.1.3.0/24"}]  # type: ignore[dict-item, index]
    assert {name: body.get(name) for name in known} == known
    assert "no_such_field" not in body
    assert body["unique_id"] != "x"


@world_of(flexible_off_needs_force=True, source="onprem")
def test_switch_off_of_a_flexible_segment_with_workloads_needs_force(source_nsx: Manager, site_pair: SitePair) -> None:
    app = f"{FLEXIBLE}/app-net"
    off = connectivity_patch(source_nsx.read(app), "OFF")
    refused(source_nsx.patch(app, off), 400, 500030)
    assert source_nsx.patch(f"{FLEXIBLE}/spare-net", {"advanced_config": {"connectivity": "OFF"}}).status_code == 200
    assert source_nsx.patch(app, off, force="true").status_code == 200
    assert source_nsx.read(app)["type"] == "DISCONNECTED"
    assert [call["data"]["status"] for call in site_pair.calls("flexible_segments.force_patch")] == [200]


def test_delete_dhcp_leases_is_accepted(source_nsx: Manager) -> None:
    leases = {"leases": [{"ip_address": "10.1.1.100", "mac_address": "00:50:56:00:00:01"}]}
    answer = source_nsx.call("POST", APP, json=leases, params={"action": "delete_dhcp_leases"})
    assert (answer.status_code, answer.content) == (200, b"")


def test_the_audit_says_who_asked_for_what_without_secrets(source_nsx: Manager, site_pair: SitePair) -> None:
    source_nsx.patch(APP, connectivity_patch(source_nsx.read(APP), "OFF"))
    entry = site_pair.calls("fixed_segments.patch")[-1]
    assert entry["subject"] == "source/nsx"
    assert entry["data"]["user"] == "admin"
    assert entry["data"]["summary"]["connectivity"] == "OFF"
    change = next(each for each in site_pair.audit("change", "segment:source/app-net"))
    assert change["cause"] == entry["cause"]
    assert site_pair.login("nsx").password not in str(site_pair.audit())
