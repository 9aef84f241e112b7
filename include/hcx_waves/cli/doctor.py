"""The command ``doctor``: checks every endpoint, and shows the findings as a table or as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from hcx_waves.cli.output import ExitCode, fail, output_console, print_json, working
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.doctor.document import DocumentError, load_endpoints
from hcx_waves.doctor.examination import examine
from hcx_waves.doctor.results import CheckResult, Result
from hcx_waves.doctor.target import Means
from hcx_waves.model.formatting import counted
from hcx_waves.model.outside import shown

_STYLES = {Result.OK: "green", Result.WARNING: "yellow", Result.FAILED: "bold red"}


def doctor(
    endpoints: Annotated[
        Path, typer.Option(help="Endpoints document (JSON), in the format that `hcx-sim serve` writes.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check every endpoint: reachability, TLS, login, version, permissions, clock, meshes, identity.

    Exits with 0 if no check failed, with 1 if a check failed, with 2 if the document cannot be used.
    """
    try:
        document = load_endpoints(endpoints)
    except DocumentError as error:
        fail(str(error))
    with working("Looking at every endpoint", as_json=as_json):
        findings = examine(document, Means(tls=TlsSettings(ca_file=document.ca_file), speed=document.speed))
    if as_json:
        print_json(_to_json(findings))
    else:
        _print_table(findings)
    if not _is_healthy(findings):
        raise typer.Exit(ExitCode.FAILED)


def _print_table(findings: Sequence[CheckResult]) -> None:
    """Print a table with one row per check, and one line that counts them."""
    has_steps = any(finding.next_step for finding in findings)
    table = Table(pad_edge=False)
    table.add_column("endpoint", no_wrap=True)
    table.add_column("check")
    table.add_column("result", no_wrap=True)
    table.add_column("detail", overflow="fold")
    if has_steps:
        table.add_column("next step", overflow="fold")
    previous = ""
    for finding in findings:
        if previous and finding.endpoint != previous:
            table.add_section()
        endpoint = "" if finding.endpoint == previous else finding.endpoint
        previous = finding.endpoint
        # Text, not markup: the answer of an endpoint must not style or hide anything.
        cells = [
            Text(shown(endpoint)),
            Text(finding.check),
            Text(finding.result.value, style=_STYLES[finding.result]),
            Text(shown(finding.detail)),
            Text(shown(finding.next_step)),
        ]
        table.add_row(*cells[: len(table.columns)])
    console = output_console()
    console.print(table)
    console.print(Text(_counts(findings)))


def _to_json(findings: Sequence[CheckResult]) -> dict[str, Any]:
    """Return ``{"healthy", "counts": {result: n}, "findings": [...]}``."""
    counts = Counter(finding.result for finding in findings)
    return {
        "healthy": _is_healthy(findings),
        "counts": {result.value: counts[result] for result in Result},
        "findings": [finding.to_dict() for finding in findings],
    }


def _is_healthy(findings: Sequence[CheckResult]) -> bool:
    """Whether nothing failed."""
    return all(finding.result is not Result.FAILED for finding in findings)


def _counts(findings: Sequence[CheckResult]) -> str:
    """Count the findings by result."""
    counts = Counter(finding.result for finding in findings)
    return f"{counted(len(findings), 'check')}: " + ", ".join(f"{counts[result]} {result.value}" for result in Result)
