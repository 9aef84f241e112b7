"""What the wave itself says at its end: the outage that it measured and where its report is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hcx_demo.airflow_api import AirflowApi
from hcx_demo.observer import Snapshot
from hcx_demo.state import read_json
from hcx_demo.words import duration

_SUFFIXES = (".md", ".json", ".html")


def report_paths(api: AirflowApi, run: Snapshot) -> tuple[str, ...]:
    """Return the files that a run's ``write_report`` names."""
    found = api.xcom(run.dag_id, run.run_id, "write_report")
    return tuple(dict.fromkeys(text for text in _texts(found) if text.endswith(_SUFFIXES)))


def measured_outages(paths: Sequence[str], speed: float) -> dict[str, str]:
    """Return, by segment, the bounds that a report has of the outage, in words; segments without any are left out.

    :param paths: files of the report, the JSON one among them.
    :param speed: of the sites' clock: the wave measures wall seconds, the sites live in virtual ones.
    """
    found: dict[str, str] = {}
    for path in paths:
        segments = read_json(Path(path)).get("segments") if path.endswith(".json") else None
        for segment in segments if isinstance(segments, list) else []:
            bounds = segment.get("outage") or {}
            lower, upper = bounds.get("lower_seconds"), bounds.get("upper_seconds")
            if lower is not None and upper is not None:
                name = str(segment.get("segment") or segment.get("name"))
                found[name] = (
                    f"; measured by the wave: between {lower:.1f} s and {upper:.1f} s wall, "
                    f"which is {duration(lower * speed)} to {duration(upper * speed)} (virtual)"
                )
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, Sequence):
        for one in value:
            yield from _texts(one)
