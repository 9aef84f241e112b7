"""The NSX policy client against the samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hcx_waves.clients.errors import (
    AuthenticationFailed,
    ConflictError,
    GatewayTimeout,
    NotFound,
    RateLimited,
    ServerError,
    ServiceUnavailable,
    SessionExpired,
    StaleRevisionError,
    ValidationFailed,
)
from hcx_waves.clients.nsx import BasicAuth, Connectivity, NsxPolicyClient, NsxSegment, SessionAuth
from support.client_contract import VALUES, Case, ambient, hold, sample_of, unused_samples
from support.missing_members import problems_of
from support.sample_server import SampleServer, running_sample_server

V = {name: str(value) for name, value in VALUES.items()}
Nsx = Case[NsxPolicyClient]
FAMILIES = ("fixed_segments", "flexible_segments")
RELATED = "Segment app-net still has 1 VM or VIF attached"


def _segment(family: str, variant: str = "") -> NsxSegment:
    return NsxSegment.of_wire(sample_of(f"nsx.{family}.get{variant}").response.body)


def _path(family: str) -> str:
    return _segment(family).path


def _facts(segment: NsxSegment) -> tuple[str, str | None, Connectivity]:
    return segment.segment_id, segment.segment_type, segment.connectivity


def _list(family: str) -> Callable[[NsxPolicyClient], Any]:
    return lambda c: [_facts(s) for s in getattr(c, family)()]


def _read(family: str) -> Callable[[NsxPolicyClient], Any]:
    return lambda c: _facts(c.segment(_path(family)))


def _put(family: str, variant: str) -> Callable[[NsxPolicyClient], Any]:
    """PUT what the sample's request holds, as if it had been read so."""
    body = sample_of(f"nsx.{family}.put{variant}").request.body
    read = NsxSegment.of_wire({**body, "path": body.get("path") or _path(family).replace(V["segment_id"], body["id"])})
    return lambda c: c.put_segment(read, {}).revision


SID = V["segment_id"]
ROUTED = (SID, "ROUTED", Connectivity.ON)
CUT = (SID, "DISCONNECTED", Connectivity.OFF)


def _reading_cases(family: str) -> list[Nsx]:
    kind = f"nsx.{family}"
    return [
        Case(f"{kind}.list", _list(family), [ROUTED]),
        Case(f"{kind}.get", _read(family), ROUTED),
        Case(f"{kind}.get.disconnected", _read(family), CUT),
        Case(f"{kind}.get.disconnected_without_subnets", lambda c: c.segment(_path(family)).gateway_addresses, ()),
        Case(f"{kind}.get.extended_by_hcx", lambda c: c.segment(_path(family)).is_disconnected, True),
        Case(f"{kind}.get.l2vpn", _read(family), (SID, "ROUTED_AND_EXTENDED", Connectivity.ON)),
        Case(
            f"{kind}.get.not_found",
            lambda c: c.segment(_path(family).replace(SID, V["unknown_id"])),
            raises=NotFound,
            match="could not be found",
            code="202",
        ),
        Case(f"{kind}.state.success", lambda c: c.segment_state(_path(family)).is_success, True),
        *(
            Case(f"{kind}.state.{word}", lambda c: _outcome(c, family), (word, False, False))
            for word in ("pending", "in_progress")
        ),
        Case(f"{kind}.state.failed", lambda c: _outcome(c, family), ("failed", False, True)),
        Case(
            f"{kind}.ports.list",
            lambda c: [(p.port_id, p.attachment_id, p.may_be_vm) for p in c.ports(_path(family))],
            [(V["port_id"], V["attachment_id"], True)],
        ),
        Case(f"{kind}.ports.list.empty", lambda c: c.ports(_path(family)), ()),
        Case(f"{kind}.ports.list.free_port", lambda c: [p.may_be_vm for p in c.ports(_path(family))], [False]),
        Case(
            f"{kind}.ports.state",
            lambda c: _binding(c, f"{_path(family)}/ports/{V['port_id']}"),
            ("ATTACHED", V["vm_ip_address"], V["mac_address"], "ARP_SNOOPING"),
        ),
        Case(
            f"{kind}.gateway_interface_arp_table",
            lambda c: [e["ip"] for e in c.gateway_arp_table(_path(family))],
            [V["vm_ip_address"]],
        ),
    ]


def _outcome(c: NsxPolicyClient, family: str) -> tuple[str, bool, bool]:
    state = c.segment_state(_path(family))
    return state.state, state.is_success, state.is_failure


def _binding(c: NsxPolicyClient, port_path: str) -> tuple[str | None, ...]:
    state = c.port_state(port_path)
    seen = state.discovered[0]
    return state.attachment_state, seen.ip_address, seen.mac_address, seen.source


