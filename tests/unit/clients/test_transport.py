"""What every REST client inherits: retries, time-outs, unknown outcomes, log-ins, bounds, redaction."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from hcx_waves.clients.errors import (
    AuthenticationFailed,
    ClientError,
    ConnectionFailed,
    EndpointMismatch,
    GatewayTimeout,
    Lookup,
    MalformedResponse,
    OutcomeUnknownError,
    RateLimited,
    ServerError,
    ServiceUnavailable,
    SessionExpired,
    TimedOut,
)
from hcx_waves.clients.identity import Role
from hcx_waves.clients.nsx.wire import NsxDialect
from hcx_waves.clients.transport import RestTransport
from hcx_waves.clients.transport_auth import Authenticator, BasicAuth, Grant, RenewableAuth
from hcx_waves.clients.transport_retry import CallKind
from hcx_waves.clients.transport_wire import Ambient, Call, TransportSettings
from support.scripted_server import (
    RESET,
    SILENCE,
    Answer,
    Behaviour,
    FakeTime,
    ScriptedServer,
    refused_url,
)
from support.threads import Threads

READ = Call("GET", "/thing", CallKind.READ)
SET = Call("PATCH", "/thing", CallKind.IDEMPOTENT, json={"a": 1})
LOOKUP = Lookup("nsx", "find_thing", {"name": "x"}, "found: it acted")
MAKE = Call("POST", "/thing", CallKind.MUTATING, json={"a": 1}, lookup=LOOKUP)
OK = Answer(200, {"ok": True})
BUSY = Answer(503, {"error_code": 77, "error_message": "busy"})
HTML_504 = Answer(504, "<html><h1>504 Gateway Time-out</h1></html>", {"Content-Type": "text/html"})
SHORT = TransportSettings(read_seconds=1.0, connect_seconds=1.0)


class Maker:
    """Builds transports and closes them."""

    def __init__(self, url: str, ambient: Ambient) -> None:
        self.url = url
        self._ambient = ambient
        self.made: list[RestTransport] = []

    def __call__(
        self,
        auth: Authenticator | None = None,
        settings: TransportSettings | None = None,
        *,
        url: str | None = None,
        ambient: Ambient | None = None,
        allowed_roles: frozenset[Role] | None = None,
    ) -> RestTransport:
        transport = RestTransport(
            NsxDialect(),
            url or self.url,
            auth=auth,
            settings=settings,
            identity_probe=Call("GET", "/probe", CallKind.READ),
            allowed_roles=allowed_roles,
            ambient=ambient or self._ambient,
        )
        self.made.append(transport)
        return transport


@pytest.fixture
def make(server: ScriptedServer, time: FakeTime) -> Iterator[Maker]:
    maker = Maker(server.url, time.ambient())
    yield maker
    for transport in maker.made:
        transport.close()


@pytest.mark.parametrize("trouble", [BUSY, RESET, HTML_504, Answer(429), Answer(502)], ids=lambda a: str(a.status))
@pytest.mark.parametrize("call", [READ, SET], ids=["read", "idempotent"])
def test_transient_trouble_of_a_repeatable_call_is_repeated(
    make: Maker, server: ScriptedServer, time: FakeTime, call: Call, trouble: Answer
) -> None:
    server.on(call.method, "/thing", trouble, trouble, OK)
    assert make().send(call).body == {"ok": True}
    assert len(server.received) == 3
    assert len(time.sleeps) == 2


def test_backoff_grows_is_jittered_and_bounded(make: Maker, server: ScriptedServer, time: FakeTime) -> None:
    server.on("GET", "/thing", BUSY)
    with pytest.raises(ServiceUnavailable, match=r"the product is not available.*vendor says: busy.*vendor code 77"):
        make().send(READ)
    assert len(server.received) == 4
    ceilings = (0.5, 1.0, 2.0)
    assert [ceiling / 2 <= slept <= ceiling for slept, ceiling in zip(time.sleeps, ceilings, strict=True)] == [True] * 3


def test_a_repetition_says_in_the_log_which_call_it_is_and_why(
    make: Maker, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    server.on("GET", "/thing", Answer(429, None, {"Retry-After": "7"}), OK)
    make().send(READ)
    assert [record.getMessage() for record in caplog.records] == [
        f"nsx GET /thing at {server.url}: attempt 1 ended in RateLimited (HTTP 429), the next follows in 7.0 s"
    ]


def test_retry_after_is_obeyed_up_to_a_bound(make: Maker, server: ScriptedServer, time: FakeTime) -> None:
    server.on("GET", "/thing", Answer(429, None, {"Retry-After": "7"}), OK)
    assert make().send(READ).body == {"ok": True}
    assert time.sleeps == [7.0]
    server.on("GET", "/thing", Answer(429, None, {"Retry-After": "3600"}), OK)
    with pytest.raises(RateLimited) as caught:
        make().send(READ)
    assert caught.value.retry_after_seconds == 3600
    assert time.sleeps == [7.0]


@pytest.mark.parametrize("status", [400, 403, 404, 409, 412, 418, 500, 501])
def test_lasting_trouble_is_not_repeated(make: Maker, server: ScriptedServer, time: FakeTime, status: int) -> None:
    server.on("GET", "/thing", Answer(status, {"error_message": "no"}, {"X-Request-Id": "r-1"}))
    with pytest.raises(ClientError) as caught:
        make().send(READ)
    assert (len(server.received), time.sleeps) == (1, [])
    assert (caught.value.status, caught.value.vendor_message, caught.value.request_id) == (status, "no", "r-1")
    assert (caught.value.system, caught.value.method, caught.value.path) == ("nsx", "GET", "/thing")


@pytest.mark.parametrize(
    ("trouble", "cause"),
    [
        (RESET, ConnectionFailed),
        (Answer(200, {"ok": "x" * 500}, behaviour=Behaviour.TRUNCATE), ConnectionFailed),
        (HTML_504, GatewayTimeout),
        (Answer(502), ServiceUnavailable),
        (Answer(200, "<html>hello</html>"), MalformedResponse),
        (Answer(200, '{"cut": '), MalformedResponse),
    ],
    ids=["reset", "truncated", "504", "502", "html", "half-json"],
)
def test_mutating_call_without_a_usable_answer_is_unknown_and_not_repeated(
    make: Maker, server: ScriptedServer, trouble: Answer, cause: type[ClientError]
) -> None:
    server.on("POST", "/thing", trouble)
    with pytest.raises(OutcomeUnknownError, match="it is not known whether it took effect") as caught:
        make().send(MAKE)
    assert len(server.received) == 1
    assert caught.value.lookup == LOOKUP
    assert type(caught.value.cause) is cause
    assert not caught.value.is_transient


def test_mutating_call_that_timed_out_reading_is_unknown(make: Maker, server: ScriptedServer) -> None:
    server.on("POST", "/thing", SILENCE)
    with pytest.raises(OutcomeUnknownError, match=r"no answer within 1 s") as caught:
        make(settings=SHORT).send(MAKE)
    assert isinstance(caught.value.cause, TimedOut)
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [(BUSY, ServiceUnavailable), (Answer(429), RateLimited), (Answer(500), ServerError)],
    ids=["503", "429", "500"],
)
def test_mutating_call_that_was_refused_says_so_and_is_not_repeated(
    make: Maker, server: ScriptedServer, time: FakeTime, trouble: Answer, kind: type[ClientError]
) -> None:
    server.on("POST", "/thing", trouble)
    with pytest.raises(kind) as caught:
        make().send(MAKE)
    assert type(caught.value) is kind
    assert (len(server.received), time.sleeps) == (1, [])


def test_refused_connection_is_plain_and_even_a_mutating_call_is_repeated(make: Maker, time: FakeTime) -> None:
    with pytest.raises(ConnectionFailed, match=r"no connection: .*refused") as caught:
        make(url=refused_url()).send(MAKE)
    assert caught.value.request_sent is False
    assert len(time.sleeps) == 3


def test_unknown_host_is_plain(make: Maker) -> None:
    with pytest.raises(ConnectionFailed, match="the host name does not resolve") as caught:
        make(url="http://no-such-host.invalid").send(replace(MAKE, repeat=False))
    assert caught.value.request_sent is False


def test_mutating_call_takes_a_fresh_connection(make: Maker, server: ScriptedServer) -> None:
    server.on("GET", "/thing", OK)
    server.on("POST", "/thing", OK)
    transport = make()
    for call in (READ, READ, MAKE):
        transport.send(call)
    first, second, third = (one.connection_id for one in server.received)
    assert first == second
    assert third != second


def test_read_timeout_is_repeated_for_reads(make: Maker, server: ScriptedServer) -> None:
    server.on("GET", "/thing", SILENCE, OK)
    assert make(settings=SHORT).send(READ).body == {"ok": True}


def test_single_attempt_on_request(make: Maker, server: ScriptedServer) -> None:
    server.on("GET", "/thing", BUSY, OK)
    with pytest.raises(ServiceUnavailable):
        make().send(replace(READ, repeat=False))
    assert len(server.received) == 1


def test_large_answer_is_cut_off(make: Maker, server: ScriptedServer) -> None:
    server.on("GET", "/thing", Answer(200, {"data": "x" * 3000}))
    with pytest.raises(MalformedResponse, match="the answer is larger than 1000 bytes") as caught:
        make(settings=TransportSettings(max_body_bytes=1000)).send(READ)
    assert caught.value.status == 200


def test_text_that_is_no_json_is_malformed_with_a_short_snippet(make: Maker, server: ScriptedServer) -> None:
    server.on("GET", "/thing", Answer(200, "<html>\n  <h1>Login</h1>" + "y" * 5000))
    with pytest.raises(MalformedResponse, match="the answer is not JSON") as caught:
        make().send(READ)
    assert caught.value.snippet.startswith("<html> <h1>Login</h1>yyy")
    assert len(caught.value.snippet) == 200


def test_html_504_is_a_gateway_timeout(make: Maker, server: ScriptedServer) -> None:
    server.on("GET", "/thing", HTML_504)
    with pytest.raises(GatewayTimeout, match="a gateway timed out waiting"):
        make().send(READ)


def test_redirect_is_not_followed(make: Maker, server: ScriptedServer) -> None:
    server.on("GET", "/thing", Answer(302, None, {"Location": server.url + "/elsewhere"}))
    with pytest.raises(MalformedResponse, match="a redirect, which is not followed"):
        make(BasicAuth("u", "pass-word")).send(READ)
    assert server.asked("GET", "/elsewhere") == []


def test_refused_redirect_of_a_mutating_call_did_not_act(make: Maker, server: ScriptedServer) -> None:
    server.on("POST", "/thing", Answer(307, None, {"Location": "/elsewhere"}))
    with pytest.raises(MalformedResponse):
        make().send(MAKE)


def test_cookies_are_not_kept(make: Maker, server: ScriptedServer) -> None:
    server.on("GET", "/thing", Answer(200, {}, {"Set-Cookie": "JSESSIONID=abc"}))
    transport = make()
    transport.send(READ)
    transport.send(READ)
    assert "cookie" not in server.received[1].headers


def test_environment_proxies_and_netrc_are_ignored(
    make: Maker, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", refused_url())
    monkeypatch.setenv("http_proxy", refused_url())
    server.on("GET", "/thing", OK)
    assert make().send(READ).body == {"ok": True}


# --- log-in -----------------------------------------------------------------------------------------------


class Tokens:
    """A log-in that gives numbered tokens and counts."""

    def __init__(self) -> None:
        self.count = 0

    def login(self) -> Grant:
        self.count += 1
        return Grant({"X-Token": f"token-{self.count:04d}"})


def test_refused_session_is_renewed_once(make: Maker, server: ScriptedServer) -> None:
    server.on("POST", "/thing", Answer(401), OK)
    tokens = Tokens()
    assert make(RenewableAuth(tokens.login)).send(MAKE).body == {"ok": True}
    assert [one.headers["x-token"] for one in server.received] == ["token-0001", "token-0002"]
    assert tokens.count == 2


def test_session_that_stays_refused_is_an_error_after_one_renewal(make: Maker, server: ScriptedServer) -> None:
    server.on("GET", "/thing", Answer(401))
    tokens = Tokens()
    with pytest.raises(SessionExpired, match="the session was refused"):
        make(RenewableAuth(tokens.login)).send(READ)
    assert (len(server.received), tokens.count) == (2, 2)


def test_fixed_credentials_are_not_tried_twice(make: Maker, server: ScriptedServer) -> None:
    server.on("GET", "/thing", Answer(401))
    with pytest.raises(AuthenticationFailed, match="the credentials were refused") as caught:
        make(BasicAuth("user", "pass-word")).send(READ)
    assert type(caught.value) is AuthenticationFailed
    assert len(server.received) == 1


def test_failed_login_of_a_mutating_call_is_not_an_unknown_outcome(make: Maker, server: ScriptedServer) -> None:
    def login() -> Grant:
        raise TimedOut("no answer within 60 s", phase="read")

    with pytest.raises(TimedOut):
        make(RenewableAuth(login)).send(MAKE)
    assert server.received == []


def test_grant_is_renewed_before_it_ends(make: Maker, server: ScriptedServer, time: FakeTime) -> None:
    server.on("GET", "/thing", OK)
    tokens = Tokens()

    def login() -> Grant:
        return Grant(tokens.login().headers, lifetime_seconds=1800)

    transport = make(RenewableAuth(login, clock=time.clock))
    transport.send(READ)
    time.seconds += 1739
    transport.send(READ)
    assert tokens.count == 1
    time.seconds += 1
    transport.send(READ)
    assert tokens.count == 2


def test_threads_whose_session_ended_together_log_in_once(make: Maker, server: ScriptedServer) -> None:
    server.on("GET", "/thing", OK)
    tokens = Tokens()
    transport = make(RenewableAuth(tokens.login))
    transport.send(READ)
    server.on("GET", "/thing", *[Answer(401)] * 6, OK)
    # The server answers the first six together: six refusals of one and the same token.
    server.gate = threading.Barrier(6)
    with Threads("clients") as threads:
        replies = threads.results(lambda _: transport.send(READ).body, range(6))
    assert replies == [{"ok": True}] * 6
    assert tokens.count == 2


# --- what must not show -----------------------------------------------------------------------------------


def test_echoed_secret_is_blanked_everywhere(
    make: Maker, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    auth = BasicAuth("user", "pass-word")
    echo = f"bad password pass-word, header {auth.headers()['Authorization']}"
    server.on("GET", "/thing", Answer(400, {"error_message": echo, "related_errors": [{"error_message": echo}]}))
    transport = make(auth)
    with pytest.raises(ClientError) as caught:
        transport.send(READ)
    shown = f"{caught.value}{caught.value!r}{caught.value.to_dict()}{caplog.text}{transport!r}{auth!r}{MAKE!r}"
    encoded = auth.headers()["Authorization"].removeprefix("Basic ")
    assert "pass-word" not in shown
    assert encoded not in shown
    assert "bad password ***" in str(caught.value)


def test_log_shows_call_and_status_but_no_header_and_no_body(
    make: Maker, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="hcx_waves")
    server.on("POST", "/login", OK)
    call = Call("POST", "/login", CallKind.READ, form={"j_password": "geheim-1"}, headers={"X-Key": "geheim-2"})
    make().send(call)
    assert f"nsx POST {server.url}/login: 200 in 0.000 s" in caplog.text
    assert "geheim" not in caplog.text + repr(call)


def test_user_info_in_a_url_is_dropped(server: ScriptedServer) -> None:
    url = server.url.replace("http://", "http://user:geheim@")
    assert "geheim" not in RestTransport(NsxDialect(), url).base_url


@pytest.mark.parametrize("url", ["ftp://host", "host:443", "https://", ""])
def test_strange_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"not an http\(s\) URL"):
        RestTransport(NsxDialect(), url)


# --- identity ---------------------------------------------------------------------------------------------

TWIN = {"X-Hcx-Sim": "world=w1; role=twin"}
SITE = {"X-Hcx-Sim": "world=w1; role=site"}


def test_mutating_call_is_refused_on_an_endpoint_of_another_role(make: Maker, server: ScriptedServer) -> None:
    server.on("GET", "/probe", Answer(200, {}, SITE))
    transport = make(allowed_roles=frozenset({"twin"}))
    for call in (MAKE, SET):
        with pytest.raises(EndpointMismatch, match=r"the endpoint is a simulated site \(world w1\)") as caught:
            transport.send(call)
        assert (caught.value.expected, caught.value.found) == ("twin", "simulated site (world w1)")
    assert [one.method for one in server.received] == ["GET"]


def test_real_product_is_refused_to_a_rehearsal(make: Maker, server: ScriptedServer) -> None:
    server.on("GET", "/thing", OK)
    transport = make(allowed_roles=frozenset({"twin"}))
    assert transport.send(READ).body == {"ok": True}
    with pytest.raises(EndpointMismatch, match="the endpoint is a real product"):
        transport.send(MAKE)
    assert server.asked("POST") == []


def test_mutating_call_passes_on_the_right_role_without_another_probe(make: Maker, server: ScriptedServer) -> None:
    server.on("GET", "/thing", Answer(200, {}, TWIN))
    server.on("POST", "/thing", OK)
    transport = make(allowed_roles=frozenset({"twin"}))
    transport.send(READ)
    transport.send(MAKE)
    assert [one.path for one in server.received] == ["/thing", "/thing"]


def test_answer_of_a_broken_proxy_does_not_count_as_identity(make: Maker, server: ScriptedServer) -> None:
    server.on("GET", "/probe", HTML_504)
    with pytest.raises(GatewayTimeout):
        make(allowed_roles=frozenset({"real"})).send(MAKE)
    assert server.asked("POST") == []
