"""The simulated NSX managers against the samples: directly, and through the reverse proxy of VMware Cloud.

Fixed segments and what else the managers of VMware Cloud offer are asked of the ``seed`` scenario, flexible segments
and what only managers on premises have of the source of ``three-tier``.
"""

from __future__ import annotations

import pytest

from support.contract import Sample
from support.sim_contract import Book, Case, Ground
from support.sim_nsx import (
    BELOW_TIER1,
    BOTH_ON_PREMISES,
    CLOUD,
    ON_PREMISES,
    add_free_port,
    add_l2vpn,
    add_rule,
    add_segment,
    change,
    delete_one,
    expand,
    fail_realisation,
    find_extended,
    find_first_page,
    half_way,
    inject,
    let_token_expire,
    send_stale_xsrf,
    send_wrong_password,
    turn_off,
    two_segments,
    use,
)
from support.site_pair import SiteServer

_ON_PREMISES = ("fabric.", "flexible_segments.", "session.")


def ground(sample: Sample) -> Ground:
    """Where the call of a sample is offered."""
    return ON_PREMISES if sample.call.startswith(_ON_PREMISES) else CLOUD


def leave(stage: object) -> None:
    """Nothing to do: the scenario is already so."""


SETUPS = {
    "connectivity is ON": leave,
    "connectivity is OFF": turn_off,
    "connectivity is OFF, strict mode": turn_off,
    "a VM is on the segment": leave,
    "nothing is on the segment": add_segment(),
    "segment has no ports": add_segment(),
    "segment has ports": leave,
    "segment is referenced elsewhere": inject,
    "segment was made without a gateway": add_segment(subnets=None, advanced_config={"connectivity": "OFF"}),
    "segment is the destination of an HCX extension": find_extended,
    "segment has an NSX L2VPN": add_l2vpn,
    "a port without an attachment exists": add_free_port,
    "more than one segment of this kind": find_first_page,
    "two segments of this kind, first page read": two_segments,
    "segment was deleted and is not purged yet": delete_one,
    "another segment has this subnet": leave,
    "object was changed since": change,
    "another change is in progress": inject,
    "segment was changed a moment ago": change,
    "nsx.fixed_segments.state.in_progress": half_way,
    "nsx.flexible_segments.state.in_progress": half_way,
    "realisation failed": fail_realisation,
    "a gateway firewall rule exists": add_rule,
    "index lags": inject,
    "token older than expires_in": let_token_expire,
    "wrong credentials are sent": send_wrong_password,
    "session token is stale": send_stale_xsrf,
    "fault injected": inject,
    "fault injected on the reverse proxy": inject,
    "over 100 requests a second": leave,
    "over 199 calls at once": leave,
    "nsx.gateway_policies.list": add_rule,
    "nsx.realized_state.realized_entities": use("t1-net"),  # not offered by VMware Cloud
}
WORLDS = {
    "over 100 requests a second": CLOUD.with_settings(nsx={"requests_per_second": 0, "plain_text_limits": True}),
    "over 199 calls at once": CLOUD.with_settings(nsx={"concurrent_overall": 0}),
    "nsx.fixed_segments.list.plain_text_error": CLOUD.with_settings(nsx={"plain_text_limits": True}),
    "nsx.flexible_segments.get.extended_by_hcx": BOTH_ON_PREMISES,
    "nsx.realized_state.realized_entities": BELOW_TIER1,
}
# How a port is called is a matter of taste; that a binding that was discovered is realised, too, is not excluded.
LOOSE = {
    f"nsx.{family}.ports.{variant}": frozenset({"display_name", "results[].display_name", "realized_bindings"})
    for family in ("fixed_segments", "flexible_segments")
    for variant in ("get", "list", "list.free_port", "state")
}
BOOK = Book(("nsx",), ground, SETUPS, WORLDS, loose=LOOSE, expand=expand)


@pytest.mark.parametrize("case", BOOK.cases(), ids=str)
def test_answer(case: Case, site_server: SiteServer) -> None:
    case.hold(site_server)


def test_no_sample_is_forgotten() -> None:
    assert BOOK.forgotten() == []
