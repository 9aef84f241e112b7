"""How findings are shown: a table for people, JSON for programs."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hcx_waves.doctor.results import CheckResult, Result

_WIDTH_WITHOUT_TERMINAL = 160
_STYLES = {Result.OK: "green", Result.WARNING: "yellow", Result.FAILED: "bold red"}


def output_console() -> Console:
    """Return a console on standard output: as wide as the terminal, and wide enough where there is none."""
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=_WIDTH_WITHOUT_TERMINAL)
    return console


def print_table(findings: Sequence[CheckResult], console: Console) -> None:
    """Print a table with one row per check, and one line that counts them."""
    has_steps = any(finding.next_step for finding in findings)
    table = Table(pad_edge=False)
    table.add_column("endpoint", no_wrap=True)
    table.add_column("check")
    table.add_column("result", no_wrap=True)
    table.add_column("detail", overflow="fold")
    if has_steps:
        table.add_column("what to do next", overflow="fold")
    previous = ""
    for finding in findings:
        if previous and finding.endpoint != previous:
            table.add_section()
        shown = "" if finding.endpoint == previous else finding.endpoint
        previous = finding.endpoint
        # Text, not markup: what an endpoint says must not be able to style or hide anything.
        cells = [
            Text(shown),
            Text(finding.check),
            Text(finding.result.value, style=_STYLES[finding.result]),
            Text(finding.detail),
            Text(finding.next_step),
        ]
        table.add_row(*cells[: len(table.columns)])
    console.print(table)
    console.print(Text(summary_line(findings)))


def to_json(findings: Sequence[CheckResult]) -> str:
    """Return ``{"healthy", "counts": {result: n}, "findings": [...]}`` as text."""
    counts = Counter(finding.result for finding in findings)
    body = {
        "healthy": is_healthy(findings),
        "counts": {result.value: counts[result] for result in Result},
        "findings": [finding.to_dict() for finding in findings],
    }
    return json.dumps(body, indent=2)


def is_healthy(findings: Sequence[CheckResult]) -> bool:
    """Whether nothing failed."""
    return all(finding.result is not Result.FAILED for finding in findings)


def summary_line(findings: Sequence[CheckResult]) -> str:
    """Count the findings by result."""
    counts = Counter(finding.result for finding in findings)
    return f"{len(findings)} checks: " + ", ".join(f"{counts[result]} {result.value}" for result in Result)
