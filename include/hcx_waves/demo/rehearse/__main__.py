"""``python -m hcx_waves.demo.rehearse``, which ``make rehearse`` uses."""

from __future__ import annotations

import typer

from hcx_waves.demo.rehearse.command import rehearse

typer.run(rehearse)
