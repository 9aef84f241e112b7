"""Read what a twin knows of a rehearsed night from the answers of its control interface. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, Field

from hcx_waves.model.base import DomainModel
from hcx_waves.model.bounded_json import read_json
from hcx_waves.rehearsals.model import TimelineEvent

_BASE_SYNC = "base_sync"
_TURN = "switchover_turn"
_SWITCHING = frozenset({"shutdown", "final_sync", "relocation", "switchover", "cleanup"})
_ENDED = frozenset({"complete", "failed", "transfer_failed", "cancelled"})
_MIGRATION = "migration:"
_SUBJECTS = ("vm", "segment", "network", "name", "fault", "rule", "job")
"""The members of a twin's line that say what it is about, the first that is there."""


class VmTruth(DomainModel):
    """What happened to one VM, to the instant."""

    transfer_ended_at: AwareDatetime | None = None
    switchover_began_at: AwareDatetime | None = None
    switchover_ended_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    stun_seconds: float | None = None
    service_mesh_id: str | None = None
    phases: tuple[tuple[AwareDatetime, str], ...] = ()
    """Every phase that it entered, and when."""


class TwinTruth(DomainModel):
    """What happened on a twin."""

    now: AwareDatetime | None = None
    vms: dict[str, VmTruth] = Field(default_factory=dict)
    outages: dict[str, float] = Field(default_factory=dict)
    """By the source network's name: the longest time that a running VM of it reached nothing, in seconds."""


def truth_of(oracle: Mapping[str, Any] | None, audit: Iterable[Mapping[str, Any]] = ()) -> TwinTruth:
    """Return what is known of a night.

    :param oracle: the answer of ``GET /worlds/{id}/oracle``.
    :param audit: the entries of ``GET /worlds/{id}/audit?kind=note``, in order; others are passed over.
    """
    known = oracle or {}
    phases = _phases(audit)
    vms = {name: _with_phases(phases.get(name, [])) for name in phases}
    for name, told in _mapping(known.get("vms")).items():
        stuns = [float(one["seconds"]) for one in told.get("stuns") or ()]
        if stuns:
            vms[name] = vms.get(name, VmTruth()).model_copy(update={"stun_seconds": max(stuns)})
    outages = {
        name: round(max((float(span["seconds"]) for span in told.get("outage") or ()), default=0.0), 6)
        for name, told in _mapping(known.get("segments")).items()
    }
    now = known.get("now")
    return TwinTruth(now=None if now is None else datetime.fromisoformat(now), vms=vms, outages=outages)


def twin_events(lines: str) -> tuple[TimelineEvent, ...]:
    """Return what a twin tells of its own history.

    :param lines: the answer of ``GET /worlds/{id}/timeline``: JSON lines, the first of which is about the world.
    """
    return tuple(_event(told) for told in map(read_json, lines.splitlines()) if "at" in told)


def _event(told: dict[str, Any]) -> TimelineEvent:
    what = str(told.get("what", ""))
    subject = next((str(told[name]) for name in _SUBJECTS if told.get(name)), "")
    detail = {name: value for name, value in told.items() if name not in ("at", "what")}
    return TimelineEvent(at=told["at"], what=f"twin: {what}", subject=subject, detail=detail)


def _phases(audit: Iterable[Mapping[str, Any]]) -> dict[str, list[tuple[datetime, str, str, str]]]:
    """Return by VM: instant, phase before, phase, mesh."""
    found: dict[str, list[tuple[datetime, str, str, str]]] = {}
    for entry in audit:
        data = _mapping(entry.get("data"))
        if not str(entry.get("subject", "")).startswith(_MIGRATION) or "phase" not in data:
            continue
        at = datetime.fromisoformat(str(entry["virtual_time"]))
        step = (at, str(data.get("before", "")), str(data["phase"]), str(data.get("mesh", "")))
        found.setdefault(str(data.get("vm", "")), []).append(step)
    return found


def _with_phases(steps: list[tuple[datetime, str, str, str]]) -> VmTruth:
    """Return the last attempt's instants: a VM that was tried again counts with the try that got furthest."""
    fields: dict[str, Any] = {"phases": tuple((at, phase) for at, _, phase, _ in steps)}
    for at, before, phase, mesh in steps:
        if before == _BASE_SYNC and phase not in _ENDED:
            fields["transfer_ended_at"] = at
        if phase in _SWITCHING and before not in _SWITCHING:
            fields["switchover_began_at"] = at
            fields.pop("switchover_ended_at", None)
        if before in _SWITCHING and phase not in _SWITCHING:
            fields["switchover_ended_at"] = at
        if phase in _ENDED:
            fields["ended_at"] = at
        if mesh:
            fields["service_mesh_id"] = mesh
    return VmTruth(**fields)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
