"""What a probe reports: one row for each call at each endpoint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hcx_waves.probe.compare import Difference
from hcx_waves.probe.contract import CallFacts
from hcx_waves.probe.recorder import SeenExchange


class Outcome(StrEnum):
    """What was seen of a call. Stored in records: add, never rename."""

    CONFIRMED = "confirmed"
    DIFFERS = "differs"
    NOT_OFFERED = "not offered"
    NOT_TRIED = "not tried"


@dataclass(frozen=True)
class Endpoint:
    """One product of one site.

    :param name: such as ``source HCX Manager``.
    :param system: ``hcx``, ``nsx``, ``vmc`` or ``vcenter``.
    :param version: the product's version, as far as it says one.
    """

    name: str
    system: str
    address: str
    version: str = ""


@dataclass(frozen=True)
class ProbeRow:
    """One call at one endpoint.

    :param reason: why it was not tried, or what limits what was seen.
    """

    endpoint: Endpoint
    facts: CallFacts
    outcome: Outcome
    differences: tuple[Difference, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Probe:
    """A whole probe of a site pair.

    :param exchanges: for each call that was answered, one exchange that shows the most, for the record.
    """

    made_at: datetime
    endpoints: tuple[Endpoint, ...]
    rows: tuple[ProbeRow, ...]
    exchanges: tuple[tuple[Endpoint, SeenExchange], ...] = ()

    def count(self, outcome: Outcome) -> int:
        """Return how many rows have an outcome."""
        return sum(row.outcome is outcome for row in self.rows)

    @property
    def differences(self) -> tuple[tuple[ProbeRow, Difference], ...]:
        """Everything that differs, with its row."""
        return tuple((row, one) for row in self.rows for one in row.differences)


def sorted_rows(rows: Iterable[ProbeRow]) -> tuple[ProbeRow, ...]:
    """Return rows by endpoint as they come, those that were tried before the others."""
    return tuple(sorted(rows, key=lambda row: (row.endpoint.name, row.outcome is Outcome.NOT_TRIED)))
