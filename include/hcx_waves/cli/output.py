"""What all commands print alike: problems, files that were written, tables; and how they end."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from hcx_waves.model.outside import shown, shown_lines

_WIDTH_WITHOUT_TERMINAL = 160


class ExitCode(IntEnum):
    """How a command ends when it does not end with 0; docs/cli.md has the table.

    ``FAILED`` means that it did what was asked and found something wrong, or that a product did not answer as it had
    to; ``UNUSABLE`` that an option, an input or an output cannot be used.
    """

    FAILED = 1
    UNUSABLE = 2


def fail(problems: str | Iterable[str], code: ExitCode = ExitCode.UNUSABLE) -> NoReturn:
    """Print problems to standard error, one per line, and end the command."""
    for line in [problems] if isinstance(problems, str) else problems:
        typer.echo(shown_lines(line), err=True)
    raise typer.Exit(code)


def reason(error: OSError) -> str:
    """Return why a file cannot be read or written, without its name."""
    return error.strerror or type(error).__name__


def write_file(path: Path, content: bytes | str, *, private: bool = False) -> None:
    """Write a file, and the folders that lead to it; end the command if that is impossible.

    :param private: only its owner may read it; a file that is there already is replaced, with its permissions.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if private:
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
        else:
            path.write_bytes(data)
    except OSError as error:
        fail(f"{path}: cannot be written: {reason(error)}")


def print_json(body: Any) -> None:
    """Print JSON, and nothing else, to standard output."""
    typer.echo(json.dumps(body, indent=2, ensure_ascii=False))


def note(text: str) -> None:
    """Print a line that is no result: a hint, or a file that was written. It goes to standard error."""
    typer.echo(shown_lines(text), err=True)


class Steps:
    """What a person sees of work that takes long."""

    def __init__(self, advance: Any = None) -> None:
        self._advance = advance

    def done(self) -> None:
        """Say that one more step is done."""
        if self._advance is not None:
            self._advance()


@contextmanager
def working(text: str, *, steps: int | None = None, as_json: bool = False) -> Iterator[Steps]:
    """Show a bar with the time that has passed, on a terminal only: none where output is piped, or JSON.

    :param text: what is being done, such as ``Playing 1000 nights``.
    :param steps: how many there are; None if that is not known.
    """
    console = Console(stderr=True)
    if as_json or not console.is_terminal or not Console().is_terminal:
        yield Steps()
        return
    counts = () if steps is None else (MofNCompleteColumn(),)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), *counts, TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(escape(text), total=steps)
        yield Steps(lambda: progress.advance(task))


def output_console() -> Console:
    """Return a console on standard output: as wide as the terminal, and wide enough where there is none."""
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=_WIDTH_WITHOUT_TERMINAL)
    return console


def print_rows(headings: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[str] = ()) -> None:
    """Print a table without lines, whose cells are shown as they are.

    :param numbers: the headings of columns that are aligned to the right.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    right = frozenset(numbers)
    for heading in headings:
        table.add_column(heading, overflow="fold", justify="right" if heading in right else "left")
    for row in rows:
        table.add_row(*(escape(shown(cell)) for cell in row))
    output_console().print(table)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 problem``, ``2 problems``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
