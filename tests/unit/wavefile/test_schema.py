"""The JSON Schema that editors use agrees with the model, and the shipped one is up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from hcx_waves.wavefile.schema import wave_schema, wave_schema_text
from hcx_waves.wavefile.yaml_tree import read_yaml
from support.wave_files import FULL, changed, minimal
from support.wave_strategies import UNHURRIED, documents

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "docs" / "wave.schema.json"


def errors_of(text: str) -> list[str]:
    """Return where a wave file disagrees with the schema."""
    errors = Draft202012Validator(wave_schema()).iter_errors(read_yaml(text).data)
    return sorted(".".join(map(str, error.absolute_path)) for error in errors)


def test_the_shipped_schema_is_up_to_date() -> None:
    assert SHIPPED.read_text(encoding="utf-8") == wave_schema_text(), "run: hcx-waves schema > docs/wave.schema.json"


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(wave_schema())


@pytest.mark.parametrize("text", [FULL, minimal()])
def test_valid_files_agree(text: str) -> None:
    assert errors_of(text) == []


@UNHURRIED
@given(documents())
def test_random_valid_files_agree(document: dict[str, Any]) -> None:
    assert list(Draft202012Validator(wave_schema()).iter_errors(document)) == []


@pytest.mark.parametrize("path", sorted((ROOT / "dags" / "waves").glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_waves_agree_and_name_the_schema(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert errors_of(text) == []
    assert text.startswith("# yaml-language-server: $schema=../../docs/wave.schema.json\n")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("name: erp-1", "name: ERP", "name"),
        ("name: erp-1\n", "", ""),
        ("  folder: Workloads", "  foldr: Workloads", "defaults"),
        ("  migration: RAV", "  migration: rav", "defaults.migration"),
        ("start_tolerance: 1h30m", "start_tolerance: 90", "start_tolerance"),
        ("start_tolerance: 1h30m", "start_tolerance: soon", "start_tolerance"),
        ("start: 2026-10-23 20:00", "start: 20:00", "start"),
        ("opens: 2026-10-24 22:00", "opens: 25:00", "switchover_window.opens"),
        ("  - erp01\n", "  - 17\n", "vms.0"),
        ("connected: false", "connected: 'no'", "vms.1"),
        ("cutover: never", "cutover: maybe", "segments.3.cutover"),
        ("approvers: [alice, bob]", "approvers: []", "gates.approve_wave.approvers"),
        ('act: [/opt/router, "off", erp]', "act: /opt/router", "segments.0.hook.act"),
        ("hcx: hcx_old", "hcx: https://hcx", "connections.source.hcx"),
        ("Europe/Berlin", "CET", "time_zone"),
        ("expires: 2026-10-31", "expires: soon", None),
    ],
)
def test_invalid_files_are_marked_where_they_are_wrong(old: str, new: str, place: str | None) -> None:
    assert errors_of(changed(old, new)) == ([] if place is None else [place])


def test_every_field_is_described() -> None:
    schema = wave_schema()
    models = [schema, *schema["$defs"].values()]
    models += [choice for model in models for choice in model.get("anyOf", [])]
    undescribed = [
        name for model in models for name, field in model.get("properties", {}).items() if "description" not in field
    ]

    assert undescribed == []