def _changing_cases(family: str) -> list[Nsx]:
    kind = f"nsx.{family}"
    return [
        Case(f"{kind}.patch.disconnect", lambda c: c.set_connectivity(_segment(family), Connectivity.OFF)),
        Case(f"{kind}.patch.connect", lambda c: c.set_connectivity(_segment(family, ".disconnected"), Connectivity.ON)),
        Case(f"{kind}.patch.rename", lambda c: c.rename_segment(_segment(family), V["new_segment_name"])),
        Case(f"{kind}.put", _put(family, ""), 1),
        Case(
            f"{kind}.put.stale_revision",
            _put(family, ".stale_revision"),
            raises=StaleRevisionError,
            match="changed",
            code="604",
        ),
        Case(
            f"{kind}.put.missing_revision",
            _put(family, ".missing_revision"),
            raises=StaleRevisionError,
            match="_revision",
            code="604",
        ),
        Case(
            f"{kind}.put.marked_for_delete",
            _put(family, ".marked_for_delete"),
            raises=ConflictError,
            match="being purged",
            code="500045",
        ),
        Case(
            f"{kind}.put.overlapping_subnet",
            _put(family, ".overlapping_subnet"),
            raises=ValidationFailed,
            match="overlaps",
            code="500105",
        ),
        Case(f"{kind}.delete", lambda c: c.delete_segment(_segment(family))),
        Case(
            f"{kind}.delete.has_ports",
            lambda c: c.delete_segment(_segment(family)),
            raises=ConflictError,
            match=RELATED,
            code="503040",
        ),
        Case(
            f"{kind}.delete.in_use",
            lambda c: c.delete_segment(_segment(family)),
            raises=ConflictError,
            match="in use",
            code="500030",
        ),
        Case(f"{kind}.force_delete", lambda c: c.delete_segment(_segment(family), force=True)),
    ]


def _fixed(c: NsxPolicyClient) -> Any:
    return c.fixed_segments()


FIXED_NAME = {"query": f"resource_type:Segment AND display_name:{V['segment_name']}"}
OTHER_CASES: list[Nsx] = [
    Case(
        "nsx.fixed_segments.patch.conflict",
        lambda c: c.set_connectivity(_segment("fixed_segments"), Connectivity.OFF),
        raises=ConflictError,
        match="being changed by another request",
        code="600",
    ),
    Case(
        "nsx.fixed_segments.patch.without_subnets",
        lambda c: c.set_connectivity(_segment("fixed_segments", ".disconnected"), Connectivity.ON),
        raises=ValidationFailed,
        match="Invalid segment configuration",
        code="255",
        omits=("connectivity_path", "type"),
    ),
    Case(
        "nsx.flexible_segments.force_patch",
        lambda c: c.set_connectivity(_segment("flexible_segments"), Connectivity.OFF, force=True),
    ),
    Case("nsx.search.query", lambda c: [s["path"] for s in c.search(FIXED_NAME["query"])], [_path("fixed_segments")]),
    Case(
        "nsx.search.query.index_out_of_sync",
        lambda c: c.search(FIXED_NAME["query"]),
        raises=ServiceUnavailable,
        match="index is not ready",
        code="60515",
    ),
    Case(
        "nsx.realized_state.vifs",
        lambda c: [(f.owner_vm_id, f.mac_address, f.ip_addresses) for f in c.vifs(V["attachment_id"])],
        [(V["external_id"], V["mac_address"], (V["vm_ip_address"],))],
    ),
    Case(
        "nsx.realized_state.virtual_machines",
        lambda c: [(m.external_id, m.power_state, m.compute_ids["instanceUuid"]) for m in c.virtual_machines()],
        [(V["external_id"], "VM_RUNNING", V["instance_uuid"])],
    ),
    Case("nsx.gateway_policies.list", lambda c: [p["id"] for p in c.gateway_policies()], [V["gateway_policy_id"]]),
    Case("nsx.gateway_policies.get", lambda c: [r["action"] for r in c.gateway_policy()["rules"]], ["ALLOW"]),
    Case("nsx.fixed_segments.list.bad_credentials", _fixed, raises=AuthenticationFailed, match="refused", code="403"),
    Case("nsx.fixed_segments.list.expired_token", _fixed, raises=AuthenticationFailed, match="refused", code="401"),
    Case("nsx.fixed_segments.list.too_many_requests", _fixed, raises=RateLimited, match="too many requests"),
    Case("nsx.fixed_segments.list.overloaded", _fixed, raises=ServiceUnavailable, match="overloaded", code="0"),
    Case("nsx.fixed_segments.list.gateway_timeout", _fixed, raises=GatewayTimeout, match="gateway timed out"),
    Case("nsx.fixed_segments.list.transaction_aborted", _fixed, raises=ServiceUnavailable, match="aborted", code="607"),
    Case("nsx.fixed_segments.list.plain_text_error", _fixed, raises=ServerError, match="the call failed"),
]
CASES = [
    *(case for family in FAMILIES for case in (*_reading_cases(family), *_changing_cases(family))),
    *OTHER_CASES,
]
SESSION_CASES: list[Nsx] = [
    Case("nsx.session.create", _fixed, ()),
    Case(
        "nsx.session.create.bad_credentials",
        _fixed,
        raises=AuthenticationFailed,
        match="refused",
        code="403",
        omits=("j_password",),
    ),
    Case("nsx.fixed_segments.list.bad_xsrf", _fixed, raises=SessionExpired, match="XSRF token was refused", code="98"),
]

