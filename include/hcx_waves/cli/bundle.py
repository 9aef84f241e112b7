"""The command ``bundle``: everything about a run in one file, to be handed to support."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hcx_waves.cli.output import ExitCode, fail, reason, working, write_file
from hcx_waves.doctor.document import DocumentError, load_endpoints
from hcx_waves.model.bounded_json import UnreadableJsonError
from hcx_waves.model.files import file_name
from hcx_waves.model.formatting import counted, size
from hcx_waves.support_bundle import LeakError, RunNotFoundError, bundle_of, find_report, read_run


def bundle(
    run: Annotated[str, typer.Argument(help="The id of a run, or the path of its report (JSON).")],
    reports: Annotated[Path, typer.Option(help="Airflow's reports folder.")],
    logs: Annotated[
        Path | None, typer.Option(help="Airflow's folder of logs. Without it the bundle has no logs and no calls.")
    ] = None,
    endpoints: Annotated[
        Path | None, typer.Option(help="An endpoints document (JSON): the bundle is searched for its passwords.")
    ] = None,
    wave: Annotated[str | None, typer.Option(help="Whose run it is, if runs of several waves have the id.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write, else bundle_<run>.zip in this folder.")] = None,
) -> None:
    """Put report, plan, findings, logs, calls and versions of a run into one file. Names and secrets are replaced.

    Exits with 0 if the file was written, with 1 if it would have held a secret, with 2 if there is no such run or
    something cannot be read or written.
    """
    try:
        secrets = () if endpoints is None else load_endpoints(endpoints).secrets()
        report = find_report(run, reports, wave)
    except (DocumentError, RunNotFoundError) as error:
        fail(str(error))
    try:
        with working("Collecting"):
            found = read_run(report, reports, logs)
            content = bundle_of(found, secrets)
    except OSError as error:
        fail(f"{error.filename or report}: cannot be read: {reason(error)}")
    except UnreadableJsonError as error:
        fail(f"{report}: {error}")
    except LeakError as error:
        fail(f"nothing was written: {error}", ExitCode.FAILED)
    path = out or Path(f"bundle_{file_name(str(found.report['run_id']))}.zip")
    write_file(path, content, private=True)
    typer.echo(
        f"{path}: {size(len(content))}, {counted(len(found.logs), 'log')}. Look through it before you hand it on."
    )
