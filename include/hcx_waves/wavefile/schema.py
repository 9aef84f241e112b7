"""The JSON Schema of wave files, for editors."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import override

from hcx_waves.model.times import format_duration
from hcx_waves.wavefile.document import WaveDocument

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    """Writes default lengths of time as wave files do."""

    @override
    def encode_default(self, dft: Any) -> Any:
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def wave_schema() -> dict[str, Any]:
    """Return the JSON Schema. It knows each field; rules between fields are left to ``hcx-waves validate``."""
    schema = WaveDocument.model_json_schema(mode="validation", schema_generator=_Generator)
    _tidy(schema)
    definitions = schema["$defs"]
    full = definitions["VirtualMachine"]
    definitions["VirtualMachine"] = {
        "description": full.pop("description"),
        "anyOf": [{**full["properties"]["name"]}, full],
    }
    return {"$schema": DIALECT, "title": "HCX wave file", **schema}


def wave_schema_text() -> str:
    """Return the JSON Schema as the text of a file."""
    return json.dumps(wave_schema(), indent=2, ensure_ascii=False) + "\n"


def _tidy(node: Any) -> None:
    """Take out titles made from field names and nulls: a wave file leaves out what is not set."""
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
        node["description"] = " ".join(node["description"].replace("``", "`").split())
    choices = [choice for choice in node.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1 and len(node["anyOf"]) == 2:
        del node["anyOf"]
        node.update({key: value for key, value in choices[0].items() if key not in node})
    for value in list(node.values()):
        _tidy(value)
