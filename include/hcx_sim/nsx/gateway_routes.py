"""Tier-0 and tier-1 gateways, where they run, and their address translation. [D nsx-vsphere 2.1]"""

from __future__ import annotations

from typing import Any

from fastapi import Request

from hcx_sim.coverage import Confidence
from hcx_sim.http.context import Call
from hcx_sim.nsx.app import POLICY, coverage
from hcx_sim.nsx.topology import locale_services, policy_object, register_pair, tier0_bodies, tier1_bodies

_NAT_SECTIONS = ("INTERNAL", "USER", "DEFAULT")
_INFRA = f"{POLICY}/infra"


def _gateway_path(request: Request) -> str:
    params = request.path_params
    return f"/infra/tier-0s/{params['tier0']}" if "tier0" in params else f"/infra/tier-1s/{params['tier1']}"


def _services(call: Call, request: Request) -> list[dict[str, Any]]:
    return locale_services(call, _gateway_path(request))


def _nat(call: Call, request: Request) -> list[dict[str, Any]]:
    """Return the sections of a gateway's NAT; none of them has a rule."""
    parent = f"{_gateway_path(request)}/nat"
    return [policy_object(call.world, f"{parent}/{each}", "PolicyNat", nat_type=each) for each in _NAT_SECTIONS]


def _nothing(_call: Call, _request: Request) -> list[dict[str, Any]]:
    return []


def register() -> None:
    """Register the routes."""
    register_pair(f"{_INFRA}/tier-0s", "tier_0s", "gateway", lambda call, _request: tier0_bodies(call))
    register_pair(f"{_INFRA}/tier-1s", "tier_1s", "gateway", lambda call, _request: tier1_bodies(call))
    for name, path in (("tier_0s", f"{_INFRA}/tier-0s/{{tier0}}"), ("tier_1s", f"{_INFRA}/tier-1s/{{tier1}}")):
        services = "locale_services" if name == "tier_1s" else f"{name}.locale_services"
        register_pair(f"{path}/locale-services", services, "service", _services)
        register_pair(f"{path}/nat", f"{name}.nat", "nat", _nat)
        register_pair(f"{path}/nat/{{nat}}/nat-rules", f"{name}.nat_rules", "rule", _nothing)
        register_pair(f"{path}/static-routes", f"{name}.static_routes", "each", _nothing)
    coverage.fields(
        "tier-1",
        ("tier0_path", "type", "failover_mode", "route_advertisement_types"),
        Confidence.DOCUMENTED,
        "VMCPOL NSX42",
        note="read-only here; a tier-0 is there for the paths that name it, NAT has no rules",
    )
