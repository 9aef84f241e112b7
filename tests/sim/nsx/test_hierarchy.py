"""The hierarchical API: fixed and flexible segments, deletion, revision check, all or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from support.nsx_wire import FIXED, FLEXIBLE, Manager, connectivity_patch, refused, related, world_of
from support.site_pair import SitePair

pytestmark = world_of()
APP = f"{FIXED}/app-net"
FLEX = f"{FLEXIBLE}/flex-net"


def _child(segment: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resource_type": "ChildSegment", "Segment": {"resource_type": "Segment", **segment}, **more}


def _below_tier1(*children: dict[str, Any], tier1: str = "cgw") -> dict[str, Any]:
    return {"resource_type": "ChildTier1", "Tier1": {"resource_type": "Tier1", "id": tier1, "children": list(children)}}


def _infra(*children: dict[str, Any]) -> dict[str, Any]:
    return {"resource_type": "Infra", "children": list(children)}


def test_connectivity_of_a_fixed_segment_goes_off_and_on(source_nsx: Manager, site_pair: SitePair) -> None:
    for connectivity, kind in (("OFF", "DISCONNECTED"), ("ON", "ROUTED")):
        segment = connectivity_patch(source_nsx.read(APP), connectivity)
        answer = source_nsx.patch("/infra", _infra(_below_tier1(_child(segment))))
        assert (answer.status_code, answer.content) == (200, b"")
        assert source_nsx.read(APP)["type"] == kind
    assert site_pair.calls("infra.patch")[-1]["data"]["summary"]["segments"][0]["connectivity"] == "ON"


def test_a_reference_to_the_tier1_does_as_well(source_nsx: Manager) -> None:
    segment = _child({"id": "app-net", "description": "by reference"})
    child = {"resource_type": "ChildResourceReference", "target_type": "Tier1", "id": "cgw", "children": [segment]}
    assert source_nsx.patch("/infra", _infra(child)).status_code == 200
    assert source_nsx.read(APP)["description"] == "by reference"


def test_flexible_segments_are_made_changed_and_deleted(source_nsx: Manager) -> None:
    new = _child({"id": "new-net", "display_name": "New", "subnets": [{"gateway_address": "10.7.7.1/24"}]})
    changed = _child({"id": "flex-net", "description": "changed"})
    assert source_nsx.patch("/infra", _infra(new, changed)).status_code == 200
    assert source_nsx.read(f"{FLEXIBLE}/new-net")["display_name"] == "New"
    assert source_nsx.read(FLEX)["description"] == "changed"
    gone = _child({"id": "flex-net"}, marked_for_delete=True)
    gone_too = _child({"id": "new-net", "marked_for_delete": True})
    assert source_nsx.patch("/infra", _infra(gone, gone_too)).status_code == 200
    assert source_nsx.ids(FLEXIBLE) == []


def test_all_or_nothing(source_nsx: Manager, site_pair: SitePair) -> None:
    mark = site_pair.mark()
    good = _child({"id": "flex-net", "description": "changed"})
    occupied = _below_tier1(_child({"id": "db-net"}, marked_for_delete=True))
    refused(source_nsx.patch("/infra", _infra(good, occupied)), 400, 503040)
    assert "description" not in source_nsx.read(FLEX)
    assert site_pair.audit("change", after=mark) == []


def test_strict_mode_holds_here_as_well(source_nsx: Manager) -> None:
    segment = _child({"id": "app-net", "advanced_config": {"connectivity": "OFF"}})
    assert "subnets" in related(refused(source_nsx.patch("/infra", _infra(_below_tier1(segment))), 400))


@pytest.mark.parametrize(("revision", "status"), [(0, 412), (None, 412), (1, 200)])
def test_enforce_revision_check(source_nsx: Manager, revision: int | None, status: int) -> None:
    source_nsx.patch(APP, {"description": "newer"})
    segment: dict[str, Any] = {"id": "app-net", "description": "newest"}
    if revision is not None:
        segment["_revision"] = revision
    body = _infra(_below_tier1(_child(segment)))
    assert source_nsx.patch("/infra", body, enforce_revision_check="true").status_code == status
    assert source_nsx.patch("/infra", body).status_code == 200, "not checked unless asked"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"children": []}, 400),
        ({"resource_type": "Infra"}, 400),
        (_infra({"resource_type": "ChildDomain", "Domain": {}}), 400),
        (_infra(_child({"display_name": "no id"})), 400),
        (_infra(_below_tier1(_child({"id": "x"}), tier1="other")), 404),
        (_infra(_child({"id": "none"}, marked_for_delete=True)), 404),
    ],
)
def test_wrong_hierarchies_are_refused(source_nsx: Manager, body: dict[str, Any], status: int) -> None:
    refused(source_nsx.patch("/infra", body), status)
