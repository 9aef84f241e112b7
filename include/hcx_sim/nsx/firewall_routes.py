"""Gateway policies, their rules, and the groups that rules name. [D nsx-vsphere 2.1]"""

from __future__ import annotations

from typing import Any

from fastapi import Request

from hcx_sim.coverage import Confidence
from hcx_sim.http.context import Call
from hcx_sim.nsx.app import POLICY, coverage, route
from hcx_sim.nsx.errors import NsxError, invalid, not_found
from hcx_sim.nsx.firewall import (
    ACTIONS,
    DEFAULT_POLICY,
    SYSTEM,
    RulePlace,
    delete_rule,
    firewall_domain,
    require_rule,
    revise_rule,
    rule_body,
    rules_of,
    write_rule,
)
from hcx_sim.nsx.models import GatewayPolicyBody, RuleBody, parse, sent_fields
from hcx_sim.nsx.paging import page
from hcx_sim.nsx.records import check_revision, records_of
from hcx_sim.nsx.segment_body import bookkeeping
from hcx_sim.nsx.segment_routes import json_body
from hcx_sim.nsx.topology import check_domain

_SOURCES = "VMCPOL NSX42 VCFNSX"


def policies_of(call: Call) -> dict[str, dict[str, Any]]:
    """Return all gateway policies of a site by id."""
    return _policies(call, firewall_domain(call))


def _policies(call: Call, domain: str) -> dict[str, dict[str, Any]]:
    """Return the policies of a domain; one appears with its first rule, the default one is always there."""
    if domain != firewall_domain(call):
        return {}
    ids = [DEFAULT_POLICY, *(rule.policy_id for rule in call.world.firewall_rules.values() if rule.site is call.here)]
    stored = records_of(call.world).policies
    ids += [key.partition("/")[2] for key in stored if key.startswith(f"{call.here}/")]
    return {policy_id: _policy_body(call, domain, policy_id) for policy_id in dict.fromkeys(ids)}


def _policy_body(call: Call, domain: str, policy_id: str) -> dict[str, Any]:
    stored = records_of(call.world).policies.get(f"{call.here}/{policy_id}", {})
    path = f"/infra/domains/{domain}/gateway-policies/{policy_id}"
    body = {
        "resource_type": "GatewayPolicy",
        "id": policy_id,
        "display_name": policy_id,
        "category": "LocalGatewayRules",
        "stateful": True,
        "locked": False,
        "sequence_number": 0,
        "internal_sequence_number": 0,
        "is_default": policy_id == DEFAULT_POLICY,
        "rule_count": len(rules_of(call, policy_id)),
        **stored.get("sent", {}),
    }
    unique_id = call.world.random.stable_uuid(f"policy/{call.here}/{policy_id}")
    users = (stored.get("creator", SYSTEM), stored.get("user", SYSTEM))
    times = (stored.get("created_us", 0), stored.get("modified_us", 0))
    return {**body, **bookkeeping(path, unique_id, *times, users, stored.get("revision", 0))}


def _policy(call: Call, request: Request) -> dict[str, Any]:
    domain = check_domain(call, request)
    policy_id = request.path_params["policy"]
    body = _policies(call, domain).get(policy_id)
    if body is None:
        raise not_found(f"/infra/domains/{domain}/gateway-policies/{policy_id}")
    return body


def list_policies(call: Call, request: Request) -> dict[str, Any]:
    """Return the policies of a domain."""
    bodies = _policies(call, check_domain(call, request)).values()
    return page(call, request, bodies, lambda body: (body["display_name"], body["id"]), lambda body: body)


def get_policy(call: Call, request: Request) -> dict[str, Any]:
    """Return one policy with its rules."""
    return _with_rules(call, _policy(call, request))


def _with_rules(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "rules": [rule_body(call, rule) for rule in rules_of(call, body["id"])]}


def _write_policy(call: Call, request: Request, *, replace: bool) -> dict[str, Any]:
    domain = _writable_domain(call, request)
    policy_id = request.path_params["policy"]
    body = parse(GatewayPolicyBody, json_body(call))
    key = f"{call.here}/{policy_id}"
    stored = records_of(call.world).policies.get(key, {})
    known = policy_id in _policies(call, domain)
    if replace and known:
        path = f"/infra/domains/{domain}/gateway-policies/{policy_id}"
        check_revision(call.world, path, stored.get("revision", 0), body.revision)
    for rule in body.rules:
        write_rule(call, RulePlace(domain, policy_id, rule.id), rule, replace=False)
    sent = {name: value for name, value in sent_fields(body).items() if name != "rules" and value is not None}
    records_of(call.world).policies[key] = {
        "sent": sent if replace else {**stored.get("sent", {}), **sent},
        "creator": stored.get("creator", SYSTEM if known else call.user),
        "user": call.user,
        "created_us": stored.get("created_us", 0 if known else call.world.now_us),
        "modified_us": call.world.now_us,
        "revision": stored.get("revision", 0) + 1 if known else 0,
    }
    call.world.audit.add("note", f"nsx:{key}", policy=policy_id, rules=len(body.rules))
    return _policy_body(call, domain, policy_id)


