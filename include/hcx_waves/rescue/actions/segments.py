"""What the actions about gateways share."""

from __future__ import annotations

from collections.abc import Sequence

from hcx_waves.model.formatting import duration
from hcx_waves.rescue.base import Intent, Look
from hcx_waves.rescue.segments import FINE, SegmentFinding

NOT_CUT = "this wave does not cut it over, so it does not switch its gateways"
NO_RECORD = "no record on this machine says whether HCX was asked to unextend"


def not_fine(look: Look) -> Sequence[str]:
    """Return the segments of the wave's own cutovers that have no gateway, or of which nobody knows."""
    return [one.name for one in look.segments if one.state not in FINE and one.is_cut]


def all_fine(look: Look, _names: Sequence[str]) -> bool:
    """Whether each network has exactly one gateway."""
    return look.is_fine


def basis_of(found: SegmentFinding) -> str:
    """Return what of a segment an agreement holds for: how it stands and its unextend, not when it was read."""
    return f"{found.state.value}|{found.may_decide}"


def refused(found: SegmentFinding, reason: str) -> Intent:
    """Return that an action must not be done, and what to press."""
    return Intent(subject=found.name, refused=f"{reason}. Press: {found.press}", basis=basis_of(found))


def outage_of(look: Look, found: SegmentFinding) -> str:
    """Return what ending it means for a network that is off."""
    if found.off_since is None:
        return "ends the outage"
    # A product's clock may be ahead of this machine's.
    length = max(0.0, (look.at - found.off_since).total_seconds())
    return f"ends the outage, which has lasted {duration(length)}"
