"""What the demo's commands have in common: the terminal, the project's folder, and staying until Ctrl-C."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.markup import escape

import hcx_waves
from hcx_demo.stack import Stack

_CHECK_SECONDS = 1.0
_WIDTH_WITHOUT_TERMINAL = 160


def make_console() -> Console:
    """Return the console to print on; wide where nobody says how wide it is."""
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        return Console(width=_WIDTH_WITHOUT_TERMINAL)
    return console


def speaker(console: Console) -> Callable[[str], None]:
    """Return what prints a line as it is."""

    def say(text: str) -> None:
        console.print(escape(text), highlight=False, soft_wrap=True)

    return say


def project_folder() -> Path:
    """Return the folder that the package was installed from, or the current one."""
    origin = Path(hcx_waves.__file__).resolve().parents[2]
    return origin if (origin / "dags").is_dir() else Path.cwd()


def stay(stack: Stack, say: Callable[[str], None]) -> None:
    """Keep everything up until somebody stops it.

    :raises DemoError: when a process ends by itself.
    """
    say(f"The UI stays up at {stack.plan.base_url} until Ctrl-C.")
    while True:
        time.sleep(_CHECK_SECONDS)
        stack.check()
