"""Cutovers: when they begin, how long the outage is, and what keeps a segment stretched."""

from __future__ import annotations

import pytest

from hcx_waves.forecast import ForecastInput, ModelParameters
from hcx_waves.forecast.model.nights import Nights, simulate
from hcx_waves.model.choices import Disconnect
from support.forecasts import fixed, parameters, segment, vm, wave, window


def night(subject: ForecastInput, given: ModelParameters | None = None) -> Nights:
    return simulate(subject, given or parameters(), 1, 0)


def test_a_cutover_follows_the_last_vm_of_the_wave() -> None:
    subject = wave(vm("a"), vm("b", segments=("db",)), segments=(segment("app"), segment("db")))
    nights = night(subject)
    assert nights.segments.begun[0].tolist() == pytest.approx([410, 410])
    assert nights.segments.outage_seconds[0].tolist() == pytest.approx([200, 200])
    assert nights.end[0] == pytest.approx(610)


def test_it_may_follow_the_last_vm_of_its_segment() -> None:
    subject = wave(vm("a"), vm("b", segments=("db",)), segments=(segment("app"), segment("db")))
    nights = night(subject, parameters(orchestrator={"cutover_follows": "segment"}))
    assert nights.segments.begun[0].tolist() == pytest.approx([310, 410])


def test_every_step_of_the_orchestrator_and_every_answer_takes_its_time() -> None:
    given = parameters(
        orchestrator={"poll_seconds": 60, "verify_seconds": 15, "step_seconds": 3, "before_gate_seconds": 20,
                      "step_in_outage_seconds": 4, "outage_poll_seconds": 1},
        gates={"approve_wave": fixed(100), "approve_cutover": fixed(50)},
        network={"realisation_seconds": 2},
    )  # fmt: skip
    nights = night(wave(vm("a"), segments=(segment(),)), given)
    submitted = 20 + 100 + 3
    # Ends 210 s later, is seen at the poll of 240 s, verified, proven empty, approved, disconnected.
    begun = submitted + 240 + 15 + 3 + 50 + 3
    assert nights.vms.submitted[0] == submitted
    assert nights.segments.begun[0, 0] == pytest.approx(begun)
    assert nights.segments.outage_seconds[0, 0] == pytest.approx(2 + 4 + 200 + 2)
    assert nights.end[0] == pytest.approx(begun + 208 + 1 + 3)


@pytest.mark.parametrize(("means", "begun", "outage"), [
    (Disconnect.NSX, 210, 200), (Disconnect.HOOK, 210, 207), (Disconnect.MANUAL, 300, 200),
])  # fmt: skip
def test_the_means_of_the_disconnect_matter(means: Disconnect, begun: float, outage: float) -> None:
    given = parameters(gates={"confirm_disconnected": fixed(90)})
    nights = night(wave(vm("a"), segments=(segment(disconnect=means),)), given)
    assert nights.segments.begun[0, 0] == pytest.approx(begun)
    assert nights.segments.outage_seconds[0, 0] == pytest.approx(outage)


def test_an_early_cutover_waits_for_its_window_and_a_late_one_does_not_happen() -> None:
    subject = wave(vm("a"), segments=(segment("app", window=window(1000, 2000)), segment("db", window=window(0, 210))))
    nights = night(subject)
    assert nights.segments.begun[0, 0] == 1000
    assert nights.segments.late[0].tolist() == [False, True]
    assert nights.segments.cut[0].tolist() == [True, False]
    assert not nights.complete[0]


def test_to_fit_is_to_end_within_the_window() -> None:
    fits = wave(vm("a"), segments=(segment(window=window(0, 410)),))
    too_long = wave(vm("a"), segments=(segment(window=window(0, 409)),))
    assert [bool(night(one).fits[0]) for one in (fits, too_long)] == [True, False]
    assert bool(night(too_long).complete[0])
    switchover = [wave(vm("a"), switchover=window(0, closes)) for closes in (210, 209)]
    assert [bool(night(one).fits[0]) for one in switchover] == [True, False]


def test_a_vm_that_stays_blocks_its_segments_and_no_other() -> None:
    subject = wave(
        vm("a", segments=("app",)), vm("b", segments=("db", "shared")), switchover=window(0, 150),
        segments=(segment("app"), segment("db"), segment("shared")),
    )  # fmt: skip
    nights = night(subject)
    # Both are copied by 210 only: the window of 150 s is missed by both.
    assert nights.segments.blocked[0].tolist() == [True, True, True]
    quick = wave(
        vm("a", 1, segments=("app",)), vm("b", segments=("db", "shared")), switchover=window(0, 60),
        segments=(segment("app"), segment("db"), segment("shared")),
    )  # fmt: skip
    nights = night(quick)
    assert nights.segments.blocked[0].tolist() == [False, True, True]
    assert nights.segments.cut[0].tolist() == [True, False, False]


def test_an_unextend_that_fails_is_no_cutover() -> None:
    nights = night(wave(vm("a"), segments=(segment(),)), parameters(failures={"unextend": 1}))
    assert nights.segments.begun[0, 0] == pytest.approx(210)
    assert not nights.segments.cut[0, 0]
    assert not nights.complete[0]


def test_what_has_been_cut_over_before_takes_no_time() -> None:
    nights = night(wave(vm("a"), segments=(segment(cut_already=True),)))
    assert nights.complete[0]
    assert nights.end[0] == pytest.approx(210)
