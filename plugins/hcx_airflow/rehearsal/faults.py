"""Where and when the faults of a rehearsal occur: at what the wave moves, while it moves.

Otherwise the twin would draw from its whole inventory and from the first hours, in which a wave may only wait for its
window.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from pydantic import JsonValue

from hcx_airflow.documents import Document
from hcx_airflow.rehearsal.night import Rehearsal
from hcx_waves.wavefile.night import RehearsedWave

_HOUR, _MOMENT = timedelta(hours=1), timedelta(minutes=10)


def faults_of(rehearsal: Rehearsal) -> tuple[Document, ...]:
    """Return the fault scenarios that the twin plays, with what may be drawn; those that cannot strike are left out."""
    chosen = ((name, _CHOICES.get(name, _anything)(rehearsal.wave)) for name in rehearsal.twin_faults)
    return tuple({"scenario": name, **choice} for name, choice in chosen if choice is not None)


def in_force(rehearsal: Rehearsal) -> list[str]:
    """Return the names of the faults that a rehearsal really has."""
    played = {one["scenario"] for one in faults_of(rehearsal)}
    return [name for name in rehearsal.faults if name in played or name not in rehearsal.twin_faults]


def _anything(wave: RehearsedWave) -> Mapping[str, JsonValue]:
    del wave
    return {}


def _its_vms(wave: RehearsedWave) -> Mapping[str, JsonValue]:
    return {"objects": [vm.name for vm in wave.vms]}


def _its_segments(wave: RehearsedWave) -> Mapping[str, JsonValue] | None:
    names: list[JsonValue] = [segment.name for segment in wave.segments_to_cut]
    return {"objects": list(names)} if names else None


def _while_switching_over(wave: RehearsedWave) -> Mapping[str, JsonValue]:
    window = wave.clock().switchover
    return _between(wave.begins_at if window is None else window.opens, _HOUR)


def _while_cutting_over(wave: RehearsedWave) -> Mapping[str, JsonValue]:
    opens = [entry.window.opens for entry in wave.clock().cutovers]
    return _between(min(opens), _MOMENT) if opens else _between(wave.begins_at, _HOUR)


def _between(begins: datetime, length: timedelta) -> Mapping[str, JsonValue]:
    return {"at": [begins.isoformat(), (begins + length).isoformat()]}


_CHOICES: dict[str, Callable[[RehearsedWave], Mapping[str, JsonValue] | None]] = {
    "stuck-switchover": _its_vms,
    "failing-switchover": _its_vms,
    "unextend-fails": _its_segments,
    "tunnel-down": _while_switching_over,
    "vcenter-flaps": _while_cutting_over,
}
