"""The wave's windows are still ahead, and the switchover window holds all switchovers one after the other.

One RAV switchover at a time per mesh ([C hcx 4.8]), one vMotion at a time per site pair ([D hcx 4.8]); each takes
minutes to an hour. The durations below are estimates [I hcx 8.3].
"""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.model.choices import MigrationType
from hcx_waves.model.findings import Finding
from hcx_waves.model.formatting import duration
from hcx_waves.model.plan import PlannedVm
from hcx_waves.model.schedule import TimeWindow
from hcx_waves.preflight.base import Check, Product, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.services import meshes_of
from hcx_waves.preflight.steps import WaveStep

LEAST_SWITCHOVER_SECONDS = 60
USUAL_SWITCHOVER_SECONDS = 300
_COPY_BYTES_PER_SECOND = 125_000_000  # 1 Gbit/s per migration [D hcx 8.1]


def _run(context: PreflightContext) -> Iterator[Finding]:
    clock = context.plan.clock
    windows = [] if clock.switchover is None else [("switchover window", clock.switchover)]
    windows += [(f"cutover window of {one.segment}", one.window) for one in clock.cutovers]
    for name, window in windows:
        if window.closes <= context.now:
            closed = clock.local(window.closes).isoformat(timespec="minutes")
            yield blocking(
                "window-over", name, f"closed at {closed}", "Move the window in the wave file, then start a new run."
            )
    if clock.switchover is not None and clock.switchover.closes > context.now:
        yield from _room(context, clock.switchover)


def _room(context: PreflightContext, window: TimeWindow) -> Iterator[Finding]:
    left = int(window.time_left(context.now).total_seconds())
    least, usual, lane = max((_lane(name, vms) for name, vms in _lanes(context).items()), default=(0, 0, ""))
    if least > left:
        yield blocking(
            "window-too-short",
            "switchover window",
            f"{lane} switch over one after the other: at least {duration(least)}; the window has {duration(left)}",
            "Lengthen the window, use more meshes, or split the wave.",
        )
    elif usual > left:
        yield warning(
            "window-tight",
            "switchover window",
            f"{lane} switch over one after the other: usually {duration(usual)}; the window has {duration(left)}",
            "Lengthen the window, use more meshes, or split the wave.",
        )


def _lanes(context: PreflightContext) -> dict[str, list[PlannedVm]]:
    """Return the VMs that wait for each other; HCX spreads those without a mesh evenly."""
    names = {mesh_id: mesh.name for mesh_id, mesh in meshes_of(context).items()}
    spread = sorted(names)
    lanes: dict[str, list[PlannedVm]] = {}
    for index, vm in enumerate(one for one in context.to_move if one.migration.keeps_running):
        if vm.migration is MigrationType.RAV:
            chosen = vm.service_mesh_id or (spread[index % len(spread)] if spread else "")
            lanes.setdefault(f"RAV on {names.get(chosen, 'its mesh')}", []).append(vm)
        else:
            lanes.setdefault("vMotion", []).append(vm)
    return lanes


def _lane(name: str, vms: list[PlannedVm]) -> tuple[int, int, str]:
    copies = 0
    if name == "vMotion":
        copies = sum(vm.disk_bytes or 0 for vm in vms) // _COPY_BYTES_PER_SECOND
    what = f"{len(vms)} VMs ({name})"
    return LEAST_SWITCHOVER_SECONDS * len(vms), USUAL_SWITCHOVER_SECONDS * len(vms) + copies, what


CHECK = Check("windows", "The windows are ahead and long enough", (Product.HCX,), _run, WaveStep.SWITCHOVER)
