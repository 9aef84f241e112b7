"""The last safe start, and the same wave under other circumstances."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hcx_waves.forecast import ModelParameters, forecast, last_safe_start
from hcx_waves.forecast.what_if import with_bandwidth, with_order, with_second_mesh, with_start
from support.forecasts import GB, START, fixed, parameters, segment, vm, wave, window


def test_the_last_safe_start_leaves_just_enough_time() -> None:
    # 10 s of preparing, 10,000 s of base sync, 100 s of switchover, which must end by 36,000 s.
    subject = wave(vm("a", 1250), switchover=window(20_000, 36_000))
    latest = last_safe_start(subject, parameters())
    assert latest is not None
    assert timedelta(0) <= START + timedelta(seconds=36_000 - 10_110) - latest < timedelta(minutes=5)


def test_a_planned_start_that_is_too_late_is_answered_with_an_earlier_one() -> None:
    subject = wave(vm("a", 1250), switchover=window(1000, 5000))
    latest = last_safe_start(subject, parameters())
    assert latest is not None
    assert timedelta(0) <= START + timedelta(seconds=5000 - 10_110) - latest < timedelta(minutes=5)
    assert forecast(with_start(subject, latest), parameters(), 5, 0).window_chance == 1


def test_it_is_about_the_chance_that_is_asked_for() -> None:
    varied = parameters(transfer={"bandwidth_sigma": 0.5})
    subject = wave(vm("a", 1250), switchover=window(0, 80_000))
    cautious, bold = (last_safe_start(subject, varied, chance=chance, nights=100) for chance in (0.95, 0.5))
    assert cautious is not None
    assert bold is not None
    assert cautious < bold


def test_a_window_that_is_too_short_for_the_queue_has_no_safe_start() -> None:
    subject = wave(vm("a"), vm("b"), vm("c"), switchover=window(50_000, 50_250))
    assert last_safe_start(subject, parameters()) is None


def test_the_cutovers_windows_count_as_well() -> None:
    subject = wave(vm("a"), segments=(segment(window=window(7000, 9000)),))
    latest = last_safe_start(subject, parameters())
    assert latest is not None
    assert timedelta(0) <= START + timedelta(seconds=9000 - 410) - latest < timedelta(minutes=5)


def test_without_a_window_or_under_way_there_is_no_start_to_search() -> None:
    assert last_safe_start(wave(vm("a")), parameters()) is None
    assert last_safe_start(wave(vm("a"), under_way=True, switchover=window(0, 900)), parameters()) is None


def test_more_bandwidth_moves_bytes_faster() -> None:
    subject = wave(vm("a"), vm("b", mesh="other"))
    wider = with_bandwidth(subject, parameters(transfer={"migration_bits_per_second": 4e9}), 2e9)
    assert forecast(subject, wider, 1, 0).transfer_end.p50_seconds == pytest.approx(10 + 12.5e9 * 8 / 1.6e9)


def test_a_second_mesh_shares_the_line_and_has_a_lane_of_its_own() -> None:
    subject = wave(*(vm(name) for name in "abcd"), switchover=window(1000, 9000))
    changed, given = with_second_mesh(subject, parameters())
    assert {one.name: one.mesh for one in changed.vms} == {
        "a": "mesh", "b": "mesh (second)", "c": "mesh", "d": "mesh (second)",
    }  # fmt: skip
    planned, other = forecast(subject, parameters(), 1, 0), forecast(changed, given, 1, 0)
    assert planned.transfer_end == other.transfer_end
    assert (planned.queue.lasts.p50_seconds, other.queue.lasts.p50_seconds) == (400, 200)


@pytest.mark.parametrize(("order", "expected"), [
    ("largest", ["c", "a", "b"]), ("smallest", ["b", "a", "c"]), ("name", ["a", "b", "c"]),
    ("segment", ["b", "a", "c"]), (["c", "b"], ["c", "b", "a"]),
])  # fmt: skip
def test_another_order(order: str | list[str], expected: list[str]) -> None:
    subject = wave(vm("a", 10, segments=("z",)), vm("b", 5), vm("c", 20, segments=("z",)))
    told = forecast(with_order(subject, order), parameters(), 1, 0)
    turns = sorted(told.vms, key=lambda one: one.begins_seconds or 0)
    assert [one.name for one in turns] == expected


@pytest.mark.parametrize(("order", "words"), [
    ("random", '"random" is not an order: smallest, largest, segment, name, or names of VMs'),
    (["a", "x"], "x: not moved by wave small"),
    (["a", "a"], "an order names a VM once"),
])  # fmt: skip
def test_an_order_that_makes_no_sense_is_refused(order: str | list[str], words: str) -> None:
    with pytest.raises(ValueError, match=f"^{words}$"):
        with_order(wave(vm("a")), order)


def test_another_start_leaves_the_windows_where_they_are() -> None:
    subject = wave(vm("a"), switchover=window(1000, 9000))
    later = with_start(subject, START + timedelta(seconds=500))
    assert forecast(later, parameters(), 1, 0).queue.begins.p50_seconds == 500


def test_gates_that_hesitate_shift_everything() -> None:
    slow = parameters(gates={"approve_wave": fixed(700)})
    told = forecast(wave(vm("a")), slow, 1, 0)
    assert told.transfer_end.p50_seconds == 810


def test_the_defaults_can_be_played() -> None:
    told = forecast(wave(vm("a", 80, change_bytes_per_second=None), segments=(segment(),)), ModelParameters(), 50, 0)
    assert told.end.share == 1
    assert told.vms[0].bytes_per_second == pytest.approx(1e9 / 8, rel=0.001)
    assert 80 * GB / told.vms[0].bytes_per_second < (told.end.p50_seconds or 0)


def test_a_forecast_holds_the_last_safe_start_only_if_it_was_asked_for() -> None:
    subject = wave(vm("a"), vm("b"), switchover=window(3600, 7200))
    found = forecast(subject, parameters(), 10, 1, safe_start=True)
    assert (found.last_safe_start, found.safe_chance) == (last_safe_start(subject, parameters(), seed=1), 0.95)
    assert found.last_safe_start is not None
    assert forecast(subject, parameters(), 10, 1).safe_chance is None
    assert forecast(wave(vm("a")), parameters(), 10, 1, safe_start=True).safe_chance is None
