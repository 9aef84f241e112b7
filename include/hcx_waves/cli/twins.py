"""The command ``twin-connections``: the Airflow connections to a twin server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from hcx_waves.cli.inputs import named_wave_files, no_wave_files
from hcx_waves.cli.output import fail, reason, write_file
from hcx_waves.doctor.document import MOST_BYTES
from hcx_waves.model.bounded_json import UnreadableJsonError, read_bounded, read_json_file
from hcx_waves.twin import connections
from hcx_waves.twin.connections import TwinConnectionsError
from hcx_waves.wavefile.sets import load_waves


def twin_connections(
    waves: Annotated[list[Path], typer.Argument(help="Wave files, or folders of them.", metavar="FILE|FOLDER...")],
    endpoints: Annotated[
        Path, typer.Option(help="Endpoints document of the twin server, written by `hcx-sim serve --twins-only`.")
    ],
    out: Annotated[Path, typer.Option(help="JSON file to write, for `airflow connections import`.")],
) -> None:
    """Write the Airflow connections that rehearsals use, as a file for `airflow connections import`.

    The connections are `twin_<id>` for each connection of the waves, and `twin_control`. Its password is the token of
    the twin server, so only the owner can read the file. Exits with 0 if the file was written, with 2 if an
    input cannot be used.
    """
    found = load_waves(named_wave_files(waves))
    problems = [str(problem) for problem in found.problems]
    if not found.files and not problems:
        problems.append(no_wave_files(waves))
    try:
        document, trust = _document(endpoints)
        made = connections.twin_connections((file.wave.connections for file in found.files), document, trust)
    except TwinConnectionsError as error:
        fail([*problems, str(error)])
    if problems:
        fail(problems)
    write_file(out, json.dumps(made, indent=2) + "\n", private=True)
    typer.echo(f"{out}: {', '.join(sorted(made))}")


def _document(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the endpoints document, and its CA as text: other machines use the connections without the file."""
    try:
        document = read_json_file(path, MOST_BYTES)
        if not isinstance(document, dict):
            raise TwinConnectionsError(f"{path}: is not an endpoints document")
        named = document.get("ca_file")
        trust = {"ca_pem": read_bounded(path.parent / named, MOST_BYTES).decode("ascii")} if named else {}
    except OSError as error:
        raise TwinConnectionsError(f"{error.filename}: cannot be read: {reason(error)}") from None
    except (UnicodeDecodeError, UnreadableJsonError):
        # The text that cannot be parsed may be a secret.
        raise TwinConnectionsError(f"{path}: is not an endpoints document: it is not valid JSON") from None
    return document, trust
