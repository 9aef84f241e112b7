"""Which nights are rehearsed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from hcx_demo.errors import DemoError

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Nights:
    """Nights in a row, by their dates in the wave's zone; both ends are among them."""

    first: date
    last: date

    @classmethod
    def of(cls, count: int, first: date | None, today: date) -> Self:
        """Return that many nights from a first one on, or up to yesterday.

        :param today: the date in the wave's zone.
        :raises DemoError: for nights that have not begun: Airflow backfills the past alone.
        """
        last = today - _DAY if first is None else first + (count - 1) * _DAY
        if last >= today:
            raise DemoError(
                f"the night of {last} is not over, and a backfill is about the past: choose an earlier FROM or fewer "
                f"NIGHTS, so that the last one is {today - _DAY} at the latest"
            )
        return cls(last - (count - 1) * _DAY, last)

    @property
    def end(self) -> date:
        """The date after the last night, which is where a backfill of noons ends."""
        return self.last + _DAY

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def dates(self) -> tuple[date, ...]:
        """Return all of them in order."""
        return tuple(self.first + number * _DAY for number in range(len(self)))
