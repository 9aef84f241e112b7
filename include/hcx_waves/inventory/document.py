"""The inventory document as a file: its text, its schema, and reading it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hcx_snapshot.schema import DIALECT, schema_text, tidy_schema
from hcx_waves.inventory.model import FORMAT, VERSION, InventoryDocument
from hcx_waves.inventory.problems import FilePlace, ImportProblem, ImportRefusedError
from hcx_waves.model.base import problems_in
from hcx_waves.model.bounded_json import UnreadableJsonError, read_json_file

_MOST_BYTES = 256 * 1024 * 1024
_MOST_PROBLEMS = 20


def inventory_text(document: InventoryDocument) -> str:
    """Return a document as the text of a file: the same inventory gives the same bytes."""
    body = document.model_dump(mode="json", exclude_defaults=True)
    body = {"format": FORMAT, "version": VERSION, **body}
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def inventory_schema_text() -> str:
    """Return the JSON Schema of inventory documents as the text of a file."""
    schema: dict[str, Any] = InventoryDocument.model_json_schema(mode="validation")
    tidy_schema(schema)
    return schema_text({"$schema": DIALECT, "title": "HCX wave inventory", **schema})


def load_inventory(path: Path) -> InventoryDocument:
    """Read an inventory document.

    :raises ImportRefusedError: if it cannot be read, is none, or is of a newer version.
    """
    place = FilePlace(str(path))
    try:
        body = read_json_file(path, _MOST_BYTES)
    except OSError as error:
        raise _refused(place, f"cannot be read: {error.strerror or type(error).__name__}") from error
    except UnreadableJsonError as error:
        raise _refused(place, f"is not valid JSON: {error}") from error
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise _refused(place, "is not an inventory document; write one with: hcx-waves import FILE... --out PATH")
    if isinstance(body.get("version"), int) and body["version"] > VERSION:
        raise _refused(place, f"has version {body['version']}; this release reads versions up to {VERSION}")
    try:
        return InventoryDocument.model_validate(body)
    except ValidationError as error:
        raise _refused(place, problems_in(error, _MOST_PROBLEMS)) from None


def _refused(place: FilePlace, message: str) -> ImportRefusedError:
    return ImportRefusedError([ImportProblem(place, message)])