def _writable_domain(call: Call, request: Request) -> str:
    domain = check_domain(call, request)
    if domain != firewall_domain(call):
        raise NsxError(403, 403, f"Policies of domain {domain} cannot be changed here.")
    return domain


def patch_policy(call: Call, request: Request) -> None:
    """Make or change a policy, and the rules that its body carries."""
    _write_policy(call, request, replace=False)


def put_policy(call: Call, request: Request) -> dict[str, Any]:
    """Make or replace a policy."""
    return _with_rules(call, _write_policy(call, request, replace=True))


def delete_policy(call: Call, request: Request) -> None:
    """Delete a policy with its rules; the default one cannot be deleted."""
    policy_id = _policy(call, request)["id"]
    if policy_id == DEFAULT_POLICY:
        raise NsxError(400, 500000, "The default policy cannot be deleted.")
    for rule in rules_of(call, policy_id):
        call.world.remove(rule)
    records_of(call.world).policies.pop(f"{call.here}/{policy_id}", None)


def _place(call: Call, request: Request) -> RulePlace:
    return RulePlace(check_domain(call, request), request.path_params["policy"], request.path_params["rule"])


def list_rules(call: Call, request: Request) -> dict[str, Any]:
    """Return the rules of a policy."""
    policy_id = _policy(call, request)["id"]
    rules = rules_of(call, policy_id)
    return page(
        call,
        request,
        rules,
        lambda rule: (f"{rule.sequence_number:010}", rule.rule_id),
        lambda rule: rule_body(call, rule),
    )


def get_rule(call: Call, request: Request) -> dict[str, Any]:
    """Return one rule."""
    _policy(call, request)
    return rule_body(call, require_rule(call, _place(call, request)))


def patch_rule(call: Call, request: Request) -> None:
    """Make or change a rule; 200 with an empty body."""
    _write_rule(call, request, replace=False)


def put_rule(call: Call, request: Request) -> dict[str, Any]:
    """Make or replace a rule and return it."""
    return _write_rule(call, request, replace=True)


def _write_rule(call: Call, request: Request, *, replace: bool) -> dict[str, Any]:
    _writable_domain(call, request)
    _policy(call, request)
    body = parse(RuleBody, json_body(call))
    call.summary = body.model_dump(include={"action", "source_groups", "destination_groups"}, exclude_none=True)
    return rule_body(call, write_rule(call, _place(call, request), body, replace=replace))


def post_rule(call: Call, request: Request) -> dict[str, Any]:
    """Move a rule to another place of its policy, and change it as its body says; returns the rule."""
    if request.query_params.get("action") != "revise":
        raise invalid(["action: must be revise"])
    _writable_domain(call, request)
    _policy(call, request)
    place = _place(call, request)
    body = parse(RuleBody, json_body(call))
    operation = request.query_params.get("operation", "insert_top")
    anchor = request.query_params.get("anchor_path", "")
    call.summary = {"operation": operation, "anchor_path": anchor}
    return rule_body(call, revise_rule(call, place, body, operation, anchor))


def remove_rule(call: Call, request: Request) -> None:
    """Delete a rule; 200 with an empty body."""
    _writable_domain(call, request)
    delete_rule(call, _place(call, request))


def register() -> None:
    """Register the routes."""
    domain = f"{POLICY}/infra/domains/{{domain}}"
    policy = f"{domain}/gateway-policies/{{policy}}"
    families: dict[str, tuple[str, dict[str, Any]]] = {
        "gateway_policies": (
            policy,
            {"GET": get_policy, "PATCH": patch_policy, "PUT": put_policy, "DELETE": delete_policy},
        ),
        "gateway_policies.rules": (
            f"{policy}/rules/{{rule}}",
            {"GET": get_rule, "PATCH": patch_rule, "PUT": put_rule, "DELETE": remove_rule},
        ),
    }
    documented = Confidence.DOCUMENTED
    rule = f"{policy}/rules/{{rule}}"
    route("POST", rule, "gateway_policies.rules.revise", documented, "XNSX VMCPOL", "renumbers the policy's rules")(
        post_rule
    )
    route("GET", f"{domain}/gateway-policies", "gateway_policies.list", documented, _SOURCES)(list_policies)
    route("GET", f"{policy}/rules", "gateway_policies.rules.list", documented, _SOURCES)(list_rules)
    for name, (path, handlers) in families.items():
        for method, handler in handlers.items():
            route(method, path, f"{name}.{method.lower()}", documented, _SOURCES)(handler)
    coverage.states("firewall action", ACTIONS, documented, _SOURCES)
    coverage.fields(
        "gateway firewall rule",
        ("action", "source_groups", "destination_groups", "sequence_number", "disabled", "scope"),
        Confidence.INFERRED,
        _SOURCES,
        note="addresses decide who reaches the outside; services and scope do not",
    )
