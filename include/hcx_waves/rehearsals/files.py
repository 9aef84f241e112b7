"""Write the summary of a wave's rehearsals beside its reports."""

from __future__ import annotations

import json
from pathlib import Path

from hcx_waves.rehearsals.markdown import render_summary
from hcx_waves.rehearsals.picture import can_draw, draw_summary
from hcx_waves.rehearsals.store import RecordStore
from hcx_waves.rehearsals.summary import RehearsalSummary

STEM = "rehearsals"


def write_summary(store: RecordStore, summary: RehearsalSummary) -> dict[str, Path]:
    """Write ``<folder>/<wave>/rehearsals.json``, ``.md`` and ``.png``, the last one only if matplotlib is installed.

    :returns: the paths, by ``json``, ``markdown`` and ``picture``.
    :raises OSError: if a file cannot be written; what was there of it is there still.
    """
    contents = {
        "json": (f"{STEM}.json", summary_json(summary).encode()),
        "markdown": (f"{STEM}.md", render_summary(summary).encode()),
    }
    if can_draw():
        contents["picture"] = (f"{STEM}.png", draw_summary(summary))
    return {kind: store.write_beside(summary.wave, *content) for kind, content in contents.items()}


def summary_json(summary: RehearsalSummary) -> str:
    """Return a summary as JSON."""
    return json.dumps(summary.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
