"""The command ``forecast``: the forecast of a wave as text, JSON and a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from hcx_snapshot import Snapshot, SnapshotFileError, load_snapshot
from hcx_waves.cli.inputs import Inputs
from hcx_waves.cli.output import fail, note, output_console, print_json, working, write_file
from hcx_waves.forecast import (
    DEFAULT_NIGHTS,
    SAFE_CHANCE,
    Forecast,
    ForecastInput,
    ModelParameters,
    ParametersError,
    last_safe_start,
    load_parameters,
    subject_of,
    what_if,
)
from hcx_waves.forecast import forecast as forecast_wave
from hcx_waves.forecast.results.build import has_windows
from hcx_waves.forecast.results.document import PICTURE_FORMATS
from hcx_waves.forecast.results.text import print_comparison, print_forecast
from hcx_waves.model.formatting import counted
from hcx_waves.wavefile.clock import ClockError
from hcx_waves.wavefile.loader import load_wave
from hcx_waves.wavefile.moments import LocalTimeError, Moment, exact_instant, parse_moment
from hcx_waves.wavefile.problems import WaveFileError
from hcx_waves.wavefile.wave import Wave

_MEGABIT = 1e6
_JSON = ".json"
_WORTH_A_PROCESS = 100_000
"""Nights times VMs. From here on the search for the last safe start runs in a process of its own."""
_UNUSABLE = (
    WaveFileError, SnapshotFileError, ParametersError, ClockError, LocalTimeError, ValidationError, ValueError, OSError,
)  # fmt: skip


StartOption = Annotated[
    str | None,
    typer.Option(
        help="Start of the run in the wave's time zone, such as 2026-10-24 20:00. A what-if if the file has one."
    ),
]
BandwidthOption = Annotated[
    float | None,
    typer.Option(min=0.001, help="What if each service mesh had this many Mbit/s between the sites?"),
]
SecondMeshOption = Annotated[
    bool,
    typer.Option("--second-mesh", help="What if each service mesh shared its VMs and its uplink with a second one?"),
]
OrderOption = Annotated[
    str | None,
    typer.Option(help=f"What if VMs switched over in this order: {', '.join(what_if.ORDERS)}, or names with commas?"),
]


@dataclass(frozen=True)
class _Options:
    nights: int
    seed: int
    safe_start: bool


@dataclass(frozen=True)
class _Read:
    wave: Wave
    snapshot: Snapshot | None
    parameters: ModelParameters
    begin: datetime | None
    night: date | None


def forecast(
    wave_file: Annotated[Path, typer.Argument(help="The wave file.", metavar="WAVE_FILE")],
    snapshot: Annotated[
        Path | None, typer.Option(help="Snapshot of the site pair. Without one, sizes are assumed.")
    ] = None,
    nights: Annotated[int, typer.Option(min=1, max=100_000, help="Number of simulated nights.")] = DEFAULT_NIGHTS,
    parameters: Annotated[Path | None, typer.Option(help="File with model parameters (YAML or JSON).")] = None,
    night: Annotated[
        str | None,
        typer.Option(help="Night to forecast instead of the wave file's, such as 2026-10-24.", metavar="DATE"),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the random draws. The same seed gives the same nights.")
    ] = 0,
    start: StartOption = None,
    bandwidth: BandwidthOption = None,
    second_mesh: SecondMeshOption = False,
    order: OrderOption = None,
    safe_start: Annotated[bool, typer.Option(help="Search for the last safe start, which doubles the time.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    out: Annotated[
        list[Path] | None,
        typer.Option(help="File to write: .json, or a picture (.svg, .png, .pdf). May be repeated."),
    ] = None,
) -> None:
    """Forecast a wave: transfers, switchover queue, outage of each segment, and whether it fits its windows.

    Exits with 0 whatever the probability is, with 2 if an input cannot be used.
    """
    options = _Options(nights, seed, safe_start)
    inputs = _read(wave_file, snapshot, parameters, start=start, night=night, out=out or ())
    try:
        given, begin = inputs.parameters, inputs.begin
        planned = subject_of(
            inputs.wave,
            inputs.snapshot,
            given,
            starts_at=_planned_start(inputs.wave, begin, inputs.night),
            night=inputs.night,
        )
        changed, changed_parameters, flags = _what_if(
            planned, given, bandwidth=bandwidth, second_mesh=second_mesh, order=order, start=begin
        )
    except _UNUSABLE as error:
        fail(str(error))
    with working(f"Playing {counted(nights, 'night')} of {counted(len(planned.vms), 'VM')}", as_json=as_json):
        base = _forecast(planned, given, options)
        other = _forecast(changed, changed_parameters, options) if flags else None
    document = _document(base, other, flags)
    if as_json:
        print_json(document)
    else:
        _print(base, other, flags)
    for path in out or ():
        _write(path, json.dumps(document, indent=2) if path.suffix == _JSON else _drawn(other or base, path.suffix))


def _read(
    wave_file: Path,
    snapshot: Path | None,
    parameters: Path | None,
    *,
    start: str | None,
    night: str | None,
    out: Sequence[Path],
) -> _Read:
    """Read all inputs; if any cannot be used, end the command with every problem."""
    inputs = Inputs(*_UNUSABLE)
    wave = inputs.read(load_wave, wave_file)
    known = None if snapshot is None else inputs.read(load_snapshot, snapshot)
    given = inputs.read(load_parameters, parameters)
    day = None if night is None else inputs.read(_date, night)
    moment = None if start is None else inputs.read(_moment, start)
    begin = None if wave is None or moment is None else inputs.read(exact_instant, moment, wave.zone)
    for path in out:
        inputs.read(_check_format, path)
    if any(path.suffix in PICTURE_FORMATS for path in out):
        # Before the forecast, which takes a while: the module needs matplotlib, which may be missing.
        import_module("hcx_waves.forecast.results.picture")
    if wave is None or given is None or inputs.problems:
        fail(inputs.problems)
    return _Read(wave, known, given, begin, day)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f'"{text}" is not a date: write 2026-10-24') from None


def _moment(text: str) -> Moment:
    moment = parse_moment(text)
    if not moment.is_dated:
        raise ValueError(f'"{text}" has no date: write 2026-10-24 20:00')
    return moment


def _planned_start(wave: Wave, begin: datetime | None, night: date | None) -> datetime | None:
    """Return the start of a wave whose file has none: the requested one, else now. Another night has its own start."""
    if wave.start is not None or (begin is None and night is not None):
        return None
    return begin or datetime.now(UTC).replace(second=0, microsecond=0)


def _what_if(
    planned: ForecastInput,
    parameters: ModelParameters,
    *,
    bandwidth: float | None,
    second_mesh: bool,
    order: str | None,
    start: datetime | None,
) -> tuple[ForecastInput, ModelParameters, list[str]]:
    """Return the wave and the parameters with the requested changes, and a text for each change."""
    changed, flags = planned, []
    if bandwidth is not None:
        parameters = what_if.with_bandwidth(changed, parameters, bandwidth * _MEGABIT)
        flags.append(f"{bandwidth:g} Mbit/s per mesh")
    if second_mesh:
        changed, parameters = what_if.with_second_mesh(changed, parameters)
        flags.append("a second mesh")
    if order is not None:
        chosen = order if order in what_if.ORDERS else [name.strip() for name in order.split(",") if name.strip()]
        changed = what_if.with_order(changed, chosen)
        flags.append(f"switchovers in the order {order}")
    if start is not None and start != planned.starts_at:
        changed = what_if.with_start(changed, start)
        flags.append(f"start {start.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
    return changed, parameters, flags


def _forecast(subject: ForecastInput, parameters: ModelParameters, options: _Options) -> Forecast:
    """Return the forecast; a search that takes long runs in a process of its own."""
    nights, seed = options.nights, options.seed
    searches = options.safe_start and has_windows(subject)
    if not searches or nights * len(subject.vms) < _WORTH_A_PROCESS:
        return forecast_wave(subject, parameters, nights, seed, safe_start=searches)
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as other:
        searched = other.submit(last_safe_start, subject, parameters, seed=seed)
        found = forecast_wave(subject, parameters, nights, seed)
        return found.model_copy(update={"last_safe_start": searched.result(), "safe_chance": SAFE_CHANCE})


def _print(base: Forecast, other: Forecast | None, flags: list[str]) -> None:
    console = output_console()
    print_forecast(base, console)
    if other is not None:
        print_comparison(base, other, flags, console)


def _document(base: Forecast, other: Forecast | None, flags: list[str]) -> dict[str, Any]:
    changed = None if other is None else {"flags": flags, "forecast": other.to_dict()}
    return {"forecast": base.to_dict(), "what_if": changed}


def _check_format(path: Path) -> None:
    if path.suffix not in (_JSON, *PICTURE_FORMATS):
        raise ValueError(f"{path}: the name must end in {_JSON}, or for a picture in {', '.join(PICTURE_FORMATS)}")


def _drawn(drawn: Forecast, suffix: str) -> bytes:
    # Not at the top: matplotlib is slow to load, and only needed for a picture.
    from hcx_waves.forecast.results.picture import draw_forecast

    return draw_forecast(drawn, suffix)


def _write(path: Path, content: bytes | str) -> None:
    write_file(path, content)
    note(f"{path}: written")
