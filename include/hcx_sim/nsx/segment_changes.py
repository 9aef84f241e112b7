"""What PATCH and PUT do to a segment: checks first, then one change of the world.

The order of the checks is that of the product: object, body, revision, state. nsx-vsphere 2.1 to 2.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hcx_sim.nsx.errors import IN_USE, OVERLAP, NsxError, invalid, marked_for_delete, stale
from hcx_sim.nsx.ports import ports_on
from hcx_sim.nsx.records import records_of
from hcx_sim.nsx.segment_body import CREATE_USER, MODIFIED_USER, effective_gateway
from hcx_sim.nsx.segment_intent import Intent, Place, Request, check_protection, find_segment, intent_of
from hcx_sim.nsx.segment_model import SegmentBody, outside, overlaps
from hcx_sim.world import operations
from hcx_sim.world.model import Segment
from hcx_sim.world.world import World


def write_segment(world: World, place: Place, request: Request) -> Segment:
    """Create or change a segment and return it.

    Raises :class:`NsxError`: 400/255 (fields), 400/500045 (marked for deletion), 400/500105 (overlap), 400 of
    strict mode, 412 (PUT with a stale or missing ``_revision``).
    """
    plan = plan_write(world, place, request)
    return plan.apply()


@dataclass(frozen=True, slots=True)
class WritePlan:
    """A write that passed its checks."""

    world: World
    place: Place
    request: Request
    segment: Segment | None
    intent: Intent

    def apply(self) -> Segment:
        """Make the change."""
        if self.segment is None:
            return _create(self.world, self.place, self.request, self.intent)
        _store(self.world, self.segment, self.request, self.intent)
        return self.segment


def plan_write(world: World, place: Place, request: Request) -> WritePlan:
    """Check a write against the world as it stands; raises like :func:`write_segment`."""
    path = place.path(world)
    if f"{place.site}{path}" in records_of(world).tombstones:
        raise marked_for_delete(path)
    segment = find_segment(world, place)
    if segment is None and place.key in world.segments:
        raise invalid(
            [f"id: {place.segment_id} is in use by {operations.segment_path(world, world.segments[place.key])}"]
        )
    if request.body.id not in (None, place.segment_id):
        raise invalid([f"id: {request.body.id} is not the id in the path, {place.segment_id}"])
    if segment is not None:
        check_protection(world, segment, overwrite=request.overwrite)
        _check_revision(world, path, segment, request)
    intent = intent_of(world, place, segment, request)
    _check_fields(world, place, request, intent)
    if segment is not None:
        _check_change(world, segment, request, intent)
    if segment is None or segment.gateway_cidr != intent.gateway_cidr:
        _check_overlap(world, place, intent)
    return WritePlan(world, place, request, segment, intent)


def _check_revision(world: World, path: str, segment: Segment, request: Request) -> None:
    revision = request.body.revision
    if request.replace or request.check_revision:
        if revision != segment.revision:
            raise stale(path, world.settings.nsx.stale_status)
    elif world.settings.nsx.patch_checks_revision and revision not in (None, segment.revision):
        raise stale(path, world.settings.nsx.stale_status)


def _check_fields(world: World, place: Place, request: Request, intent: Intent) -> None:
    gateway = intent.gateway_cidr
    problems = []
    if gateway is None and intent.dhcp_ranges:
        problems.append("subnets[0].gateway_address: DHCP ranges need a gateway address")
    if gateway is not None:
        problems += [
            f"subnets[0].dhcp_ranges: {each} is outside of the subnet of {gateway}"
            for each in intent.dhcp_ranges
            if outside(each, gateway)
        ]
    segment = find_segment(world, place)
    connects = segment is not None and segment.connectivity == "OFF" and intent.connectivity != "OFF"
    if connects and _gateway_missing(world, place, request, intent):
        problems.append("advanced_config.connectivity: ON needs subnets with a gateway_address")
    if problems:
        raise invalid(problems)


def _gateway_missing(world: World, place: Place, request: Request, intent: Intent) -> bool:
    if "subnets" in request.body.model_fields_set:
        return intent.gateway_cidr is None
    segment = find_segment(world, place)
    return intent.gateway_cidr is None or (segment is not None and effective_gateway(world, segment) is None)


def _check_change(world: World, segment: Segment, request: Request, intent: Intent) -> None:
    asked_on = intent.connectivity != "OFF"
    changes = asked_on != (segment.connectivity != "OFF")
    if not changes:
        return
    settings = world.settings.nsx
    if segment.fixed and settings.strict_patch and not request.replace:
        _check_strict(request.body, asked_on)
    occupied = any(port.port_class == "vm" for port in ports_on(world, records_of(world).ports, segment))
    indirect = not segment.fixed and not asked_on and settings.flexible_off_needs_force
    if indirect and occupied and not request.force:
        raise NsxError(
            400, IN_USE, f"Workloads of {operations.segment_path(world, segment)} would lose their gateway; use force."
        )


def _check_strict(body: SegmentBody, asked_on: bool) -> None:
    """Refuse what an SDDC of version M22 refused. [C nsx-vsphere 0.1]; which of the two it was is unknown."""
    if not body.subnets:
        raise invalid(["subnets: a change of connectivity needs the subnets"])
    says_disconnected = body.type == "DISCONNECTED"
    if body.type is not None and says_disconnected == asked_on:
        raise invalid([f"type: {body.type} contradicts connectivity {'ON' if asked_on else 'OFF'}"])


def _check_overlap(world: World, place: Place, intent: Intent) -> None:
    if intent.gateway_cidr is None:
        return
    for other in world.segments.values():
        if other.site is not place.site or other.key == place.key or other.gateway_cidr is None:
            continue
        if overlaps(intent.gateway_cidr, other.gateway_cidr):
            other_path = operations.segment_path(world, other)
            raise NsxError(
                400,
                OVERLAP,
                f"The subnet of {intent.gateway_cidr} overlaps with that of another segment.",
                related=[f"{other_path} has {other.gateway_cidr}"],
            )


def _store(world: World, segment: Segment, request: Request, intent: Intent) -> None:
    users = {name: segment.extra[name] for name in (CREATE_USER, MODIFIED_USER) if name in segment.extra}
    changes: dict[str, Any] = {
        "display_name": intent.display_name,
        "gateway_cidr": intent.gateway_cidr,
        "dhcp_ranges": intent.dhcp_ranges,
        "connectivity": intent.connectivity,
        "connectivity_path": intent.connectivity_path,
        "l2_extension": intent.l2_extension,
        "extra": {**intent.extra, **users},
    }
    if all(getattr(segment, name) == value for name, value in changes.items()):
        return
    changes["extra"] = {**changes["extra"], MODIFIED_USER: request.user}
    operations.change_segment(world, segment, **changes)


def _create(world: World, place: Place, request: Request, intent: Intent) -> Segment:
    segment = operations.create_segment(
        world,
        place.site,
        place.segment_id,
        intent.display_name,
        fixed=place.fixed,
        gateway_cidr=intent.gateway_cidr,
        connectivity="OFF",
        dhcp_ranges=intent.dhcp_ranges,
        extra={**intent.extra, CREATE_USER: request.user, MODIFIED_USER: request.user},
    )
    world.update(
        segment,
        connectivity=intent.connectivity,
        connectivity_path=intent.connectivity_path,
        l2_extension=intent.l2_extension,
        realisation="pending",
    )
    delay_seconds = world.settings.nsx.realisation_seconds
    for step, share in (("in_progress", 0.5), ("success", 1.0)):
        payload = {"segment_key": segment.key, "revision": segment.revision, "step": step}
        world.engine.schedule(delay_seconds * share, operations.REALISE, f"{segment.key}/{share}", **payload)
    return segment
