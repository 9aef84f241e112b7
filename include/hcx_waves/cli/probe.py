"""The command ``probe``: compares what real sites answer with what is known of the products."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hcx_waves.cli.output import ExitCode, fail, print_json, print_rows, reason, working, write_file
from hcx_waves.clients.bundle import ClientOptions, EndpointsError, open_sites
from hcx_waves.clients.errors import ClientError
from hcx_waves.doctor.document import DocumentError, Endpoints, load_endpoints
from hcx_waves.model.formatting import counted
from hcx_waves.model.outside import shown
from hcx_waves.probe import KeptProbes, Outcome, Probe, ProbeRow, build_record, probe_sites
from hcx_waves.probe.stages import STAGES, Stage


def probe(
    endpoints: Annotated[Path, typer.Option(help="The endpoints document (JSON) with addresses and accounts.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="File to write the record to: without names, addresses, ids and secrets, for a report of a bug."
        ),
    ] = None,
    reports: Annotated[
        Path | None,
        typer.Option(help="Airflow's reports folder. What differs is kept there, and preflight warns of it."),
    ] = None,
    whole: Annotated[bool, typer.Option("--all", help="Print the rows that need a change as well.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Make every read that the product relies on, and compare the answers with the contract. Changes nothing.

    Exits with 0 if nothing differs, with 1 if something differs or an endpoint cannot be read, with 2 if the document
    cannot be used.
    """
    try:
        document = load_endpoints(endpoints)
        with working("Asking every endpoint", as_json=as_json):
            found = _probed(document)
    except (DocumentError, EndpointsError) as error:
        fail(str(error))
    except ClientError as error:
        fail(str(error), ExitCode.FAILED)
    anonymous = build_record(found, document.secrets())
    if out is not None:
        write_file(out, json.dumps(anonymous, indent=2, ensure_ascii=False) + "\n", private=True)
    if reports is not None:
        _keep(found, reports)
    if as_json:
        print_json({**_summary(found), "rows": anonymous["rows"]})
    else:
        _print_table(found, document.secrets(), whole=whole)
    if found.count(Outcome.DIFFERS):
        raise typer.Exit(ExitCode.FAILED)


def _probed(document: Endpoints) -> Probe:
    options = ClientOptions.read_only()
    sites = open_sites(document.revealed(), options=options, source_has_nsx=document.source_has_nsx)
    return probe_sites(sites, now=lambda: datetime.now(UTC))


def _keep(found: Probe, reports: Path) -> None:
    try:
        KeptProbes(reports).write(found)
    except OSError as error:
        fail(f"{reports}: cannot be written: {reason(error)}")


def _summary(found: Probe) -> dict[str, Any]:
    return {
        "made_at": found.made_at.isoformat(),
        "counts": {outcome.value: found.count(outcome) for outcome in Outcome},
        "differences": len(found.differences),
    }


def _print_table(found: Probe, secrets: tuple[str, ...], *, whole: bool) -> None:
    """Print one line for each call, and one for each member that differs."""
    rows = [row for row in found.rows if whole or row.outcome is not Outcome.NOT_TRIED or row.facts.effect != "change"]
    print_rows(
        ("endpoint", "call", "contract", "result", "detail", "relied on by"),
        [[_without(cell, secrets) for cell in line] for row in rows for line in _lines(row)],
    )
    hidden = len(found.rows) - len(rows)
    counts = ", ".join(f"{found.count(outcome)} {outcome.value}" for outcome in Outcome)
    typer.echo(f"{counted(len(found.rows), 'call')}: {counts}; {counted(len(found.differences), 'difference')}")
    if hidden:
        typer.echo(f"{counted(hidden, 'call')} not shown, as they change something; --all shows them")


def _lines(row: ProbeRow) -> list[list[str]]:
    known = " ".join(part for part in (row.facts.confidence, row.facts.section and f"[{row.facts.section}]") if part)
    first = [row.endpoint.name, row.facts.key, known, row.outcome.value]
    relying = STAGES.get(row.facts.key, ())
    stages = "every stage" if set(relying) == set(Stage) else ", ".join(relying)
    return [[*first, str(one), stages] for one in row.differences] or [[*first, row.reason, stages]]


def _without(cell: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        cell = cell.replace(secret, "***")
    return shown(cell)
