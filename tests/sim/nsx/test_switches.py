"""Where the vendor's behaviour is unknown, a switch offers each way it may be. nsx-vsphere 6."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hcx_sim.nsx import limits
from support.nsx_wire import FIXED, Manager, connectivity_patch, refused, world_of

APP = f"{FIXED}/app-net"
GATEWAY_ONLY: dict[str, Any] = {"subnets": [{"gateway_address": "10.1.1.1/24"}]}


@world_of(dropped_dhcp_ranges="lose")
def test_a_gateway_only_patch_loses_the_dhcp_ranges(source_nsx: Manager) -> None:
    assert source_nsx.patch(APP, GATEWAY_ONLY).status_code == 200
    assert "dhcp_ranges" not in source_nsx.read(APP)["subnets"][0]


@world_of()
def test_a_gateway_only_patch_is_refused(source_nsx: Manager) -> None:
    refused(source_nsx.patch(APP, GATEWAY_ONLY), 400, 255)


@world_of(stale_status=409)
def test_a_stale_revision_may_be_a_conflict(source_nsx: Manager) -> None:
    body = source_nsx.read(APP)
    source_nsx.patch(APP, {"description": "newer"})
    assert refused(source_nsx.put(APP, body), 409)["httpStatus"] == "CONFLICT"


@world_of(hcx_segments_protection="REQUIRE_OVERRIDE")
def test_segments_of_hcx_may_need_an_override(destination_nsx: Manager, source_nsx: Manager) -> None:
    body = destination_nsx.read(APP)
    assert body["_protection"] == "REQUIRE_OVERRIDE"
    refused(destination_nsx.patch(APP, connectivity_patch(body, "ON")), 403)
    refused(destination_nsx.delete(APP), 403)
    destination_nsx.http.headers["X-Allow-Overwrite"] = "true"
    assert destination_nsx.patch(APP, connectivity_patch(body, "ON")).status_code == 200
    assert source_nsx.read(APP)["_protection"] == "NOT_PROTECTED"


@world_of(hcx_segments_protection="PROTECTED")
def test_segments_of_hcx_may_be_protected_for_good(destination_nsx: Manager) -> None:
    destination_nsx.http.headers["X-Allow-Overwrite"] = "true"
    segment = {"resource_type": "Segment", "id": "app-net", "description": "x"}
    child = {"resource_type": "ChildSegment", "Segment": segment}
    tier1 = {"resource_type": "ChildTier1", "Tier1": {"id": "cgw", "children": [child]}}
    refused(destination_nsx.patch("/infra", {"resource_type": "Infra", "children": [tier1]}), 403)


@pytest.mark.parametrize(("reads", "connectivity"), [("DISCONNECTED", "OFF"), ("ROUTED", "ON")])
def test_a_destination_under_mon_may_read_routed(site_server: Any, reads: str, connectivity: str) -> None:
    document = {
        "name": "mon",
        "settings": {"nsx": {"mon_reads": reads}},
        "networks": [{"name": "app-net", "subnet": "10.1.1.0/24", "stretched": True, "mon": True}],
    }
    pair = site_server.make_world(scenario=document)
    try:
        body = Manager(pair, "destination").read(APP)
        assert (body["type"], body["advanced_config"]["connectivity"]) == (reads, connectivity)
        assert body["advanced_config"]["local_egress"] is (reads == "ROUTED")
        assert pair.world.segments["destination/app-net"].gateway_up is False
    finally:
        site_server.drop(pair)


@world_of(requests_per_second=1, retry_after_seconds=2)
def test_a_refusal_by_rate_may_say_when_to_come_back(source_nsx: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: 1000.0))
    source_nsx.get(APP)
    answer = source_nsx.get(APP)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
