"""What a write asks for: the writable state of a segment after it, before any check of that state.

A PATCH keeps what it does not name and replaces arrays as a whole; a PUT starts from nothing. [D nsx-vsphere 2.3]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hcx_sim.nsx.errors import invalid, not_found, protected
from hcx_sim.nsx.segment_body import CREATE_USER, MODIFIED_USER, MORE_SUBNETS, advanced_config, effective_gateway
from hcx_sim.nsx.segment_model import SegmentBody
from hcx_sim.world.model import Segment, SiteName
from hcx_sim.world.operations import segment_path
from hcx_sim.world.world import World

_EXTRA_FIELDS = (
    "description", "tags", "dhcp_config_path", "domain_name", "transport_zone_path", "vlan_ids", "overlay_id",
    "replication_mode", "admin_state", "bridge_profiles", "evpn_segment", "evpn_tenant_config_path", "extra_configs",
    "federation_config", "mac_pool_id", "metadata_proxy_paths", "address_bindings",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where a segment is or will be: fixed ones are children of the tier-1."""

    site: SiteName
    segment_id: str
    fixed: bool

    @property
    def key(self) -> str:
        """The key of the segment in the world."""
        return f"{self.site}/{self.segment_id}"

    def path(self, world: World) -> str:
        """Return the policy path."""
        if self.fixed:
            return f"/infra/tier-1s/{world.site(self.site).tier1_id}/segments/{self.segment_id}"
        return f"/infra/segments/{self.segment_id}"


@dataclass(frozen=True, slots=True)
class Request:
    """One change as asked for: by whom, the body, and what query and the header ``X-Allow-Overwrite`` switch."""

    user: str
    body: SegmentBody
    replace: bool = False
    force: bool = False
    check_revision: bool = False
    overwrite: bool = False


def find_segment(world: World, place: Place) -> Segment | None:
    """Return the segment at a place; None when there is none, or one of the other list."""
    segment = world.segments.get(place.key)
    return segment if segment is not None and segment.fixed is place.fixed else None


def require_segment(world: World, place: Place) -> Segment:
    """Return the segment at a place; raises 404/202."""
    segment = find_segment(world, place)
    if segment is None:
        raise not_found(place.path(world))
    return segment


def check_protection(world: World, segment: Segment, *, overwrite: bool) -> None:
    """Raise 403 when a segment that HCX made is protected and the caller does not overwrite."""
    guarded = world.settings.nsx.hcx_segments_protection
    if segment.hcx_created and (guarded == "PROTECTED" or (guarded == "REQUIRE_OVERRIDE" and not overwrite)):
        raise protected(segment_path(world, segment))


@dataclass(frozen=True, slots=True)
class Intent:
    """The writable state of a segment after a change, in the world's terms."""

    display_name: str
    gateway_cidr: str | None
    dhcp_ranges: list[str]
    connectivity: str | None
    connectivity_path: str | None
    l2_extension: dict[str, Any] | None
    extra: dict[str, Any]


def intent_of(world: World, place: Place, segment: Segment | None, request: Request) -> Intent:
    """Return the state asked for: a PATCH keeps what it does not name and replaces arrays as a whole."""
    sent = request.body.model_dump(exclude_unset=True, by_alias=True)
    keep = segment if not request.replace else None
    gateway, ranges, subnet = _subnet(world, keep, segment, sent)
    advanced = _advanced(keep, sent)
    extra = {
        name: value for name, value in (keep.extra if keep else {}).items() if name not in (CREATE_USER, MODIFIED_USER)
    }
    for name in _EXTRA_FIELDS:
        if name in sent:
            extra[name] = sent[name]
    connectivity = advanced.pop("connectivity", None)
    if segment is not None and request.replace and connectivity == _shown_connectivity(world, segment):
        connectivity = segment.connectivity  # a PUT of what was read changes nothing, whatever stands behind it
    more = _main_first(sent["subnets"] or [])[1:] if "subnets" in sent else extra.get(MORE_SUBNETS)
    for name, value in (("advanced_config", advanced), ("subnet", subnet), (MORE_SUBNETS, more)):
        extra.pop(name, None)
        if value:
            extra[name] = value
    return Intent(
        display_name=sent.get("display_name") or (keep.display_name if keep else place.segment_id),
        gateway_cidr=gateway,
        dhcp_ranges=ranges,
        connectivity=connectivity,
        connectivity_path=_path(world, place, keep, sent),
        l2_extension=sent.get("l2_extension", keep.l2_extension if keep else None),
        extra={name: value for name, value in extra.items() if value is not None},
    )


def _shown_connectivity(world: World, segment: Segment) -> Any:
    return (advanced_config(world, segment) or {}).get("connectivity", "ON")


def _subnet(
    world: World, keep: Segment | None, segment: Segment | None, sent: dict[str, Any]
) -> tuple[str | None, list[str], dict[str, Any]]:
    if "subnets" not in sent:
        # A gateway that reads do not show is not taken away by who writes back what was read.
        hidden = segment is not None and segment.gateway_cidr is not None and effective_gateway(world, segment) is None
        keep = segment if keep is None and hidden else keep
        if keep is None:
            return None, [], {}
        return keep.gateway_cidr, list(keep.dhcp_ranges), dict(keep.extra.get("subnet", {}))
    subnets = _main_first(sent["subnets"] or [])
    subnet: dict[str, Any] = dict(subnets[0]) if subnets else {}
    gateway = subnet.pop("gateway_address", None)
    ranges = list(subnet.pop("dhcp_ranges", None) or [])
    keeps_ranges = world.settings.nsx.dropped_dhcp_ranges == "refuse"
    if keeps_ranges and segment is not None and subnets and effective_gateway(world, segment) is not None:
        lost = [each for each in segment.dhcp_ranges if each not in ranges]
        if lost:
            raise invalid(
                [f"subnets[0].dhcp_ranges: existing ranges can neither be removed nor changed: {', '.join(lost)}"]
            )
    return gateway, ranges, subnet


def _main_first(subnets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return subnets with that of IPv4 first, which the world routes; the other is only kept."""
    return sorted(subnets, key=lambda each: ":" in (each.get("gateway_address") or ""))


def _advanced(keep: Segment | None, sent: dict[str, Any]) -> dict[str, Any]:
    """Return the merged advanced configuration, connectivity included."""
    asked = {name: value for name, value in (sent.get("advanced_config") or {}).items() if value is not None}
    if keep is None:
        return {"connectivity": "ON", **asked}
    stored = dict(keep.extra.get("advanced_config", {}))
    return {"connectivity": keep.connectivity, **stored, **asked}


def _path(world: World, place: Place, keep: Segment | None, sent: dict[str, Any]) -> str | None:
    site = world.site(place.site)
    own, others = f"/infra/tier-1s/{site.tier1_id}", [f"/infra/tier-1s/{each}" for each in site.more_tier1_ids]
    if place.fixed:
        if sent.get("connectivity_path") not in (None, "", own):
            raise invalid([f"connectivity_path: a segment below {own} cannot be moved to another gateway"])
        return own
    if "connectivity_path" not in sent:
        return keep.connectivity_path if keep else None
    path: str | None = sent["connectivity_path"] or None
    if path is not None and path not in (own, *others) and not path.startswith("/infra/tier-0s/"):
        raise invalid([f"connectivity_path: {path} is no gateway"])
    return path
