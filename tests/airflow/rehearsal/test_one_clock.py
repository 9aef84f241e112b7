"""What belongs to a run asks its clock for the time, and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PLUGINS = Path(__file__).parents[3] / "plugins" / "hcx_airflow"
OWN_CLOCKS = ("clock", "dag_factory", "ui")
"""Where real time is kept, or where no run is: the watchdog, the chain of DAGs, the API server."""
REAL = {
    ("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("time", "sleep"), ("time", "time"),
    ("time", "monotonic"), ("asyncio", "sleep"), ("asyncio", "to_thread"), ("timezone", "utcnow"),
}  # fmt: skip
OF_NO_NIGHT = {
    # Which snapshot is fresh, and when a record was written: facts about real files, and no part of a timeline.
    ("operators/rehearsal.py", "datetime.now"),
}


def clocks_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if (owner, node.attr) in REAL:
                yield f"{owner}.{node.attr}"
        if isinstance(node, ast.Name) and node.id == "Patience":
            yield "Patience"


def test_nobody_else_looks_at_a_clock_or_sleeps() -> None:
    paths = {str(path.relative_to(PLUGINS)): path for path in PLUGINS.rglob("*.py")}
    asked = {name: path for name, path in paths.items() if not name.startswith(OWN_CLOCKS)}
    assert len(asked) > 40
    found = {(name, clock) for name, path in asked.items() for clock in clocks_in(path)}
    assert found - OF_NO_NIGHT == set()


def test_the_list_of_exceptions_is_no_longer_than_it_has_to_be() -> None:
    found = {(name, clock) for name, _ in OF_NO_NIGHT for clock in clocks_in(PLUGINS / name)}
    assert found >= OF_NO_NIGHT
