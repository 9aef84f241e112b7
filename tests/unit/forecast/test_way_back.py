"""What going back costs and until when it can be decided, by the run's own figures."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hcx_waves.forecast import ModelParameters
from hcx_waves.forecast.way_back import way_back
from hcx_waves.model.plan import SourcePlace, WavePlan
from hcx_waves.model.schedule import SegmentWindow, TimeWindow
from support.plans import RESOLVED as AT
from support.plans import plan_of

GIB = 1024**3
PARAMETERS = ModelParameters()


@pytest.fixture
def plan() -> WavePlan:
    made = plan_of("web01", "web02", "db01")
    vms = tuple(
        one.model_copy(update={"disk_bytes": 100 * GIB, "source_place": SourcePlace(committed_bytes=10 * GIB)})
        for one in made.vms
    )
    window = SegmentWindow(segment=made.segments[0].name, window=TimeWindow(opens=AT, closes=AT + timedelta(hours=6)))
    clock = made.clock.model_copy(update={"cutovers": (window,), "switchover": None})
    return made.model_copy(update={"vms": vms, "clock": clock})


def names(plan: WavePlan) -> list[str]:
    return [vm.name for vm in plan.vms]


def test_the_deadline_is_the_close_of_the_window_less_the_way_back(plan: WavePlan) -> None:
    price = way_back(plan, names(plan), [plan.segments[0].name], PARAMETERS, as_of=AT)
    assert price.vms == len(plan.vms)
    assert price.bytes_back == len(plan.vms) * 10 * GIB, "what a VM takes, not what it may grow to"
    assert price.deadline == AT + timedelta(hours=6) - timedelta(seconds=price.length.p90_seconds)
    assert price.fits
    late = way_back(plan, names(plan), [plan.segments[0].name], PARAMETERS, as_of=AT + timedelta(hours=6))
    assert late.deadline == price.deadline, "the moment of asking does not move it"
    assert not late.fits
    assert late.left_seconds == -price.length.p90_seconds


def test_more_vms_and_a_slower_line_bring_the_deadline_forward(plan: WavePlan) -> None:
    segment = [plan.segments[0].name]
    one = way_back(plan, names(plan)[:1], segment, PARAMETERS, as_of=AT)
    slow = way_back(plan, names(plan)[:1], segment, PARAMETERS, as_of=AT, link_bits_per_second=1e8)
    bits = 8 * 10 * GIB
    assert slow.length.p50_seconds - one.length.p50_seconds == pytest.approx(bits / 1e8 - bits / 1e9)
    assert one.deadline is not None
    assert slow.deadline is not None
    assert slow.deadline < one.deadline


def test_without_a_cut_no_network_goes_back(plan: WavePlan) -> None:
    kept = way_back(plan, names(plan), [], PARAMETERS, as_of=AT)
    cut = way_back(plan, names(plan), [plan.segments[0].name], PARAMETERS, as_of=AT)
    assert kept.outage is None
    assert cut.outage is not None
    assert 0 < cut.outage.p90_seconds < kept.length.p50_seconds < cut.length.p50_seconds


def test_without_windows_there_is_no_deadline(plan: WavePlan) -> None:
    free = plan.model_copy(update={"clock": plan.clock.model_copy(update={"cutovers": ()})})
    price = way_back(free, names(plan), [], PARAMETERS, as_of=AT)
    assert (price.deadline, price.left_seconds, price.fits) == (None, None, True)
