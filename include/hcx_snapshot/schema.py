"""The JSON Schema of snapshot files, for those who read them with other tools; published schemas are tidied here."""

from __future__ import annotations

import json
from typing import Any

from hcx_snapshot.model import Snapshot

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SUFFIX = "Part"


def snapshot_schema() -> dict[str, Any]:
    """Return the JSON Schema of the version that this release writes."""
    schema = Snapshot.model_json_schema(mode="validation")
    tidy_schema(schema)
    # Definitions are published under the names of the things, which the models' class names end with "Part".
    definitions = schema["$defs"]
    schema["$defs"] = {name.removesuffix(_SUFFIX): part for name, part in definitions.items()}
    _rename_references(schema)
    return {"$schema": DIALECT, "title": "HCX wave snapshot", **schema}


def snapshot_schema_text() -> str:
    """Return the JSON Schema as the text of a file."""
    return schema_text(snapshot_schema())


def schema_text(schema: dict[str, Any]) -> str:
    """Return a JSON Schema as the text of a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def tidy_schema(node: Any) -> None:
    """Prepare a JSON Schema that pydantic made for publication, in place; wave files' goes through here as well.

    Removes titles made from field names, nulls (a field that is not known is left out of the file), and the markup and
    parameter lists of docstrings.
    """
    if isinstance(node, list):
        for item in node:
            tidy_schema(item)
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
        tidy_schema(value)


def _rename_references(node: Any) -> None:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            node["$ref"] = node["$ref"].removesuffix(_SUFFIX)
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            _rename_references(item)
