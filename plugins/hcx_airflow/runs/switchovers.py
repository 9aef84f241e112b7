"""Let held VMs switch over: those of the wave's order one at a time, then all others together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hcx_airflow.common.errors import IncompleteError
from hcx_waves.model.plan import WavePlan
from hcx_waves.model.schedule import TimeWindow

if TYPE_CHECKING:
    from hcx_waves.clients.bundle import SiteClients

WITHOUT_WINDOW = timedelta(days=30)


@dataclass(frozen=True)
class ReleaseStep:
    """What was released now, and the VM to wait for before the next."""

    released: tuple[str, ...]
    waiting_for: str | None


def release_next(
    plan: WavePlan, started: Mapping[str, Any], released: Collection[str], clients: SiteClients, now: datetime
) -> ReleaseStep:
    """Release what is due; stops where the order demands to wait for a VM.

    :param started: what ``start_migrations`` left.
    :param released: the VMs that were released before.
    :raises IncompleteError: if a VM of the order has failed: all after it stay held.
    """
    from hcx_waves.migration.start import StartedWave
    from hcx_waves.migration.status import read_status
    from hcx_waves.migration.switchover import next_release, release_switchovers

    wave = StartedWave.model_validate({name: started[name] for name in StartedWave.model_fields if name in started})
    window = plan.clock.switchover or TimeWindow(opens=now, closes=now + WITHOUT_WINDOW)
    status = read_status(clients.hcx, wave, now)
    step = next_release(status, plan.switchover_order, released)
    if step.stopped_by is not None:
        raise IncompleteError(
            f"{step.stopped_by} did not get through, so the VMs after it in the order stay held; release them by hand "
            "in HCX, or cancel them"
        )
    if not step.names:
        return ReleaseStep((), step.waiting_for)
    release_switchovers(clients.hcx, wave, step.names, window, now)
    ordered = step.names[0] if step.names[0] in plan.switchover_order else None
    return ReleaseStep(step.names, ordered)
