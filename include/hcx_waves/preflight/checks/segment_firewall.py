"""The gateway firewall at the destination lets a segment's subnet out once it is routed there.

Rules are read in order; groups that are named by path are not resolved, so a rule with one is "perhaps".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from hcx_waves.clients.errors import NotFound
from hcx_waves.model.findings import Finding
from hcx_waves.model.plan import PlannedSegment
from hcx_waves.model.subnets import Subnet, subnets_of
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext

_ANY = "ANY"


def _run(context: PreflightContext) -> Iterator[Finding]:
    rules: dict[str, list[Mapping[str, Any]]] = {}
    for segment in context.segments_to_cut:
        domain = domain_of(segment)
        if domain not in rules:
            rules[domain] = _rules(context, domain)
        for subnet in subnets_of(segment.gateway_addresses):
            yield from _judge(segment, subnet, rules[domain])


def domain_of(segment: PlannedSegment) -> str:
    """The domain of a segment's gateway policies: ``cgw`` on VMware Cloud, else ``default``. [D nsx-vsphere 2.1]"""
    return "cgw" if segment.destination_segment_path.startswith("/infra/tier-1s/cgw/") else "default"


def _rules(context: PreflightContext, domain: str) -> list[Mapping[str, Any]]:
    nsx = context.clients.destination_nsx
    try:
        policies = sorted(nsx.gateway_policies(domain), key=_order)
    except NotFound:
        return []
    found: list[Mapping[str, Any]] = []
    for policy in policies:
        body = nsx.gateway_policy(str(policy["id"]), domain)
        rules = [rule for rule in body.get("rules") or [] if not rule.get("disabled")]
        found += sorted(rules, key=_order)
    # The default rule comes last whatever policy it is in.
    return sorted(found, key=lambda rule: bool(rule.get("is_default")))


def _order(item: Mapping[str, Any]) -> int:
    return int(item.get("sequence_number") or 0)


def _judge(segment: PlannedSegment, subnet: Subnet, rules: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    perhaps = []
    for rule in rules:
        verdict = _matches(rule, subnet)
        name = str(rule.get("display_name") or rule.get("id"))
        if verdict is None and rule.get("action") == "ALLOW":
            perhaps.append(name)
        if not verdict:
            continue
        if rule.get("action") == "ALLOW":
            return
        if _is_general(rule):
            yield _closed(segment, subnet, name, str(rule.get("action")), perhaps)
            return


def _closed(segment: PlannedSegment, subnet: Subnet, name: str, action: str, perhaps: list[str]) -> Finding:
    message = f'rule "{name}" of the destination\'s gateway firewall ({action}) matches {subnet} first'
    if perhaps:
        return warning(
            "segment-firewall-unclear",
            segment.name,
            f"{message}, unless it is matched first by {', '.join(perhaps)}, which depends on groups",
            "Look at these rules in NSX.",
        )
    return blocking(
        "segment-firewall-closed",
        segment.name,
        message,
        "Add rules that allow what the VMs need before their gateway moves.",
        subnet=str(subnet),
    )


def _matches(rule: Mapping[str, Any], subnet: Subnet) -> bool | None:
    """Whether a rule is about traffic from a subnet; None if only a group can tell."""
    groups = [str(one) for one in rule.get("source_groups") or [_ANY]]
    if any(one == _ANY or _covers(one, subnet) for one in groups):
        return True
    return None if any(one.startswith("/") for one in groups) else False


def _covers(text: str, subnet: Subnet) -> bool:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return False
    return network.version == subnet.version and subnet.subnet_of(network)  # type: ignore[arg-type]


def _is_general(rule: Mapping[str, Any]) -> bool:
    """Whether a rule leaves nothing through: any destination, any service."""
    return all(_ANY in (rule.get(name) or [_ANY]) for name in ("destination_groups", "services"))


CHECK = Check("segment-firewall", "The destination's firewall lets the subnets out", (Product.DESTINATION_NSX,), _run)
