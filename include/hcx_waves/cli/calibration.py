"""The command ``calibrate``: model parameters from the reports of finished runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from hcx_waves.cli.inputs import Inputs
from hcx_waves.cli.output import counted, fail, print_rows, reason, working, write_file
from hcx_waves.forecast import ParametersError, calibration, dump_parameters, load_parameters
from hcx_waves.forecast.calibration import Calibration
from hcx_waves.model.bounded_json import UnreadableJsonError, read_json_file
from hcx_waves.report.files import MOST_BYTES, read_report
from hcx_waves.report.model import WaveReport

_HEADINGS = ("parameter", "before", "after", "samples", "")


class ReportError(ValueError):
    """A file that is not the report of a run, or cannot be read."""


def calibrate(
    reports: Annotated[
        list[Path],
        typer.Argument(help="Reports of finished live runs (.json), or folders of them.", metavar="REPORT|FOLDER..."),
    ],
    out: Annotated[Path, typer.Option(help="Parameters file to write (YAML).")],
    parameters: Annotated[
        Path | None, typer.Option(help="Parameters file to start from. Default: the built-in parameters.")
    ] = None,
) -> None:
    """Fit the parameters of forecasts and rehearsals to the reports of finished live runs.

    Exits with 0 if the file was written, with 2 if there is no report of a live run, or if a file cannot be read or
    written.
    """
    inputs = Inputs(ReportError, ParametersError)
    given = None if parameters is None else inputs.read(load_parameters, parameters)
    paths = list(_report_paths(reports))
    read = []
    with working("Reading reports", steps=len(paths)) as steps:
        for path in paths:
            read.append(inputs.read(_read, path))
            steps.done()
    if inputs.problems:
        fail(inputs.problems)
    found = calibration.calibrate([report for report in read if report is not None], given)
    if not found.runs:
        fail([*found.notes, "none of the files is the report of a live run"])
    write_file(out, _header(found) + dump_parameters(found.parameters))
    rows = ((one.name, one.before, one.after, str(one.samples), one.note) for one in found.changes)
    print_rows(_HEADINGS, rows, numbers=["samples"])
    for note in found.notes:
        typer.echo(note)
    typer.echo(f"{counted(found.runs, 'run')}; written to {out}")


def _report_paths(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (one for one in sorted(path.rglob("*.json")) if _is_report(one))
        else:
            yield path


def _is_report(path: Path) -> bool:
    """Whether a file in a folder is a report; records of rehearsals are in the same folders."""
    try:
        document = read_json_file(path, MOST_BYTES)
    except (UnreadableJsonError, OSError):
        return False
    return isinstance(document, dict) and "report_version" in document


def _read(path: Path) -> WaveReport:
    try:
        return read_report(path)
    except ValidationError as error:
        raise ReportError(f"{path}: is not the report of a run ({error.error_count()} problems)") from None
    except UnreadableJsonError as error:
        raise ReportError(f"{path}: is not the report of a run: {error}") from None
    except OSError as error:
        raise ReportError(f"{path}: cannot be read: {reason(error)}") from None


def _header(found: Calibration) -> str:
    lines = [f"# {change.name}: was {change.before}, {change.samples} samples" for change in found.changes]
    return "\n".join([*lines, ""])
