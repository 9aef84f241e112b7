"""NSX segments: both lists, the PATCH that is known to work, put, rename, delete."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_waves.clients.errors import (
    ConflictError,
    MalformedResponse,
    OutcomeUnknownError,
    StaleRevisionError,
    ValidationFailed,
)
from hcx_waves.clients.nsx import BasicAuth, Connectivity, NsxPolicyClient, NsxSegment
from support.nsx_answers import FIXED, FIXED_PATH, FLEX, FLEX_PATH, P, on, refusal
from support.scripted_server import RESET, Answer, FakeTime, ScriptedServer

# --- segments --------------------------------------------------------------------------------------------


def test_both_lists_are_read(client: NsxPolicyClient) -> None:
    found = {one.display_name: one for one in client.segments()}
    assert {name: one.is_fixed for name, one in found.items()} == {"app-net": True, "db-net": False}
    assert (found["app-net"].connectivity, found["app-net"].segment_type) == (Connectivity.ON, "ROUTED")
    assert (found["db-net"].is_disconnected, found["app-net"].is_disconnected) == (True, False)
    assert (found["app-net"].gateway_addresses, found["app-net"].revision) == (("10.1.1.1/24",), 3)


def test_missing_tier_1_means_no_fixed_segments(client: NsxPolicyClient, server: ScriptedServer) -> None:
    on(server, "/infra/tier-1s/cgw/segments", refusal(202), 404)
    assert [one.path for one in client.segments()] == [FLEX_PATH]


def test_client_without_tier_1_reads_one_list(server: ScriptedServer, time: FakeTime) -> None:
    on(server, "/infra/segments", {"results": []})
    with NsxPolicyClient(server.url, BasicAuth("a", "b"), tier1_id=None, ambient=time.ambient()) as client:
        assert client.segments() == ()
    assert [one.path for one in server.received] == [f"{P}/infra/segments"]


def test_object_in_purge_is_not_listed(client: NsxPolicyClient, server: ScriptedServer) -> None:
    on(server, "/infra/segments", {"results": [{**FLEX, "marked_for_delete": True}]})
    assert [one.display_name for one in client.segments()] == ["app-net"]


@pytest.mark.parametrize(
    ("change", "connectivity", "disconnected"),
    [
        ({"advanced_config": None}, Connectivity.ON, False),
        ({"advanced_config": {}}, Connectivity.ON, False),
        ({"advanced_config": {"connectivity": "OFF"}}, Connectivity.OFF, True),
        ({"advanced_config": {}, "type": "DISCONNECTED"}, Connectivity.OFF, True),
        ({"type": None}, Connectivity.ON, False),
    ],
)
def test_absent_connectivity_is_on_unless_the_type_says_otherwise(
    change: dict[str, Any], connectivity: Connectivity, disconnected: bool
) -> None:
    segment = NsxSegment.of_wire({**FIXED, **change})
    assert (segment.connectivity, segment.is_disconnected) == (connectivity, disconnected)


def test_segment_without_subnets_and_name_is_read() -> None:
    segment = NsxSegment.of_wire({"id": "x", "path": "/infra/segments/x"})
    assert (segment.display_name, segment.gateway_addresses, segment.revision) == ("x", (), None)


def test_list_is_read_until_no_cursor_comes(client: NsxPolicyClient, server: ScriptedServer) -> None:
    pages = [
        {"results": [{**FLEX, "id": "a", "path": "/infra/segments/a"}], "cursor": "c1", "result_count": 99},
        {"results": [], "cursor": "c2"},
        {"results": [{**FLEX, "id": "b", "path": "/infra/segments/b"}]},
    ]
    server.on("GET", f"{P}/infra/segments", *(Answer(200, page) for page in pages))
    assert [one.segment_id for one in client.flexible_segments()] == ["a", "b"]
    assert [one.query.get("cursor") for one in server.received] == [None, "c1", "c2"]


def test_cursor_that_repeats_ends_the_reading(client: NsxPolicyClient, server: ScriptedServer) -> None:
    on(server, "/infra/segments", {"results": [], "cursor": "c1"})
    with pytest.raises(MalformedResponse, match="the same cursor came twice"):
        client.flexible_segments()


@pytest.mark.parametrize("body", [{}, {"results": None}, {"results": [1]}, [], None], ids=str)
def test_answer_without_results_is_malformed(client: NsxPolicyClient, server: ScriptedServer, body: Any) -> None:
    on(server, "/infra/segments", body)
    with pytest.raises(MalformedResponse, match="the answer has no list of results"):
        client.flexible_segments()


def test_search_passes_the_query(client: NsxPolicyClient, server: ScriptedServer) -> None:
    on(server, "/search/query", {"results": [FIXED]})
    assert client.search("resource_type:Segment")[0]["id"] == "app-net"
    assert server.received[-1].query == {"query": "resource_type:Segment"}


# --- connectivity ----------------------------------------------------------------------------------------


def test_disconnect_of_a_fixed_segment_sends_exactly_what_works(
    client: NsxPolicyClient, server: ScriptedServer
) -> None:
    on(server, FIXED_PATH, None, method="PATCH")
    client.set_connectivity(NsxSegment.of_wire(FIXED), Connectivity.OFF)
    (request,) = server.asked("PATCH")
    assert request.body == {
        "resource_type": "Segment",
        "id": "app-net",
        "display_name": "app-net",
        "advanced_config": {"local_egress": False, "hybrid": False, "connectivity": "OFF"},
        "subnets": FIXED["subnets"],
    }
    assert request.query == {}


def test_connect_of_a_flexible_segment_keeps_its_path(client: NsxPolicyClient, server: ScriptedServer) -> None:
    on(server, FLEX_PATH, None, method="PATCH")
    client.set_connectivity(NsxSegment.of_wire(FLEX), Connectivity.ON)
    body = server.asked("PATCH")[0].body
    assert body["connectivity_path"] == "/infra/tier-1s/t1"
    assert body["advanced_config"] == {"connectivity": "ON"}
    assert "type" not in body


def test_connect_without_a_gateway_fails_before_anything_is_sent(
    client: NsxPolicyClient, server: ScriptedServer
) -> None:
    bare = NsxSegment.of_wire({**FLEX, "subnets": None})
    with pytest.raises(ValidationFailed, match="segment 'db-net' has no gateway address to connect"):
        client.set_connectivity(bare, Connectivity.ON)
    assert server.received == []
    on(server, FLEX_PATH, None, method="PATCH")
    client.set_connectivity(bare, Connectivity.ON, gateway_address="10.2.1.1/24")
    assert server.asked("PATCH")[0].body["subnets"] == [{"gateway_address": "10.2.1.1/24"}]
    client.set_connectivity(bare, Connectivity.OFF)
    assert "subnets" not in server.asked("PATCH")[1].body


def test_force_is_for_flexible_segments_only(client: NsxPolicyClient, server: ScriptedServer) -> None:
    with pytest.raises(ValueError, match="no forced PATCH of a fixed segment"):
        client.set_connectivity(NsxSegment.of_wire(FIXED), Connectivity.OFF, force=True)
    on(server, FLEX_PATH, None, method="PATCH")
    client.set_connectivity(NsxSegment.of_wire(FLEX), Connectivity.ON, force=True)
    assert server.asked("PATCH")[0].query == {"force": "true"}


def test_patch_is_idempotent_and_repeated(client: NsxPolicyClient, server: ScriptedServer) -> None:
    server.on("PATCH", P + FIXED_PATH, RESET, Answer(503), Answer(200))
    client.set_connectivity(NsxSegment.of_wire(FIXED), Connectivity.OFF)
    assert len(server.asked("PATCH")) == 3


# --- put, rename, delete ---------------------------------------------------------------------------------


def test_put_carries_the_revision_and_returns_what_is_stored(client: NsxPolicyClient, server: ScriptedServer) -> None:
    on(server, FIXED_PATH, {**FIXED, "_revision": 4, "description": "x"}, method="PUT")
    stored = client.put_segment(NsxSegment.of_wire(FIXED), {"description": "x"})
    assert stored.revision == 4
    assert server.asked("PUT")[0].body == {**FIXED, "description": "x"}


def test_stale_put_is_told(client: NsxPolicyClient, server: ScriptedServer) -> None:
    on(server, FIXED_PATH, None, 412, "PUT")
    with pytest.raises(StaleRevisionError, match="the object changed since it was read") as caught:
        client.put_segment(NsxSegment.of_wire(FIXED), {})
    assert "read it again" in caught.value.hint


@pytest.mark.parametrize("answer", [RESET, Answer(200, {"id": "app-net"}), Answer(200)], ids=["reset", "odd", "empty"])
def test_put_without_a_usable_answer_is_unknown(
    client: NsxPolicyClient, server: ScriptedServer, answer: Answer
) -> None:
    server.on("PUT", P + FIXED_PATH, answer)
    with pytest.raises(OutcomeUnknownError) as caught:
        client.put_segment(NsxSegment.of_wire(FIXED), {})
    lookup = caught.value.lookup
    assert lookup is not None
    on(server, FIXED_PATH, FIXED)
    assert getattr(client, lookup.method)(**lookup.arguments).revision == 3


def test_rename_changes_the_display_name_only(client: NsxPolicyClient, server: ScriptedServer) -> None:
    on(server, FIXED_PATH, None, method="PATCH")
    client.rename_segment(NsxSegment.of_wire(FIXED), "new-name")
    body = {"resource_type": "Segment", "id": "app-net", "display_name": "new-name"}
    assert server.asked("PATCH")[0].body == body


def test_delete_is_not_forced_by_default(client: NsxPolicyClient, server: ScriptedServer) -> None:
    on(server, FIXED_PATH, None, method="DELETE")
    client.delete_segment(NsxSegment.of_wire(FIXED))
    client.delete_segment(NsxSegment.of_wire(FIXED), force=True)
    assert [one.query for one in server.asked("DELETE")] == [{}, {"force": "true"}]


def test_delete_with_ports_left_tells_to_wait(client: NsxPolicyClient, server: ScriptedServer) -> None:
    related = [{"error_code": 503040, "error_message": "Segment has 1 VM: app01"}]
    on(server, FIXED_PATH, refusal(503040, "Cannot delete", related), 400, "DELETE")
    with pytest.raises(ConflictError, match="the segment still has ports") as caught:
        client.delete_segment(NsxSegment.of_wire(FIXED))
    assert caught.value.vendor_message == "Cannot delete (related: [503040] Segment has 1 VM: app01)"
    assert "do not force" in caught.value.hint


def test_delete_with_a_lost_answer_offers_the_lookup(client: NsxPolicyClient, server: ScriptedServer) -> None:
    server.on("DELETE", P + FIXED_PATH, RESET)
    with pytest.raises(OutcomeUnknownError) as caught:
        client.delete_segment(NsxSegment.of_wire(FIXED))
    assert len(server.asked("DELETE")) == 1
    lookup = caught.value.lookup
    assert lookup is not None
    for body, status, exists in ((FIXED, 200, True), (refusal(202), 404, False)):
        on(server, FIXED_PATH, body, status)
        assert getattr(client, lookup.method)(**lookup.arguments) is exists
