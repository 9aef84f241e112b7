"""The short form of a forecast, which is shown, kept and compared."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Self

from pydantic import AwareDatetime, Field

from hcx_waves.model.base import DomainModel
from hcx_waves.model.fit import WindowFit
from hcx_waves.model.quantiles import P50, P90, P95, quantiles

TITLES = {
    "transfer_end": "Base syncs complete",
    "switchover_queue": "Switchover queue, duration",
    "cutover_start": "First gateway disconnected",
    "end": "Wave complete",
}
"""What the totals of a night are called wherever they are shown, by the name of their field."""
TITLES_AFTER_START = {
    name: title if name == "switchover_queue" else f"{title}, after the start" for name, title in TITLES.items()
}
"""The same where instants are shown as the time since the start."""


class Spread(DomainModel):
    """A quantity over many nights: half of them stay below P50, nine in ten below P90, 19 in 20 below P95."""

    p50_seconds: float
    p90_seconds: float
    p95_seconds: float

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Self:
        """Return the quantiles of figures that were seen or simulated.

        :param seconds: one figure a night; at least one.
        """
        p50, p90, p95 = (round(one, 3) for one in quantiles(seconds, P50, P90, P95))
        return cls(p50_seconds=p50, p90_seconds=p90, p95_seconds=p95)


class ExpectedOutage(DomainModel):
    """How long a segment is expected to have no gateway."""

    segment: str
    outage: Spread


class ExpectedVm(DomainModel):
    """What the switchover of one VM is expected to take once it has its turn."""

    name: str
    switchover_seconds: float
    """Median."""
    switchover_p99_seconds: float | None = None
    """In 99 of 100 nights it takes no longer; None in what older releases have left."""
    bytes_per_second: float | None = None
    """The rate at which its base sync is expected to run while all others run too; None if it has none."""
    bytes_total: int | None = None
    """What its base sync sends."""
    mesh: str | None = None
    """The name of its service mesh."""
    stands_in_line: bool = True
    """Whether its switchover waits for others, as RAV and vMotion do."""
    lane: str | None = None
    """For whose; None: for those of its service mesh."""


class Expectation(DomainModel):
    """A forecast of one night. Quantities count in seconds from :attr:`starts_at`; lengths are lengths.

    Made with a fixed seed: the same for the same facts.
    """

    starts_at: AwareDatetime
    nights: int
    """How many nights were drawn."""
    transfer_end: Spread | None = None
    """When the last base sync is through; None if nothing is moved."""
    switchover_queue: Spread | None = None
    """How long the switchovers take, one after the other on each service mesh."""
    cutover_start: Spread | None = None
    """When the first gateway is switched off; None if none is."""
    end: Spread
    """When everything is done."""
    outages: tuple[ExpectedOutage, ...] = ()
    closes_at: AwareDatetime | None = None
    """When the last window closes; None without windows."""
    window_chance: float | None = Field(default=None, ge=0, le=1)
    """The share of nights on which everything stays within its windows; None without windows."""
    last_safe_start: AwareDatetime | None = None
    """The last start with which it still fits."""
    window_fit: WindowFit | None = None
    """What of the wave would fit its windows; None where it fits them, or has none."""
    critical_vms: tuple[str, ...] = ()
    """The VMs that decide when it ends, the most decisive first."""
    vms: tuple[ExpectedVm, ...] = ()
    parameters_digest: str | None = None
    """Of the model's parameters; None for the defaults."""
    notes: tuple[str, ...] = ()

    def instant(self, seconds: float) -> datetime:
        """Return the instant that lies so many seconds after the start."""
        return self.starts_at + timedelta(seconds=seconds)

    def outage_of(self, segment: str) -> Spread | None:
        """Return the outage expected of a segment, or None."""
        return next((one.outage for one in self.outages if one.segment == segment), None)
