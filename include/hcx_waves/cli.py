"""The ``hcx-waves`` command."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from hcx_demo.command import demo
from hcx_demo.rehearse.command import rehearse
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.doctor.document import DocumentError, load_endpoints
from hcx_waves.doctor.examination import examine
from hcx_waves.doctor.output import is_healthy, output_console, print_table, to_json
from hcx_waves.doctor.target import Means
from hcx_waves.forecast.calibrate_command import calibrate_command
from hcx_waves.forecast.command import forecast_command
from hcx_waves.rehearsals.command import rehearsals
from hcx_waves.snapshot_command import snapshot
from hcx_waves.twin_command import twin_connections_command
from hcx_waves.wave_commands import register as register_wave_commands

main = typer.Typer(
    name="hcx-waves",
    help="Moves virtual machines through VMware HCX in waves.",
    no_args_is_help=True,
    add_completion=False,
    # A traceback with local variables would show passwords.
    pretty_exceptions_show_locals=False,
)
register_wave_commands(main)
main.command()(demo)
main.command()(rehearse)
main.command("forecast")(forecast_command)
main.command("calibrate")(calibrate_command)
main.command()(rehearsals)
main.command()(snapshot)
main.command("twin-connections")(twin_connections_command)

EXIT_FAILED = 1
EXIT_UNUSABLE = 2


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"hcx-waves {metadata.version('hcx-waves')}")
        raise typer.Exit


@main.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Take the options that belong to every command."""


@main.command()
def doctor(
    endpoints: Annotated[Path, typer.Option(help="The endpoints document (JSON), as `hcx-sim serve` writes it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check every endpoint: reachability, TLS, login, version, rights, clock, meshes, identity.

    Ends with 0 when nothing failed, with 1 when something did, with 2 when the document cannot be used.
    """
    try:
        document = load_endpoints(endpoints)
    except DocumentError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_UNUSABLE) from None
    findings = examine(document, Means(tls=TlsSettings(ca_file=document.ca_file), speed=document.speed))
    if as_json:
        typer.echo(to_json(findings))
    else:
        print_table(findings, output_console())
    if not is_healthy(findings):
        raise typer.Exit(EXIT_FAILED)
