"""Which release a manager is, and what only newer releases offer."""

from __future__ import annotations

import re

from hcx_sim.hcx.wire import HcxError
from hcx_sim.http.context import Call
from hcx_sim.world.world import World


def release(world: World) -> tuple[int, ...]:
    """Return the version's numbers, such as ``(4, 11, 3)``."""
    return tuple(int(number) for number in re.findall(r"\d+", world.settings.hcx.version)) or (0,)


def is_nine(world: World) -> bool:
    """Tell whether the managers are of the 9.x generation."""
    return release(world)[0] >= 9


def require_nine(call: Call) -> None:
    """Answer 404, as for any unknown path, when a 4.x manager is asked for what 9.x brought."""
    if not is_nine(call.world):
        raise HcxError(404, "The requested resource was not found.")
