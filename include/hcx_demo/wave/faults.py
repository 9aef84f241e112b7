"""Faults that can be put in force in a demo, by name: what the simulator calls them, and where and when they strike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from hcx_demo.errors import DemoError
from hcx_waves.wavefile.wave import Wave

FAULTS = {
    "failing-switchover": "a VM's switchover fails and the VM stays at the source",
    "stuck-switchover": "HCX loses a scheduled switchover: the VM waits until it is scheduled again",
    "unextend-fails": "the unextend of a segment fails after a while",
    "tunnel-down": "the tunnel between the sites is down for some minutes",
    "destination-full": "a datastore of the destination is full",
    "slow-link": "the link between the sites is slow",
    "vcenter-flaps": "a vCenter resets all connections several times",
}
"""By name: what happens."""
# After the wave has been approved, by the sites' clock.
_EARLIEST, _LATEST = timedelta(minutes=5), timedelta(minutes=20)


def named_faults(text: str) -> tuple[str, ...]:
    """Return the names in a text with commas.

    :raises DemoError: if there is no fault of that name; with all names.
    """
    names = tuple(filter(None, (one.strip() for one in text.split(","))))
    for name in names:
        if name not in FAULTS:
            known = "".join(f"\n  {one:<20} {what}" for one, what in FAULTS.items())
            raise DemoError(f'there is no fault "{name}"; the faults of the demo are:{known}')
    return names


def fault_documents(names: Sequence[str], wave: Wave, now: datetime) -> list[Mapping[str, Any]]:
    """Return what the simulator's control API takes; the faults strike what the wave moves, while it moves.

    :param now: the present instant by the sites' clock.
    """
    vms, segments = [vm.name for vm in wave.vms], [segment.name for segment in wave.segments_to_cut]
    soon = [(now + _EARLIEST).isoformat(), (now + _LATEST).isoformat()]
    choices: dict[str, Mapping[str, Any]] = {
        "failing-switchover": {"objects": vms},
        "stuck-switchover": {"objects": vms},
        "unextend-fails": {"objects": segments},
        "tunnel-down": {"at": soon},
        "vcenter-flaps": {"at": soon},
    }
    return [{"scenario": name, **choices.get(name, {})} for name in names]
