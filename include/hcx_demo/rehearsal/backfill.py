"""The nights of a series, and the backfill that rehearses them, created by Airflow's own command."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Self

from hcx_demo.errors import DemoError
from hcx_demo.stack import Stack

_DAY = timedelta(days=1)
_SECONDS = 180.0
_ALREADY_RUNNING = "AlreadyRunningBackfill"
_WAIT_SECONDS, _PAUSE_SECONDS = 90.0, 3.0
_TAIL_LINES = 15


@dataclass(frozen=True)
class NightRange:
    """Consecutive nights by their dates in the wave's time zone, both ends included."""

    first: date
    last: date

    @classmethod
    def of(cls, count: int, first: date | None, today: date) -> Self:
        """Return a number of nights, beginning with the first one or ending yesterday.

        :param today: the date in the wave's time zone.
        :raises DemoError: if the last night is not over, as Airflow only backfills the past.
        """
        last = today - _DAY if first is None else first + (count - 1) * _DAY
        if last >= today:
            raise DemoError(
                f"the night of {last} is not over, and Airflow only backfills the past: choose an earlier FROM or "
                f"fewer NIGHTS, so that the last night is {today - _DAY} or earlier"
            )
        return cls(last - (count - 1) * _DAY, last)

    @property
    def end(self) -> date:
        """The date after the last night: runs are at noon, so a backfill must end after it."""
        return self.last + _DAY

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def dates(self) -> tuple[date, ...]:
        """Return all nights in order."""
        return tuple(self.first + number * _DAY for number in range(len(self)))


def backfill_arguments(dag_id: str, nights: NightRange, conf: Mapping[str, Any], active: int) -> list[str]:
    """Return the arguments of ``airflow`` that rehearse the nights, again if they have been rehearsed before.

    :param conf: the params of every rehearsal.
    :param active: number of rehearsals at the same time.
    """
    arguments = ["backfill", "create", "--dag-id", dag_id]
    arguments += ["--from-date", nights.first.isoformat(), "--to-date", nights.end.isoformat()]
    arguments += ["--max-active-runs", str(active), "--reprocess-behavior", "completed"]
    return [*arguments, "--dag-run-conf", json.dumps(dict(conf))]


def shown_command(command: Path, arguments: Sequence[str]) -> str:
    """Return a command as it is typed in the current folder."""
    here = f"{Path.cwd()}/"
    return shlex.join(one.removeprefix(here) for one in (str(command), *arguments))


def create_backfill(stack: Stack, arguments: Sequence[str]) -> None:
    """Let Airflow create the runs. It allows one backfill per DAG, and notices the end of the last one within 30 s.

    :raises DemoError: with Airflow's message if it refuses.
    """
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        code, output = _call(stack, arguments)
        if code == 0:
            return
        if _ALREADY_RUNNING not in output or time.monotonic() > deadline:
            tail = "\n".join(f"  {line}" for line in output.splitlines()[-_TAIL_LINES:])
            raise DemoError(f"Airflow refuses the backfill; the end of {_log(stack)}:\n{tail}")
        stack.check()
        time.sleep(_PAUSE_SECONDS)


def _log(stack: Stack) -> Path:
    return stack.state.logs / "backfill.log"


def _call(stack: Stack, arguments: Sequence[str]) -> tuple[int, str]:
    try:
        done = subprocess.run(  # noqa: S603 - no shell, our own arguments
            [str(stack.state.commands / "airflow"), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=stack.environment(),
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise DemoError(f"Airflow did not create the backfill within {_SECONDS:.0f} s") from None
    _log(stack).write_text(done.stdout, encoding="utf-8")
    return done.returncode, done.stdout
