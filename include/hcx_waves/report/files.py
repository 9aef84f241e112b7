"""Write a report to files: whole or not at all, readable by their owner alone, and without secrets."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hcx_waves.clients.errors import redact_parameters
from hcx_waves.model.bounded_json import read_json_file
from hcx_waves.report.markdown import render_markdown
from hcx_waves.report.model import WaveReport

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_SHORTEST_SECRET = 4
MOST_BYTES = 64 * 1024 * 1024
"""The largest report that is read."""


def write_report(report: WaveReport, folder: Path, secrets: Iterable[str] = ()) -> dict[str, Path]:
    """Write ``<wave>/<run>.json`` and ``.md`` below a folder, which is made if need be.

    :param secrets: texts that must not appear, such as the passwords of the connections; they are blanked.
    :returns: the paths, by ``json`` and ``markdown``.
    :raises OSError: if a file cannot be written; then none of that name is left half written.
    """
    place = folder / file_name(report.wave)
    place.mkdir(parents=True, exist_ok=True)
    clean = WaveReport.model_validate(blanked(report.model_dump(mode="json"), secrets))
    texts = {
        "json": json.dumps(clean.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n",
        "markdown": render_markdown(clean),
    }
    stem = file_name(report.run_id)
    paths = {"json": place / f"{stem}.json", "markdown": place / f"{stem}.md"}
    for kind, text in texts.items():
        write_whole(paths[kind], text.encode())
    return paths


def read_report(path: Path) -> WaveReport:
    """Read a report that was written as JSON.

    :raises ValidationError: if it is none (of pydantic).
    :raises UnreadableJsonError: if it is not JSON, or is beyond the bounds of what is read.
    :raises OSError: if it cannot be read.
    """
    return WaveReport.model_validate(read_json_file(path, MOST_BYTES))


def file_name(text: str) -> str:
    """Return a text as a file name: run ids have colons and pluses, and must not lead out of the folder."""
    return _UNSAFE.sub("_", text).strip(".") or "_"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, in the place of one of that name, readable by its owner alone.

    :raises OSError: if it cannot be written; what was there is there still.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def blanked(value: Any, secrets: Iterable[str]) -> Any:
    """Return JSON primitives, or a text, without secrets; each is replaced by asterisks."""
    return _blanked(value, _longest_first(secrets))


def _blanked(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, dict):
        return {key: _blanked(member, secrets) for key, member in value.items()}
    if isinstance(value, list):
        return [_blanked(member, secrets) for member in value]
    if not isinstance(value, str):
        return value
    for secret in secrets:
        value = value.replace(secret, "***")
    return redact_parameters(value)


def _longest_first(secrets: Iterable[str]) -> list[str]:
    return sorted((one for one in secrets if len(one) >= _SHORTEST_SECRET), key=len, reverse=True)
