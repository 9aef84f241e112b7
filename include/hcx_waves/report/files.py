"""Write a report to files: whole or not at all, readable by their owner alone, and without secrets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hcx_waves.model.base import DomainModel
from hcx_waves.model.bounded_json import read_json_file
from hcx_waves.model.files import file_name, write_whole
from hcx_waves.model.plan import WavePlan
from hcx_waves.redaction import blanked
from hcx_waves.report.markdown import render_markdown
from hcx_waves.report.markup import Markdown
from hcx_waves.report.model import WaveReport

PLAN_SUFFIX = ".plan.json"
MOST_BYTES = 64 * 1024 * 1024
"""The largest report that is read."""


def write_report(
    report: WaveReport, folder: Path, secrets: Iterable[str] = (), *, plan: WavePlan | None = None
) -> dict[str, Path]:
    """Write ``<wave>/<run>.json`` and ``.md`` below a folder, which is made if need be.

    :param secrets: texts that must not appear, such as the passwords of the connections; they are blanked.
    :param plan: what the run was to do, written beside as ``<run>.plan.json`` for whoever looks into the run later.
    :returns: the paths, by ``json``, ``markdown`` and, with a plan, ``plan``.
    :raises OSError: if a file cannot be written; then none of that name is left half written.
    """
    place = folder / file_name(report.wave)
    place.mkdir(parents=True, exist_ok=True)
    known = tuple(secrets)
    clean = WaveReport.model_validate(blanked(report.model_dump(mode="json"), known))
    texts = {"json": _json(clean.model_dump(mode="json")), "markdown": render_markdown(clean)}
    stem = file_name(report.run_id)
    paths = {"json": place / f"{stem}.json", "markdown": place / f"{stem}.md"}
    if plan is not None:
        texts["plan"] = _json(blanked(plan.model_dump(mode="json"), known))
        paths["plan"] = place / f"{stem}{PLAN_SUFFIX}"
    for kind, text in texts.items():
        write_whole(paths[kind], text.encode())
    return paths


def write_pair(report: DomainModel, text: Markdown, stem: Path, secrets: Iterable[str] = ()) -> dict[str, str]:
    """Write another report than a wave's as JSON and Markdown; returns the files by kind.

    :param text: the same for people.
    :param stem: the files without ``.json`` and ``.md``; their folder is made if need be.
    :param secrets: texts that must not appear; they are blanked.
    :raises OSError: if a file cannot be written.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    known = tuple(secrets)
    texts = {"json": _json(blanked(report.model_dump(mode="json"), known)), "markdown": str(blanked(str(text), known))}
    paths = {"json": Path(f"{stem}.json"), "markdown": Path(f"{stem}.md")}
    for kind, content in texts.items():
        write_whole(paths[kind], content.encode())
    return {kind: str(path) for kind, path in paths.items()}


def read_report(path: Path) -> WaveReport:
    """Read a report that was written as JSON.

    :raises ValidationError: if it is none (of pydantic).
    :raises UnreadableJsonError: if it is not JSON, or is beyond the bounds of what is read.
    :raises OSError: if it cannot be read.
    """
    return WaveReport.model_validate(read_json_file(path, MOST_BYTES))


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
