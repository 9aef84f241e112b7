"""Checklist: deletion with ports, late release of ports, 500045 until the purge."""

from __future__ import annotations

from typing import Any

import pytest

from support.nsx_wire import FIXED, FLEXIBLE, Manager, refused, related, world_of
from support.site_pair import SitePair

pytestmark = world_of(port_release_seconds=20, purge_seconds=300)
DB = f"{FIXED}/db-net"
NEW_DB: dict[str, Any] = {"subnets": [{"gateway_address": "10.1.2.1/24"}]}


def _take_away(pair: SitePair, name: str) -> None:
    pair.run(lambda: pair.world.remove(pair.vm(name)))


def test_delete_with_ports_is_400_503040_with_related_errors(source_nsx: Manager, site_pair: SitePair) -> None:
    body = refused(source_nsx.delete(DB), 400, 503040)
    assert [error["error_code"] for error in body["related_errors"]] == [503040]
    assert "db01" in related(body)
    assert source_nsx.read(DB)["id"] == "db-net"
    assert [call["data"]["status"] for call in site_pair.calls("fixed_segments.delete")] == [400]


def test_powered_off_vms_and_appliances_hold_their_ports_as_well(source_nsx: Manager) -> None:
    text = related(refused(source_nsx.delete(f"{FIXED}/app-net"), 400, 503040))
    assert "app01" in text
    assert "app02" in text, "app02 is powered off"
    assert "NE-I1" in text, "the Network Extension appliance"


def test_a_port_is_released_some_time_after_the_vm_has_left(source_nsx: Manager, site_pair: SitePair) -> None:
    _take_away(site_pair, "db01")
    refused(source_nsx.delete(DB), 400, 503040)
    port = source_nsx.read(f"{DB}/ports")["results"][0]
    assert source_nsx.read(port["path"] + "/state")["attachment"]["state"] == "DETACHED"
    point = "/infra/realized-state/enforcement-points/vmc-enforcementpoint/vifs"
    assert source_nsx.read(point, lport_attachment_id=port["attachment"]["id"])["results"] == []

    site_pair.advance(19)
    refused(source_nsx.delete(DB), 400, 503040)
    site_pair.advance(1)
    assert source_nsx.read(f"{DB}/ports")["result_count"] == 0
    assert source_nsx.delete(DB).status_code == 200
    refused(source_nsx.get(DB), 404, 202)
    assert not [network for network in site_pair.world.networks.values() if network.name == "db-net"]


def test_a_deleted_id_answers_500045_until_it_is_purged(source_nsx: Manager, site_pair: SitePair) -> None:
    spare = f"{FIXED}/spare-net"
    body: dict[str, Any] = {"subnets": [{"gateway_address": "10.1.3.1/24"}]}
    source_nsx.delete(spare)
    refused(source_nsx.get(spare), 404, 202)
    refused(source_nsx.delete(spare), 404, 202)
    assert "spare-net" not in source_nsx.ids(FIXED)
    shown = source_nsx.read(FIXED, include_mark_for_delete_objects="true")["results"]
    assert {each["id"]: each["marked_for_delete"] for each in shown}["spare-net"] is True
    assert "spare-net" not in source_nsx.ids(FLEXIBLE, include_mark_for_delete_objects="true")
    for write in (source_nsx.put, source_nsx.patch):
        refused(write(spare, body), 400, 500045)
    site_pair.advance(299)
    refused(source_nsx.put(spare, body), 400, 500045)
    site_pair.advance(1)
    assert source_nsx.put(spare, body).status_code == 200
    assert source_nsx.read(spare)["_revision"] == 0


def test_another_path_with_the_same_id_is_free_at_once(source_nsx: Manager) -> None:
    source_nsx.delete(f"{FIXED}/spare-net")
    assert source_nsx.put(f"{FLEXIBLE}/spare-net", {"display_name": "spare-net"}).status_code == 200


def test_force_delete_passes_by_the_ports_and_cuts_the_vms_off(source_nsx: Manager, site_pair: SitePair) -> None:
    assert site_pair.oracle()["vms"]["db01"]["gateways"]["db-net"] == "source"
    assert source_nsx.delete(DB, force="true").status_code == 200
    refused(source_nsx.get(DB), 404, 202)
    assert site_pair.oracle()["vms"]["db01"]["gateways"]["db-net"] is None
    assert [port.segment_id for port in site_pair.world.ports.values() if port.segment_id == "db-net"] == ["db-net"]
    assert site_pair.calls("fixed_segments.force_delete")[-1]["data"]["summary"] == {"force": True, "cascade": False}


@world_of(source="onprem")
@pytest.mark.parametrize(("cascade", "left"), [("true", 0), ("false", 1)])
def test_cascade_takes_the_ports_along(source_nsx: Manager, site_pair: SitePair, cascade: str, left: int) -> None:
    assert source_nsx.delete(f"{FLEXIBLE}/db-net", force="true", cascade=cascade).status_code == 200
    assert sum(port.segment_id == "db-net" for port in site_pair.world.ports.values()) == left


@world_of(source="onprem")
def test_cascade_without_force_does_nothing(source_nsx: Manager) -> None:
    refused(source_nsx.delete(f"{FLEXIBLE}/db-net", cascade="true"), 400, 503040)


def test_bodies_on_get_and_delete_are_read_and_ignored(source_nsx: Manager, site_pair: SitePair) -> None:
    """Checklist: read and ignore request bodies on GET and DELETE."""
    body = {"marked_for_delete": True, "display_name": "x" * 20_000}
    assert source_nsx.call("GET", DB, json=body).json()["display_name"] == "db-net"
    assert source_nsx.call("GET", FIXED, data=b"{not json").status_code == 200
    refused(source_nsx.call("DELETE", DB, json={"force": True}), 400, 503040)
    assert source_nsx.call("DELETE", f"{FIXED}/spare-net", data=b"\xff\xfe not json").status_code == 200
    assert source_nsx.get(FIXED).status_code == 200, "the connection is still in step"
    assert [call["data"]["status"] for call in site_pair.calls("fixed_segments.delete")] == [400, 200]
