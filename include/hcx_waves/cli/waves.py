"""Commands about wave files: ``validate`` and ``schema``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hcx_waves.cli.app import entry_points
from hcx_waves.cli.inputs import named_wave_files, no_wave_files
from hcx_waves.cli.output import ExitCode, counted, fail, print_json, print_rows, working
from hcx_waves.model.choices import CutoverPolicy
from hcx_waves.wavefile.loader import WaveFile
from hcx_waves.wavefile.other_formats import IS_SPREADSHEET
from hcx_waves.wavefile.problems import Problem
from hcx_waves.wavefile.schema import wave_schema_text
from hcx_waves.wavefile.sets import WaveSet, load_waves, wave_paths
from hcx_waves.wavefile.wave import Wave

IMPORT = "import"
"""The command that reads spreadsheets, where it is installed."""
_HEADINGS = ("wave", "starts", "switchover", "cutover", "VMs", "segments", "hash")


def validate(
    paths: Annotated[list[Path], typer.Argument(help="Wave files, or folders of them.", metavar="FILE|FOLDER...")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Check wave files, each alone and against the other wave files in its folder.

    Prints each problem as `file:line:column field: message`, or one line per wave if there is none.

    Exits with 0 if there is no problem, with 1 if there is one, with 2 if there is no such file.
    """
    missing = [f"{path}: there is no such file" for path in paths if not path.exists()]
    asked = set(named_wave_files(paths))
    if missing or not asked:
        fail(missing or no_wave_files(paths))
    with working("Reading wave files", as_json=as_json):
        found = load_waves(asked | _siblings(asked))
    problems = _of_files((*found.problems, *found.conflicts), asked)
    if as_json:
        print_json(_document(problems, _named(found, asked)))
        raise typer.Exit(ExitCode.FAILED if problems else 0)
    if problems:
        for problem in problems:
            typer.echo(str(problem))
        if IMPORT in entry_points() and any(IS_SPREADSHEET in problem.message for problem in problems):
            typer.echo(f"Make wave files of a spreadsheet by: hcx-waves {IMPORT}")
        fail(_count(problems), ExitCode.FAILED)
    print_rows(_HEADINGS, (_row(file.wave) for file in _named(found, asked)))


def schema() -> None:
    """Print the JSON Schema of wave files, for use in an editor.

    Exits with 0.
    """
    typer.echo(wave_schema_text(), nl=False)


def _document(problems: Iterable[Problem], files: Iterable[WaveFile]) -> dict[str, Any]:
    """Return ``{"valid", "problems": [...], "waves": [...]}``; waves with problems of their own are no waves."""
    told = [asdict(problem) for problem in problems]
    waves = [
        {
            "name": file.wave.name,
            "file": str(file.path),
            "hash": file.wave.wave_hash,
            "starts_at": None if file.wave.starts_at is None else file.wave.starts_at.isoformat(),
            "vms": len(file.wave.vms),
            "segments": [segment.name for segment in file.wave.segments],
        }
        for file in files
    ]
    return {"valid": not told, "problems": told, "waves": waves}


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
    return f"{counted(len(problems), 'problem')} in {counted(files, 'file')}"


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
