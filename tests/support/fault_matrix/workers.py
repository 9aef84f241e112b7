"""Plays cells in several processes; each has a simulator of its own."""

from __future__ import annotations

import contextlib
import io
import logging
import multiprocessing
import pickle
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any

from support.airflow_home import prepare_airflow_home

if TYPE_CHECKING:
    from support.fault_matrix.cells import Cell

LONGEST_SECONDS = 600.0
"""Of one cell; usually it takes two."""


def say(text: str) -> None:
    """Tell whoever watches."""
    sys.__stderr__.write(f"{text}\n")
    sys.__stderr__.flush()


def play_all(
    cells: Sequence[Cell], folder: Path, *, workers: int, broken: str = "", verbose: bool = False
) -> Iterator[dict[str, Any]]:
    """Play cells and yield their endings, as mappings, in no order.

    :param broken: the name of what breaks the product on purpose.
    :raises RuntimeError: if a process ends early, or a cell does not end.
    """
    count = max(1, min(workers, len(cells)))
    context = multiprocessing.get_context("spawn")
    queue: Any = context.Queue()
    # Pickled here: to read a cell imports Airflow, and a worker has to give that a home before.
    shares = [
        (pickle.dumps(cells[number::count]), broken, folder / f"worker-{number}", queue) for number in range(count)
    ]
    processes = [context.Process(target=work, args=share, daemon=True) for share in shares]
    for process in processes:
        process.start()
    for number in range(1, len(cells) + 1):
        ending = _next(queue, processes)
        if ending["kind"] == "defect" or verbose:
            say(_shown(ending))
        if number % 100 == 0:
            say(f"... {number} of {len(cells)}")
        yield ending
    for process in processes:
        process.join(30)


def _next(queue: Any, processes: Sequence[Any]) -> dict[str, Any]:
    latest = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < latest:
        try:
            ending: dict[str, Any] = queue.get(timeout=2.0)
        except Empty:
            if not any(process.is_alive() for process in processes):
                break
        else:
            return ending
    raise RuntimeError("a worker has ended, or a cell does not end")


def _shown(ending: dict[str, Any]) -> str:
    lines = [f"{ending['kind'].upper()} {ending['cell']} ({ending['seconds']:.1f} s)"]
    lines += [f"    {line}" for line in ending["problems"]]
    lines += [f"    says: {ending['says']}", f"    pressed: {', '.join(ending['pressed'])}"] if ending["says"] else []
    return "\n".join(lines)


def work(pickled: bytes, broken: str, folder: Path, queue: Any) -> None:
    """Play a share of the cells, in a process of its own."""
    prepare_airflow_home()
    from support.fault_matrix.breaks import BREAKS
    from support.fault_matrix.cells import Ending, play_cell
    from support.fault_matrix.stage import make_server

    cells = pickle.loads(pickled)  # noqa: S301  (by the process that has started this one)
    change = BREAKS[broken].apply if broken else None
    server = make_server()
    for number, cell in enumerate(cells):
        started = time.monotonic()
        with quiet():
            try:
                ending = play_cell(server, cell, folder / str(number), change)
            except BaseException as error:  # noqa: BLE001  (one cell that cannot be played must not end the others)
                lines = traceback.format_exc().splitlines()[-12:]
                words = f"cannot be played: {type(error).__name__}: {error}"
                ending = Ending(cell.name, "defect", problems=(words, *lines))
        queue.put({**vars(ending), "seconds": time.monotonic() - started})
    server.stop()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what the product logs off the screen; the cells keep it for themselves."""
    warnings.simplefilter("ignore")
    logging.getLogger().setLevel(logging.INFO)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
