"""Nights that can be worked out by hand: transfers, limits, windows, lanes and orders."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hcx_waves.forecast import ForecastInput, ModelParameters, Progress
from hcx_waves.forecast.model.nights import Nights, simulate
from hcx_waves.model.choices import MigrationType
from support.forecasts import GB, START, fixed, parameters, segment, vm, wave, window

BULK, VMOTION, COLD = MigrationType.BULK, MigrationType.VMOTION, MigrationType.COLD


def night(subject: ForecastInput, given: ModelParameters | None = None) -> Nights:
    return simulate(subject, given or parameters(), 1, 0)


def of(nights: Nights, what: str) -> dict[str, float]:
    """Return one instant of each VM of the only night, by name; None where it never came."""
    values = getattr(nights.vms, what)[0]
    found = {name: float(values[column]) for name, column in nights.layout.columns.items()}
    return {name: round(value, 2) for name, value in found.items() if np.isfinite(value)}


def test_a_vm_is_prepared_copied_and_switched_over() -> None:
    nights = night(wave(vm("a")))
    assert (of(nights, "base_began"), of(nights, "base_ended")) == ({"a": 10}, {"a": 110})
    assert of(nights, "ended") == {"a": 210}
    assert nights.end[0] == pytest.approx(210)


def test_transfers_share_the_line_and_the_rest_speeds_up() -> None:
    nights = night(wave(vm("a", 12.5), vm("b", 25)))
    # Both at half the rate until a has its 12.5 GB after 200 s; b's other half then takes 100 s.
    assert of(nights, "base_ended") == {"a": 210, "b": 310}


def test_the_limit_of_a_migration_leaves_bandwidth_unused() -> None:
    nights = night(wave(vm("a"), vm("b")), parameters(transfer={"migration_bits_per_second": 0.5e9}))
    assert of(nights, "base_ended") == {"a": 210, "b": 210}
    alone = night(wave(vm("a")), parameters(transfer={"migration_bits_per_second": 0.5e9}))
    assert of(alone, "base_ended") == {"a": 210}


def test_the_appliance_is_narrower_than_the_line() -> None:
    given = parameters(transfer={"appliance_bits_per_second": 0.25e9, "mesh_link_bits_per_second": {"mesh": 40e9}})
    assert of(night(wave(vm("a")), given), "base_ended") == {"a": 410}


def test_meshes_do_not_share() -> None:
    nights = night(wave(vm("a", mesh="one"), vm("b", mesh="two")))
    assert of(nights, "base_ended") == {"a": 110, "b": 110}


def test_what_exceeds_a_limit_waits_for_the_end_of_another_by_name() -> None:
    nights = night(wave(vm("c"), vm("b"), vm("a")), parameters(limits={"replications_per_mesh": 1}))
    assert of(nights, "base_began") == {"a": 10, "b": 220, "c": 430}


def test_the_managers_limit_counts_all_meshes() -> None:
    subject = wave(vm("a", mesh="two"), vm("b", mesh="one"), vm("c", mesh="one"))
    nights = night(subject, parameters(limits={"replications_per_manager": 2}))
    assert of(nights, "base_began") == {"a": 10, "b": 10, "c": 220}
    assert of(nights, "ended")["a"] == 210


def test_rav_switchovers_go_one_at_a_time_per_mesh() -> None:
    subject = wave(vm("a", mesh="one"), vm("b", mesh="one"), vm("c", mesh="two"), switchover=window(1000, 9000))
    nights = night(subject)
    assert of(nights, "began") == {"a": 1000, "b": 1100, "c": 1000}
    assert of(nights, "ended") == {"a": 1100, "b": 1200, "c": 1100}


def test_bulk_and_cold_go_side_by_side_in_the_window() -> None:
    subject = wave(
        vm("a", migration=BULK), vm("b", migration=BULK), vm("c", migration=COLD), switchover=window(1000, 9000)
    )
    nights = night(subject)
    assert of(nights, "ended") == {"a": 1300, "b": 1300, "c": 1160}


def test_vmotion_heeds_no_window_and_goes_one_at_a_time_over_all_meshes() -> None:
    subject = wave(
        vm("a", 10, migration=VMOTION, mesh="two", memory_bytes=2.5 * GB),
        vm("b", 10, migration=VMOTION, mesh="one", memory_bytes=2.5 * GB),
        switchover=window(1000, 9000),
    )
    nights = night(subject)
    assert of(nights, "ended") == {"a": 170, "b": 330}


def test_a_waiting_vm_is_synced_every_rpo_and_once_more_at_the_end() -> None:
    # 1.25 MB/s: 9 GB in an RPO of 7200 s, which take 72 s. Last sync begins at 10 + 7200 = 7210; window at 9000.
    subject = wave(vm("a", change_bytes_per_second=1.25e6), switchover=window(9000, 99000))
    nights = night(subject)
    last = 1.25e6 * (9000 - 7210) / 125e6
    assert of(nights, "ended") == {"a": pytest.approx(9000 + last + 100, abs=0.01)}
    moved = nights.vms.moved_bytes[0, nights.layout.columns["a"]]
    assert moved == pytest.approx(12.5e9 + 9e9 + 1.25e6 * 1790)


def test_a_delta_is_never_more_than_the_disks() -> None:
    subject = wave(vm("a", 1, change_bytes_per_second=1e9), switchover=window(5000, 99000))
    assert of(night(subject), "ended") == {"a": 5108.0}


def test_a_delta_under_way_is_finished_with_the_last_one() -> None:
    # The delta of 7210 s needs 72 s; the window opens after 36 of them.
    subject = wave(vm("a", change_bytes_per_second=1.25e6), switchover=window(7246, 99000))
    last = 36 + 1.25e6 * 36 / 125e6
    assert of(night(subject), "ended") == {"a": pytest.approx(7246 + last + 100, abs=0.01)}


@pytest.mark.parametrize(("policy", "stage"), [("wait", "missed"), ("fail", "failed")])
def test_who_has_no_turn_in_the_window_is_left_behind(policy: str, stage: str) -> None:
    subject = wave(vm("a"), vm("b"), vm("c"), switchover=window(1000, 1150), segments=(segment(),))
    nights = night(subject, parameters(migration={"missed_window": policy}))
    # b began in the window and is finished; c did not.
    expected = {"a": 1100, "b": 1200} | ({"c": 1180} if policy == "fail" else {})
    assert of(nights, "ended") == expected
    assert [bool(nights.vms.failed[0, nights.layout.columns[name]]) for name in "abc"] == [
        False,
        False,
        stage == "failed",
    ]
    assert nights.migrated[0] == pytest.approx(1200)
    assert nights.segments.blocked[0, 0]
    assert not nights.complete[0]


def test_a_base_sync_that_ends_after_the_window_misses_it() -> None:
    subject = wave(vm("a", 1000), vm("b", 1), switchover=window(100, 500))
    nights = night(subject)
    assert set(of(nights, "ended")) == {"b"}
    assert nights.migrated[0] == pytest.approx(10 + 1001 * 8)


def test_held_vms_wait_until_all_are_seeded_and_somebody_has_agreed() -> None:
    subject = wave(vm("a"), vm("b", 25), asks_switchover=True, poll_seconds=60)
    nights = night(subject, parameters(gates={"approve_switchover": fixed(500)}))
    # Seeded at 310, seen at the poll of 360, agreed at 860.
    assert of(nights, "began") == {"a": 860, "b": 960}


def test_an_order_is_released_one_by_one_then_the_rest() -> None:
    subject = wave(vm("a"), vm("b"), vm("c"), vm("d", migration=BULK), switchover_order=("c", "d"))
    nights = night(subject)
    seeded = of(nights, "base_ended")["a"]
    assert of(nights, "began") == {
        "c": seeded, "d": seeded + 100, "a": seeded + 400, "b": seeded + 500,
    }  # fmt: skip


def test_a_failure_in_the_order_keeps_the_rest_where_it_is() -> None:
    subject = wave(vm("a"), vm("b"), switchover_order=("b",))
    nights = night(subject, parameters(failures={"switchover": 1}))
    assert of(nights, "began") == {"b": 210}
    assert np.isnan(nights.migrated[0])
    assert not nights.complete[0]


def test_more_than_can_be_seeded_at_once_is_held_for_ever() -> None:
    subject = wave(vm("a"), vm("b"), asks_switchover=True)
    nights = night(subject, parameters(limits={"replications_per_mesh": 1}))
    assert of(nights, "began") == {}
    assert np.isnan(nights.migrated[0])


def test_failures_strike_as_often_as_they_are_said_to() -> None:
    subject = wave(*(vm(f"vm{number:02}") for number in range(40)))
    nights = simulate(subject, parameters(failures={"base_sync": 0.1, "switchover": 0.1}), 200, 1)
    assert nights.vms.arrived[:, nights.layout.occupied].mean() == pytest.approx(0.81, abs=0.02)
    assert (nights.vms.arrived | nights.vms.failed)[:, nights.layout.occupied].all()


def test_too_long_a_stun_fails_a_live_switchover() -> None:
    given = parameters(migration={"stun": fixed(101)})
    nights = night(wave(vm("a"), vm("b", migration=BULK)), given)
    assert nights.vms.failed[0, nights.layout.columns["a"]]
    assert nights.vms.arrived[0, nights.layout.columns["b"]]
    assert of(nights, "ended")["a"] == 210 + 100 + 30


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"progress": Progress.SYNCING, "remaining_bytes": 2.5 * GB}, {"base_ended": 20, "ended": 120}),
        ({"progress": Progress.SYNCING}, {"base_ended": 100, "ended": 200}),
        ({"progress": Progress.SEEDED}, {"ended": 100}),
        ({"progress": Progress.SWITCHING}, {"ended": 100}),
        ({"progress": Progress.SWITCHING, "synced_at": START.replace(hour=17, minute=59)}, {"ended": 40}),
        ({"progress": Progress.DONE}, {"ended": 0}),
    ],
)
def test_a_forecast_during_the_run_begins_where_everything_stands(
    changes: dict[str, Any], expected: dict[str, float]
) -> None:
    nights = night(wave(vm("a", **changes), under_way=True))
    assert {what: of(nights, what).get("a") for what in expected} == expected


def test_who_switches_over_already_has_its_lane() -> None:
    subject = wave(
        vm("a", progress=Progress.SEEDED), vm("b", progress=Progress.SWITCHING), vm("c", progress=Progress.FAILED),
        under_way=True,
    )  # fmt: skip
    nights = night(subject)
    assert of(nights, "ended") == {"a": 200, "b": 100, "c": 0}


def test_the_same_seed_gives_the_same_nights_and_another_does_not() -> None:
    subject = wave(*(vm(f"vm{number}") for number in range(5)), segments=(segment(),))
    first, again, other = (simulate(subject, ModelParameters(), 20, seed) for seed in (1, 1, 2))
    assert first.end.tolist() == again.end.tolist() != other.end.tolist()


def test_what_one_vm_draws_does_not_depend_on_the_mesh_of_another() -> None:
    several = simulate(wave(vm("a", mesh="one"), vm("b", mesh="two")), ModelParameters(), 5, 1)
    moved = simulate(wave(vm("a", mesh="two"), vm("b", mesh="one")), ModelParameters(), 5, 1)
    lengths = [
        (nights.vms.ended - nights.vms.switched)[:, nights.layout.columns["a"]].tolist() for nights in (several, moved)
    ]
    assert lengths[0] == pytest.approx(lengths[1])
