"""What is told when all nights have ended: the summary, the forecast, and whether nights came out as the last time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from rich.console import Console
from rich.markdown import Markdown

from hcx_demo.rehearse.forecasting import newest_snapshot, tell_forecast
from hcx_demo.rehearse.nights import Nights
from hcx_demo.rehearse.progress import Night
from hcx_demo.stack import Stack
from hcx_demo.terminal import speaker
from hcx_waves.rehearsals.markdown import render_summary
from hcx_waves.rehearsals.model import RehearsalRecord
from hcx_waves.rehearsals.store import RecordError, RecordStore
from hcx_waves.rehearsals.summary import summarise, summary_of
from hcx_waves.wavefile.loader import SUFFIX
from hcx_waves.wavefile.wave import Wave

_NIGHTS = "\n## Nights\n"


class Ending:
    """Made before the nights are rehearsed, as it remembers the timelines of an earlier time."""

    def __init__(self, stack: Stack, wave: Wave, nights: Nights, console: Console) -> None:
        self._store = RecordStore(stack.state.reports)
        self._snapshots = stack.state.kept / "snapshots" / wave.name
        self._wave_file = stack.options.dags / "waves" / f"{wave.name}{SUFFIX}"
        self._wave = wave
        self._console = console
        self._say = speaker(console)
        self._before = {day: self._timeline(day) for day in nights.dates()}

    def tell(self, nights: Sequence[Night]) -> None:
        """Print the summary of these nights and the forecast, and say where the files are."""
        # matplotlib takes a while to load.
        from hcx_waves.rehearsals.files import write_summary

        records = [night.record for night in nights if night.record is not None]
        if not records:
            self._say("no night has left a record, so there is nothing to sum up")
            return
        summary = summary_of(records)
        # The nights have been told one by one already, and the table of them is wider than most terminals.
        self._console.print(Markdown(render_summary(summary).partition(_NIGHTS)[0]))
        # The files are about all nights of the wave, also those of other series.
        for kind, path in write_summary(self._store, summarise(self._store, self._wave.name)).items():
            self._say(f"all rehearsals, {kind}: {path}")
        self._forecast(records[-1])
        self._compare([record.night for record in records])
        lost = len(nights) - len(records)
        if lost:
            self._say(f"{lost} nights have left no record; their runs in Airflow say why")

    def _forecast(self, record: RehearsalRecord) -> None:
        snapshot = newest_snapshot(self._snapshots)
        if snapshot is None:
            self._say(f"no forecast: there is no snapshot in {self._snapshots}")
            return
        picture = self._store.place(self._wave.name).parent / "forecast.png"
        try:
            tell_forecast(self._wave, self._wave_file, record, snapshot, picture, self._console)
        except (ValueError, OSError) as error:
            self._say(f"no forecast: {error}")

    def _compare(self, days: Sequence[date]) -> None:
        again = [day for day in days if self._before.get(day) is not None]
        same = [day for day in again if self._before[day] == self._timeline(day)]
        if again:
            others = ", ".join(str(day) for day in again if day not in same)
            told = f"; another one on {others}" if others else ""
            self._say(f"{len(same)} of {len(again)} nights rehearsed again have the same timeline, byte by byte{told}")

    def _timeline(self, day: date) -> bytes | None:
        try:
            return self._store.timeline(self._wave.name, day)
        except RecordError:
            return None
