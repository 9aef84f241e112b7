"""Every row of the two vendor checklists has a test against the simulator's wire; renaming one is noticed here."""

from __future__ import annotations

import ast
import json
from functools import cache
from pathlib import Path

import pytest

SIM = Path(__file__).parents[1]
ROWS: dict[str, dict[str, list[str]]] = json.loads(Path(__file__).with_name("rows.json").read_text())
TESTS = [(row, node) for rows in ROWS.values() for row, nodes in rows.items() for node in nodes]


@cache
def functions_of(file: str) -> frozenset[str]:
    """Names of the test functions of a file."""
    tree = ast.parse((SIM / file).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(("row", "node"), TESTS, ids=[node for _, node in TESTS])
def test_row_has_its_test(row: str, node: str) -> None:
    file, name = node.split("::")
    assert name in functions_of(file), f"{row}: {node} does not exist"


def test_all_rows_are_there() -> None:
    assert {title: len(rows) for title, rows in ROWS.items()} == {
        "hcx 7": 17,
        "nsx-vsphere 5": 11,
    }
