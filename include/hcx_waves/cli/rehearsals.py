"""The command ``rehearsals``: the summary of all rehearsals of a wave."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hcx_waves.cli.output import fail, write_file
from hcx_waves.rehearsals.files import summary_json
from hcx_waves.rehearsals.markdown import render_summary
from hcx_waves.rehearsals.picture import PictureError, draw_summary, picture_kind
from hcx_waves.rehearsals.store import RecordError, RecordStore
from hcx_waves.rehearsals.summary import summarise


def rehearsals(
    wave: Annotated[str, typer.Argument(help="Name of the wave.", metavar="WAVE")],
    reports: Annotated[Path, typer.Option(help="Folder with the reports and the records of rehearsals.", exists=True)],
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the summary to this file as JSON.")
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Also draw the summary: .png, .svg or .pdf.")] = None,
) -> None:
    """Summarise all rehearsals of a wave as Markdown.

    Exits with 2 if there is no record of a rehearsal, or if a file cannot be written.
    """
    try:
        summary = summarise(RecordStore(reports), wave)
        drawn = None if picture is None else draw_summary(summary, picture_kind(picture))
    except (RecordError, PictureError) as error:
        fail(str(error))
    if json_file is not None:
        write_file(json_file, summary_json(summary))
    if picture is not None and drawn is not None:
        write_file(picture, drawn)
    typer.echo(render_summary(summary), nl=False)
