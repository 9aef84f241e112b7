"""The command ``rehearsals``: the summary of all rehearsals of a wave."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hcx_waves.cli.output import fail, note, working, write_file
from hcx_waves.rehearsals.files import summary_json
from hcx_waves.rehearsals.markdown import render_summary
from hcx_waves.rehearsals.picture import PictureError, draw_summary, picture_kind
from hcx_waves.rehearsals.store import RecordError, RecordStore
from hcx_waves.rehearsals.summary import RehearsalSummary, summarise


def rehearsals(
    wave: Annotated[str, typer.Argument(help="Name of the wave.", metavar="WAVE")],
    reports: Annotated[Path, typer.Option(help="Folder with the reports and the records of rehearsals.", exists=True)],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of Markdown.")] = False,
    out: Annotated[
        list[Path] | None,
        typer.Option(help="File to write: .json, .md, or a picture (.png, .svg, .pdf). May be repeated."),
    ] = None,
) -> None:
    """Summarise all rehearsals of a wave as Markdown.

    Exits with 0 if there is a summary, with 2 if there is no record of a rehearsal, or if a file cannot be written.
    """
    try:
        with working(f"Reading the rehearsals of {wave}", as_json=as_json):
            summary = summarise(RecordStore(reports), wave)
        contents = [(path, _content(summary, path)) for path in out or ()]
    except (RecordError, PictureError) as error:
        fail(str(error))
    for path, content in contents:
        write_file(path, content)
        note(f"{path}: written")
    typer.echo(summary_json(summary) if as_json else render_summary(summary), nl=False)


def _content(summary: RehearsalSummary, path: Path) -> bytes | str:
    """Return what is written to a file of that name.

    :raises PictureError: if it names no kind of file that there is.
    """
    if path.suffix == ".json":
        return summary_json(summary)
    return render_summary(summary) if path.suffix == ".md" else draw_summary(summary, picture_kind(path))
