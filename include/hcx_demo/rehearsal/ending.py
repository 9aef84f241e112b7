"""The end of a series of rehearsals: the summary, the forecast, and a comparison with earlier rehearsals."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from hcx_demo.rehearsal.backfill import NightRange, shown_command
from hcx_demo.rehearsal.progress import RehearsalRun
from hcx_demo.stack import Stack
from hcx_demo.stack.airflow_settings import PARAMETERS_VARIABLE
from hcx_demo.terminal import speaker
from hcx_waves.rehearsals.markdown import render_summary
from hcx_waves.rehearsals.model import RehearsalRecord
from hcx_waves.rehearsals.store import RecordError, RecordStore
from hcx_waves.rehearsals.summary import summarise, summary_of
from hcx_waves.wavefile.loader import SUFFIX
from hcx_waves.wavefile.wave import Wave

_FORECAST_NIGHTS = 1000
_NIGHTS_HEADING = "\n## Nights\n"


class Ending:
    """Created before the rehearsals, as it remembers the timelines of earlier ones."""

    def __init__(self, stack: Stack, wave: Wave, nights: NightRange, console: Console) -> None:
        self._store = RecordStore(stack.state.reports)
        self._snapshots = stack.state.kept / "snapshots" / wave.name
        self._wave_file = stack.options.dags / "waves" / f"{wave.name}{SUFFIX}"
        self._wave = wave
        self._console = console
        self._say = speaker(console)
        self._earlier = {night: self._timeline(night) for night in nights.dates()}

    def show(self, rehearsals: Sequence[RehearsalRun]) -> None:
        """Print the summary of the rehearsals and the forecast, and where the files are."""
        # Not at the top: matplotlib is slow to load.
        from hcx_waves.rehearsals.files import write_summary

        records = [one.record for one in rehearsals if one.record is not None]
        if not records:
            self._say("No rehearsal left a record, so there is no summary.")
            return
        # Without the table of the nights: they have been printed already, and it is wider than most terminals.
        self._console.print(Markdown(render_summary(summary_of(records)).partition(_NIGHTS_HEADING)[0]))
        # The files are about all rehearsals of the wave, including those of other series.
        for kind, path in write_summary(self._store, summarise(self._store, self._wave.name)).items():
            self._say(f"All rehearsals, {kind}: {path}")
        self._show_forecast(records[-1])
        self._compare([record.night for record in records])
        lost = len(rehearsals) - len(records)
        if lost:
            self._say(f"{lost} rehearsals left no record; see the logs of their runs in Airflow.")

    def _show_forecast(self, record: RehearsalRecord) -> None:
        # The names of snapshots are times.
        snapshot = max(self._snapshots.glob("*.json.gz"), default=None)
        if snapshot is None:
            self._say(f"No forecast: there is no snapshot in {self._snapshots}.")
            return
        picture = self._store.place(self._wave.name).parent / "forecast.png"
        try:
            self._forecast(record, snapshot, picture)
        except (ValueError, OSError) as error:
            self._say(f"No forecast: {error}")
            return
        self._say(f"Forecast: {picture}")
        start = f"{record.starts_at.astimezone(self._wave.zone):%Y-%m-%d %H:%M}"
        arguments = ["forecast", str(self._wave_file), "--snapshot", str(snapshot), "--night", str(record.night)]
        program = Path(sys.executable).with_name("hcx-waves")
        self._say(f"$ {shown_command(program, [*arguments, '--start', start, '--picture', str(picture)])}")

    def _forecast(self, record: RehearsalRecord, snapshot: Path, picture: Path) -> None:
        """Print and draw the forecast of the night of a record, from the snapshot that was rehearsed on.

        :raises ValueError: if the snapshot or the model parameters cannot be used; the subclasses say which.
        :raises OSError: if the picture cannot be written.
        """
        # Not at the top: numpy and matplotlib are slow to load.
        from hcx_snapshot import load_snapshot
        from hcx_waves.forecast import forecast, load_parameters, subject_of
        from hcx_waves.forecast.results.picture import draw_forecast
        from hcx_waves.forecast.results.text import print_forecast

        chosen = os.environ.get(PARAMETERS_VARIABLE)
        parameters = load_parameters(Path(chosen) if chosen else None)
        subject = subject_of(
            self._wave, load_snapshot(snapshot), parameters, starts_at=record.starts_at, night=record.night
        )
        found = forecast(subject, parameters, _FORECAST_NIGHTS, safe_start=True)
        print_forecast(found, self._console)
        picture.write_bytes(draw_forecast(found, picture.suffix))

    def _compare(self, nights: Sequence[date]) -> None:
        """Print how many nights that were rehearsed before have the same timeline again."""
        again = [night for night in nights if self._earlier.get(night) is not None]
        same = [night for night in again if self._earlier[night] == self._timeline(night)]
        if again:
            others = ", ".join(str(night) for night in again if night not in same)
            changed = f"; another one on {others}" if others else ""
            self._say(
                f"{len(same)} of {len(again)} nights rehearsed again have the same timeline, byte by byte{changed}"
            )

    def _timeline(self, night: date) -> bytes | None:
        try:
            return self._store.timeline(self._wave.name, night)
        except RecordError:
            return None
