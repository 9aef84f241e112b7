"""What many nights come to: quantiles, chances, what decides the end, and the forms it is told in."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from rich.console import Console

from hcx_waves.forecast import Forecast, ForecastInput, ModelParameters, forecast, last_safe_start
from hcx_waves.forecast.results.document import PICTURE_FORMATS
from hcx_waves.forecast.results.figures import quantiles
from hcx_waves.forecast.results.picture import draw_forecast
from hcx_waves.forecast.results.text import print_comparison, print_forecast
from hcx_waves.model.choices import MigrationType
from support.forecasts import GB, START, parameters, segment, vm, wave, window


def busy_wave() -> ForecastInput:
    """Return a wave whose window is short enough to be missed in some nights."""
    vms = [vm(f"vm{number:02}", 5 + number, segments=("app",)) for number in range(12)]
    return wave(
        *vms,
        switchover=window(3600, 3600 + 1900),
        segments=(segment(window=window(3600, 3600 * 3)),),
        notes=("everything is made up",),
    )


def variable() -> ModelParameters:
    """Return parameters in which switchovers and unextends vary, and nothing else."""
    default = ModelParameters()
    given = parameters()
    migration = given.migration.model_copy(update={"rav_switchover": default.migration.rav_switchover})
    network = given.network.model_copy(update={"unextend": default.network.unextend})
    return given.model_copy(update={"migration": migration, "network": network})


def printed(told: Forecast, other: Forecast | None = None) -> str:
    console = Console(width=160, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as capture:
        print_forecast(told, console)
        if other is not None:
            print_comparison(told, other, ["2000 Mbit/s per mesh"], console)
    return capture.get()


def test_quantiles_are_of_the_nights_in_which_it_came_about() -> None:
    values = np.array([*range(1, 21), np.nan, np.nan, np.nan, np.nan, np.nan], dtype=float)
    found = quantiles(values)
    assert (found.p50_seconds, found.p90_seconds, found.p95_seconds) == (10.5, 18.1, 19.05)
    assert found.share == 0.8
    never = quantiles(np.array([np.nan]))
    assert (never.p50_seconds, never.share, never.spread) == (None, 0.0, None)


def test_a_forecast_tells_every_milestone() -> None:
    told = forecast(busy_wave(), variable(), 300, 1)
    assert told.submitted.p50_seconds == 0
    assert told.transfer_end.p50_seconds == pytest.approx(10 + 126 * 8)
    assert told.queue.begins.p95_seconds == 3600
    assert told.queue.lasts.p50_seconds == pytest.approx(told.queue.ends.p50_seconds - 3600, abs=0.01)
    assert told.migrated.p50_seconds == told.queue.ends.p50_seconds
    # Nights in which a VM was left behind cut nothing over, and they are the long ones.
    assert told.cutover_start.share == told.segments[0].cut_chance
    assert told.cutover_start.p50_seconds <= told.migrated.p50_seconds
    assert told.window_chance is not None
    assert 0.5 < told.window_chance < 1
    [one] = told.segments
    assert one.outage.p50_seconds == pytest.approx(188, rel=0.15)
    assert one.cut_chance >= told.window_chance
    assert told.end.share == one.cut_chance
    assert [decider.what for decider in told.deciders] == ["switchover queue of mesh"]


def test_it_says_which_vms_decide() -> None:
    subject = wave(vm("big", 500), vm("small", 1), segments=(segment(),))
    told = forecast(subject, parameters(), 10, 1)
    assert [one.name for one in told.critical_vms] == ["big"]
    assert told.critical_vms[0].decides_share == 1
    assert told.critical_vms[0].decides_seconds == pytest.approx(501 * 8 + 100)
    assert told.deciders[0].what == "base sync of the last VMs on mesh"
    assert told.vms[0].bytes_per_second == pytest.approx(500 * GB / (501 * 8))


def test_the_queue_before_the_last_vm_decides_with_it() -> None:
    subject = wave(vm("a"), vm("b"), vm("c"), switchover=window(1000, 9000))
    told = forecast(subject, parameters(), 10, 1)
    assert {one.name: (one.decides_share, one.decides_seconds) for one in told.vms} == {
        "a": (1, pytest.approx(100)), "b": (1, pytest.approx(100)), "c": (1, pytest.approx(100)),
    }  # fmt: skip
    assert told.deciders[0].what == "switchover queue of mesh"


def test_an_end_that_a_cutover_window_decides_says_so() -> None:
    subject = wave(vm("a"), segments=(segment(window=window(5000, 9000)),))
    assert forecast(subject, parameters(), 10, 1).deciders[0].what == "opening of the cutover window"


def test_without_windows_there_is_no_chance_of_missing_one() -> None:
    told = forecast(wave(vm("a")), parameters(), 10, 1)
    assert (told.window_chance, told.end.share, told.segments) == (None, 1, ())
    assert "No windows. The wave completes in 100 % of the nights." in printed(told)


def test_json_holds_all_of_it() -> None:
    told = forecast(busy_wave(), variable(), 50, 1)
    document = json.loads(json.dumps(told.to_dict(), allow_nan=False))
    assert Forecast.model_validate(document) == told


def test_the_expectation_is_the_short_form() -> None:
    told = forecast(busy_wave(), variable(), 300, 1)
    expected = told.expectation(most_critical=3)
    assert expected.starts_at == START
    assert expected.switchover_queue is not None
    assert expected.switchover_queue.p95_seconds == told.queue.lasts.p95_seconds
    assert expected.outage_of("app") == told.segments[0].outage.spread
    assert len(expected.critical_vms) == 3
    assert {one.name for one in expected.vms} == {one.name for one in told.vms}
    assert expected.window_chance == told.window_chance
    assert expected.closes_at == window(0, 3600 * 3).closes


def test_a_wave_that_never_gets_done_is_told_as_well() -> None:
    subject = wave(vm("a"), asks_switchover=True, switchover=window(0, 1), segments=(segment(),))
    told = forecast(subject, parameters(), 10, 1)
    assert (told.end.share, told.window_chance, told.deciders, told.ends.counts) == (0, 0, (), ())
    assert told.typical.vms[0].outcome == "left behind"
    assert "Fits its windows in 0 % of the nights; completes in 0 %." in printed(told)
    assert b"The wave completes in no night." in draw_forecast(told, ".svg") or draw_forecast(told, ".png")


def test_more_than_can_be_seeded_together_is_warned_of() -> None:
    subject = wave(vm("a"), vm("b"), vm("c", migration=MigrationType.COLD), asks_switchover=True)
    limited = parameters(limits={"replications_per_mesh": 1})
    assert forecast(subject, limited, 1, 0).notes == (
        "switchovers are held until all 2 replicated VMs are seeded, and HCX replicates at most 1 of them at once: the "
        "wave would never go on",
    )
    assert forecast(subject, parameters(), 1, 0).notes == ()


def test_a_wave_that_moves_nothing_has_no_forecast() -> None:
    with pytest.raises(ValueError, match=r"^wave small moves no VM$"):
        forecast(wave(), parameters(), 1, 0)
    assert last_safe_start(wave(switchover=window(0, 1)), parameters()) is None


@pytest.mark.parametrize(("nights", "seed"), [(0, 1), (1, -1)])
def test_impossible_numbers_are_refused(nights: int, seed: int) -> None:
    with pytest.raises(
        ValueError, match=f"^at least one night and a seed of 0 or more are needed, not {nights} and {seed}$"
    ):
        forecast(wave(vm("a")), parameters(), nights, seed)


def test_the_text_is_for_people() -> None:
    told = forecast(busy_wave(), variable(), 300, 1)
    text = printed(told)
    assert "small: 12 VMs (12 RAV), 1 segment to cut over, starting Mon 2026-03-02 18:00 UTC" in text
    assert "300 nights, seed 1, parameters " in text
    assert re.search(r"^Switchover queue begins +19:00 UTC +19:00 UTC +19:00 UTC +100 % *$", text, re.MULTILINE)
    assert "Note: everything is made up." in text
    assert re.search(r"^app +19:00 to 21:00 UTC +19:2\d UTC +3m\d+s", text, re.MULTILINE)


def test_a_comparison_stands_side_by_side() -> None:
    subject = wave(*(vm(f"vm{number}", 50) for number in range(4)))
    narrow = forecast(subject, parameters(), 10, 1)
    wide = forecast(subject, parameters(transfer={"mesh_link_bits_per_second": {"mesh": 1.6e9}}), 10, 1)
    lines = printed(narrow, wide).splitlines()
    assert "What if: 2000 Mbit/s per mesh" in lines
    [row] = [line for line in lines if line.startswith("Base syncs complete") and line.count(":") == 4]
    assert row.split()[3::2] == ["18:26", "18:26", "18:16", "18:16"]


@pytest.mark.parametrize("suffix", PICTURE_FORMATS)
def test_the_picture_is_the_same_for_the_same_forecast(suffix: str) -> None:
    told = forecast(busy_wave(), variable(), 50, 1)
    first = draw_forecast(told, suffix)
    assert first[:4] == {".svg": b"<?xm", ".png": b"\x89PNG", ".pdf": b"%PDF"}[suffix]
    assert first == draw_forecast(told, suffix)


def test_a_picture_names_its_formats() -> None:
    with pytest.raises(ValueError, match=r"^\.gif: a picture is one of \.svg, \.png, \.pdf$"):
        draw_forecast(forecast(wave(vm("a")), parameters(), 1, 0), ".gif")
