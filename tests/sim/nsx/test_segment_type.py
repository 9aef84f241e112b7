"""Checklist: ``type`` is derived; strict mode refuses what an SDDC of version M22 refused."""

from __future__ import annotations

import pytest

from support.nsx_wire import FIXED, FLEXIBLE, Manager, connectivity_patch, refused, related, world_of
from support.site_pair import SitePair

pytestmark = world_of()
APP = f"{FIXED}/app-net"


def test_type_follows_connectivity_both_ways(source_nsx: Manager, site_pair: SitePair) -> None:
    routed = source_nsx.read(APP)
    assert (routed["type"], routed["advanced_config"]["connectivity"]) == ("ROUTED", "ON")

    assert source_nsx.patch(APP, connectivity_patch(routed, "OFF")).status_code == 200
    cut = source_nsx.read(APP)
    assert (cut["type"], cut["advanced_config"]["connectivity"]) == ("DISCONNECTED", "OFF")
    assert cut["subnets"] == routed["subnets"], "gateway and DHCP ranges stay configured"

    assert source_nsx.patch(APP, connectivity_patch(cut, "ON")).status_code == 200
    assert source_nsx.read(APP)["type"] == "ROUTED"
    changes = [
        (entry["data"]["before"]["connectivity"], entry["data"]["after"]["connectivity"])
        for entry in site_pair.audit("change", "segment:source/app-net")
        if "connectivity" in entry["data"].get("after", {})
    ]
    assert changes == [("ON", "OFF"), ("OFF", "ON")]


def test_client_sent_type_alone_is_ignored_with_200(source_nsx: Manager, site_pair: SitePair) -> None:
    before = source_nsx.read(APP)
    mark = site_pair.mark()
    answer = source_nsx.patch(APP, {"type": "DISCONNECTED"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert source_nsx.read(APP) == before
    assert site_pair.audit("change", after=mark) == []


def test_l2vpn_makes_extended_and_routed_and_extended(source_nsx: Manager) -> None:
    spare = f"{FIXED}/spare-net"
    source_nsx.patch(spare, {"l2_extension": {"tunnel_id": 10, "l2vpn_paths": ["/infra/tier-0s/vmc/l2vpn/1"]}})
    assert source_nsx.read(spare)["type"] == "ROUTED_AND_EXTENDED"
    source_nsx.patch(spare, connectivity_patch(source_nsx.read(spare), "OFF"))
    assert source_nsx.read(spare)["type"] == "EXTENDED"


def test_removed_connectivity_path_disconnects_a_flexible_segment(source_nsx: Manager, site_pair: SitePair) -> None:
    flex = f"{FLEXIBLE}/flex-net"
    body = source_nsx.read(flex)
    assert body["type"] == "ROUTED"
    del body["connectivity_path"]
    assert source_nsx.put(flex, body).json()["type"] == "DISCONNECTED"
    assert "connectivity_path" not in source_nsx.read(flex)
    site_pair.run_until_idle()
    assert site_pair.world.segments["source/flex-net"].gateway_up is False


@pytest.mark.parametrize("change", ["OFF", "ON"])
def test_strict_mode_refuses_a_change_without_subnets(source_nsx: Manager, change: str) -> None:
    if change == "ON":
        source_nsx.patch(APP, connectivity_patch(source_nsx.read(APP), "OFF"))
    before = source_nsx.read(APP)
    body = {"display_name": "app-net", "connectivity_path": "/infra/tier-1s/cgw"}
    answer = source_nsx.patch(APP, {**body, "advanced_config": {"connectivity": change}})
    assert "subnets" in related(refused(answer, 400))
    assert source_nsx.read(APP) == before


def test_strict_mode_refuses_a_contradicting_type(source_nsx: Manager) -> None:
    before = source_nsx.read(APP)
    body = {**connectivity_patch(before, "OFF"), "type": "ROUTED"}
    assert "type" in related(refused(source_nsx.patch(APP, body), 400))
    assert source_nsx.read(APP) == before
    assert source_nsx.patch(APP, {**body, "type": "DISCONNECTED"}).status_code == 200


def test_strict_mode_leaves_flexible_segments_alone(source_nsx: Manager) -> None:
    answer = source_nsx.patch(f"{FLEXIBLE}/flex-net", {"advanced_config": {"connectivity": "OFF"}})
    assert answer.status_code == 200
    assert source_nsx.read(f"{FLEXIBLE}/flex-net")["type"] == "DISCONNECTED"


@world_of(strict_patch=False)
def test_lenient_mode_takes_what_strict_mode_refuses(source_nsx: Manager) -> None:
    body = {"type": "ROUTED", "advanced_config": {"connectivity": "OFF"}}
    assert source_nsx.patch(APP, body).status_code == 200
    assert source_nsx.read(APP)["type"] == "DISCONNECTED"


@world_of(advanced_config_absent=True)
def test_switch_a_routed_body_may_lack_advanced_config(source_nsx: Manager) -> None:
    assert "advanced_config" not in source_nsx.read(APP)
    subnets = source_nsx.read(APP)["subnets"]
    source_nsx.patch(APP, {"advanced_config": {"connectivity": "OFF"}, "subnets": subnets})
    assert source_nsx.read(APP)["advanced_config"]["connectivity"] == "OFF"


@world_of(disconnected_lacks_subnets=True)
def test_switch_a_disconnected_body_may_lack_subnets(source_nsx: Manager) -> None:
    routed = source_nsx.read(APP)
    source_nsx.patch(APP, connectivity_patch(routed, "OFF"))
    assert "subnets" not in source_nsx.read(APP)
    refused(source_nsx.patch(APP, {"advanced_config": {"connectivity": "ON"}}), 400)
    assert source_nsx.patch(APP, connectivity_patch(routed, "ON")).status_code == 200
    assert source_nsx.read(APP)["subnets"] == routed["subnets"]
