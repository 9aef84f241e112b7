"""docs/forecast.md: every parameter with its default and source."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from hcx_waves.forecast import ModelParameters, load_parameters

DOCUMENT = (Path(__file__).parents[3] / "docs" / "forecast.md").read_text(encoding="utf-8")


def rows() -> list[str]:
    """Return the rows that the document's table of parameters must have."""
    found = []
    for part in ModelParameters.model_fields:
        values = getattr(ModelParameters(), part)
        if isinstance(values, BaseModel):
            for name, field in type(values).model_fields.items():
                value = getattr(values, name)
                shown = f"{value:,.10g}" if isinstance(value, int | float) else str(value) if value else "none"
                words = " ".join((field.description or "").replace("``", "`").split())
                found.append(f"| `{part}.{name}` | {shown} | {words} |")
    return found


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.split("`")[1])
def test_the_table_says_what_holds(row: str) -> None:
    assert row in DOCUMENT.splitlines()


def test_the_table_has_nothing_else() -> None:
    listed = [line for line in DOCUMENT.splitlines() if line.startswith("| `") and "." in line.split("`")[1]]
    assert [line for line in listed if line not in rows()] == []


def test_the_example_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "parameters.yaml"
    path.write_text(DOCUMENT.split("```yaml\n")[1].split("```")[0])
    assert load_parameters(path).transfer.mesh_link_bits_per_second == {"mesh-1": 800_000_000}
