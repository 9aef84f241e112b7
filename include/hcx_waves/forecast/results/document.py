"""The forecast document, which can be stored as JSON, shown and compared."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import AwareDatetime

from hcx_waves.model.base import DomainModel
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.expectation import Expectation, ExpectedOutage, ExpectedVm, Spread
from hcx_waves.model.fit import WindowFit
from hcx_waves.model.schedule import TimeWindow

FORECAST_VERSION = 1
PICTURE_FORMATS = (".svg", ".png", ".pdf")
"""The kinds of pictures that can be drawn of a forecast, as file suffixes."""


class Quantiles(DomainModel):
    """A quantity over the nights in which it came about; None where it never did."""

    p50_seconds: float | None
    """Half of the nights stay at or below; the other figures alike."""
    p90_seconds: float | None
    p95_seconds: float | None
    share: float = 1.0
    """Of the nights in which it came about."""

    @property
    def spread(self) -> Spread | None:
        """The same without what never came about."""
        if self.p50_seconds is None or self.p90_seconds is None or self.p95_seconds is None:
            return None
        return Spread(p50_seconds=self.p50_seconds, p90_seconds=self.p90_seconds, p95_seconds=self.p95_seconds)


class SwitchoverQueue(DomainModel):
    """The switchovers that wait for each other: RAV per service mesh, vMotion per site pair."""

    begins: Quantiles
    """From the forecast's start until the first has its turn."""
    lasts: Quantiles
    """From there until the last VM has arrived."""
    ends: Quantiles
    longest_wait: Quantiles
    """How long the VM waited for its turn that waited longest."""


class SegmentForecast(DomainModel):
    """One segment's cutover."""

    name: str
    window: TimeWindow | None
    begins: Quantiles
    """From the forecast's start until the source gateway lets go."""
    ends: Quantiles
    """Until the destination routes it."""
    outage: Quantiles
    """Length of time without a gateway."""
    cut_chance: float
    window_chance: float | None
    """That it is routed before its window closes; None without a window."""


class VmForecast(DomainModel):
    """One VM; medians of the nights in which it moved, in seconds since the forecast's start."""

    name: str
    migration: str
    mesh: str
    base_sync_begins_seconds: float | None
    base_sync_ends_seconds: float | None
    ready_seconds: float | None
    """When it waited for nothing but its turn."""
    begins_seconds: float | None
    """When its switchover began, the last delta included."""
    ends_seconds: float | None
    switchover_seconds: float | None
    """Length, from the beginning to the end."""
    switchover_p99_seconds: float | None = None
    bytes_per_second: float | None
    """Of its base sync."""
    moves_chance: float
    decides_share: float
    """Of the nights in which the end had to wait for it."""
    decides_seconds: float
    """How much of the way to the end was its own, on average of those nights."""

    @property
    def expected(self) -> ExpectedVm | None:
        """The same for estimates during the run; None if it moved in no night."""
        if self.switchover_seconds is None:
            return None
        total = None
        if None not in (self.bytes_per_second, self.base_sync_begins_seconds, self.base_sync_ends_seconds):
            lasts = (self.base_sync_ends_seconds or 0) - (self.base_sync_begins_seconds or 0)
            total = round((self.bytes_per_second or 0) * lasts)
        return ExpectedVm(
            name=self.name,
            switchover_seconds=self.switchover_seconds,
            switchover_p99_seconds=self.switchover_p99_seconds,
            bytes_per_second=self.bytes_per_second,
            bytes_total=total,
            mesh=self.mesh,
            stands_in_line=self.migration in (MigrationType.RAV, MigrationType.VMOTION),
            lane=MigrationType.VMOTION.value if self.migration == MigrationType.VMOTION else None,
        )


class Bar(DomainModel):
    """One VM of one night; seconds since the forecast's start, None where it never came."""

    name: str
    mesh: str
    migration: str
    base_sync: tuple[float, float] | None
    ready: float | None
    switchover: tuple[float, float] | None
    outcome: str
    """``arrived``, ``failed`` or ``left behind``."""


