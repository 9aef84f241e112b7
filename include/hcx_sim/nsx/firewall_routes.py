"""Gateway policies, their rules, and the groups that rules name. [D nsx-vsphere 2.1]"""

from __future__ import annotations

from typing import Any

from fastapi import Request

from hcx_sim.coverage import Confidence
from hcx_sim.http.context import Call
from hcx_sim.nsx.app import POLICY, coverage, route
from hcx_sim.nsx.errors import IN_USE, NsxError, not_found, stale
from hcx_sim.nsx.firewall import (
    ACTIONS,
    DEFAULT_POLICY,
    RulePlace,
    delete_rule,
    firewall_domain,
    refresh_group_members,
    require_rule,
    rule_body,
    rules_of,
    write_rule,
)
from hcx_sim.nsx.models import GatewayPolicyBody, GroupBody, RuleBody, parse, sent_fields
from hcx_sim.nsx.paging import page
from hcx_sim.nsx.records import records_of
from hcx_sim.nsx.segment_body import bookkeeping
from hcx_sim.nsx.segment_routes import json_body
from hcx_sim.nsx.topology import domain_ids

_SOURCES = "VMCPOL NSX42 VCFNSX"


def _check_domain(call: Call, request: Request) -> str:
    domain = request.path_params["domain"]
    if domain not in domain_ids(call):
        raise not_found(f"/infra/domains/{domain}")
    return str(domain)


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
    user = stored.get("user", "system")
    created_us = stored.get("created_us", 0)
    return {**body, **bookkeeping(path, unique_id, created_us, created_us, (user, user), stored.get("revision", 0))}


def _policy(call: Call, request: Request) -> dict[str, Any]:
    domain = _check_domain(call, request)
    policy_id = request.path_params["policy"]
    body = _policies(call, domain).get(policy_id)
    if body is None:
        raise not_found(f"/infra/domains/{domain}/gateway-policies/{policy_id}")
    return body


def list_policies(call: Call, request: Request) -> dict[str, Any]:
    """Return the policies of a domain."""
    bodies = _policies(call, _check_domain(call, request)).values()
    return page(call, request, bodies, lambda body: (body["display_name"], body["id"]), lambda body: body)


def get_policy(call: Call, request: Request) -> dict[str, Any]:
    """Return one policy with its rules."""
    body = _policy(call, request)
    return {**body, "rules": [rule_body(call, rule) for rule in rules_of(call, body["id"])]}


def _write_policy(call: Call, request: Request, *, replace: bool) -> dict[str, Any]:
    domain = _writable_domain(call, request)
    policy_id = request.path_params["policy"]
    body = parse(GatewayPolicyBody, json_body(call))
    key = f"{call.here}/{policy_id}"
    stored = records_of(call.world).policies.get(key, {})
    known = policy_id in _policies(call, domain)
    if replace and known and body.revision != stored.get("revision", 0):
        path = f"/infra/domains/{domain}/gateway-policies/{policy_id}"
        raise stale(path, call.world.settings.nsx.stale_status)
    for rule in body.rules:
        write_rule(call, RulePlace(domain, policy_id, rule.id), rule, replace=False)
    sent = {name: value for name, value in sent_fields(body).items() if name != "rules" and value is not None}
    records_of(call.world).policies[key] = {
        "sent": sent if replace else {**stored.get("sent", {}), **sent},
        "user": call.user,
        "created_us": stored.get("created_us", call.world.now_us),
        "revision": stored.get("revision", 0) + 1 if known else 0,
    }
    call.world.audit.add("note", f"nsx:{key}", policy=policy_id, rules=len(body.rules))
    return _policy_body(call, domain, policy_id)


def _writable_domain(call: Call, request: Request) -> str:
    domain = _check_domain(call, request)
    if domain != firewall_domain(call):
        raise NsxError(403, 403, f"Policies of domain {domain} cannot be changed here.")
    return domain


def patch_policy(call: Call, request: Request) -> None:
    """Make or change a policy, and the rules that its body carries."""
    _write_policy(call, request, replace=False)


def put_policy(call: Call, request: Request) -> dict[str, Any]:
    """Make or replace a policy."""
    return _write_policy(call, request, replace=True)


def delete_policy(call: Call, request: Request) -> None:
    """Delete a policy with its rules; the default one cannot be deleted."""
    policy_id = _policy(call, request)["id"]
    if policy_id == DEFAULT_POLICY:
        raise NsxError(400, 500000, "The default policy cannot be deleted.")
    for rule in rules_of(call, policy_id):
        call.world.remove(rule)
    records_of(call.world).policies.pop(f"{call.here}/{policy_id}", None)


def _place(call: Call, request: Request) -> RulePlace:
    return RulePlace(_check_domain(call, request), request.path_params["policy"], request.path_params["rule"])


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


def remove_rule(call: Call, request: Request) -> None:
    """Delete a rule; 200 with an empty body."""
    _writable_domain(call, request)
    delete_rule(call, _place(call, request))


def _group_path(call: Call, request: Request) -> str:
    return f"/infra/domains/{_check_domain(call, request)}/groups/{request.path_params['group']}"


def _group_body(call: Call, path: str) -> dict[str, Any]:
    stored = records_of(call.world).groups.get(f"{call.here}{path}")
    if stored is None:
        raise not_found(path)
    group_id = path.rpartition("/")[2]
    body = {"resource_type": "Group", "id": group_id, "display_name": stored.get("display_name", group_id)}
    unique_id = call.world.random.stable_uuid(f"group/{call.here}{path}")
    return {**body, "expression": stored["expression"], **bookkeeping(path, unique_id, 0, 0, ("admin", "admin"), 0)}


def get_group(call: Call, request: Request) -> dict[str, Any]:
    """Return a group of addresses."""
    return _group_body(call, _group_path(call, request))


def patch_group(call: Call, request: Request) -> None:
    """Make or change a group of addresses; the rules that name it follow."""
    path = _group_path(call, request)
    body = parse(GroupBody, json_body(call))
    expressions = [each.model_dump() for each in body.expression]
    records_of(call.world).groups[f"{call.here}{path}"] = {
        "display_name": body.display_name or request.path_params["group"],
        "expression": expressions,
    }
    call.world.audit.add("note", f"nsx:{call.here}{path}", expression=expressions)
    refresh_group_members(call, path)


def put_group(call: Call, request: Request) -> dict[str, Any]:
    """Make or replace a group and return it."""
    patch_group(call, request)
    return get_group(call, request)


def delete_group(call: Call, request: Request) -> None:
    """Delete a group; one that a rule names is refused with 400/500030. [C nsx-vsphere 2.6]"""
    path = _group_path(call, request)
    _group_body(call, path)
    for rule in rules_of(call):
        if path in rule.body.get("source_groups", []) or path in rule.body.get("destination_groups", []):
            raise NsxError(400, IN_USE, f"{path} is in use.", related=[f"Rule {rule.rule_id} names it."])
    del records_of(call.world).groups[f"{call.here}{path}"]


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
        "groups": (
            f"{domain}/groups/{{group}}",
            {"GET": get_group, "PATCH": patch_group, "PUT": put_group, "DELETE": delete_group},
        ),
    }
    documented = Confidence.DOCUMENTED
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
