"""``hcx-waves forecast``: what to expect of a wave, as text, JSON and a picture."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError

from hcx_snapshot import Snapshot, SnapshotFileError, load_snapshot
from hcx_waves.doctor.output import output_console
from hcx_waves.forecast import (
    DEFAULT_NIGHTS,
    SAFE_CHANCE,
    Forecast,
    ForecastInput,
    ModelParameters,
    ParametersError,
    forecast,
    last_safe_start,
    load_parameters,
    subject_of,
    what_if,
)
from hcx_waves.forecast.results.build import has_windows
from hcx_waves.forecast.results.document import PICTURE_FORMATS
from hcx_waves.forecast.results.text import print_comparison, print_forecast
from hcx_waves.gathering import Gathering
from hcx_waves.wavefile.clock import ClockError
from hcx_waves.wavefile.loader import load_wave
from hcx_waves.wavefile.moments import LocalTimeError, Moment, exact_instant, parse_moment
from hcx_waves.wavefile.problems import WaveFileError
from hcx_waves.wavefile.wave import Wave

_EXIT_UNUSABLE = 2
_MEGABIT = 1e6
_WORTH_A_PROCESS = 100_000
"""Nights times VMs, from which on the search runs on another core."""
_UNUSABLE = (
    WaveFileError, SnapshotFileError, ParametersError, ClockError, LocalTimeError, ValidationError, ValueError, OSError,
)  # fmt: skip


@dataclass(frozen=True)
class _Options:
    nights: int
    seed: int
    safe_start: bool


@dataclass(frozen=True)
class _Inputs:
    wave: Wave
    snapshot: Snapshot | None
    parameters: ModelParameters
    begin: datetime | None
    night: date | None


def forecast_command(
    wave_file: Annotated[Path, typer.Argument(help="The wave file.", metavar="WAVE_FILE")],
    snapshot: Annotated[
        Path | None, typer.Option(help="A snapshot of the site pair; without one, sizes are assumed.")
    ] = None,
    nights: Annotated[int, typer.Option(min=1, max=100_000, help="How many nights are played.")] = DEFAULT_NIGHTS,
    parameters: Annotated[Path | None, typer.Option(help="A file of model parameters (YAML or JSON).")] = None,
    night: Annotated[
        str | None, typer.Option(help="Another night than the file's, as 2026-10-24.", metavar="DATE")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same nights.")] = 0,
    start: Annotated[
        str | None,
        typer.Option(
            help="When the run begins, in the wave's zone: 2026-10-24 20:00. What if, where the file has a start."
        ),
    ] = None,
    bandwidth: Annotated[
        float | None, typer.Option(min=0.001, help="What if each mesh had so many Mbit/s between the sites?")
    ] = None,
    second_mesh: Annotated[
        bool, typer.Option("--second-mesh", help="What if each mesh shared its VMs and its line with a second one?")
    ] = False,
    order: Annotated[
        str | None,
        typer.Option(help=f"What if VMs switched over one by one: {', '.join(what_if.ORDERS)}, or names with commas?"),
    ] = None,
    safe_start: Annotated[bool, typer.Option(help="Search the last safe start, which takes as long again.")] = True,
    as_json: Annotated[Path | None, typer.Option("--json", help="Write the forecast there (- for the output).")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw it there: .svg, .png or .pdf.")] = None,
) -> None:
    """Forecast a wave: transfers, switchover queue, outage of each segment, and whether it fits its windows.

    Ends with 0 whatever the chances are, with 2 when something cannot be used.
    """
    options = _Options(nights, seed, safe_start)
    inputs = _read(wave_file, snapshot, parameters, start=start, night=night, picture=picture)
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
        _fail(str(error))
    told = _told(planned, given, options)
    other = _told(changed, changed_parameters, options) if flags else None
    _print(told, other, flags, quiet=str(as_json) == "-")
    if as_json is not None:
        _write_json(as_json, told, other, flags)
    if picture is not None:
        _draw(picture, other or told)


def _read(
    wave_file: Path,
    snapshot: Path | None,
    parameters: Path | None,
    *,
    start: str | None,
    night: str | None,
    picture: Path | None,
) -> _Inputs:
    """Read everything that was named, and end with all that is wrong with it."""
    gathering = Gathering(*_UNUSABLE)
    wave = gathering.read(load_wave, wave_file)
    known = None if snapshot is None else gathering.read(load_snapshot, snapshot)
    given = gathering.read(load_parameters, parameters)
    day = None if night is None else gathering.read(_date, night)
    moment = None if start is None else gathering.read(_moment, start)
    begin = None if wave is None or moment is None else gathering.read(exact_instant, moment, wave.zone)
    if picture is not None:
        gathering.read(_check_format, picture)
    if wave is None or given is None or gathering.problems:
        _fail("\n".join(gathering.problems))
    return _Inputs(wave, known, given, begin, day)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f'"{text}" is no date: write 2026-10-24') from None


def _moment(text: str) -> Moment:
    moment = parse_moment(text)
    if not moment.is_dated:
        raise ValueError(f'"{text}" has no date: write 2026-10-24 20:00')
    return moment


def _planned_start(wave: Wave, begin: datetime | None, night: date | None) -> datetime | None:
    """Return when a wave without a start of its own begins: as asked, else now; another night has its own start."""
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
    """Return the wave under the circumstances that were asked for, and these in words."""
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


def _told(subject: ForecastInput, parameters: ModelParameters, options: _Options) -> Forecast:
    if not options.safe_start or not has_windows(subject):
        return forecast(subject, parameters, options.nights, options.seed)
    if options.nights * len(subject.vms) < _WORTH_A_PROCESS:
        latest = last_safe_start(subject, parameters, seed=options.seed)
        found = forecast(subject, parameters, options.nights, options.seed)
    else:
        with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as other:
            searched = other.submit(last_safe_start, subject, parameters, seed=options.seed)
            found = forecast(subject, parameters, options.nights, options.seed)
            latest = searched.result()
    return found.model_copy(update={"last_safe_start": latest, "safe_chance": SAFE_CHANCE})


def _print(told: Forecast, other: Forecast | None, flags: list[str], *, quiet: bool) -> None:
    if quiet:
        return
    console = output_console()
    print_forecast(told, console)
    if other is not None:
        print_comparison(told, other, flags, console)


def _write_json(path: Path, told: Forecast, other: Forecast | None, flags: list[str]) -> None:
    changed = None if other is None else {"flags": flags, "forecast": other.to_dict()}
    text = json.dumps({"forecast": told.to_dict(), "what_if": changed}, indent=2)
    if str(path) == "-":
        typer.echo(text)
        return
    _write(path, text.encode())


def _check_format(picture: Path) -> None:
    if picture.suffix not in PICTURE_FORMATS:
        raise ValueError(f"{picture}: a picture's name ends in {', '.join(PICTURE_FORMATS)}")


def _draw(path: Path, told: Forecast) -> None:
    # Drawing takes a library that is slow to load; no other command shall wait for it.
    from hcx_waves.forecast.results.picture import draw_forecast

    _write(path, draw_forecast(told, path.suffix))


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        _fail(f"{path}: cannot be written: {error.strerror or error}")
    typer.echo(f"{path}: written", err=True)


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(_EXIT_UNUSABLE)
