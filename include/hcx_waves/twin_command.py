"""The command ``twin-connections``: what Airflow needs to reach a server of twins."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from hcx_waves.twin.connections import TwinConnectionsError, twin_connections
from hcx_waves.wavefile.sets import load_waves, wave_paths

_EXIT_UNUSABLE = 2


def twin_connections_command(
    waves: Annotated[list[Path], typer.Argument(help="Wave files, or folders of them.", metavar="FILE|FOLDER...")],
    endpoints: Annotated[
        Path, typer.Option(help="The endpoints document that `hcx-sim serve --twins-only` has written.")
    ],
    out: Annotated[Path, typer.Option(help="The file to write (.json), for `airflow connections import`.")],
) -> None:
    """Write the connections of rehearsals to a server of twins, as a file for `airflow connections import`.

    They are `twin_<id>` for each connection of the waves, and `twin_control`, whose password is the server's token; so
    the file is readable by its owner alone. Ends with 2 when an input cannot be used.
    """
    found = load_waves(_paths(waves))
    problems = [str(problem) for problem in found.problems]
    if not found.files and not problems:
        problems.append(f"no wave files (*.yaml) in {', '.join(map(str, waves))}")
    try:
        document, trust = _document(endpoints)
        made = twin_connections((file.wave.connections for file in found.files), document, trust)
    except TwinConnectionsError as error:
        _fail([*problems, str(error)])
    if problems:
        _fail(problems)
    _write(out, json.dumps(made, indent=2) + "\n")
    typer.echo(f"{out}: {', '.join(sorted(made))}")


def _paths(given: Iterable[Path]) -> list[Path]:
    return [one for path in given for one in (wave_paths(path) if path.is_dir() else [path])]


def _document(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the endpoints document, and its CA as text: connections are read on machines that lack the file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict):
            raise TwinConnectionsError(f"{path}: is no endpoints document")
        named = document.get("ca_file")
        trust = {"ca_pem": (path.parent / named).read_text(encoding="ascii")} if named else {}
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise TwinConnectionsError(f"{error.filename}: cannot be read: {reason}") from None
    except (UnicodeDecodeError, json.JSONDecodeError):
        # What does not parse may be a secret.
        raise TwinConnectionsError(f"{path}: is no endpoints document: it is not JSON") from None
    return document, trust


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        _fail([f"{path}: cannot be written: {error.strerror or type(error).__name__}"])


def _fail(problems: Iterable[str]) -> NoReturn:
    for line in problems:
        typer.echo(line, err=True)
    raise typer.Exit(_EXIT_UNUSABLE)
