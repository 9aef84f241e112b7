"""A series of rehearsed nights: from the backfill to the forecast."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from hcx_demo.rehearse.backfill import backfill_arguments, create_backfill, in_words
from hcx_demo.rehearse.ending import Ending
from hcx_demo.rehearse.nights import Nights
from hcx_demo.rehearse.progress import Night, Progress
from hcx_demo.rehearse.view import NightsView
from hcx_demo.runs import await_dags, clear_unfinished
from hcx_demo.stack import Stack
from hcx_demo.terminal import speaker
from hcx_demo.words import duration
from hcx_waves.rehearsals.store import RecordStore
from hcx_waves.wavefile.wave import Wave

ROTATE = "rotate"
_POLL_SECONDS = 2.0
_PAGE = "hcx-waves-rehearsals-of-dag"
# What the grid in Airflow's UI offers.
_GRID_COLUMNS = (10, 25, 50)


def _columns(nights: int) -> int:
    return next((columns for columns in _GRID_COLUMNS if columns >= nights), _GRID_COLUMNS[-1])


@dataclass(frozen=True)
class SeriesOptions:
    """What is rehearsed.

    :param faults: names of fault scenarios for all nights; with ``rotate`` among them they take turns.
    :param active: nights at the same time.
    """

    wave: Wave
    nights: Nights
    faults: tuple[str, ...] = ()
    active: int = 4

    @property
    def conf(self) -> Mapping[str, Any]:
        """The params of the nights; all are said, as a night that is rehearsed again keeps what is not."""
        named = [name for name in self.faults if name != ROTATE]
        return {"faults": named, "rotate_faults": ROTATE in self.faults}


class Series:
    """Rehearses the nights on a running stack and tells what came out."""

    def __init__(self, stack: Stack, options: SeriesOptions, console: Console) -> None:
        self._stack = stack
        self._options = options
        self._console = console
        self._say = speaker(console)
        self._dag_id = f"rehearsal__{options.wave.name}"
        self._store = RecordStore(stack.state.reports)

    def play(self) -> bool:
        """Rehearse; return whether every night has ended and left its record.

        :raises DemoError: when a process ends by itself or does not answer, or Airflow refuses the backfill.
        """
        self._prepare()
        began_at, began = datetime.now(UTC), time.monotonic()
        nights = self._options.nights
        arguments = backfill_arguments(self._dag_id, nights, self._options.conf, self._options.active)
        self._say(f"$ {in_words(self._stack.state.commands / 'airflow', arguments)}")
        ending = Ending(self._stack, self._options.wave, nights, self._console)
        create_backfill(self._stack, arguments)
        self._say(
            f"{len(nights)} nights from {nights.first} to {nights.last}, {self._options.active} at a time: "
            f"{self._stack.plan.base_url}/dags/{self._dag_id}?limit={_columns(len(nights))}"
        )
        progress = Progress(self._stack.admin, self._store, self._options.wave, self._dag_id, nights, began_at)
        ended = self._follow(progress, began)
        self._say(f"{len(nights)} nights took {duration(time.monotonic() - began)} wall")
        ending.tell(ended)
        page = f"{self._stack.plan.base_url}/dags/{self._dag_id}/plugin/{_PAGE}"
        self._say(f"all rehearsals in Airflow: {page}")
        return all(night.record is not None for night in ended)

    def _prepare(self) -> None:
        admin = self._stack.admin
        await_dags(admin, (self._dag_id,), self._stack.check)
        count = clear_unfinished(admin, self._dag_id)
        if count:
            self._say(f"{count} unfinished runs of {self._dag_id} removed: their twins are gone")
        admin.unpause(self._dag_id)

    def _follow(self, progress: Progress, began: float) -> tuple[Night, ...]:
        with NightsView(self._console, len(self._options.nights)) as view:
            while True:
                nights = progress.look()
                view.show(nights, time.monotonic() - began)
                if all(night.is_finished for night in nights):
                    return nights
                self._stack.check()
                time.sleep(_POLL_SECONDS)
