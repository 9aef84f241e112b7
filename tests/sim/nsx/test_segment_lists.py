"""Checklist: disjoint lists, search that finds both and may lag, paging."""

from __future__ import annotations

import pytest

from support.nsx_wire import FIXED, FLEXIBLE, Manager, refused, related, world_of
from support.site_pair import SitePair

pytestmark = world_of()
SEARCH = "/search/query"


def test_fixed_and_flexible_lists_share_nothing(source_nsx: Manager, destination_nsx: Manager) -> None:
    assert source_nsx.ids(FIXED) == ["app-net", "db-net", "spare-net"]
    assert source_nsx.ids(FLEXIBLE) == ["flex-net"]
    assert destination_nsx.ids(FIXED) == ["app-net"]
    assert destination_nsx.ids(FLEXIBLE) == []
    refused(source_nsx.get(f"{FIXED}/flex-net"), 404, 202)
    refused(source_nsx.get(f"{FLEXIBLE}/app-net"), 404, 202)
    refused(source_nsx.get("/infra/tier-1s/other/segments"), 404, 202)


@pytest.mark.parametrize("path", [SEARCH, "/search"])
def test_search_finds_fixed_and_flexible_ones_at_both_addresses(source_nsx: Manager, path: str) -> None:
    found = source_nsx.read(path, query="resource_type:Segment")
    assert [each["id"] for each in found["results"]] == ["app-net", "db-net", "flex-net", "spare-net"]
    assert found["result_count"] == 4
    one = source_nsx.read(path, query="resource_type:Segment AND display_name:flex-net")["results"]
    assert [each["path"] for each in one] == ["/infra/segments/flex-net"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("resource_type:Segment AND display_name:*-net", ["app-net", "db-net", "flex-net", "spare-net"]),
        ('resource_type:Segment AND display_name:"app-net"', ["app-net"]),
        ("resource_type:Segment AND display_name:app\\-net", ["app-net"]),
        ("resource_type:Segment AND (display_name:app-net OR display_name:db-net)", ["app-net", "db-net"]),
        ("resource_type:Segment AND NOT display_name:app-net", ["db-net", "flex-net", "spare-net"]),
        ("resource_type:Segment id:d?-net", ["db-net"]),
        ("resource_type:Segment AND subnets.network:10.1.2.0\\/24", ["db-net"]),
        ("resource_type:Segment AND advanced_config.connectivity:OFF", []),
        ('resource_type:Segment AND path:"/infra/segments/flex-net"', ["flex-net"]),
        ("db-net AND resource_type:Segment", ["db-net"]),
        ("resource_type:NoSuchThing", []),
        ("resource_type:Segment && display_name:app-net", ["app-net"]),
        ("resource_type:Segment&&display_name:app-net", ["app-net"]),
        ("resource_type:Segment && (display_name:app-net || display_name:db-net)", ["app-net", "db-net"]),
        ("resource_type:Segment AND display_name:(app-net OR db-net)", ["app-net", "db-net"]),
        ("resource_type:Segment AND id:(*-net AND NOT (app* OR db*))", ["flex-net", "spare-net"]),
        ("resource_type:(Segment OR Tier1) AND id:(cgw OR db-net)", ["cgw", "db-net"]),
        ("resource_type:Segment AND !display_name:app-net", ["db-net", "flex-net", "spare-net"]),
        ("resource_type:Segment -display_name:app-net", ["db-net", "flex-net", "spare-net"]),
        ("+resource_type:Segment +id:db-net", ["db-net"]),
        ("resource_type:Segment AND _exists_:subnets.dhcp_ranges", ["app-net"]),
        ("resource_type:Segment AND NOT _exists_:subnets.dhcp_ranges", ["db-net", "flex-net", "spare-net"]),
        ("resource_type:Segment AND id:[app-net TO db-net]", ["app-net", "db-net"]),
        ("resource_type:Segment AND id:{app-net TO *]", ["db-net", "flex-net", "spare-net"]),
        ("resource_type:Segment AND _revision:>=0 AND _revision:<1 AND id:(>=d AND <e)", ["db-net"]),
        ("resource_type:Segment AND _revision:>1000000", []),
        ("resource_type:Segment AND id:db-net OR id:cgw AND resource_type:Tier1", ["cgw", "db-net"]),
    ],
)
def test_search_understands_the_queries_of_clients(source_nsx: Manager, query: str, expected: list[str]) -> None:
    assert source_nsx.ids(SEARCH, query=query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "", "(resource_type:Segment", "resource_type:Segment AND", "a)", "AND a", "a OR", "a && && b", "a || ", "!",
        "NOT",
        "resource_type:", ":Segment", "path:/infra/segments/flex-net", "mac_address:00:50:56:00:00:01", "a~2", "a^2",
        "id:[a TO", "id:[a b]", "id:>", ">5", 'display_name:"app-net', "display_name:app\\", "id:(a OR)", "a=b",
        "disp*:app-net", "a ! ", "()",
    ],
)  # fmt: skip
def test_a_query_that_cannot_be_read_is_400(source_nsx: Manager, query: str) -> None:
    assert "query" in related(refused(source_nsx.get(SEARCH, query=query), 400, 255))


def test_search_finds_other_resource_types(source_nsx: Manager) -> None:
    names = [each["display_name"] for each in source_nsx.read(SEARCH, query="resource_type:VirtualMachine")["results"]]
    assert {"app01", "app02", "db01"} <= set(names)
    ports = source_nsx.read(SEARCH, query="resource_type:SegmentPort AND parent_path:*db-net")["results"]
    assert [port["parent_path"] for port in ports] == [f"{FIXED}/db-net"]
    assert source_nsx.ids(SEARCH, query="resource_type:Tier1") == ["cgw"]


