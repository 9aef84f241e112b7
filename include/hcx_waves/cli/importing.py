"""The command ``import``: exports and lists of VMs become one inventory document."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from hcx_waves.cli.output import ExitCode, counted, fail, note, print_rows, write_file
from hcx_waves.inventory import ImportRefusedError, InventoryDocument, inventory_text, read_inventory
from hcx_waves.inventory.model import ROLES
from hcx_waves.model.formatting import share
from hcx_waves.model.outside import shown

_SHOWN_REMARKS = 20


def import_inventory(
    files: Annotated[
        list[Path],
        typer.Argument(help="RVTools exports (.xlsx or CSV), lists of VMs, flows, or a snapshot.", metavar="FILE..."),
    ],
    out: Annotated[Path | None, typer.Option(help="File to write: the inventory document.")] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help=f"What a column of your own means, such as application=App. One of {', '.join(ROLES)}.",
            metavar="ROLE=COLUMN",
        ),
    ] = None,
    live: Annotated[
        Path | None, typer.Option(help="Snapshot of today. VMs that it does not have are left out and named.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: the inventory document.")] = False,
) -> None:
    """Read exports, lists and flows into one inventory document, for `hcx-waves plan`.

    Exits with 0 if everything was imported, with 1 if the files have problems (nothing is written then), with 2 if an
    option cannot be used.
    """
    roles = _roles(column or [])
    try:
        document = read_inventory(files, roles, live)
    except ImportRefusedError as error:
        fail([*str(error).splitlines(), f"{counted(error.count, 'problem')}; nothing was imported"], ExitCode.FAILED)
    text = inventory_text(document)
    if out is not None:
        write_file(out, text)
        note(f"{out}: written")
    if as_json:
        typer.echo(text, nl=False)
    else:
        _print(document)


def _roles(options: list[str]) -> dict[str, str]:
    roles = dict(one.split("=", 1) for one in options if "=" in one)
    wrong = [one for one in options if "=" not in one] + [role for role in roles if role not in ROLES]
    if wrong:
        fail([f"--column {one}: write ROLE=COLUMN, with one of {', '.join(ROLES)}" for one in wrong])
    return roles


def _print(document: InventoryDocument) -> None:
    found = f"{counted(len(document.vms), 'VM')}, {counted(len(document.networks), 'network')}"
    typer.echo(f"{found}, {counted(len(document.flows), 'flow')}")
    print_rows(
        ("file", "kind", "read", "ignored", "own columns"),
        (
            (
                one.file,
                one.kind,
                ", ".join(f"{name} {rows}" for name, rows in one.read.items()),
                ", ".join(one.ignored) or "none",
                ", ".join(one.own_columns) or "none",
            )
            for one in document.sources
        ),
    )
    print_rows(
        ("known", "VMs", "share"),
        ((one.category, f"{one.known} of {one.vms}", share(one.share)) for one in document.coverage),
        numbers=("VMs", "share"),
    )
    for remark in document.remarks[:_SHOWN_REMARKS]:
        typer.echo(shown(f"{remark.kind}: {remark}"))
    kinds = Counter(remark.kind for remark in document.remarks)
    if len(document.remarks) > _SHOWN_REMARKS:
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        typer.echo(f"{len(document.remarks)} remarks in all: {counts}; the document lists them")
