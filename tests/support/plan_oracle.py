"""What a plan must be, counted anew from inventory, rules and the plan document; shares nothing with the planner."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from hcx_waves.inventory.model import EstateDisk, EstateFlow, EstateNic, EstateVm, InventoryDocument
from hcx_waves.planner import PlanDocument, PlanRules

RULES: dict[str, Any] = {
    "name": "estate",
    "time_zone": "Europe/Berlin",
    "connections": {
        "source": {"hcx": "hcx_old", "nsx": "nsx_old", "vcenter": "vcenter_old"},
        "destination": {"hcx": "hcx_new", "nsx": "nsx_new", "vcenter": "vcenter_new"},
    },
    "defaults": {"resource_pool": "Pool", "datastore": "Store"},
    "nights": {"first": "2027-01-09", "every": "7d", "lasts": "8h"},
}


def rules(**changes: Any) -> PlanRules:
    """Return rules; ``nights`` and ``limits`` are changed member by member."""
    nights = {**RULES["nights"], **changes.pop("nights", {})}
    return PlanRules.model_validate({**RULES, "nights": nights, **changes})


def vm(
    name: str, *networks: str, gib: int = 10, disk: str = "", apart: tuple[str, ...] = (), **fields: Any
) -> EstateVm:
    """Return a VM whose key is its name."""
    return EstateVm(
        key=name,
        name=name,
        nics=tuple(EstateNic(network=one) for one in networks),
        disks=(EstateDisk(path=disk),) if disk else (),
        used_bytes=gib * 1024**3,
        apart_from=apart,
        **fields,
    )


def inventory(*vms: EstateVm, flows: tuple[tuple[str, str], ...] = ()) -> InventoryDocument:
    """Return an inventory."""
    return InventoryDocument(
        vms=tuple(sorted(vms, key=lambda one: one.key)),
        flows=tuple(EstateFlow(source=one, destination=other, port=443) for one, other in flows),
    )


def broken_rules(plan: PlanDocument, known: InventoryDocument) -> list[str]:
    """Return every hard rule that a plan breaks."""
    return [*_everybody(plan, known), *_sizes(plan, known), *_slots(plan, known), *_wishes(plan, known)]


def _everybody(plan: PlanDocument, known: InventoryDocument) -> Iterator[str]:
    places = Counter(one.key for wave in plan.waves for one in wave.members)
    places.update(one.key for one in plan.not_planned)
    for one in known.vms:
        if places[one.key] != 1:
            yield f"{one.key} is in {places[one.key]} places"
    if any(not one.reason for one in plan.not_planned):
        yield "a VM is left out without a reason"


def _sizes(plan: PlanDocument, known: InventoryDocument) -> Iterator[str]:
    by_key, limits = {one.key: one for one in known.vms}, plan.rules.limits
    for number, wave in enumerate(plan.waves):
        most = min(limits.vms, limits.concurrent)
        night = date.fromisoformat(wave.night)
        if (
            night < plan.rules.nights.first + plan.rules.pilots.waves * plan.rules.nights.every
            and not plan.rules.freezes
        ):
            most = min(most, plan.rules.pilots.vms)
        if len(wave.members) > most:
            yield f"{wave.name} has {len(wave.members)} VMs"
        if sum(-(-(by_key[one.key].used_bytes or 0) // 1024**3) for one in wave.members) > limits.gib:
            yield f"{wave.name} has too many GiB"
        # The default turn of a VM is 145 seconds in the mean: a longer queue cannot be within its 95th percentile.
        if 145 * len(wave.members) > plan.rules.nights.lasts.total_seconds() * limits.meshes:
            yield f"{wave.name} does not fit into its window"
        for freeze in plan.rules.freezes:
            if freeze.first <= night + timedelta(days=1) and night <= freeze.last:
                yield f"{wave.name} is in a freeze"
        if plan.rules.nights.until is not None and night > plan.rules.nights.until:
            yield f"{wave.name} is too late"
        if number and plan.waves[number - 1].night >= wave.night:
            yield f"{wave.name} is not after the wave before"


def _slots(plan: PlanDocument, known: InventoryDocument) -> Iterator[str]:
    by_key = {one.key: one for one in known.vms}
    used: dict[str, list[str]] = defaultdict(list)
    for wave in plan.waves:
        for one in wave.members:
            for name in set(by_key[one.key].networks):
                used[name].append(wave.night)
    for wave in plan.waves:
        opened = [name for name, nights in used.items() if min(nights) <= wave.night <= max(nights)]
        if len(opened) > plan.rules.limits.slots:
            yield f"{len(opened)} networks are extended in {wave.name}"
        for name in wave.cuts:
            if max(used[name]) != wave.night:
                yield f"{wave.name} cuts {name}, which a later wave needs"
    days = {
        name: (date.fromisoformat(max(nights)) - date.fromisoformat(min(nights))).days + 1
        for name, nights in used.items()
    }
    most = plan.rules.limits.days_stretched
    if most is not None and max(days.values(), default=0) > most:
        yield "a network is extended for too long"
    held = any(network.held_by or not network.first_wave for network in plan.networks)
    if not held and plan.figures.plain_days != sum(days.values()):
        yield f"{plan.figures.plain_days} days are said, {sum(days.values())} counted"


def _wishes(plan: PlanDocument, known: InventoryDocument) -> Iterator[str]:  # noqa: C901 - one rule after the other
    wave_of = {one.key: wave.night for wave in plan.waves for one in wave.members}
    by_key = {one.key: one for one in known.vms}
    for group in plan.rules.together:
        if len({wave_of[key] for key in group if key in wave_of}) > 1:
            yield f"{group} are not together"
    disks = defaultdict(set)
    for one in known.vms:
        for disk in one.disks:
            if disk.path and one.key in wave_of:
                disks[disk.path].add(wave_of[one.key])
    if any(len(nights) > 1 for nights in disks.values()):
        yield "a shared disk is in two waves"
    pairs = [(a, b) for group in plan.rules.apart for a in group for b in group if a < b]
    pairs += [(key, other) for key, one in by_key.items() for other in one.apart_from]
    for a, b in pairs:
        if a in wave_of and wave_of.get(a) == wave_of.get(b):
            yield f"{a} and {b} are not apart"
    for order in plan.rules.after:
        for a in order.first:
            for b in order.then:
                if a in wave_of and b in wave_of and wave_of[a] >= wave_of[b]:
                    yield f"{a} is not before {b}"
    for pin in plan.rules.pins:
        for key in pin.members:
            night = date.fromisoformat(wave_of[key]) if key in wave_of else None
            if night is not None and (
                (pin.not_before and night < pin.not_before) or (pin.not_after and night > pin.not_after)
            ):
                yield f"{key} is not where it is pinned"
