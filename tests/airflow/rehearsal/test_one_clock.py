"""What belongs to a run asks its clock for the time, and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[3] / "plugins" / "hcx_airflow"
PACKAGES = ("hooks", "triggers", "sensors", "operators", "runs", "common", "links")
REAL = {
    ("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("time", "sleep"), ("time", "time"),
    ("time", "monotonic"), ("asyncio", "sleep"), ("asyncio", "to_thread"), ("timezone", "utcnow"),
}  # fmt: skip
OF_NO_NIGHT = {
    # Which snapshot is fresh, and when a record was written: facts about real files, and no part of a timeline.
    ("operators/twin.py", "datetime.now"),
    ("runs/twins.py", "datetime.now"),
}


def clocks_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if (owner, node.attr) in REAL:
                yield f"{owner}.{node.attr}"
        if isinstance(node, ast.Name) and node.id == "Patience":
            yield "Patience"


@pytest.mark.parametrize("package", PACKAGES)
def test_nobody_else_looks_at_a_clock_or_sleeps(package: str) -> None:
    paths = sorted((PLUGINS / package).rglob("*.py"))
    assert paths
    found = {(str(path.relative_to(PLUGINS)), clock) for path in paths for clock in clocks_in(path)}
    # As a type of an argument it is fine: whoever makes one is asked here.
    found = {one for one in found if one != ("runs/outage.py", "Patience")}
    assert found - OF_NO_NIGHT == set()


def test_the_list_of_exceptions_is_no_longer_than_it_has_to_be() -> None:
    found = {(name, clock) for name, _ in OF_NO_NIGHT for clock in clocks_in(PLUGINS / name)}
    assert found >= OF_NO_NIGHT
