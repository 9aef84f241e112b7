"""The JSON Schema of wave files, for editors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import override

from hcx_snapshot.schema import DIALECT, schema_text, tidy_schema
from hcx_waves.model.times import format_duration
from hcx_waves.wavefile.document import WaveDocument


class _Generator(GenerateJsonSchema):
    """Writes default lengths of time as wave files do."""

    @override
    def encode_default(self, dft: Any) -> Any:
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def wave_schema() -> dict[str, Any]:
    """Return the JSON Schema. It knows each field; rules between fields are left to ``hcx-waves validate``."""
    schema = WaveDocument.model_json_schema(mode="validation", schema_generator=_Generator)
    tidy_schema(schema)
    definitions = schema["$defs"]
    full = definitions["VirtualMachine"]
    definitions["VirtualMachine"] = {
        "description": full.pop("description"),
        "anyOf": [{**full["properties"]["name"]}, full],
    }
    return {"$schema": DIALECT, "title": "HCX wave file", **schema}


def wave_schema_text() -> str:
    """Return the JSON Schema as the text of a file."""
    return schema_text(wave_schema())