NOT_OFFERED = {
    "fixed_segments.arp_table",
    "fixed_segments.mac_table",
    "flexible_segments.arp_table",
    "flexible_segments.mac_table",
    "realized_state.realized_entities",
    "realized_state.status",
    "fabric.vifs",
    "fabric.virtual_machines",
    "fixed_segments.ports.get",
    "flexible_segments.ports.get",
    "flexible_segments.force_put",
    "gateway_policies.rules.delete",
    "gateway_policies.rules.patch",
    "infra.patch",
    "realized_state.enforcement_point_virtual_machines",
    "search",
    "session.destroy",
}
# Requests that the client must not send, pages (tested below), and one way of naming the same thing.
NOT_SENT = {
    "nsx.fixed_segments.patch.type_only",
    "nsx.flexible_segments.patch.type_only",
    "nsx.fixed_segments.patch.field_validation",
    "nsx.fixed_segments.list.first_page",
    "nsx.fixed_segments.list.last_page",
    "nsx.flexible_segments.list.first_page",
    "nsx.flexible_segments.list.last_page",
    "nsx.flexible_segments.list.discovered",
    "nsx.flexible_segments.force_delete.cascade",
}


@pytest.fixture
def server() -> Iterator[SampleServer]:
    with running_sample_server() as running:
        yield running


def _client(server: SampleServer, auth: BasicAuth | SessionAuth) -> NsxPolicyClient:
    return NsxPolicyClient(
        server.url, auth, enforcement_point=V["enforcement_point_id"], tier1_id=V["tier_1_id"], ambient=ambient()
    )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_client_and_sample_agree(case: Nsx, server: SampleServer) -> None:
    with _client(server, BasicAuth(V["username"], V["password"])) as client:
        hold(case, client, server)


@pytest.mark.parametrize("case", SESSION_CASES, ids=str)
def test_client_and_sample_agree_with_a_session(case: Nsx, server: SampleServer) -> None:
    server.serve(sample_of("nsx.session.create"))

    with _client(server, SessionAuth(V["username"], V["password"])) as client:
        hold(case, client, server)


@pytest.mark.parametrize("family", FAMILIES)
def test_client_follows_the_cursor_to_the_last_page(family: str, server: SampleServer) -> None:
    first, last = sample_of(f"nsx.{family}.list.first_page"), sample_of(f"nsx.{family}.list.last_page")
    server.serve_in_turn(first, last)

    with _client(server, BasicAuth(V["username"], V["password"])) as client:
        assert len(getattr(client, family)()) == 2

    assert [r.query.get("cursor") for r in server.requests_like(first)] == [None, V["cursor"]]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("variant", ["disconnect", "connect"])
def test_client_never_sends_the_derived_type(family: str, variant: str, server: SampleServer) -> None:
    sample = sample_of(f"nsx.{family}.patch.{variant}")
    server.serve(sample)

    with _client(server, BasicAuth(V["username"], V["password"])) as client:
        wanted = Connectivity(sample.request.body["advanced_config"]["connectivity"])
        client.set_connectivity(_segment(family), wanted)

    assert [set(r.body) & {"type", "_revision"} for r in server.requests_like(sample)] == [set()]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_member_that_is_missing_is_named_or_makes_no_difference(case: Nsx, server: SampleServer) -> None:
    problems = problems_of(case, lambda: _client(server, BasicAuth(V["username"], V["password"])), server)
    assert not problems, "\n".join(problems)


def test_every_sample_of_an_offered_call_is_used() -> None:
    cases = [*CASES, *SESSION_CASES]

    assert unused_samples("nsx", cases, except_calls=NOT_OFFERED, except_samples=NOT_SENT) == set()
