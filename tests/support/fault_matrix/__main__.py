"""``python -m support.fault_matrix``: plays the fault matrix, or one cell of it."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.airflow_home import prepare_airflow_home
from support.fault_matrix.workers import play_all, quiet, say

if TYPE_CHECKING:
    from support.fault_matrix.cells import Cell


def main() -> int:
    """Do what the command line says; return its exit code."""
    chosen = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        seen = _recorded(Path(folder))
        cells = list(_chosen(chosen, seen))
        if chosen.list:
            print("\n".join(cell.name for cell in cells))  # noqa: T201
            return 0
        endings = list(
            play_all(cells, Path(folder), workers=chosen.workers, broken=chosen.broken, verbose=chosen.verbose)
        )
    seconds = time.monotonic() - started
    counts = Counter(one["kind"] for one in endings)
    say(f"{len(endings)} cells in {seconds:.0f} s: {dict(counts)}")
    if chosen.write and not chosen.broken:
        from support.fault_matrix.table import LETTERS, keep

        keep(seen, {one["cell"]: LETTERS[one["kind"]] for one in endings})
    if chosen.output:
        Path(chosen.output).write_text(json.dumps(endings, indent=1), encoding="utf-8")
    return 1 if counts["defect"] else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m support.fault_matrix", description=__doc__)
    parser.add_argument("--cell", action="append", default=[], help="only cells whose name contains this")
    parser.add_argument("--play", action="append", default=[], help="only cells of this play")
    parser.add_argument("--every", type=int, default=1, help="only every nth cell")
    parser.add_argument("--from", dest="first", type=int, default=0, help="begin with this cell")
    parser.add_argument("--break", dest="broken", default="", help="play with the product broken on purpose")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", action="store_true", help="write docs/faults.md by how the cells have ended")
    parser.add_argument("--list", action="store_true", help="only list the cells")
    parser.add_argument("--verbose", action="store_true", help="show how every cell ends")
    parser.add_argument("--output", help="write the endings as JSON")
    return parser.parse_args()


def _chosen(chosen: argparse.Namespace, seen: dict[str, Any]) -> Iterator[Cell]:
    from support.fault_matrix.cells import cell_named, cells_of

    found = [cell for tasks in seen.values() for cell in cells_of(tasks)]
    found = [cell for cell in found if not chosen.play or cell.play in chosen.play]
    # By its whole name also one that is left out of the matrix can be played.
    named = [cell_named(tasks, name) for tasks in seen.values() for name in chosen.cell]
    found += [cell for cell in named if cell is not None and cell not in found]
    wanted = [cell for cell in found if not chosen.cell or any(text in cell.name for text in chosen.cell)]
    yield from wanted[chosen.first :: chosen.every]


def _recorded(folder: Path) -> dict[str, Any]:
    prepare_airflow_home()
    from support.fault_matrix.calls import record_all
    from support.fault_matrix.stage import make_server

    with quiet():
        server = make_server()
        try:
            return record_all(server, folder)
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
