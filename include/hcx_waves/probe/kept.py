"""What probes have seen, kept for the preflight of live waves: one file for each endpoint, replaced as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import AwareDatetime, ValidationError

from hcx_waves.model.base import DomainModel, problems_in
from hcx_waves.model.bounded_json import UnreadableJsonError, read_json_file
from hcx_waves.model.files import file_name, write_whole
from hcx_waves.probe.results import Endpoint, Probe

KEPT_VERSION = 1
_FOLDER = "probes"
_MOST_BYTES = 16 * 1024 * 1024
_PORTS = {"http": 80, "https": 443}


class SeenDifference(DomainModel):
    """Something in which an endpoint's answers have differed from the contract."""

    call: str
    """System and call."""
    member: str
    problem: str


class KeptProbe(DomainModel):
    """What was seen at one endpoint. Stored: fields are added, never renamed."""

    kept_version: int = KEPT_VERSION
    address: str
    name: str
    version: str
    probed_at: AwareDatetime
    confirmed: int
    differences: tuple[SeenDifference, ...] = ()


class KeptProbeError(ValueError):
    """A file that cannot be read; says which and why."""


@dataclass(frozen=True)
class KeptProbes:
    """Reads and writes ``<folder>/probes/<address>.json``.

    :param folder: the reports folder; it need not exist yet.
    """

    folder: Path

    def write(self, probe: Probe) -> list[SeenDifference]:
        """Keep what a probe has seen; return what differs now and was not known to differ.

        :raises OSError: if a file cannot be written.
        """
        place = self.folder / _FOLDER
        place.mkdir(parents=True, exist_ok=True)
        news: list[SeenDifference] = []
        for endpoint in {row.endpoint.address: row.endpoint for row in probe.rows}.values():
            kept = _kept(endpoint, probe)
            known = self._known(endpoint.address)
            news += [one for one in kept.differences if known is None or one not in known.differences]
            text = json.dumps(kept.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
            write_whole(self._path(endpoint.address), text.encode())
        return news

    def read(self, address: str) -> KeptProbe | None:
        """Return what was last seen at an address; None if it was never probed.

        :raises KeptProbeError: if the file cannot be read.
        """
        path = self._path(address)
        try:
            return KeptProbe.model_validate(read_json_file(path, _MOST_BYTES))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeptProbeError(f"{path.name}: {error.strerror}") from None
        except UnreadableJsonError as error:
            raise KeptProbeError(f"{path.name}: is not valid JSON: {error}") from None
        except ValidationError as error:
            raise KeptProbeError(f"{path.name}: is not what a probe has kept: {problems_in(error)}") from None

    def read_all(self, addresses: Iterable[str]) -> tuple[KeptProbe, ...]:
        """Return what was last seen at addresses, as far as they were probed.

        :raises KeptProbeError: if a file cannot be read.
        """
        found = (self.read(address) for address in dict.fromkeys(addresses))
        return tuple(one for one in found if one is not None)

    def latest(self, addresses: Iterable[str]) -> datetime | None:
        """Return when the one of the addresses was probed that was probed longest ago; None if one never was."""
        times = []
        for address in addresses:
            known = self._known(address)
            if known is None:
                return None
            times.append(known.probed_at)
        return min(times, default=None)

    def _known(self, address: str) -> KeptProbe | None:
        try:
            return self.read(address)
        except KeptProbeError:
            return None

    def _path(self, address: str) -> Path:
        return self.folder / _FOLDER / f"{file_name(_place_of(address))}.json"


def _place_of(address: str) -> str:
    """Return host, port and path, however the address is written."""
    parts = urlsplit(address)
    port = parts.port or _PORTS.get(parts.scheme, 443)
    return f"{(parts.hostname or '').lower()}_{port}{parts.path.rstrip('/').removesuffix('/sdk')}"


def _kept(endpoint: Endpoint, probe: Probe) -> KeptProbe:
    rows = [row for row in probe.rows if row.endpoint.address == endpoint.address]
    return KeptProbe(
        address=endpoint.address,
        name=endpoint.name,
        version=endpoint.version,
        probed_at=probe.made_at,
        confirmed=sum(row.outcome.value == "confirmed" for row in rows),
        differences=tuple(
            SeenDifference(call=row.facts.key, member=one.member, problem=one.problem)
            for row in rows
            for one in row.differences
        ),
    )
