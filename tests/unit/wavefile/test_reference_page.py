"""The reference page names every field of every model, and its example is a valid wave file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from hcx_waves.model.choices import MigrationOptions
from hcx_waves.model.findings import Waiver
from hcx_waves.model.times import parse_duration
from hcx_waves.wavefile.connections import SiteConnections
from hcx_waves.wavefile.document import Cleanup, Limits, Options
from hcx_waves.wavefile.gates import Gates, GateSettings
from hcx_waves.wavefile.segments import Hook, Manual, Segment
from hcx_waves.wavefile.settings import VirtualMachine, VmSettings
from hcx_waves.wavefile.wave import Wave
from hcx_waves.wavefile.windows import Window
from support.wave_files import problems_of

PAGE = (Path(__file__).parents[3] / "docs" / "wave-file.md").read_text(encoding="utf-8")
FIELDS = "## Fields of the wave"

# where a table begins (the last line before it that is unique), and the model that it describes
TABLES = [
    (FIELDS, Wave),
    ("### Windows", Window),
    ("id that begins with `twin_`", SiteConnections),
    ("### `defaults`, and settings of a VM", VmSettings),
    ("### `options` of VMs", MigrationOptions),
    ("### `segments`", Segment),
    ("`hook`: commands are", Hook),
    ("`manual`: a person acts", Manual),
    ("### `cleanup`", Cleanup),
    ("### `gates`", GateSettings),
    ("### `limits`", Limits),
    ("### `options` of the wave", Options),
    ("### `waivers`", Waiver),
]


def rows_after(mark: str) -> dict[str, list[str]]:
    """Return the cells of the first table behind a mark, by the field in the first cell."""
    assert PAGE.count(mark) == 1
    table = re.search(r"^\|.*?(?=\n\n)", PAGE[PAGE.index(mark) :], re.MULTILINE | re.DOTALL)
    assert table is not None
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.group().splitlines()[2:]]
    return {row[0].strip("`"): row for row in rows}


@pytest.mark.parametrize(("mark", "model"), TABLES, ids=lambda value: getattr(value, "__name__", ""))
def test_every_field_has_its_row(mark: str, model: type[BaseModel]) -> None:
    assert sorted(rows_after(mark)) == sorted(model.model_fields)


def test_fields_of_a_vm_alone_have_their_rows() -> None:
    assert sorted(rows_after("Only in a VM's own entry:")) == sorted(
        set(VirtualMachine.model_fields) - set(VmSettings.model_fields)
    )


@pytest.mark.parametrize(("mark", "model"), TABLES, ids=lambda value: getattr(value, "__name__", ""))
def test_required_fields_are_marked(mark: str, model: type[BaseModel]) -> None:
    marked = {name for name, row in rows_after(mark).items() if "required" in row[2:3]}

    assert marked == {name for name, field in model.model_fields.items() if field.is_required()}


@pytest.mark.parametrize(
    ("mark", "model", "field"),
    [
        (FIELDS, Wave, "start_tolerance"),
        ("### `cleanup`", Cleanup, "hold"),
        ("### `options` of the wave", Options, "poll_interval"),
        ("`hook`: commands are", Hook, "timeout"),
    ],
)
def test_default_lengths_are_those_of_the_model(mark: str, model: type[BaseModel], field: str) -> None:
    assert parse_duration(rows_after(mark)[field][2].strip("`")) == model.model_fields[field].default


def test_every_gate_is_named() -> None:
    assert [name for name in Gates.model_fields if f"`{name}`" not in PAGE] == []


def test_the_example_is_valid() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)

    assert problems_of(example) == ()