def test_included_fields_are_honoured_by_search_only(source_nsx: Manager) -> None:
    searched = source_nsx.read(SEARCH, query="resource_type:Segment", included_fields="id,path")["results"]
    assert searched
    assert all(set(each) == {"id", "path"} for each in searched)
    listed = source_nsx.read(FIXED, included_fields="id,path")["results"]
    assert listed
    assert all("display_name" in each for each in listed)


@world_of(search_lag_seconds=30, purge_seconds=0)
def test_switch_the_search_index_lags(source_nsx: Manager, site_pair: SitePair) -> None:
    renamed = "resource_type:Segment AND display_name:renamed"
    source_nsx.patch(f"{FIXED}/app-net", {"display_name": "renamed"})
    source_nsx.put(f"{FIXED}/new-net", {"subnets": [{"gateway_address": "10.7.7.1/24"}]})
    source_nsx.delete(f"{FIXED}/spare-net")
    assert source_nsx.ids(SEARCH, query=renamed) == []
    assert source_nsx.ids(SEARCH, query="resource_type:Segment") == ["app-net", "db-net", "flex-net", "spare-net"]
    assert source_nsx.ids(FIXED) == ["db-net", "new-net", "app-net"], "lists do not lag"
    site_pair.advance(31)
    assert source_nsx.ids(SEARCH, query=renamed) == ["app-net"]
    assert source_nsx.ids(SEARCH, query="resource_type:Segment") == ["db-net", "flex-net", "new-net", "app-net"]


def test_pages_have_an_opaque_cursor_and_a_count_on_page_one_only(source_nsx: Manager) -> None:
    first = source_nsx.read(FIXED, page_size=2)
    assert [each["id"] for each in first["results"]] == ["app-net", "db-net"]
    assert first["result_count"] == 3
    second = source_nsx.read(FIXED, page_size=2, cursor=first["cursor"])
    assert [each["id"] for each in second["results"]] == ["spare-net"]
    assert "result_count" not in second
    assert "cursor" not in second
    assert (first["sort_by"], first["sort_ascending"]) == ("display_name", True)


def test_a_page_is_not_shifted_by_what_comes_and_goes(source_nsx: Manager) -> None:
    first = source_nsx.read(FIXED, page_size=1)
    source_nsx.put(f"{FIXED}/aaa", {"subnets": [{"gateway_address": "10.7.7.1/24"}]})
    second = source_nsx.read(FIXED, page_size=1, cursor=first["cursor"])
    assert [each["id"] for each in [*first["results"], *second["results"]]] == ["app-net", "db-net"]


@world_of(page_size=2)
def test_the_server_may_return_fewer_than_asked(source_nsx: Manager) -> None:
    first = source_nsx.read(FIXED, page_size=1000)
    assert (len(first["results"]), first["result_count"]) == (2, 3)
    assert len(source_nsx.read(FIXED, cursor=first["cursor"])["results"]) == 1


def test_lists_sort_both_ways(source_nsx: Manager) -> None:
    assert source_nsx.ids(FIXED, sort_ascending="false") == ["spare-net", "db-net", "app-net"]
    first = source_nsx.read(FIXED, sort_ascending="false", page_size=1)
    assert source_nsx.ids(FIXED, sort_ascending="false", cursor=first["cursor"]) == ["db-net", "app-net"]
    source_nsx.patch(f"{FIXED}/app-net", {"display_name": "zzz"})
    assert source_nsx.ids(FIXED) == ["db-net", "spare-net", "app-net"]
    assert source_nsx.ids(FIXED, sort_by="id") == ["app-net", "db-net", "spare-net"]


@pytest.mark.parametrize("parameters", [{"cursor": "12"}, {"page_size": "0"}, {"page_size": "5000"}])
def test_wrong_paging_parameters_are_400(source_nsx: Manager, parameters: dict[str, str]) -> None:
    assert next(iter(parameters)) in related(refused(source_nsx.get(FIXED, **parameters), 400, 255))


@world_of(source="onprem")
def test_on_premises_paths_and_enforcement_point(source_nsx: Manager) -> None:
    assert source_nsx.ids(FLEXIBLE) == ["app-net", "db-net", "flex-net", "spare-net"]
    assert source_nsx.ids("/infra/tier-1s/t1-workloads/segments") == []
    body = source_nsx.read(f"{FLEXIBLE}/app-net")
    assert (body["path"], body["parent_path"]) == ("/infra/segments/app-net", "/infra")
    assert body["connectivity_path"] == "/infra/tier-1s/t1-workloads"
    assert body["transport_zone_path"].startswith("/infra/sites/default/enforcement-points/default/")


def test_cloud_paths_and_enforcement_point(source_nsx: Manager) -> None:
    body = source_nsx.read(f"{FIXED}/app-net")
    assert (body["path"], body["parent_path"]) == (f"{FIXED}/app-net", "/infra/tier-1s/cgw")
    assert "/vmc-enforcementpoint/" in body["transport_zone_path"]
    zones = "/infra/sites/default/enforcement-points/vmc-enforcementpoint/transport-zones"
    assert source_nsx.read(zones)["results"][0]["path"] == body["transport_zone_path"]
    refused(source_nsx.get(zones.replace("vmc-enforcementpoint", "default")), 404, 202)
    assert source_nsx.ids("/infra/tier-1s/cgw/locale-services") == ["default"]
    assert source_nsx.read("/infra/tier-1s/cgw")["resource_type"] == "Tier1"
