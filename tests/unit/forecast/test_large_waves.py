"""Large waves: pictures that stay legible, and what of a wave would fit its windows."""

from __future__ import annotations

import pytest

from hcx_waves.forecast import Forecast, ForecastInput, forecast
from hcx_waves.forecast.model.fitting import window_fit
from hcx_waves.forecast.results.picture import draw_forecast, forecast_figure
from hcx_waves.model.fit import NeededWindow, WindowFit
from support.forecasts import parameters, segment, vm, wave, window
from support.pictures import illegible, words_of

HOUR = 3600.0


def large(
    vms: int, *, segments: int = 3, meshes: int = 1, hours: float = 4, cutover_hours: float = 2, letters: int = 0
) -> ForecastInput:
    """Return a wave of many VMs whose switchovers begin four hours after its start."""
    opens, closes = 4 * HOUR, (4 + hours) * HOUR
    names = [f"seg-{number:03}".ljust(letters, "x") for number in range(segments)]
    return wave(
        *(
            vm(f"vm{number:05}".ljust(min(letters, 80), "y"), 1, mesh=f"mesh-{number % meshes:02}".ljust(letters, "z"),
               segments=(names[number % segments],))
            for number in range(vms)
        ),
        switchover=window(opens, closes),
        segments=tuple(segment(name, window=window(closes, closes + cutover_hours * HOUR)) for name in names),
    )  # fmt: skip


def told(subject: ForecastInput, *, safe_start: bool = False) -> Forecast:
    """Return its forecast of a few nights in which nothing varies."""
    return forecast(subject, parameters(), 3, 0, safe_start=safe_start)


@pytest.mark.parametrize(
    "subject",
    [
        large(301),
        large(301, hours=40),
        large(500, meshes=24, segments=90, hours=40),
        large(500, meshes=5, segments=40),
        large(60, meshes=30, segments=1, hours=1),
        large(61, meshes=61, segments=2, hours=0.5),
        large(900, meshes=3, hours=200),
        large(120, meshes=4, segments=50, hours=40, letters=120),
        large(12, meshes=3, hours=0.2, letters=120),
        large(1, segments=1, hours=1),
    ],
    ids=lambda subject: f"{len(subject.vms)} VMs, {len(subject.segments)} segments, {len(subject.mesh_names)} meshes",
)
def test_no_text_of_a_picture_is_printed_over_another(subject: ForecastInput) -> None:
    assert illegible(forecast_figure(told(subject))) == []


def test_the_last_safe_start_has_a_line_of_its_own() -> None:
    for hours in (3, 40):
        figure = forecast_figure(told(large(70, hours=hours), safe_start=True))
        assert illegible(figure) == []
        assert any("last safe start" in words for words in words_of(figure))


def test_many_vms_are_counted_by_mesh_and_outcome() -> None:
    found = told(large(200, meshes=2, hours=2))
    behind = sum(bar.outcome == "left behind" for bar in found.typical.vms if bar.mesh == "mesh-00")
    assert behind > 0
    assert f"mesh-00\n100 VMs\n{behind} left behind" in words_of(forecast_figure(found))


def test_of_many_segments_those_that_are_not_cut_over_are_shown() -> None:
    subject = large(50, segments=50, hours=10)
    last = subject.segments[-1].model_copy(update={"window": window(0, 1)})
    words = words_of(forecast_figure(told(subject.model_copy(update={"segments": (*subject.segments[:-1], last)}))))
    assert {"seg-049", "not cut over", "and 10 more segments"} <= set(words)
    assert sum(one.startswith("seg-") for one in set(words)) == 40


@pytest.mark.parametrize("name", ["$a_1$", "a\x1b[31mb", "<b>&"])
def test_names_are_drawn_as_they_are_and_obeyed_by_nothing(name: str) -> None:
    subject = wave(vm(name), segments=(segment(name),))
    assert b"\x1b" not in draw_forecast(told(subject), ".svg")


def test_a_wave_that_misses_its_window_says_how_much_of_it_would_fit() -> None:
    subject = large(120, hours=2)
    found = told(subject).window_fit
    assert found is not None
    assert (found.vms, found.chance) == (120, 0.95)
    assert 40 < found.vms_fitting < 80
    fitting = subject.model_copy(update={"vms": subject.vms[: found.vms_fitting]})
    more = subject.model_copy(update={"vms": subject.vms[: found.vms_fitting + 3]})
    assert told(fitting).window_chance == 1.0
    assert told(fitting).window_fit is None
    assert told(more).window_chance == 0.0


def test_the_windows_that_it_names_are_wide_enough_and_not_much_wider() -> None:
    subject = large(120, hours=2, cutover_hours=30)
    found = told(subject).window_fit
    assert found is not None
    [needed] = found.windows
    assert (needed.segment, needed.window) == (None, subject.switchover)
    assert needed.needed_seconds is not None
    assert needed.needed_seconds % HOUR == 0
    wide = subject.model_copy(update={"switchover": window(4 * HOUR, 4 * HOUR + needed.needed_seconds)})
    short = subject.model_copy(update={"switchover": window(4 * HOUR, 3 * HOUR + needed.needed_seconds)})
    assert told(wide).window_chance == 1.0
    assert told(short).window_chance == 0.0


def test_a_cutover_window_that_is_too_short_is_named_with_its_segment() -> None:
    subject = large(4, segments=2, hours=4)
    short = subject.segments[1].model_copy(update={"window": window(0, 4 * HOUR + 60)})
    found = told(subject.model_copy(update={"segments": (subject.segments[0], short)})).window_fit
    assert found is not None
    assert [one.segment for one in found.windows] == ["seg-001"]
    assert found.windows[0].needed_seconds is not None
    assert found.windows[0].needed_seconds > 4 * HOUR


def test_vms_that_fail_are_not_the_windows_fault() -> None:
    failing = parameters(failures={"switchover": 1.0})
    assert forecast(large(5, hours=10), failing, 3, 0).window_chance == 0
    assert window_fit(large(5, hours=10), failing) is None
    assert window_fit(wave(vm("a")), parameters()) is None
    assert window_fit(wave(switchover=window(0, 1)), parameters()) is None
    assert window_fit(large(301).model_copy(update={"under_way": True}), parameters()) is None


def test_what_would_fit_is_said_in_two_sentences() -> None:
    def needed(name: str | None, seconds: float | None) -> NeededWindow:
        return NeededWindow(segment=name, window=window(4 * HOUR, 12 * HOUR), needed_seconds=seconds)

    def said(fitting: int, *windows: NeededWindow) -> str:
        return " ".join(WindowFit(chance=0.95, vms_fitting=fitting, vms=301, windows=windows).sentences("UTC"))

    assert said(216, needed(None, 11 * HOUR)) == (
        "216 of 301 VMs would fit the windows as a wave of their own. "
        "Split the wave, or widen the switchover window to 11h (until Tue 03 Mar 09:00 UTC)."
    )
    assert said(0, needed("app", HOUR), needed("db", 2 * HOUR)).endswith(
        "own. Widen the cutover window of app and db to 2h (until Tue 03 Mar 00:00 UTC)."
    )
    many = [needed(f"s{number}", HOUR) for number in range(5)]
    assert "widen the cutover window of 5 segments to 1h" in said(3, *many)
    assert said(7, needed(None, None)).endswith("own. Split the wave.")
    assert said(0, needed(None, None)).endswith("start earlier, or look at bandwidth and meshes.")
