"""NSX errors by status and code, and both ways to log in."""

from __future__ import annotations

import pytest

from hcx_waves.clients.errors import (
    AuthenticationFailed,
    ClientError,
    ConflictError,
    GatewayTimeout,
    MalformedResponse,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServerError,
    ServiceUnavailable,
    StaleRevisionError,
    ValidationFailed,
)
from hcx_waves.clients.nsx import NsxPolicyClient, SessionAuth
from support.nsx_answers import FIXED_PATH, P, on, refusal
from support.scripted_server import Answer, FakeTime, ScriptedServer

# --- errors ----------------------------------------------------------------------------------------------


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
    with pytest.raises(GatewayTimeout, match="a gateway timed out waiting"):
        client.segment(FIXED_PATH)
    assert len(time.sleeps) == 3


# --- log-in ----------------------------------------------------------------------------------------------


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
    with client, pytest.raises(MalformedResponse, match="the login returned no session"):
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
