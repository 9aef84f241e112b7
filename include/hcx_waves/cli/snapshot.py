"""The command ``snapshot``: reads the inventory of a live site pair into a file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hcx_snapshot import Snapshot, digest_of, save_snapshot
from hcx_waves.cli.inputs import Inputs
from hcx_waves.cli.output import ExitCode, fail, reason, working
from hcx_waves.clients.bundle import ClientOptions, EndpointsError, open_sites
from hcx_waves.clients.errors import ClientError
from hcx_waves.doctor.document import DocumentError, Endpoints, load_endpoints
from hcx_waves.model.bounded_json import UnreadableJsonError, read_json_file
from hcx_waves.model.formatting import size
from hcx_waves.model.outside import shown
from hcx_waves.snapshot import SnapshotError, take_snapshot
from hcx_waves.wavefile.loader import load_wave
from hcx_waves.wavefile.problems import WaveFileError
from hcx_waves.wavefile.wave import Wave

_MOST_BYTES = 16 * 1024 * 1024
_BYTES_PER_MEGABIT = 1_000_000 / 8


def snapshot(
    waves: Annotated[
        list[Path],
        typer.Argument(help="Wave files. The snapshot holds their VMs and segments.", metavar="WAVE_FILE..."),
    ],
    endpoints: Annotated[Path, typer.Option(help="The endpoints document (JSON) with addresses and accounts.")],
    out: Annotated[Path, typer.Option(help="File to write. It is compressed if its name ends in .gz.")],
    whole: Annotated[
        bool,
        typer.Option(
            "--whole", help="Include every VM of both sites, not only those of the waves and on their segments."
        ),
    ] = False,
    change_rates: Annotated[
        Path | None,
        typer.Option(
            help="JSON file with the change rate of each VM's disks: Mbit/s by VM name. No product reports it."
        ),
    ] = None,
) -> None:
    """Read the inventory of a site pair into a snapshot file, for rehearsals and forecasts. Changes nothing.

    Exits with 0 if the file was written, with 1 if a product cannot be read, with 2 if a file cannot be used or
    written.
    """
    inputs = Inputs(WaveFileError, DocumentError)
    wanted = [wave for wave in (inputs.read(load_wave, path) for path in waves) if wave is not None]
    document = inputs.read(load_endpoints, endpoints)
    rates = {} if change_rates is None else inputs.read(_rates, change_rates)
    if document is None or rates is None or inputs.problems:
        fail(inputs.problems)
    try:
        with working("Reading both sites"):
            taken = _taken(wanted, document, whole=whole, rates=rates)
    except EndpointsError as error:
        fail(str(error))
    except (ClientError, SnapshotError) as error:
        fail(str(error), ExitCode.FAILED)
    try:
        save_snapshot(taken, out)
    except OSError as error:
        fail(f"{out}: cannot be written: {reason(error)}")
    _print_contents(taken, out)
    strange = sorted(set(rates) - {vm.name for site in (taken.source, taken.destination) for vm in site.vms})
    if strange:
        typer.echo(f"{change_rates}: contains VMs that are not in the snapshot: {shown(', '.join(strange))}", err=True)


def _rates(path: Path) -> dict[str, float]:
    """Read change rates and return them in bytes per second.

    :raises DocumentError: with every value that is not a number of at least 0, or if the file is not a mapping.
    """
    try:
        body = read_json_file(path, _MOST_BYTES)
    except OSError as error:
        raise DocumentError(f"{path}: cannot be read: {reason(error)}") from error
    except UnreadableJsonError as error:
        raise DocumentError(f"{path}: is not valid JSON: {error}") from error
    if not isinstance(body, dict):
        raise DocumentError(f'{path}: must map VM names to Mbit/s, such as {{"db01": 12.5}}')
    wrong = [
        f"{path}: {name}: must be a number of Mbit/s, at least 0" for name, rate in body.items() if not _is_rate(rate)
    ]
    if wrong:
        raise DocumentError("\n".join(wrong))
    return {name: rate * _BYTES_PER_MEGABIT for name, rate in body.items()}


def _is_rate(rate: Any) -> bool:
    return isinstance(rate, int | float) and not isinstance(rate, bool) and 0 <= rate < math.inf


def _taken(waves: Sequence[Wave], document: Endpoints, *, whole: bool, rates: Mapping[str, float]) -> Snapshot:
    options = ClientOptions.read_only()
    with open_sites(document.revealed(), options=options, source_has_nsx=document.source_has_nsx) as clients:
        return take_snapshot(clients, waves, now=datetime.now(UTC), whole_inventory=whole, change_rates=rates)


def _print_contents(taken: Snapshot, out: Path) -> None:
    counts = f"{len(taken.source.vms)} VMs at the source, {len(taken.destination.vms)} at the destination"
    networks = f"{len(taken.source.networks)} and {len(taken.destination.networks)} networks"
    typer.echo(f"{out}: {counts}, {networks}, {len(taken.hcx.extensions)} extensions; {size(out.stat().st_size)}")
    for part, source in sorted(taken.sources.items()):
        typer.echo(f"  {part}: {source}")
    typer.echo(f"  digest: {digest_of(taken)}")
