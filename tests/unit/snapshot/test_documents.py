"""What the documentation says of snapshots is what they are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from hcx_snapshot.schema import snapshot_schema, snapshot_schema_text

DOCS = Path(__file__).parents[3] / "docs"


def test_the_schema_file_is_up_to_date() -> None:
    text = (DOCS / "snapshot.schema.json").read_text(encoding="utf-8")
    assert text == snapshot_schema_text(), "write snapshot_schema_text() to docs/snapshot.schema.json"
    assert json.loads(text)["title"] == "HCX wave snapshot"


def test_every_field_is_described() -> None:
    words = set(re.findall(r"`([a-z0-9_]+)`", (DOCS / "snapshot.md").read_text(encoding="utf-8")))
    schema = snapshot_schema()
    parts: list[dict[str, Any]] = [schema, *schema["$defs"].values()]
    fields = {name for part in parts for name in part["properties"]}
    assert fields - words == set()


def test_every_part_has_a_description() -> None:
    schema = snapshot_schema()
    assert [name for name, part in schema["$defs"].items() if not part.get("description")] == []
