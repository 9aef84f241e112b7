"""The gateway firewall: policies and rules of the compute gateway, which decide who reaches the outside.

Rules become :class:`FirewallRule` facts, so reachability follows them; groups are resolved to their addresses when a
rule is written. The last rule of the default policy is the site's default action. [D nsx-vsphere 2.1]; effect inferred.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from hcx_sim.http.context import Call
from hcx_sim.nsx.errors import NsxError, invalid, not_found
from hcx_sim.nsx.models import MAX_SEQUENCE, RuleBody, sent_fields
from hcx_sim.nsx.records import check_revision, records_of
from hcx_sim.nsx.segment_body import bookkeeping
from hcx_sim.world.model import FirewallRule

ACTIONS = ("ALLOW", "DROP", "REJECT")
DEFAULT_POLICY = "default"
DEFAULT_RULE = "default_rule"
ANY = "ANY"
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class RulePlace:
    """Where a rule is: domain, policy and rule id of a site."""

    domain: str
    policy_id: str
    rule_id: str

    @property
    def path(self) -> str:
        """The policy path."""
        return f"/infra/domains/{self.domain}/gateway-policies/{self.policy_id}/rules/{self.rule_id}"


def firewall_domain(call: Call) -> str:
    """Return the domain whose policies are in force for workloads."""
    return "cgw" if call.world.site(call.here).nsx_flavour == "vmc" else "default"


def rules_of(call: Call, policy_id: str | None = None) -> list[FirewallRule]:
    """Return the rules of a site (of one policy), the default one included, in order."""
    rules = [
        rule
        for rule in call.world.firewall_rules.values()
        if rule.site is call.here and policy_id in (None, rule.policy_id)
    ]
    default = _implicit_default(call)
    if policy_id in (None, DEFAULT_POLICY) and default.key not in call.world.firewall_rules:
        rules.append(default)
    return sorted(rules, key=lambda rule: (rule.sequence_number, rule.key))


def find_rule(call: Call, place: RulePlace) -> FirewallRule | None:
    """Return a rule, None when there is none."""
    return next((rule for rule in rules_of(call, place.policy_id) if rule.rule_id == place.rule_id), None)


def require_rule(call: Call, place: RulePlace) -> FirewallRule:
    """Return a rule; raises 404/202."""
    rule = find_rule(call, place)
    if rule is None:
        raise not_found(place.path)
    return rule


def _implicit_default(call: Call) -> FirewallRule:
    site = call.world.site(call.here)
    action = "ALLOW" if site.firewall_default_allow else "DROP"
    key = f"{call.here}/{DEFAULT_POLICY}/{DEFAULT_RULE}"
    body = {"source_groups": [ANY], "destination_groups": [ANY], "services": [ANY]}
    return FirewallRule(key, call.here, DEFAULT_POLICY, DEFAULT_RULE, body, MAX_SEQUENCE, action, [])


def rule_body(call: Call, rule: FirewallRule) -> dict[str, Any]:
    """Return a rule as the manager shows it."""
    place = RulePlace(firewall_domain(call), rule.policy_id, rule.rule_id)
    meta = rule.body.get("_meta", {})
    users = (meta.get("creator", SYSTEM), meta.get("user", SYSTEM))
    body = {
        "resource_type": "Rule",
        "id": rule.rule_id,
        "display_name": rule.rule_id,
        "source_groups": [ANY],
        "destination_groups": [ANY],
        "services": [ANY],
        "scope": [],
        "direction": "IN_OUT",
        "ip_protocol": "IPV4_IPV6",
        "logged": False,
        "sources_excluded": False,
        "destinations_excluded": False,
        **{name: value for name, value in rule.body.items() if not name.startswith("_")},
        "action": rule.action,
        "sequence_number": rule.sequence_number,
        "disabled": not rule.enabled,
        "is_default": (rule.policy_id, rule.rule_id) == (DEFAULT_POLICY, DEFAULT_RULE),
    }
    unique_id = call.world.random.stable_uuid(f"rule/{rule.key}")
    times = (meta.get("created_us", 0), meta.get("modified_us", 0))
    return {**body, **bookkeeping(place.path, unique_id, *times, users, meta.get("revision", 0))}


def write_rule(call: Call, place: RulePlace, body: RuleBody, *, replace: bool) -> FirewallRule:
    """Make, change or replace a rule and return it; raises 400/255 and 412."""
    world = call.world
    known = find_rule(call, place)
    stored = dict(known.body) if known is not None else {}
    meta: dict[str, Any] = stored.pop("_meta", {})
    if replace and known is not None:
        check_revision(world, place.path, meta.get("revision", 0), body.revision)
    sent = {name: value for name, value in sent_fields(body).items() if name != "id"}
    if known is not None and not replace:
        facts = {"action": known.action, "sequence_number": known.sequence_number, "disabled": not known.enabled}
        sent = {**facts, **stored, **sent}
    fields = _facts(call, sent)
    shown = {name: value for name, value in sent.items() if name not in _FACT_FIELDS and value is not None}
    if known is not None and stored == shown and all(getattr(known, name) == value for name, value in fields.items()):
        return known
    meta = {
        "creator": meta.get("creator", SYSTEM if known is not None else call.user),
        "user": call.user,
        "created_us": meta.get("created_us", 0 if known is not None else world.now_us),
        "modified_us": world.now_us,
        "revision": meta.get("revision", 0) + 1 if known is not None else 0,
    }
    return _put_rule(call, place, {**shown, "_meta": meta}, fields)


_FACT_FIELDS = ("action", "sequence_number", "disabled")


def _put_rule(call: Call, place: RulePlace, body: dict[str, Any], fields: dict[str, Any]) -> FirewallRule:
    key = f"{call.here}/{place.policy_id}/{place.rule_id}"
    rule = call.world.firewall_rules.get(key)
    if rule is None:
        return call.world.put(FirewallRule(key, call.here, place.policy_id, place.rule_id, body, **fields))
    call.world.update(rule, body=body, **fields)
    return rule


def _facts(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "action": body.get("action") or "ALLOW",
        "sequence_number": body.get("sequence_number") or 0,
        "cidrs": _cidrs(call, body),
        "enabled": not body.get("disabled"),
    }


def _cidrs(call: Call, body: dict[str, Any]) -> list[str]:
    problems: list[str] = []
    cidrs: list[str] = []
    for name in ("source_groups", "destination_groups"):
        for group in body.get(name) or [ANY]:
            cidrs += _addresses(call, group, name, problems)
    if problems:
        raise invalid(problems)
    return cidrs


def _addresses(call: Call, group: str, field: str, problems: list[str]) -> list[str]:
    if group == ANY:
        return []
    if group.startswith("/"):
        found = records_of(call.world).groups.get(f"{call.here}{group}")
        if found is None:
            problems.append(f"{field}: there is no group {group}")
            return []
        return group_addresses(found["sent"])
    try:
        return [str(ip_network(group, strict=False))]
    except ValueError:
        problems.append(f"{field}: {group} is neither {ANY}, nor an address, nor a group's path")
        return []


def group_addresses(group: dict[str, Any]) -> list[str]:
    """Return the networks of a group's address expressions."""
    return [
        str(ip_network(address, strict=False))
        for expression in group.get("expression") or []
        if expression.get("resource_type") == "IPAddressExpression"
        for address in expression.get("ip_addresses", [])
    ]


