"""The forecast that a series of nights ends with: of its last night, from the snapshot that was rehearsed on."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rich.console import Console

from hcx_demo.rehearse.backfill import in_words
from hcx_demo.terminal import speaker
from hcx_waves.rehearsals.model import RehearsalRecord
from hcx_waves.wavefile.wave import Wave

FORECAST_NIGHTS = 1000
PARAMETERS_VARIABLE = "HCX_WAVES_PARAMETERS"


def newest_snapshot(folder: Path) -> Path | None:
    """Return the last snapshot that was kept in a folder; their names are instants."""
    return max(folder.glob("*.json.gz"), default=None)


def tell_forecast(
    wave: Wave, wave_file: Path, record: RehearsalRecord, snapshot: Path, picture: Path, console: Console
) -> None:
    """Print the forecast, draw it, and say by which command that is done.

    :param record: of the night that is forecast, which begins when that one did.
    :raises ValueError: if the snapshot or the model parameters cannot be used; the subclasses say which.
    :raises OSError: if the picture cannot be written.
    """
    # numpy and matplotlib take a while to load.
    from hcx_snapshot import load_snapshot
    from hcx_waves.forecast import forecast, load_parameters, subject_of
    from hcx_waves.forecast.results.picture import draw_forecast
    from hcx_waves.forecast.results.text import print_forecast

    given = os.environ.get(PARAMETERS_VARIABLE)
    parameters, known = load_parameters(Path(given) if given else None), load_snapshot(snapshot)
    subject = subject_of(wave, known, parameters, starts_at=record.starts_at, night=record.night)
    found = forecast(subject, parameters, FORECAST_NIGHTS, safe_start=True)
    print_forecast(found, console)
    picture.write_bytes(draw_forecast(found, picture.suffix))
    say = speaker(console)
    say(f"forecast: {picture}")
    start = f"{record.starts_at.astimezone(wave.zone):%Y-%m-%d %H:%M}"
    arguments = ["forecast", str(wave_file), "--snapshot", str(snapshot), "--night", str(record.night)]
    program = Path(sys.executable).with_name("hcx-waves")
    say(f"$ {in_words(program, [*arguments, '--start', start, '--picture', str(picture)])}")
