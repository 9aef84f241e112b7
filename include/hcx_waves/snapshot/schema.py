"""The JSON Schema of snapshot files, for those who read them with other tools."""

from __future__ import annotations

import json
from typing import Any

from hcx_waves.snapshot.model import Snapshot

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def snapshot_schema() -> dict[str, Any]:
    """Return the JSON Schema of the version that this release writes."""
    schema = Snapshot.model_json_schema(mode="validation")
    _tidy(schema)
    return {"$schema": DIALECT, "title": "HCX wave snapshot", **schema}


def snapshot_schema_text() -> str:
    """Return the JSON Schema as the text of a file."""
    return json.dumps(snapshot_schema(), indent=2, ensure_ascii=False) + "\n"


def _tidy(node: Any) -> None:
    """Take out titles made from field names, nulls (what is not known is left out) and marks of our docstrings."""
    if isinstance(node, list):
        for item in node:
            _tidy(item)
    if not isinstance(node, dict):
        return
    if isinstance(node.get("title"), str):
        del node["title"]
    if node.get("default", "") is None:
        del node["default"]
    if isinstance(node.get("description"), str):
        text = node["description"].partition(":param")[0].replace("``", "`")
        node["description"] = " ".join(text.split())
    choices = [choice for choice in node.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1 and len(node["anyOf"]) == 2:
        del node["anyOf"]
        node.update({key: value for key, value in choices[0].items() if key not in node})
    for value in list(node.values()):
        _tidy(value)
