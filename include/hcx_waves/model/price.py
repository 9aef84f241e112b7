"""What going back would cost, and until when it can be decided."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import AwareDatetime

from hcx_waves.model.base import DomainModel
from hcx_waves.model.expectation import Spread


class WayBackPrice(DomainModel):
    """The way back of a run as it stands at one moment: VMs migrated back, gateways returned to the source."""

    as_of: AwareDatetime
    """The moment that it is judged for."""
    vms: int
    """How many VMs would be migrated back, one after the other."""
    segments: int
    """How many segments would be extended again, as their gateways have moved."""
    bytes_back: int
    length: Spread
    """How long it takes in all, from the decision on."""
    outage: Spread | None = None
    """How long a segment has no gateway; None if no gateway moves back."""
    closes_at: AwareDatetime | None = None
    """When the last window closes; None without windows."""

    @property
    def deadline(self) -> datetime | None:
        """The last moment at which a decision to go back fits the window, in nine of ten nights; None without one."""
        return None if self.closes_at is None else self.closes_at - timedelta(seconds=self.length.p90_seconds)

    @property
    def left_seconds(self) -> float | None:
        """How much time is left to decide; negative once it does not fit any more. None without windows."""
        return None if self.deadline is None else (self.deadline - self.as_of).total_seconds()

    @property
    def fits(self) -> bool:
        """Whether it still fits the window; without windows it does."""
        return self.left_seconds is None or self.left_seconds >= 0
