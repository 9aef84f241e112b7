"""The gateway firewall at the destination lets a segment's subnet out once it is routed there.

Rules are read in order, at each gateway on the way out: those that are in force there, by their scope. Groups that are
named by path are not resolved, nor are scopes that are no gateway, so a rule with one is "perhaps".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from hcx_waves.clients.errors import NotFound, PermissionDenied
from hcx_waves.model.findings import Finding
from hcx_waves.model.plan import PlannedSegment
from hcx_waves.model.subnets import Subnet, subnets_of
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep

_ANY = "ANY"
_GATEWAYS = ("/infra/tier-0s/", "/infra/tier-1s/")


def _run(context: PreflightContext) -> Iterator[Finding]:
    rules: dict[str, list[Mapping[str, Any]]] = {}
    above: dict[str, str | None] = {}
    for segment in context.segments_to_cut:
        domain = domain_of(segment)
        if domain not in rules:
            rules[domain] = _rules(context, domain)
        tier1 = _gateway_of(context, segment)
        if tier1 and tier1 not in above:
            above[tier1] = _tier0_of(context, tier1)
        way = Way(tier1, above.get(tier1 or ""))
        for subnet in subnets_of(segment.gateway_addresses):
            yield from _judge(segment, subnet, rules[domain], way)


@dataclass(frozen=True)
class Way:
    """The gateways that a segment's traffic passes on its way out; None where it is not known which.

    :param tier1: the path of the segment's own gateway, which may be a tier-0.
    :param tier0: the path of the tier-0 above it.
    """

    tier1: str | None
    tier0: str | None

    @property
    def gateways(self) -> tuple[str | None, ...]:
        """Their paths, the segment's own first; rules are matched at each of them anew."""
        return (self.tier1, self.tier0) if self.tier0 and self.tier0 != self.tier1 else (self.tier1,)

    def holds(self, rule: Mapping[str, Any], gateway: str | None) -> bool | None:
        """Whether a rule is in force at a gateway of the way; None if its scope cannot be resolved.

        An empty scope is every gateway; of a default rule, the segment's own one, as each gateway has its own default
        rule. A scope below a gateway is an interface of it, which the traffic may pass or
        not; anything but a tier-0 or tier-1, such as a label, cannot be resolved.
        """
        scope = [str(one) for one in rule.get("scope") or []]
        if not scope or _ANY in scope:
            return gateway == self.tier1 or not rule.get("is_default")
        found = {_in_force(one, gateway) for one in scope}
        return True if True in found else None if None in found else False


def _in_force(scope: str, gateway: str | None) -> bool | None:
    if not scope.startswith(_GATEWAYS):
        return None
    owner = "/".join(scope.split("/")[:4])
    if gateway is None:
        return None
    if owner != gateway:
        return False
    return True if scope == owner else None


def _gateway_of(context: PreflightContext, segment: PlannedSegment) -> str | None:
    """Return the path of the gateway that the destination segment will be connected to."""
    path = segment.destination_segment_path
    if path.startswith("/infra/tier-1s/"):
        return path.partition("/segments/")[0]
    found = context.destination_segments.get(path)
    return None if found is None else found.connectivity_path


def _tier0_of(context: PreflightContext, tier1: str) -> str | None:
    try:
        return context.clients.destination_nsx.tier0_of(tier1)
    except (NotFound, PermissionDenied):
        return None


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


def _judge(segment: PlannedSegment, subnet: Subnet, rules: Sequence[Mapping[str, Any]], way: Way) -> Iterator[Finding]:
    """Yield the gravest of what the gateways on the way do to a subnet."""
    found = [_at(segment, subnet, rules, way, gateway) for gateway in way.gateways]
    if way.tier0 is None and any(_is_about_tier0(rule) for rule in rules):
        found.append(_unclear(segment, "rules are in force at a tier-0 that may be above it or not", []))
    yield from sorted((one for one in found if one is not None), key=lambda one: one.severity.rank)[:1]


def _at(
    segment: PlannedSegment, subnet: Subnet, rules: Sequence[Mapping[str, Any]], way: Way, gateway: str | None
) -> Finding | None:
    """Match a subnet against the rules of one gateway: the first that certainly matches decides."""
    perhaps: dict[str, list[str]] = {"ALLOW": [], "stop": []}
    for rule in rules:
        verdict = _both(way.holds(rule, gateway), _matches(rule, subnet))
        action, name = str(rule.get("action")), str(rule.get("display_name") or rule.get("id"))
        stops = action != "ALLOW"
        if verdict is False or (stops and not _is_general(rule)):
            continue
        if verdict is None:
            perhaps["stop" if stops else "ALLOW"].append(name)
        elif stops:
            return _closed(segment, subnet, name, action, perhaps["ALLOW"])
        elif perhaps["stop"]:
            return _unclear(segment, f'rule "{name}" lets {subnet} out', perhaps["stop"])
        else:
            return None
    if perhaps["stop"]:
        return _unclear(segment, f"no rule certainly lets {subnet} out", perhaps["stop"])
    return None


def _both(one: bool | None, other: bool | None) -> bool | None:
    if one is False or other is False:
        return False
    return True if one and other else None


def _is_about_tier0(rule: Mapping[str, Any]) -> bool:
    return any(str(one).startswith("/infra/tier-0s/") for one in rule.get("scope") or [])


def _unclear(segment: PlannedSegment, message: str, names: list[str]) -> Finding:
    first = f", unless it is matched first by {', '.join(names)}, which depends on groups or scopes" if names else ""
    return warning("segment-firewall-unclear", segment.name, f"{message}{first}", "Look at these rules in NSX.")


def _closed(segment: PlannedSegment, subnet: Subnet, name: str, action: str, perhaps: list[str]) -> Finding:
    message = f'rule "{name}" of the destination\'s gateway firewall ({action}) matches {subnet} first'
    if perhaps:
        return _unclear(segment, message, perhaps)
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


CHECK = Check(
    "segment-firewall",
    "The destination's firewall lets the subnets out",
    (Product.DESTINATION_NSX,),
    _run,
    WaveStep.CUTOVER,
)
