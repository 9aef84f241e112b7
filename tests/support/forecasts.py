"""Small waves for forecasts, whose nights can be worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hcx_waves.forecast import ForecastInput, ForecastMesh, ForecastSegment, ForecastVm, ModelParameters
from hcx_waves.model.schedule import TimeWindow

START = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
GB = 1e9
_SILENT = {
    "step_seconds": 0, "step_in_outage_seconds": 0, "before_gate_seconds": 0, "verify_seconds": 0, "poll_seconds": 0,
    "outage_poll_seconds": 0,
}  # fmt: skip
_GATES = ("approve_wave", "approve_switchover", "approve_cutover", "confirm_disconnected")


def fixed(seconds: float) -> dict[str, Any]:
    """Return a duration that never varies."""
    return {"kind": "fixed", "seconds": seconds}


def parameters(**parts: dict[str, Any]) -> ModelParameters:
    """Return parameters of a world in which nothing varies and nobody hesitates, with parts of them changed.

    One mesh of 1 Gbit/s moves 125 MB a second; preparing takes 10 s, a switchover 100 s, an unextend 200 s.
    """
    document: dict[str, Any] = {
        "migration": {
            "queue": fixed(10),
            "rav_switchover": fixed(100),
            "vmotion_overhead": fixed(60),
            "bulk_switchover": fixed(300),
            "stun": fixed(0.5),
        },
        "network": {"unextend": fixed(200), "realisation_seconds": 0, "hook": fixed(7)},
        "gates": {gate: fixed(0) for gate in _GATES},
        "orchestrator": _SILENT,
    }
    for name, part in parts.items():
        document[name] = {**document.get(name, {}), **part}
    return ModelParameters.model_validate(document)


def vm(name: str, gigabytes: float = 12.5, **changes: Any) -> ForecastVm:
    """Return a VM that changes nothing; 12.5 GB take 100 s on a line of its own."""
    usual = {"change_bytes_per_second": 0, "memory_bytes": 0, "segments": ("app",)}
    return ForecastVm(**{"name": name, "disk_bytes": gigabytes * GB, **usual, **changes})


def window(opens: float, closes: float) -> TimeWindow:
    """Return a window by seconds after the start."""
    return TimeWindow(opens=START + timedelta(seconds=opens), closes=START + timedelta(seconds=closes))


def wave(*vms: ForecastVm, **changes: Any) -> ForecastInput:
    """Return a wave of these VMs that cuts nothing over, on a line of 1 Gbit/s unless told otherwise."""
    meshes = tuple(ForecastMesh(name=name, link_bits_per_second=1e9) for name in sorted({one.mesh for one in vms}))
    return ForecastInput(**{"wave": "small", "starts_at": START, "vms": vms, "meshes": meshes, **changes})


def segment(name: str = "app", **changes: Any) -> ForecastSegment:
    """Return a segment without a window."""
    return ForecastSegment(name=name, **changes)