class SegmentBar(DomainModel):
    """One segment's outage in one night."""

    name: str
    window: tuple[float, float] | None
    outage: tuple[float, float] | None


class Night(DomainModel):
    """One night as it went, the one whose end is nearest to the median."""

    number: int
    vms: tuple[Bar, ...]
    segments: tuple[SegmentBar, ...]
    end_seconds: float | None


class Histogram(DomainModel):
    """How many nights ended when; ``edges_seconds`` has one number more than ``counts``."""

    edges_seconds: tuple[float, ...]
    counts: tuple[int, ...]


class Decider(DomainModel):
    """What the end had to wait for, and in what share of the complete nights."""

    what: str
    share: float


class Forecast(DomainModel):
    """What to expect of one wave on one night. Instants count in seconds from :attr:`starts_at`."""

    forecast_version: int = FORECAST_VERSION
    wave: str
    time_zone: str
    starts_at: AwareDatetime
    nights: int
    """How many were played."""
    seed: int
    parameters_digest: str | None
    """Of the model's parameters; None for the defaults."""
    switchover_window: TimeWindow | None
    submitted: Quantiles
    """When the migrations are started."""
    transfer_end: Quantiles
    """When the last base sync is through."""
    queue: SwitchoverQueue
    migrated: Quantiles
    """When the last VM has moved."""
    cutover_start: Quantiles
    """When the first gateway is switched off."""
    end: Quantiles
    """When everything is done; its share is the chance that everything is."""
    window_chance: float | None
    """That everything is done and each step ends within its window; None without windows."""
    last_safe_start: AwareDatetime | None = None
    """The latest start with which that chance is at least :attr:`safe_chance`; None if there is none, or none was
    asked for."""
    safe_chance: float | None = None
    window_fit: WindowFit | None = None
    """What of the wave would fit its windows; None where it fits them, or has none."""
    segments: tuple[SegmentForecast, ...]
    vms: tuple[VmForecast, ...]
    deciders: tuple[Decider, ...]
    typical: Night
    ends: Histogram
    notes: tuple[str, ...] = ()

    @property
    def critical_vms(self) -> tuple[VmForecast, ...]:
        """The VMs that decide the end in some nights, the most decisive first."""
        deciding = [vm for vm in self.vms if vm.decides_share > 0]
        return tuple(sorted(deciding, key=lambda vm: (-vm.decides_share * vm.decides_seconds, vm.name)))

    def instant(self, seconds: float) -> datetime:
        """Return the instant (UTC) that lies so many seconds after the start."""
        return self.starts_at + timedelta(seconds=seconds)

    def to_dict(self) -> dict[str, Any]:
        """Return the forecast as JSON primitives."""
        return self.model_dump(mode="json")

    def expectation(self, most_critical: int = 10) -> Expectation:
        """Return what is shown in a gate and compared with what happens.

        :param most_critical: how many of the VMs that decide the end are named.
        """
        closes = [one.window.closes for one in self.segments if one.window is not None]
        if self.switchover_window is not None:
            closes.append(self.switchover_window.closes)
        end = self.end.spread or self.migrated.spread or self.submitted.spread
        if end is None:
            raise LookupError("a forecast without nights expects nothing")
        return Expectation(
            starts_at=self.starts_at,
            nights=self.nights,
            transfer_end=self.transfer_end.spread,
            switchover_queue=self.queue.lasts.spread,
            cutover_start=self.cutover_start.spread,
            end=end,
            outages=tuple(
                ExpectedOutage(segment=one.name, outage=one.outage.spread)
                for one in self.segments
                if one.outage.spread is not None
            ),
            closes_at=max(closes, default=None),
            window_chance=self.window_chance,
            last_safe_start=self.last_safe_start,
            window_fit=self.window_fit,
            critical_vms=tuple(vm.name for vm in self.critical_vms[:most_critical]),
            vms=tuple(vm.expected for vm in self.vms if vm.expected is not None),
            parameters_digest=self.parameters_digest,
            notes=self.notes,
        )
