"""Windows as written in a wave file, and as two instants."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from pydantic import model_validator

from hcx_waves.model.base import BrokenRule, DomainModel, refuse
from hcx_waves.model.times import Duration, format_duration
from hcx_waves.wavefile.moments import AnyMoment

LONGEST = timedelta(days=14)


class Window(DomainModel):
    """When something may happen, in the wave's local time; ``opens`` and either ``closes`` or ``lasts``."""

    opens: AnyMoment
    """A date and time; a clock time (the first at or after the wave's start); or a time after that start (``+2h``)."""

    closes: AnyMoment | None = None
    """A date and time, or a clock time: the first one after the opening."""

    lasts: Duration | None = None
    """How long it stays open, in elapsed time whatever the clocks do."""

    def __str__(self) -> str:
        """Say when, for people."""
        return (
            f"{self.opens} to {self.closes}"
            if self.lasts is None
            else f"{self.opens} for {format_duration(self.lasts)}"
        )

    @model_validator(mode="after")
    def _check(self) -> Self:
        broken = []
        if (self.closes is None) == (self.lasts is None):
            broken.append(BrokenRule((), "needs either closes or lasts, one of them"))
        if self.closes is not None and self.closes.after_start is not None:
            broken.append(BrokenRule(("closes",), f'"{self.closes}" would count from the start: write lasts instead'))
        elif self.closes is not None and self.closes.is_dated and not self.opens.is_dated:
            broken.append(BrokenRule(("closes",), "has a date while opens has none: date both, or write lasts"))
        if self.lasts is not None and not timedelta() < self.lasts <= LONGEST:
            broken.append(BrokenRule(("lasts",), f"must be more than 0s and at most {format_duration(LONGEST)}"))
        refuse(broken)
        return self
