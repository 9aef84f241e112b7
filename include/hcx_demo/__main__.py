"""``python -m hcx_demo``, which ``make demo`` uses: a module is found whatever the folder is called."""

from __future__ import annotations

import typer

from hcx_demo.command import demo

typer.run(demo)
