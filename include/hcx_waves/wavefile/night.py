"""A wave on another night than its own: the instants of a rehearsed night, computed from wave and date alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import cached_property
from hashlib import sha256

from pydantic import PrivateAttr
from typing_extensions import override

from hcx_waves.model.schedule import WaveClock
from hcx_waves.wavefile.clock import windows_of
from hcx_waves.wavefile.moments import Moment, settled_instant
from hcx_waves.wavefile.wave import Wave

DEFAULT_LEAD = timedelta(hours=8)
"""How long before its first window a wave without ``start`` begins in a rehearsal."""
LONGEST_LEAD = timedelta(hours=22)
"""Longer than this, the first window would be one of the day before."""
NIGHTFALL = time(20)
"""When a wave begins in a rehearsal whose windows all count from its start, or that has none; local time."""
_SEED_BITS = 63


class RehearsedWave(Wave):
    """A wave moved to another night; what it means, and so its hash, is that of the file."""

    _night: date = PrivateAttr()
    _begins_at: datetime = PrivateAttr()

    @classmethod
    def of(cls, wave: Wave, night: date, lead: timedelta = DEFAULT_LEAD) -> RehearsedWave:
        """Move a wave to a night.

        :param lead: see :func:`begin_of`.
        """
        # Every rule has been checked already; on another night the clocks may break some, which is settled and noted.
        moved = cls.model_construct(wave.model_fields_set, **{name: getattr(wave, name) for name in Wave.model_fields})
        moved._night, moved._begins_at = night, begin_of(wave, night, lead)
        return moved

    @property
    @override
    def night(self) -> date:
        """The rehearsed night."""
        return self._night

    @property
    def begins_at(self) -> datetime:
        """When the rehearsed run begins (UTC), with or without a ``start``."""
        return self._begins_at

    @cached_property
    def _clock(self) -> WaveClock:
        return self.for_night(self._night, self._begins_at)

    @override
    def clock(self, started_at: datetime | None = None) -> WaveClock:
        """Return the instants of the rehearsed night.

        :param started_at: makes no difference: a rehearsal begins when the night does.
        """
        return self._clock


def begin_of(wave: Wave, night: date, lead: timedelta = DEFAULT_LEAD) -> datetime:
    """Return when a wave begins on a night (UTC): at its ``start`` moved there, if it has one.

    Otherwise somebody starts it, and when is not in the file: ``lead`` before the first window that names a clock
    time (the switchover's, else a segment's), which opens on that date; or at 20:00 local time, if every window
    counts from the start.

    :param night: the local date of the first window, as in :attr:`Wave.night`.
    :raises ValueError: if the lead is negative or longer than 22 hours.
    """
    if not timedelta() <= lead <= LONGEST_LEAD:
        raise ValueError(f"a wave is started at most 22 hours before its first window, not {lead}")
    clock = wave.for_night(night)
    if wave.start is not None and clock.starts_at is not None:
        return clock.starts_at
    for location, window in windows_of(wave):
        if window.opens.after_start is None:
            at_switchover = location[0] == "switchover_window" and clock.switchover is not None
            planned = clock.switchover if at_switchover else clock.cutover(wave.segments[int(location[1])].name)
            if planned is not None:
                return planned.opens - lead
    return settled_instant(Moment(day=night, at=NIGHTFALL), wave.zone)[0]


def seed_of(wave: str, night: date) -> int:
    """Return the seed of a rehearsed night: it follows from wave and date alone.

    :returns: a whole number below 2**63.
    """
    return int.from_bytes(sha256(f"{wave}\n{night.isoformat()}".encode()).digest()[:8], "big") >> (64 - _SEED_BITS)


def rotated(scenarios: Sequence[str], wave: str, night: date) -> str | None:
    """Return which of some scenarios a night gets when they take turns, or None for the night without any.

    Nights that follow each other walk through the list, one night without a fault first; where a wave begins in it
    depends on its name, so that not all waves meet the same fault on the same night.
    """
    turns: list[str | None] = [None, *scenarios]
    offset = sha256(wave.encode()).digest()[0]
    return turns[(night.toordinal() + offset) % len(turns)]
