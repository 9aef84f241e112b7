"""``python -m hcx_demo.rehearse``, which ``make rehearse`` uses."""

from __future__ import annotations

import typer

from hcx_demo.rehearse.command import rehearse

typer.run(rehearse)
