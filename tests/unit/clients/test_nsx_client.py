"""NSX Policy: both segment lists, the PATCH that is known to work, realisation, attachments, errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hcx_waves.clients.errors import (
    AuthenticationFailed,
    ClientError,
    ConflictError,
    GatewayTimeout,
    MalformedResponse,
    NotFound,
    OutcomeUnknownError,
    PermissionDenied,
    RateLimited,
    ServerError,
    ServiceUnavailable,
    StaleRevisionError,
    ValidationFailed,
)
from hcx_waves.clients.nsx import BasicAuth, Connectivity, NsxPolicyClient, Segment, SessionAuth
from support.scripted_server import RESET, Answer, FakeTime, ScriptedServer

P = "/policy/api/v1"
FIXED_PATH = "/infra/tier-1s/cgw/segments/app-net"
FLEX_PATH = "/infra/segments/db-net"
FIXED = {
    "type": "ROUTED",
    "subnets": [{"gateway_address": "10.1.1.1/24", "dhcp_ranges": ["10.1.1.50-10.1.1.99"], "network": "10.1.1.0/24"}],
    "connectivity_path": "/infra/tier-1s/cgw",
    "advanced_config": {"local_egress": False, "hybrid": False, "connectivity": "ON"},
    "resource_type": "Segment",
    "id": "app-net",
    "display_name": "app-net",
    "path": FIXED_PATH,
    "_revision": 3,
}
FLEX = {
    "id": "db-net",
    "display_name": "db-net",
    "path": FLEX_PATH,
    "type": "DISCONNECTED",
    "connectivity_path": "/infra/tier-1s/t1",
    "advanced_config": {"connectivity": "OFF"},
    "subnets": [{"gateway_address": "10.2.1.1/24"}],
    "_revision": 0,
}


@pytest.fixture
def client(server: ScriptedServer, time: FakeTime) -> Iterator[NsxPolicyClient]:
    on(server, "/infra/tier-1s/cgw/segments", {"results": [FIXED], "result_count": 1})
    on(server, "/infra/segments", {"results": [FLEX], "result_count": 1})
    auth = BasicAuth("admin", "nsx-geheim")
    with NsxPolicyClient(server.url, auth, enforcement_point="vmc-enforcementpoint", ambient=time.ambient()) as client:
        yield client


def on(server: ScriptedServer, path: str, body: Any, status: int = 200, method: str = "GET") -> None:
    server.on(method, P + path, Answer(status, body))


def refusal(code: int, message: str = "no", related: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "httpStatus": "BAD_REQUEST",
        "error_code": code,
        "module_name": "policy",
        "error_message": message,
    }
    return body if related is None else {**body, "related_errors": related}


# --- segments ---------------------------------------------------------------------------------------------


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
        ({"advanced_config": {}, "type": "DISCONNECTED"}, Connectivity.ON, True),
        ({"type": None}, Connectivity.ON, False),
    ],
)
def test_absent_connectivity_is_on(change: dict[str, Any], connectivity: Connectivity, disconnected: bool) -> None:
    segment = Segment.of_wire({**FIXED, **change})
    assert (segment.connectivity, segment.is_disconnected) == (connectivity, disconnected)


def test_segment_without_subnets_and_name_is_read() -> None:
    segment = Segment.of_wire({"id": "x", "path": "/infra/segments/x"})
    assert (segment.display_name, segment.gateway_addresses, segment.revision) == ("x", (), None)


def test_segment_is_found_by_path_or_name(client: NsxPolicyClient, server: ScriptedServer) -> None:
    on(server, FIXED_PATH, FIXED)
    assert client.find_segment(FIXED_PATH) == client.find_segment("app-net")
    with pytest.raises(NotFound, match="no segment is named 'nope'"):
        client.find_segment("nope")
    with pytest.raises(NotFound, match="not found"):
        client.find_segment("/infra/segments/nope")


def test_name_of_two_segments_is_refused(client: NsxPolicyClient, server: ScriptedServer) -> None:
    on(server, "/infra/segments", {"results": [{**FLEX, "display_name": "app-net"}]})
    with pytest.raises(ConflictError, match=f"2 segments are named 'app-net': {FLEX_PATH}, {FIXED_PATH}") as caught:
        client.find_segment("app-net")
    assert caught.value.hint == "Name the segment by its path."


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


# --- connectivity -----------------------------------------------------------------------------------------


def test_disconnect_of_a_fixed_segment_sends_exactly_what_works(
    client: NsxPolicyClient, server: ScriptedServer
) -> None:
    on(server, FIXED_PATH, None, method="PATCH")
    client.set_connectivity(Segment.of_wire(FIXED), Connectivity.OFF)
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
    client.set_connectivity(Segment.of_wire(FLEX), Connectivity.ON)
    body = server.asked("PATCH")[0].body
    assert body["connectivity_path"] == "/infra/tier-1s/t1"
    assert body["advanced_config"] == {"connectivity": "ON"}
    assert "type" not in body


def test_connect_without_a_gateway_fails_before_anything_is_sent(
    client: NsxPolicyClient, server: ScriptedServer
) -> None:
    bare = Segment.of_wire({**FLEX, "subnets": None})
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
        client.set_connectivity(Segment.of_wire(FIXED), Connectivity.OFF, force=True)
    on(server, FLEX_PATH, None, method="PATCH")
    client.set_connectivity(Segment.of_wire(FLEX), Connectivity.ON, force=True)
    assert server.asked("PATCH")[0].query == {"force": "true"}


def test_patch_is_idempotent_and_repeated(client: NsxPolicyClient, server: ScriptedServer) -> None:
    server.on("PATCH", P + FIXED_PATH, RESET, Answer(503), Answer(200))
    client.set_connectivity(Segment.of_wire(FIXED), Connectivity.OFF)
    assert len(server.asked("PATCH")) == 3


# --- put, rename, delete ----------------------------------------------------------------------------------


def test_put_carries_the_revision_and_returns_what_is_stored(client: NsxPolicyClient, server: ScriptedServer) -> None:
    on(server, FIXED_PATH, {**FIXED, "_revision": 4, "description": "x"}, method="PUT")
    stored = client.put_segment(Segment.of_wire(FIXED), {"description": "x"})
    assert stored.revision == 4
    assert server.asked("PUT")[0].body == {**FIXED, "description": "x"}


def test_stale_put_is_told(client: NsxPolicyClient, server: ScriptedServer) -> None:
    on(server, FIXED_PATH, None, 412, "PUT")
    with pytest.raises(StaleRevisionError, match="the object changed since it was read") as caught:
        client.put_segment(Segment.of_wire(FIXED), {})
    assert "Read the object again" in caught.value.hint


@pytest.mark.parametrize("answer", [RESET, Answer(200, {"id": "app-net"}), Answer(200)], ids=["reset", "odd", "empty"])
def test_put_without_a_usable_answer_is_unknown(
    client: NsxPolicyClient, server: ScriptedServer, answer: Answer
) -> None:
    server.on("PUT", P + FIXED_PATH, answer)
    with pytest.raises(OutcomeUnknownError) as caught:
        client.put_segment(Segment.of_wire(FIXED), {})
    lookup = caught.value.lookup
    assert lookup is not None
    on(server, FIXED_PATH, FIXED)
    assert getattr(client, lookup.method)(**lookup.arguments).revision == 3


def test_rename_changes_the_display_name_only(client: NsxPolicyClient, server: ScriptedServer) -> None:
    on(server, FIXED_PATH, None, method="PATCH")
    client.rename_segment(Segment.of_wire(FIXED), "new-name")
    body = {"resource_type": "Segment", "id": "app-net", "display_name": "new-name"}
    assert server.asked("PATCH")[0].body == body


def test_delete_is_not_forced_by_default(client: NsxPolicyClient, server: ScriptedServer) -> None:
    on(server, FIXED_PATH, None, method="DELETE")
    client.delete_segment(Segment.of_wire(FIXED))
    client.delete_segment(Segment.of_wire(FIXED), force=True)
    assert [one.query for one in server.asked("DELETE")] == [{}, {"force": "true"}]


def test_delete_with_ports_left_tells_to_wait(client: NsxPolicyClient, server: ScriptedServer) -> None:
    related = [{"error_code": 503040, "error_message": "Segment has 1 VM: app01"}]
    on(server, FIXED_PATH, refusal(503040, "Cannot delete", related), 400, "DELETE")
    with pytest.raises(ConflictError, match="the segment still has ports") as caught:
        client.delete_segment(Segment.of_wire(FIXED))
    assert caught.value.vendor_message == "Cannot delete (related: [503040] Segment has 1 VM: app01)"
    assert "do not force" in caught.value.hint


def test_delete_with_a_lost_answer_offers_the_lookup(client: NsxPolicyClient, server: ScriptedServer) -> None:
    server.on("DELETE", P + FIXED_PATH, RESET)
    with pytest.raises(OutcomeUnknownError) as caught:
        client.delete_segment(Segment.of_wire(FIXED))
    assert len(server.asked("DELETE")) == 1
    lookup = caught.value.lookup
    assert lookup is not None
    for body, status, exists in ((FIXED, 200, True), (refusal(202), 404, False)):
        on(server, FIXED_PATH, body, status)
        assert getattr(client, lookup.method)(**lookup.arguments) is exists


# --- realisation ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "success", "failure"),
    [
        ({"state": "success"}, True, False),
        ({"state": "pending"}, False, False),
        ({"state": "in_progress"}, False, False),
        ({"state": "failed", "failure_message": "x"}, False, True),
        ({"state": "novel"}, False, False),
        ({}, False, False),
    ],
)
def test_segment_state(
    client: NsxPolicyClient, server: ScriptedServer, body: dict[str, Any], success: bool, failure: bool
) -> None:
    on(server, f"{FIXED_PATH}/state", body)
    state = client.segment_state(FIXED_PATH)
    assert (state.is_success, state.is_failure) == (success, failure)


@pytest.mark.parametrize(
    ("body", "realized", "failure"),
    [
        ({"publish_status": "REALIZED", "consolidated_status": {"consolidated_status": "SUCCESS"}}, True, False),
        ({"publish_status": "REALIZED"}, True, False),
        ({"publish_status": "REALIZED", "consolidated_status": {"consolidated_status": "IN_PROGRESS"}}, False, False),
        ({"publish_status": "REALIZED", "consolidated_status": {"consolidated_status": "ERROR"}}, False, True),
        ({"publish_status": "UNREALIZED"}, False, False),
        ({"publish_status": "ERROR"}, False, True),
        ({}, False, False),
    ],
)
def test_status_api(
    client: NsxPolicyClient, server: ScriptedServer, body: dict[str, Any], realized: bool, failure: bool
) -> None:
    on(server, "/infra/realized-state/status", body)
    status = client.realized_status(FIXED_PATH)
    assert status is not None
    assert (status.is_realized, status.is_failure, status.source) == (realized, failure, "status")
    assert server.received[-1].query == {"intent_path": FIXED_PATH}


@pytest.mark.parametrize(
    ("states", "publish_status"),
    [
        (["REALIZED", "REALIZED"], "REALIZED"),
        (["REALIZED", "UNREALIZED"], "UNREALIZED"),
        (["REALIZED", "ERROR", "UNREALIZED"], "ERROR"),
        (["REALIZED", "SOMETHING"], "UNREALIZED"),
        ([], "UNREALIZED"),
    ],
)
def test_entities_stand_in_for_a_missing_status_api(
    client: NsxPolicyClient, server: ScriptedServer, states: list[str], publish_status: str
) -> None:
    on(server, "/infra/realized-state/realized-entities", {"results": [{"state": state} for state in states]})
    status = client.realized_status(FIXED_PATH)
    assert status is not None
    assert (status.publish_status, status.source) == (publish_status, "entities")


def test_neither_api_is_none(client: NsxPolicyClient) -> None:
    assert client.realized_status(FIXED_PATH) is None


# --- attachments ------------------------------------------------------------------------------------------


def test_ports_lead_to_vifs_and_virtual_machines(client: NsxPolicyClient, server: ScriptedServer) -> None:
    port = {"id": "p1", "path": f"{FIXED_PATH}/ports/p1", "attachment": {"id": "att-1", "type": "INDEPENDENT"}}
    free = {"id": "p2", "path": f"{FIXED_PATH}/ports/p2"}
    child = {"id": "p3", "attachment": {"id": "att-3", "type": "CHILD"}}
    vif = {
        "lport_attachment_id": "att-1",
        "owner_vm_id": "ext-1",
        "owner_vm_type": "REGULAR",
        "mac_address": "00:50:56:00:00:01",
        "device_key": "4000",
        "ip_address_info": [{"source": "VM_TOOLS", "ip_addresses": ["10.1.1.10"]}],
    }
    vm = {
        "external_id": "ext-1",
        "display_name": "app01",
        "power_state": "VM_RUNNING",
        "type": "REGULAR",
        "compute_ids": ["moIdOnHost:12", "instanceUuid:5012-aa", "uuid:4212-bb"],
    }
    on(server, f"{FIXED_PATH}/ports", {"results": [port, free, child]})
    on(server, "/infra/realized-state/enforcement-points/vmc-enforcementpoint/vifs", {"results": [vif]})
    on(server, "/infra/realized-state/virtual-machines", {"results": [vm]})
    ports = client.ports(FIXED_PATH)
    assert [(one.port_id, one.attachment_id, one.may_be_vm) for one in ports] == [
        ("p1", "att-1", True),
        ("p2", None, False),
        ("p3", "att-3", False),
    ]
    (found,) = client.vifs("att-1")
    assert server.received[-1].query == {"lport_attachment_id": "att-1"}
    assert (found.attachment_id, found.owner_vm_id, found.ip_addresses) == ("att-1", "ext-1", ("10.1.1.10",))
    (machine,) = client.virtual_machines()
    assert (machine.external_id, machine.compute_ids["instanceUuid"]) == ("ext-1", "5012-aa")


def test_port_state_tells_attachment_and_duplicates(client: NsxPolicyClient, server: ScriptedServer) -> None:
    binding = {"binding": {"ip_address": "10.1.1.10", "mac_address": "00:50:56:00:00:01"}, "source": "ARP_SNOOPING"}
    body = {
        "attachment": {"state": "ATTACHED_IN_MOTION"},
        "discovered_bindings": [binding],
        "duplicate_bindings": [binding],
    }
    on(server, f"{FIXED_PATH}/ports/p1/state", body)
    state = client.port_state(f"{FIXED_PATH}/ports/p1")
    assert (state.attachment_state, state.realized) == ("ATTACHED_IN_MOTION", ())
    assert (state.discovered[0].ip_address, state.duplicates[0].source) == ("10.1.1.10", "ARP_SNOOPING")


def test_members_of_another_type_count_as_absent(client: NsxPolicyClient, server: ScriptedServer) -> None:
    on(server, f"{FIXED_PATH}/ports/p1/state", {"attachment": "yes", "discovered_bindings": 7})
    on(server, f"{FIXED_PATH}/state", {"state": "success", "details": "many"})
    on(server, FIXED_PATH, {**FIXED, "subnets": "10.1.1.1/24", "advanced_config": [], "_revision": "three"})
    assert client.port_state(f"{FIXED_PATH}/ports/p1").discovered == ()
    assert client.segment_state(FIXED_PATH).is_success
    assert (client.segment(FIXED_PATH).gateway_addresses, client.segment(FIXED_PATH).revision) == ((), None)


def test_tables_and_firewall_are_read(client: NsxPolicyClient, server: ScriptedServer) -> None:
    for name in ("mac-table", "arp-table", "gateway-interface-arp-table"):
        on(server, f"{FIXED_PATH}/{name}", {"results": [{"table": name}]})
    on(server, "/infra/domains/cgw/gateway-policies", {"results": [{"id": "default"}]})
    on(server, "/infra/domains/cgw/gateway-policies/default", {"id": "default", "rules": [{"id": "r1"}]})
    tables = (client.mac_table, client.arp_table, client.gateway_arp_table)
    assert [read(FIXED_PATH)[0]["table"] for read in tables] == [
        "mac-table",
        "arp-table",
        "gateway-interface-arp-table",
    ]
    assert client.gateway_policies()[0]["id"] == "default"
    assert client.gateway_policy()["rules"] == [{"id": "r1"}]


def test_object_of_another_shape_is_malformed(client: NsxPolicyClient, server: ScriptedServer) -> None:
    on(server, f"{FIXED_PATH}/ports", {"results": [{"path": "x"}]})
    with pytest.raises(MalformedResponse, match="a port without id"):
        client.ports(FIXED_PATH)


# --- errors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 255, ValidationFailed),
        (400, 500105, ValidationFailed),
        (400, 500030, ConflictError),
        (400, 500045, ConflictError),
        (400, 500087, StaleRevisionError),
        (400, 500232, StaleRevisionError),
        (400, 100148, StaleRevisionError),
        (404, 500090, StaleRevisionError),
        (404, 202, NotFound),
        (409, 1, ConflictError),
        (412, 1, StaleRevisionError),
        (400, 60508, ServiceUnavailable),
        (400, 60515, ServiceUnavailable),
        (401, 1, AuthenticationFailed),
        (403, 5, PermissionDenied),
        (403, 401, AuthenticationFailed),
        (403, 403, AuthenticationFailed),
        (429, 102, RateLimited),
        (500, 98, ServiceUnavailable),
        (500, 607, ServiceUnavailable),
        (500, 1, ServerError),
        (503, 1, ServiceUnavailable),
        (504, 1, GatewayTimeout),
    ],
)
def test_status_and_code_become_the_right_error(
    client: NsxPolicyClient, server: ScriptedServer, status: int, code: int, kind: type[ClientError]
) -> None:
    on(server, FIXED_PATH, refusal(code, "vendor text"), status)
    with pytest.raises(kind) as caught:
        client.segment(FIXED_PATH)
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.vendor_code) == (status, str(code))
    assert caught.value.vendor_message == "vendor text"


def test_related_errors_are_in_the_message(client: NsxPolicyClient, server: ScriptedServer) -> None:
    related = [{"error_code": 1, "error_message": "first"}, {"error_code": 2, "error_message": "second"}]
    on(server, FIXED_PATH, refusal(255, "outer", related), 400)
    with pytest.raises(ValidationFailed, match=r"outer \(related: \[1\] first; \[2\] second\)") as caught:
        client.segment(FIXED_PATH)
    assert caught.value.messages == ["outer", "first", "second"]


def test_error_body_as_plain_text_is_parsed_all_the_same(client: NsxPolicyClient, server: ScriptedServer) -> None:
    text = '{"error_code": 202, "error_message": "no such path"}'
    server.on("GET", P + FIXED_PATH, Answer(404, text, {"Content-Type": "text/plain"}))
    with pytest.raises(NotFound, match="no such path"):
        client.segment(FIXED_PATH)


def test_html_504_of_the_proxy(client: NsxPolicyClient, server: ScriptedServer, time: FakeTime) -> None:
    server.on("GET", P + FIXED_PATH, Answer(504, "<html>504</html>", {"Content-Type": "text/html"}))
    with pytest.raises(GatewayTimeout, match="a gateway gave up waiting"):
        client.segment(FIXED_PATH)
    assert len(time.sleeps) == 3


# --- log-in -----------------------------------------------------------------------------------------------


def test_basic_credentials_are_sent(client: NsxPolicyClient, server: ScriptedServer) -> None:
    client.flexible_segments()
    assert server.received[-1].headers["authorization"] == "Basic YWRtaW46bnN4LWdlaGVpbQ=="
    assert "geheim" not in repr(client)


SESSION = Answer(200, None, {"Set-Cookie": "JSESSIONID=jar-1; Path=/; Secure; HttpOnly", "X-XSRF-TOKEN": "xsrf-1"})


@pytest.mark.parametrize("refused", [Answer(401), Answer(403, {"error_code": 98})], ids=["401", "xsrf"])
def test_session_is_created_presented_and_renewed_once(server: ScriptedServer, time: FakeTime, refused: Answer) -> None:
    again = Answer(200, None, {"Set-Cookie": "JSESSIONID=jar-2", "X-XSRF-TOKEN": "xsrf-2"})
    server.on("POST", "/api/session/create", SESSION, again)
    server.on("GET", f"{P}/infra/segments", refused, Answer(200, {"results": []}))
    auth = SessionAuth("admin", "nsx-geheim")
    with NsxPolicyClient(server.url, auth, ambient=time.ambient()) as client:
        assert client.flexible_segments() == ()
    login = server.asked("POST")[0]
    assert login.form == {"j_username": "admin", "j_password": "nsx-geheim"}
    sent = [(one.headers["cookie"], one.headers["x-xsrf-token"]) for one in server.asked("GET")]
    assert sent == [("JSESSIONID=jar-1", "xsrf-1"), ("JSESSIONID=jar-2", "xsrf-2")]
    assert "geheim" not in repr(auth)


def test_session_log_in_without_a_session_is_malformed(server: ScriptedServer, time: FakeTime) -> None:
    server.on("POST", "/api/session/create", Answer(200))
    client = NsxPolicyClient(server.url, SessionAuth("a", "pass-word"), ambient=time.ambient())
    with client, pytest.raises(MalformedResponse, match="the log-in gave no session"):
        client.segments()


def test_refused_session_log_in(server: ScriptedServer, time: FakeTime) -> None:
    server.on("POST", "/api/session/create", Answer(403, {"error_code": 403, "error_message": "locked"}))
    client = NsxPolicyClient(server.url, SessionAuth("a", "pass-word"), ambient=time.ambient())
    with client, pytest.raises(AuthenticationFailed, match="locked"):
        client.segments()


def test_identity_of_a_twin(client: NsxPolicyClient, server: ScriptedServer) -> None:
    server.on("GET", f"{P}/infra/segments", Answer(200, {"results": []}, {"X-Hcx-Sim": "world=t; role=twin"}))
    assert str(client.identity()) == "simulated twin (world t)"
    assert server.received[-1].query == {"page_size": "1"}


@pytest.mark.parametrize(
    ("body", "version"),
    [
        ({"node_version": "4.1.2.0.1", "product_version": "4.1.2.0.1.22596744"}, "4.1.2.0.1.22596744"),
        ({"node_version": "4.1.2.0.1"}, "4.1.2.0.1"),
        ({}, None),
    ],
)
def test_the_version_is_the_products_or_else_the_nodes(
    client: NsxPolicyClient, server: ScriptedServer, body: dict[str, str], version: str | None
) -> None:
    server.on("GET", "/api/v1/node/version", Answer(200, body))
    assert client.product_version() == version


def test_a_node_api_that_is_not_offered_is_not_found(client: NsxPolicyClient, server: ScriptedServer) -> None:
    server.on("GET", "/api/v1/node/version", Answer(404, refusal(404)))
    with pytest.raises(NotFound):
        client.product_version()
