"""A series of rehearsals: from the backfill to the summary and the forecast."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from hcx_airflow.names import rehearsal_dag_id
from hcx_demo.rehearsal.backfill import NightRange, backfill_arguments, create_backfill, shown_command
from hcx_demo.rehearsal.ending import Ending
from hcx_demo.rehearsal.progress import RehearsalProgress, RehearsalRun
from hcx_demo.rehearsal.view import RehearsalsView
from hcx_demo.runs import await_dags, clear_unfinished
from hcx_demo.stack import Stack
from hcx_demo.terminal import speaker
from hcx_demo.texts import duration
from hcx_waves.rehearsals.store import RecordStore
from hcx_waves.wavefile.wave import Wave

ROTATE = "rotate"
_POLL_SECONDS = 2.0
# The page of the UI plugin that summarises the rehearsals of a DAG.
SUMMARY_PAGE = "hcx-waves-rehearsals-of-dag"
# The numbers of columns that the grid in Airflow's UI offers.
_GRID_COLUMNS = (10, 25, 50)


def _columns(nights: int) -> int:
    return next((columns for columns in _GRID_COLUMNS if columns >= nights), _GRID_COLUMNS[-1])


@dataclass(frozen=True)
class SeriesOptions:
    """Which wave is rehearsed, and how.

    :param faults: names of fault scenarios for all nights; ``rotate`` changes them from night to night.
    :param active: number of rehearsals at the same time.
    """

    wave: Wave
    nights: NightRange
    faults: tuple[str, ...] = ()
    active: int = 4

    @property
    def conf(self) -> Mapping[str, Any]:
        """The params of every rehearsal. All are set: a night that is rehearsed again keeps those that are not."""
        named = [name for name in self.faults if name != ROTATE]
        return {"faults": named, "rotate_faults": ROTATE in self.faults}


class RehearsalSeries:
    """Rehearses the nights on a running stack and prints the results."""

    def __init__(self, stack: Stack, options: SeriesOptions, console: Console) -> None:
        self._stack = stack
        self._options = options
        self._console = console
        self._say = speaker(console)
        self._dag_id = rehearsal_dag_id(options.wave.name)
        self._store = RecordStore(stack.state.reports)

    def play(self) -> bool:
        """Rehearse; return whether every rehearsal has ended and left its record.

        :raises DemoError: if a process ends by itself or does not answer, or if Airflow refuses the backfill.
        """
        self._prepare()
        began_at, began = datetime.now(UTC), time.monotonic()
        nights = self._options.nights
        arguments = backfill_arguments(self._dag_id, nights, self._options.conf, self._options.active)
        self._say(f"$ {shown_command(self._stack.state.commands / 'airflow', arguments)}")
        ending = Ending(self._stack, self._options.wave, nights, self._console)
        create_backfill(self._stack, arguments)
        self._say(
            f"{len(nights)} nights from {nights.first} to {nights.last}, {self._options.active} at a time: "
            f"{self._stack.plan.base_url}/dags/{self._dag_id}?limit={_columns(len(nights))}"
        )
        progress = RehearsalProgress(self._stack.admin, self._store, self._options.wave, self._dag_id, nights, began_at)
        ended = self._follow(progress, began)
        self._say(f"{len(nights)} nights took {duration(time.monotonic() - began)} (wall)")
        ending.show(ended)
        page = f"{self._stack.plan.base_url}/dags/{self._dag_id}/plugin/{SUMMARY_PAGE}"
        self._say(f"All rehearsals in Airflow: {page}")
        return all(one.record is not None for one in ended)

    def _prepare(self) -> None:
        admin = self._stack.admin
        await_dags(admin, (self._dag_id,), self._stack.check)
        count = clear_unfinished(admin, self._dag_id)
        if count:
            self._say(f"removed {count} unfinished runs of {self._dag_id}: their twins no longer exist")
        admin.unpause(self._dag_id)

    def _follow(self, progress: RehearsalProgress, began: float) -> tuple[RehearsalRun, ...]:
        with RehearsalsView(self._console, len(self._options.nights)) as view:
            while True:
                rehearsals = progress.look()
                view.show(rehearsals, time.monotonic() - began)
                if all(one.is_finished for one in rehearsals):
                    return rehearsals
                self._stack.check()
                time.sleep(_POLL_SECONDS)
