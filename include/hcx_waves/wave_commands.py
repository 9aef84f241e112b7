"""The commands about wave files: ``validate`` and ``schema``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from hcx_waves.doctor.output import output_console
from hcx_waves.model.choices import CutoverPolicy
from hcx_waves.wavefile.loader import WaveFile
from hcx_waves.wavefile.problems import Problem
from hcx_waves.wavefile.schema import wave_schema_text
from hcx_waves.wavefile.sets import WaveSet, load_waves, wave_paths
from hcx_waves.wavefile.wave import Wave

_EXIT_PROBLEMS = 1


def register(app: typer.Typer) -> None:
    """Add the commands to the ``hcx-waves`` application."""
    app.command()(validate)
    app.command()(schema)


def validate(
    paths: Annotated[list[Path], typer.Argument(help="Wave files, or folders of them.", metavar="FILE|FOLDER...")],
) -> None:
    """Check wave files, each by itself and against the others of its folder.

    Prints every problem as `file:line:column field: message` and ends with 1; without any, a line per wave.
    """
    asked = _asked(paths)
    if not asked:
        typer.echo(f"no wave files (*.yaml) in {', '.join(map(str, paths))}", err=True)
        raise typer.Exit(_EXIT_PROBLEMS)
    found = load_waves(asked | _siblings(asked))
    problems = _of_files((*found.problems, *found.conflicts), asked)
    if problems:
        for problem in problems:
            typer.echo(str(problem))
        typer.echo(_count(problems), err=True)
        raise typer.Exit(_EXIT_PROBLEMS)
    output_console().print(_table(_named(found, asked)))


def schema() -> None:
    """Print the JSON Schema of wave files, for editors."""
    typer.echo(wave_schema_text(), nl=False)


def _asked(paths: Sequence[Path]) -> set[Path]:
    asked: set[Path] = set()
    for path in paths:
        asked.update(wave_paths(path) if path.is_dir() else [path])
    return asked


def _siblings(asked: Iterable[Path]) -> set[Path]:
    """Return the other wave files of the same folders, which the asked ones may name."""
    return {sibling for folder in {path.parent for path in asked} for sibling in wave_paths(folder)}


def _of_files(problems: Iterable[Problem], asked: Iterable[Path]) -> list[Problem]:
    names = {str(path) for path in asked}
    return sorted(problem for problem in problems if problem.file in names)


def _named(found: WaveSet, asked: Iterable[Path]) -> list[WaveFile]:
    paths = set(asked)
    return [file for file in found.files if file.path in paths]


def _count(problems: Sequence[Problem]) -> str:
    files = len({problem.file for problem in problems})
    return f"{len(problems)} problem{'s'[: len(problems) != 1]} in {files} file{'s'[: files != 1]}"


def _table(files: Sequence[WaveFile]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("wave", "starts", "switchover", "cutover", "VMs", "segments", "hash"):
        table.add_column(heading, overflow="fold")
    for file in files:
        table.add_row(*(escape(cell) for cell in _row(file.wave)))
    return table


def _row(wave: Wave) -> tuple[str, ...]:
    types = Counter(request.migration.value for request in wave.requests)
    segments = [
        f"{segment.name} ({segment.cutover if segment.cutover is not CutoverPolicy.LATER else segment.cut_by})"
        for segment in wave.segments
    ]
    return (
        wave.name,
        _start(wave),
        "as soon as ready" if wave.switchover_window is None else str(wave.switchover_window),
        _cutover_text(wave),
        f"{len(wave.vms)}: " + ", ".join(f"{count} {kind}" for kind, count in types.items()),
        ", ".join(segments) or "none",
        wave.wave_hash[:12],
    )


def _start(wave: Wave) -> str:
    if wave.starts_at is not None:
        return _local(wave, wave.starts_at)
    return f"after {', '.join(wave.after)}" if wave.after else "by hand"


def _local(wave: Wave, moment: datetime) -> str:
    return f"{moment.astimezone(wave.zone):%Y-%m-%d %H:%M %Z}"


def _cutover_text(wave: Wave) -> str:
    texts = {str(segment.cutover_window) for segment in wave.segments_to_cut}
    return ", ".join(sorted(texts)) or "none"
