"""The command ``hcx-waves rehearsals``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hcx_waves.rehearsals.files import summary_json
from hcx_waves.rehearsals.markdown import render_summary
from hcx_waves.rehearsals.picture import PictureError, draw_summary, picture_kind
from hcx_waves.rehearsals.store import RecordError, RecordStore
from hcx_waves.rehearsals.summary import summarise

_EXIT_UNUSABLE = 2


def rehearsals(
    wave: Annotated[str, typer.Argument(help="The wave's name.")],
    reports: Annotated[Path, typer.Option(help="The folder that reports are written to.", exists=True)],
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the summary as JSON.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw the nights (.png, .svg or .pdf).")] = None,
) -> None:
    """Summarise all rehearsed nights of a wave, as Markdown.

    Ends with 2 if there is no record, or a file cannot be written.
    """
    try:
        summary = summarise(RecordStore(reports), wave)
        if json_file is not None:
            json_file.write_text(summary_json(summary), encoding="utf-8")
        if picture is not None:
            picture.write_bytes(draw_summary(summary, picture_kind(picture)))
    except (RecordError, PictureError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(_EXIT_UNUSABLE) from None
    except OSError as error:
        typer.echo(f"{error.filename}: {error.strerror}", err=True)
        raise typer.Exit(_EXIT_UNUSABLE) from None
    typer.echo(render_summary(summary), nl=False)
