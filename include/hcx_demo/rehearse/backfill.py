"""The backfill, made by Airflow's own command, as a person would."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hcx_demo.errors import DemoError
from hcx_demo.rehearse.nights import Nights
from hcx_demo.stack import Stack

_SECONDS = 180.0
_OTHER, _OTHER_SECONDS, _PAUSE_SECONDS = "AlreadyRunningBackfill", 90.0, 3.0
_TAIL_LINES = 15


def backfill_arguments(dag_id: str, nights: Nights, conf: Mapping[str, Any], active: int) -> list[str]:
    """Return the arguments of ``airflow`` that rehearse the nights.

    Nights that have been rehearsed already are rehearsed once more.

    :param conf: the params of every night.
    :param active: how many nights at the same time.
    """
    arguments = ["backfill", "create", "--dag-id", dag_id]
    arguments += ["--from-date", nights.first.isoformat(), "--to-date", nights.end.isoformat()]
    arguments += ["--max-active-runs", str(active), "--reprocess-behavior", "completed"]
    return [*arguments, "--dag-run-conf", json.dumps(dict(conf))]


def in_words(command: Path, arguments: Sequence[str]) -> str:
    """Return the command as it is typed in the current folder."""
    here = f"{Path.cwd()}/"
    return shlex.join(one.removeprefix(here) for one in (str(command), *arguments))


def create_backfill(stack: Stack, arguments: Sequence[str]) -> None:
    """Let Airflow make the runs. One backfill of a DAG at a time: the end of an earlier one is noticed within 30 s.

    :raises DemoError: with what Airflow says when it refuses.
    """
    ends = time.monotonic() + _OTHER_SECONDS
    while True:
        code, said = _call(stack, arguments)
        if code == 0:
            return
        if _OTHER not in said or time.monotonic() > ends:
            end = "\n".join(f"  {line}" for line in said.splitlines()[-_TAIL_LINES:])
            raise DemoError(f"Airflow refuses the backfill; the end of {_log(stack)}:\n{end}")
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
        raise DemoError(f"Airflow has made no backfill within {_SECONDS:.0f} s") from None
    _log(stack).write_text(done.stdout, encoding="utf-8")
    return done.returncode, done.stdout