REVISE_OPERATIONS = ("insert_top", "insert_bottom", "insert_after", "insert_before")
_STEP = 10


def revise_rule(call: Call, place: RulePlace, body: RuleBody, operation: str, anchor_path: str) -> FirewallRule:
    """Move a rule within its policy and change what its body names; raises 400/255, 404/202 and 412.

    The rules of the policy are numbered anew in tens; how a manager numbers them is not published. [D nsx-vsphere 2.1]
    """
    rule = require_rule(call, place)
    if operation not in REVISE_OPERATIONS:
        raise invalid([f"operation: must be one of {', '.join(REVISE_OPERATIONS)}"])
    check_revision(call.world, place.path, rule.body.get("_meta", {}).get("revision", 0), body.revision)
    rest = [each for each in rules_of(call, place.policy_id) if each.rule_id not in (place.rule_id, DEFAULT_RULE)]
    at = {"insert_top": 0, "insert_bottom": len(rest)}.get(operation)
    if at is None:
        names = [RulePlace(place.domain, place.policy_id, each.rule_id).path for each in rest]
        if anchor_path not in names:
            raise invalid([f"anchor_path: there is no rule {anchor_path} in the policy"])
        at = names.index(anchor_path) + (operation == "insert_after")
    for number, each in enumerate([*rest[:at], rule, *rest[at:]], 1):
        change = body if each is rule else RuleBody()
        numbered = change.model_copy(update={"sequence_number": number * _STEP})
        numbered.model_fields_set.add("sequence_number")
        write_rule(call, RulePlace(place.domain, place.policy_id, each.rule_id), numbered, replace=False)
    return require_rule(call, place)


def delete_rule(call: Call, place: RulePlace) -> None:
    """Delete a rule; the default one cannot be deleted (400)."""
    rule = require_rule(call, place)
    if (rule.policy_id, rule.rule_id) == (DEFAULT_POLICY, DEFAULT_RULE):
        raise NsxError(400, 500000, "The default rule cannot be deleted.")
    call.world.remove(rule)


def refresh_group_members(call: Call, group_path: str) -> None:
    """Bring the rules that name a group in line with its addresses."""
    for rule in list(call.world.firewall_rules.values()):
        named = [*rule.body.get("source_groups", []), *rule.body.get("destination_groups", [])]
        if rule.site is call.here and group_path in named:
            call.world.update(rule, cidrs=_cidrs(call, rule.body))
