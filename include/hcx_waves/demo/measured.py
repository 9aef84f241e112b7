"""What the wave itself says at its end: the outage that it measured and where its report is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hcx_waves.demo.airflow_api import AirflowApi
from hcx_waves.demo.observer import Snapshot

_SUFFIXES = (".md", ".json", ".html")


def report_paths(api: AirflowApi, run: Snapshot) -> tuple[str, ...]:
    """Return the files that a run's ``write_report`` names."""
    found = api.xcom(run.dag_id, run.run_id, "write_report")
    return tuple(dict.fromkeys(text for text in _texts(found) if text.endswith(_SUFFIXES)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, Sequence):
        for one in value:
            yield from _texts(one)
