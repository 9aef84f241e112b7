"""The fault matrix in short: a share of its cells; all of them are played by ``make faults``."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.fault_matrix.breaks import BREAKS
from support.fault_matrix.calls import TaskSeen, record_all
from support.fault_matrix.cells import Cell, cell_named, cells_of, play_cell
from support.fault_matrix.table import PAGE, load, page
from support.site_pair import SiteServer

# A process that is killed here leaves sockets to the garbage collector; a real one leaves them to the kernel.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
PARTS = 8
FOUND = (
    "wave:disconnect_source_segment:killed-during-fixed_segments.patch-acted:always",
    "wave:unextend_network:killed-during-l2_extensions.delete-unsent:always",
)
"""Cells that have been defects, and are part of no other test."""
EVERY = 96
"""One in so many cells; which, follows from their order."""


@pytest.fixture(autouse=True)
def _nothing_left_for_other_tests() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture(scope="module")
def seen(site_server: SiteServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[TaskSeen]]:
    """Every task with its calls, as a clean run makes them."""
    return record_all(site_server, tmp_path_factory.mktemp("recorded"))


@pytest.fixture(scope="module")
def cells(seen: dict[str, list[TaskSeen]]) -> dict[str, Cell]:
    """Every cell by its name."""
    return {cell.name: cell for tasks in seen.values() for cell in cells_of(tasks)}


def _share(cells: dict[str, Cell], part: int) -> Iterator[Cell]:
    chosen = list(cells.values())[EVERY // 2 :: EVERY]
    yield from chosen[part::PARTS]


@pytest.mark.parametrize("part", range(PARTS))
def test_cells_end_as_planned_or_stop_safely(
    part: int, cells: dict[str, Cell], site_server: SiteServer, tmp_path: Path
) -> None:
    chosen = list(_share(cells, part))
    assert chosen
    for number, cell in enumerate(chosen):
        ending = play_cell(site_server, cell, tmp_path / str(number))
        assert not ending.problems, f"{cell.name}: {ending.problems}\nsaid: {ending.says}\npressed: {ending.pressed}"


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_stays_mended(
    name: str, cells: dict[str, Cell], site_server: SiteServer, tmp_path: Path
) -> None:
    ending = play_cell(site_server, cells[name], tmp_path / "cell")
    assert ending.problems == ()
    assert ending.kind in ("stopped", "as planned")


@pytest.mark.parametrize("name", BREAKS)
def test_a_product_that_is_broken_turns_cells_red(
    name: str, seen: dict[str, list[TaskSeen]], site_server: SiteServer, tmp_path: Path
) -> None:
    for number, cell_name in enumerate(BREAKS[name].cells):
        cell = cell_named(seen[cell_name.partition(":")[0]], cell_name)
        assert cell is not None, f"there is no cell {cell_name}"
        assert not play_cell(site_server, cell, tmp_path / f"whole-{number}").problems
        broken = play_cell(site_server, cell, tmp_path / f"broken-{number}", BREAKS[name].apply)
        assert broken.kind == "defect", f"{cell_name} does not notice that {BREAKS[name].words}"


def test_the_page_is_about_the_calls_that_there_are(seen: dict[str, list[TaskSeen]]) -> None:
    assert page(seen, load()) == PAGE.read_text(encoding="utf-8"), "run: make faults"


def test_no_cell_is_known_to_be_a_defect() -> None:
    assert [name for name, letter in load().items() if letter == "D"] == []
