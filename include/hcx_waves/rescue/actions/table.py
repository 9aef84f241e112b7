"""The table of actions, one row each. To add one, write its module, and add it here and to the menu."""

from __future__ import annotations

from collections.abc import Sequence

from hcx_waves.rescue.actions import cancel, connect_destination, reconnect_source, restore_source_segment
from hcx_waves.rescue.actions.definition import WayBack
from hcx_waves.rescue.base import Intent, Look, Wanted
from hcx_waves.rescue.menu import MENU, RescueAction, Subjects
from hcx_waves.rescue.rescuer import Rescuer

ACTIONS: dict[RescueAction, WayBack] = {
    row.item.action: row
    for row in (
        reconnect_source.WAY_BACK,
        connect_destination.WAY_BACK,
        restore_source_segment.WAY_BACK,
        cancel.WAY_BACK,
    )
}


def strangers(wanted: Wanted, look: Look) -> list[str]:
    """Return the named objects that the wave's plan does not have."""
    is_of_vms = wanted.action in MENU and MENU[wanted.action].subjects is Subjects.VMS
    return sorted(set(wanted.names) - {one.name for one in (look.vms if is_of_vms else look.segments)})


def intents(rescuer: Rescuer, look: Look, wanted: Wanted) -> tuple[Intent, ...]:
    """Return what an action comes to for each object: for those that are named, else for those that it is for."""
    row = ACTIONS[wanted.action]
    known = [one.name for one in (look.vms if row.item.subjects is Subjects.VMS else look.segments)]
    names: Sequence[str] = [name for name in known if name in wanted.names] if wanted.names else row.concerns(look)
    return tuple(row.intend(rescuer, look, name, wanted.choices) for name in names)
