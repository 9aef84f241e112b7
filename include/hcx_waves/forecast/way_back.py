"""The price of going back, and the deadline of that decision: from the same parameters as the forecast.

A pure function of the plan, of how far a run is, and of a moment; so that gates, reports, a board and alarms say the
same at the same time.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import numpy as np

from hcx_waves.forecast.model.durations import Numbers
from hcx_waves.forecast.model.parameters import ModelParameters
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.expectation import Spread
from hcx_waves.model.plan import PlannedVm, WavePlan
from hcx_waves.model.price import WayBackPrice

_NIGHTS, _SEED = 200, 0
_BITS = 8


def way_back(
    plan: WavePlan,
    moved: Collection[str],
    cut: Collection[str],
    parameters: ModelParameters,
    *,
    as_of: datetime,
    link_bits_per_second: float | None = None,
) -> WayBackPrice:
    """Return what going back would cost, decided at a moment.

    The VMs are migrated back one at a time: the next begins when the last is proven. A decision at a gate and the
    steps around it count as well.

    :param moved: names of the VMs that are at the destination by this run, or would be.
    :param cut: names of the segments whose gateway is at the destination, or would be.
    :param as_of: the moment of the decision; only :attr:`WayBackPrice.left_seconds` depends on it.
    :param link_bits_per_second: between the sites; the parameters' own unless given.
    """
    vms = [vm for vm in plan.vms if vm.name in moved]
    line = link_bits_per_second or parameters.transfer.link_bits_per_second
    generator = np.random.default_rng(_SEED)
    own = parameters.orchestrator
    length = np.full(_NIGHTS, own.before_gate_seconds + own.verify_seconds)
    length += parameters.gates.approve_cutover.draw(generator, (_NIGHTS,))
    outage = np.zeros(_NIGHTS)
    for _segment in sorted(set(cut)):
        # Destination off, then source on: each is waited for.
        gap = np.full(_NIGHTS, 2 * (parameters.network.realisation_seconds + own.step_in_outage_seconds))
        outage = np.maximum(outage, gap)
        length += gap + parameters.network.extend.draw(generator, (_NIGHTS,))
        length += parameters.network.unextend.draw(generator, (_NIGHTS,)) + 2 * own.step_seconds
    for vm in vms:
        length += _one_back(vm, parameters, line, generator)
    return WayBackPrice(
        as_of=as_of,
        vms=len(vms),
        segments=len(set(cut)),
        bytes_back=sum(bytes_of(vm, parameters) for vm in vms),
        length=Spread.of(length.tolist()),
        outage=Spread.of(outage.tolist()) if cut else None,
        closes_at=plan.clock.last_instant,
    )


def bytes_of(vm: PlannedVm, parameters: ModelParameters) -> int:
    """Return what a VM's disks send on the way back: what they take, else what they may grow to."""
    used = None if vm.source_place is None else vm.source_place.committed_bytes
    known = used or vm.disk_bytes
    return int(parameters.transfer.assumed_disk_bytes if known is None else known)


def _one_back(vm: PlannedVm, parameters: ModelParameters, line: float, generator: np.random.Generator) -> Numbers:
    transfer, steps = parameters.transfer, parameters.migration
    rate = min(line, transfer.migration_bits_per_second, transfer.appliance_bits_per_second)
    lasts = {
        MigrationType.RAV: steps.rav_switchover,
        MigrationType.BULK: steps.bulk_switchover,
        MigrationType.VMOTION: steps.vmotion_overhead,
        MigrationType.COLD: steps.vmotion_overhead,
    }[vm.migration].draw(generator, (_NIGHTS,))
    own = parameters.orchestrator
    waits = own.poll_seconds + own.verify_seconds + own.step_seconds
    queued = steps.queue.draw(generator, (_NIGHTS,))
    return np.asarray(lasts + queued + _BITS * bytes_of(vm, parameters) / rate + waits)
