"""The way back as gates show it: which VMs have one, what it costs, and until when it can be decided."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from hcx_waves.model.formatting import counted, instant, listed, rough_duration, size
from hcx_waves.model.plan import WavePlan
from hcx_waves.model.price import WayBackPrice
from hcx_waves.model.schedule import WaveClock
from hcx_waves.report.markup import Markdown, bold, bullets, escape

if TYPE_CHECKING:
    from hcx_waves.model.findings import Assessments

_MARK = "way-back"
_MOST_VMS = 20


def way_back_part(
    plan: WavePlan, names: Collection[str], assessments: Assessments | None, price: WayBackPrice | None
) -> Markdown:
    """Return whether a run can go back, what that costs and until when it can be decided.

    :param names: the VMs that the gate is about.
    :param assessments: of the preflight; None if they cannot be read.
    :param price: None if it could not be computed.
    """
    lines: list[str] = [reversible_text(plan, names, assessments)]
    if price is not None:
        lines += [price_text(price), deadline_text(price, plan.clock)]
    return bullets(lines)


def reversible_text(plan: WavePlan, names: Collection[str], assessments: Assessments | None) -> Markdown:
    """Return how many VMs could come back as they are, and which not and why: ``28 of 30; not: db-3 (newer CPU)``."""
    asked = [vm.name for vm in plan.vms if vm.name in names]
    if assessments is None:
        return Markdown("Reversible: unknown, as no result of run_preflight can be read")
    why: dict[str, list[str]] = {}
    for item in assessments.items:
        finding = item.finding
        if _MARK in finding.finding_id:
            why.setdefault(finding.subject, []).append(str(finding.evidence.get("reason", finding.message)))
    none = [f"{name} ({', '.join(why[name])})" for name in asked if name in why]
    blocked = [f"segment {one.name} ({', '.join(why[one.name])})" for one in plan.segments if one.name in why]
    count = f"{len(asked) - len(none)} of {counted(len(asked), 'VM')}"
    said = f"Reversible: {bold(count)}"
    left_out = listed([*blocked, *none], _MOST_VMS)
    return Markdown(f"{said}; not: {escape(left_out)}" if left_out else said)


def price_text(price: WayBackPrice) -> str:
    """Return what going back costs."""
    parts = [f"{counted(price.vms, 'VM')} migrated back, one at a time ({size(price.bytes_back)})"]
    if price.segments:
        parts.append(f"{counted(price.segments, 'segment')} extended again")
    length = f"{_length(price.length.p50_seconds)} (P50), {_length(price.length.p90_seconds)} (P90)"
    outage = "" if price.outage is None else f"; each segment without a gateway for {_length(price.outage.p90_seconds)}"
    return f"Price: {', '.join(parts)}; in all {length}{outage}"


def deadline_text(price: WayBackPrice, clock: WaveClock) -> Markdown:
    """Return until when going back can be decided."""
    if price.deadline is None:
        return Markdown("Deadline: none, as the wave has no windows")
    until = instant(price.deadline, clock.time_zone, weekday=True)
    return Markdown(f"Deadline: back until {bold(until)}, or it no longer fits the window")


def _length(seconds: float) -> str:
    return rough_duration(max(seconds, 1), step_seconds=10)
