"""The VMware Cloud client, its log-in at CSP and the way to an SDDC's NSX, against the samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hcx_waves.clients.errors import (
    AuthenticationFailed,
    ConflictError,
    NotFound,
    PermissionDenied,
    RateLimited,
    ServerError,
    SessionExpired,
)
from hcx_waves.clients.vmc import OAuthApp, RefreshToken, VmcClient
from support.client_contract import VALUES, Case, ambient, hold, sample_of, unused_samples
from support.contract import Sample, SampleResponse
from support.missing_members import problems_of
from support.sample_server import SampleServer, running_sample_server

V = {name: str(value) for name, value in VALUES.items()}
Vmc = Case[VmcClient]


def _sddc(sddc: Any) -> tuple[str, str | None, str | None, str | None]:
    return sddc.sddc_id, sddc.org_id, sddc.state, sddc.nsx_api_public_endpoint_url


SDDC = (V["sddc_id"], V["org_id"], "READY", V["nsx_proxy_url"])


def _refused(variant: str, kind: type[Any], match: str) -> Vmc:
    omits = ("refresh_token",) if variant == "bad_token" else ()
    sample_id = f"csp.api_tokens.authorize.{variant}"
    return Case(sample_id, lambda c: c.login(), raises=kind, match=match, omits=omits)


LOGIN_CASES: list[Vmc] = [
    Case("csp.api_tokens.authorize", lambda c: c.login()),
    _refused("bad_token", AuthenticationFailed, "not valid or has expired"),
    _refused("not_found", NotFound, "Not found"),
    _refused("conflict", ConflictError, "Conflict"),
    _refused("too_many_requests", RateLimited, "Too many requests"),
    _refused("server_error", ServerError, "Internal error"),
]
CASES: list[Vmc] = [
    Case("vmc.orgs.list", lambda c: [o.org_id for o in c.organizations()], [V["org_id"]]),
    Case(
        "vmc.orgs.list.expired_token",
        lambda c: c.organizations(),
        raises=SessionExpired,
        match="expired",
        code="UnauthenticatedException",
    ),
    Case("vmc.sddcs.list", lambda c: [_sddc(s) for s in c.sddcs(V["org_id"])], [SDDC]),
    Case(
        "vmc.sddcs.list.unknown_org",
        lambda c: c.sddcs(V["unknown_id"]),
        raises=PermissionDenied,
        match="No right in this organisation",
        code="ForbiddenException",
    ),
    Case("vmc.sddcs.get", lambda c: _sddc(c.sddc(V["sddc_id"], V["org_id"])), SDDC),
    Case(
        "vmc.sddcs.get.not_found",
        lambda c: c.sddc(V["unknown_id"], V["org_id"]),
        raises=NotFound,
        match="No such SDDC",
        code="NotFoundException",
    ),
]


@pytest.fixture
def server() -> Iterator[SampleServer]:
    with running_sample_server() as running:
        running.serve(sample_of("csp.api_tokens.authorize"), sample_of("csp.oauth.authorize"))
        yield running


def _client(server: SampleServer, credentials: RefreshToken | OAuthApp | None = None) -> VmcClient:
    return VmcClient(
        credentials or RefreshToken(V["refresh_token"]), vmc_url=server.url, csp_url=server.url, ambient=ambient()
    )


@pytest.mark.parametrize("case", [*LOGIN_CASES, *CASES], ids=str)
def test_client_and_sample_agree(case: Vmc, server: SampleServer) -> None:
    with _client(server) as client:
        hold(case, client, server)


def test_oauth_app_logs_in_by_basic_authentication(server: SampleServer) -> None:
    with _client(server, OAuthApp("app", "app-secret")) as client:
        hold(Case("csp.oauth.authorize", lambda c: c.login()), client, server)

    assert server.received[0].headers["authorization"].startswith("Basic ")


def test_refused_token_is_exchanged_once_and_the_call_repeated(server: SampleServer) -> None:
    server.serve_in_turn(sample_of("vmc.orgs.list.expired_token"), sample_of("vmc.orgs.list"))

    with _client(server) as client:
        assert [o.org_id for o in client.organizations()] == [V["org_id"]]

    assert len(server.requests_like(sample_of("csp.api_tokens.authorize"))) == 2


def test_both_header_forms_are_presented(server: SampleServer) -> None:
    server.serve(sample_of("vmc.orgs.list"))

    with _client(server) as client:
        client.organizations()

    sent = server.requests_like(sample_of("vmc.orgs.list"))[0].headers
    assert (sent["csp-auth-token"], sent["authorization"]) == (V["access_token"], f"Bearer {V['access_token']}")


def test_nsx_is_reached_below_the_address_that_the_sddc_names(server: SampleServer) -> None:
    prefix = "/vmc/reverse-proxy/api/orgs/o/sddcs/s/sks-nsxt-manager"
    sddc, segments = sample_of("vmc.sddcs.get"), sample_of("nsx.fixed_segments.list")
    server.serve(_with_nsx_at(sddc, server.url + prefix))
    below = segments.request.model_copy(update={"path": prefix + segments.request.path})
    server.serve(segments.model_copy(update={"request": below}))

    with _client(server) as client, client.nsx_client(V["sddc_id"], V["org_id"]) as nsx:
        assert [s.segment_id for s in nsx.fixed_segments()] == [V["segment_id"]]


def _with_nsx_at(sample: Sample, url: str) -> Sample:
    body = sample.response.body
    config = {**body["resource_config"], "nsx_api_public_endpoint_url": url}
    answer = SampleResponse(status=200, content_type="application/json", body={**body, "resource_config": config})
    return sample.model_copy(update={"response": answer})


@pytest.mark.parametrize("case", [*LOGIN_CASES, *CASES], ids=str)
def test_a_member_that_is_missing_is_named_or_makes_no_difference(case: Vmc, server: SampleServer) -> None:
    problems = problems_of(case, lambda: _client(server), server)
    assert not problems, "\n".join(problems)


def test_every_sample_of_an_offered_call_is_used() -> None:
    oauth = Case[VmcClient]("csp.oauth.authorize", lambda c: c.login())

    assert unused_samples("vmc", CASES, except_calls={"tasks.get"}) == set()
    assert unused_samples("csp", [*LOGIN_CASES, oauth], except_samples={"csp.api_tokens.authorize.query_form"}) == set()
