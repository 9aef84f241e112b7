"""Find what is known of a run: its report and plan, its logs, what probes have seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hcx_waves.model.bounded_json import UnreadableJsonError, read_json_file
from hcx_waves.model.files import file_name
from hcx_waves.model.formatting import size as spoken_size
from hcx_waves.report.files import MOST_BYTES, PLAN_SUFFIX

MOST_LOG_BYTES = 5 * 1024 * 1024
"""Of one log, its end is kept up to this size."""
_CLIENTS = "hcx_waves.clients"


class RunNotFoundError(LookupError):
    """No report of a run, or several; says where it was looked for."""


@dataclass(frozen=True)
class RunFiles:
    """What there is of a run.

    :param report: the report as JSON.
    :param markdown: the same for people; empty if it is not there.
    :param plan: what the run was to do; None if no plan was kept.
    :param logs: text by a name that says task and try.
    :param probes: what probes have last seen at endpoints.
    """

    report: dict[str, Any]
    markdown: str = ""
    plan: Any = None
    logs: tuple[tuple[str, str], ...] = ()
    probes: tuple[Any, ...] = ()


def find_report(run: str, reports: Path, wave: str | None = None) -> Path:
    """Return the file of a run's report.

    :param run: the run's id, or the path of its report (JSON).
    :param wave: whose run it is, where runs of several waves have the id.
    :raises RunNotFoundError: if there is none, or several.
    """
    if run.endswith(".json") and Path(run).is_file():
        return Path(run)
    name = f"{file_name(run)}.json"
    folders = [reports / file_name(wave)] if wave else sorted(one for one in reports.glob("*") if one.is_dir())
    found = [folder / name for folder in folders if (folder / name).is_file()]
    if not found:
        raise RunNotFoundError(f"{reports}: no report of the run {run}; a run writes it at its end")
    if len(found) > 1:
        waves = ", ".join(path.parent.name for path in found)
        raise RunNotFoundError(f"{reports}: several waves have a run {run} ({waves}); choose one with --wave")
    return found[0]


def read_run(report: Path, reports: Path, logs: Path | None) -> RunFiles:
    """Read what there is of a run.

    :param logs: Airflow's folder of logs; None leaves them out.
    :raises UnreadableJsonError: if the report is not one.
    :raises OSError: if a file cannot be read.
    """
    document = read_json_file(report, MOST_BYTES)
    if not isinstance(document, dict) or "run_id" not in document:
        raise UnreadableJsonError("it is not the report of a run")
    markdown, plan = report.with_suffix(".md"), report.with_name(report.stem + PLAN_SUFFIX)
    return RunFiles(
        report=document,
        markdown=markdown.read_text(encoding="utf-8", errors="replace") if markdown.is_file() else "",
        plan=read_json_file(plan, MOST_BYTES) if plan.is_file() else None,
        logs=tuple(_logs(document, logs)) if logs is not None else (),
        probes=tuple(_probes(reports)),
    )


def calls_in(log: str) -> Iterator[str]:
    """Yield the lines of a log that are about calls of a product."""
    for line in log.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            if _CLIENTS in line:
                yield line
            continue
        if isinstance(entry, dict) and str(entry.get("logger", "")).startswith(_CLIENTS):
            yield f"{entry.get('timestamp', '')} {entry.get('level', '')} {entry.get('event', '')}"


def _logs(report: dict[str, Any], logs: Path) -> Iterator[tuple[str, str]]:
    """Yield the logs of the run's tasks, in the layout that Airflow has as delivered."""
    wave, run_id = str(report.get("wave")), str(report["run_id"])
    for dag in sorted(logs.glob("dag_id=*")):
        dag_id = dag.name.removeprefix("dag_id=")
        if dag_id != wave and not dag_id.endswith(f"__{wave}"):
            continue
        run = dag / f"run_id={run_id}"
        for path in sorted(run.rglob("*.log")) if run.is_dir() else ():
            place = path.relative_to(run)
            name = "_".join(part.partition("=")[2] or part for part in place.parts)
            yield f"{dag_id}/{name}", _end_of(path)


def _end_of(path: Path) -> str:
    with path.open("rb") as file:
        size = path.stat().st_size
        file.seek(max(0, size - MOST_LOG_BYTES))
        content = file.read(MOST_LOG_BYTES).decode("utf-8", errors="replace")
    return (
        content
        if size <= MOST_LOG_BYTES
        else f"(the first {spoken_size(size - MOST_LOG_BYTES)} are left out)\n{content}"
    )


def _probes(reports: Path) -> Iterator[Any]:
    for path in sorted((reports / "probes").glob("*.json")):
        try:
            yield read_json_file(path, MOST_BYTES)
        except (OSError, UnreadableJsonError):
            continue
