"""``python -m hcx_demo demo`` and ``python -m hcx_demo rehearse``, as ``make`` calls them.

A console script would name the interpreter by its path, which may hold a space.
"""

from __future__ import annotations

import typer

from hcx_demo.commands import demo, rehearse

app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)
app.command()(demo)
app.command()(rehearse)

if __name__ == "__main__":
    app()
