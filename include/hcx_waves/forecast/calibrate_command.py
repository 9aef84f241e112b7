"""The command ``hcx-waves calibrate``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from rich.markup import escape
from rich.table import Table

from hcx_waves.doctor.output import output_console
from hcx_waves.forecast import ParametersError, dump_parameters, load_parameters
from hcx_waves.forecast.calibration import Calibration, calibrate
from hcx_waves.gathering import Gathering
from hcx_waves.report.files import read_report
from hcx_waves.report.model import WaveReport

_EXIT_UNUSABLE = 2


class ReportError(ValueError):
    """A report that cannot be read."""


def calibrate_command(
    reports: Annotated[
        list[Path],
        typer.Argument(help="Reports of finished live runs (.json), or folders of them.", metavar="REPORT|FOLDER..."),
    ],
    out: Annotated[Path, typer.Option(help="The parameters file to write (YAML).")],
    parameters: Annotated[
        Path | None, typer.Option(help="The parameters to begin with; the defaults unless given.")
    ] = None,
) -> None:
    """Correct the parameters of forecasts and rehearsals by what finished runs have shown.

    Ends with 2 if nothing can be learnt from the reports, or something cannot be read or written.
    """
    inputs = Gathering(ReportError, ParametersError)
    given = None if parameters is None else inputs.read(load_parameters, parameters)
    read = [inputs.read(_read, path) for path in _report_paths(reports)]
    if inputs.problems:
        _fail(inputs.problems)
    found = calibrate([report for report in read if report is not None], given)
    if not found.runs:
        _fail([*found.notes, "there is no report of a live run among these"])
    try:
        out.write_text(_header(found) + dump_parameters(found.parameters), encoding="utf-8")
    except OSError as error:
        _fail([f"{out}: cannot be written: {error.strerror or type(error).__name__}"])
    output_console().print(_table(found))
    for note in found.notes:
        typer.echo(note)
    typer.echo(f"{found.runs} run{'s'[: found.runs != 1]}; written to {out}")


def _fail(problems: Iterable[str]) -> NoReturn:
    for line in problems:
        typer.echo(line, err=True)
    raise typer.Exit(_EXIT_UNUSABLE)


def _report_paths(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (one for one in sorted(path.rglob("*.json")) if _is_report(one))
        else:
            yield path


def _is_report(path: Path) -> bool:
    """Whether a file of a folder is a report at all; records of rehearsals lie beside them."""
    try:
        document = json.loads(path.read_bytes())
    except ValueError:
        return False
    return isinstance(document, dict) and "report_version" in document


def _read(path: Path) -> WaveReport:
    try:
        return read_report(path)
    except ValidationError as error:
        raise ReportError(f"{path}: is no report of a run ({error.error_count()} problems)") from None
    except UnicodeDecodeError:
        raise ReportError(f"{path}: is no report of a run") from None
    except OSError as error:
        raise ReportError(f"{path}: cannot be read: {error.strerror or type(error).__name__}") from None


def _header(found: Calibration) -> str:
    lines = [f"# {change.name}: was {change.before}, {change.samples} samples" for change in found.changes]
    return "\n".join([*(line for line in lines), ""])


def _table(found: Calibration) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("parameter", "before", "after", "samples", ""):
        table.add_column(heading, overflow="fold", justify="right" if heading == "samples" else "left")
    for one in found.changes:
        table.add_row(*(escape(cell) for cell in (one.name, one.before, one.after, str(one.samples), one.note)))
    return table
