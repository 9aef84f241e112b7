"""Search the latest start with which a wave still fits its windows."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import numpy as np

from hcx_waves.forecast.model.inputs import ForecastInput
from hcx_waves.forecast.model.nights import Nights, simulate
from hcx_waves.forecast.model.parameters import ModelParameters

SAFE_CHANCE = 0.95
_EARLIER_HOURS = ((1, 2, 4, 8, 16), (32,), (64,), (7 * 24,))
_CANDIDATES = 10
_STEP_SECONDS = 300.0
_LARGE_VMS, _PRECISE_ENOUGH_SECONDS = 200, 1200.0
_MOST_PASSES = 3
_FEWEST_NIGHTS, _MOST_NIGHTS = 50, 200
_VMS_TIMES_NIGHTS = 12_000


def last_safe_start(
    subject: ForecastInput,
    parameters: ModelParameters,
    *,
    chance: float = SAFE_CHANCE,
    nights: int | None = None,
    seed: int = 0,
) -> datetime | None:
    """Return the latest start with which everything ends within its windows often enough.

    To five minutes; of waves of more than 200 VMs to twenty, on the safe side. Windows stay where they are. Found by
    search: starts between a week before the planned one and the close of the last window are tried, on the same nights
    each.

    :param chance: how often is enough.
    :param nights: how many are played per start; fewer for large waves unless given.
    :return: None if no start is safe, there is no window, no VM to move, or the wave is under way.
    """
    closes = [segment.window.closes for segment in subject.segments if segment.window is not None]
    closes += [] if subject.switchover is None else [subject.switchover.closes]
    if not closes or not subject.vms or subject.under_way:
        return None
    count = nights or min(_MOST_NIGHTS, max(_FEWEST_NIGHTS, _VMS_TIMES_NIGHTS // len(subject.vms)))
    search = _Search(subject, parameters, chance, count, seed)
    latest = (max(closes) - subject.starts_at).total_seconds()
    found = search.after(max(latest, 0.0))
    found = search.before() if found is None else found
    return None if found is None else subject.starts_at + timedelta(seconds=found)


class _Search:
    def __init__(
        self, subject: ForecastInput, parameters: ModelParameters, chance: float, nights: int, seed: int
    ) -> None:
        self._subject, self._parameters = subject, parameters
        self._chance, self._nights, self._seed = chance, nights, seed
        self._precise_seconds = _STEP_SECONDS if len(subject.vms) <= _LARGE_VMS else _PRECISE_ENOUGH_SECONDS
        self._is_seeded = False

    def _safe(self, delays: list[float]) -> list[bool]:
        played = simulate(self._subject, self._parameters, self._nights, self._seed, delays, only_what_fits=True)
        self._is_seeded = _is_seeded(played, played.vms.base_began.shape[0] - self._nights)
        shares = played.fits.reshape(len(delays), self._nights).mean(axis=1)
        return [bool(share >= self._chance) for share in shares]

    def after(self, latest: float) -> float | None:
        """Return the latest safe delay up to one that is not safe; None if not even the planned start is."""
        steps = np.linspace(0.0, latest, _CANDIDATES + 2)[:-1].tolist()
        verdicts = self._safe(steps)
        if not verdicts[0]:
            return None
        return self._between(*_bracket([*steps, latest], verdicts))

    def _between(self, safe: float, unsafe: float) -> float:
        """Return the latest safe delay between one that is safe and one that is not."""
        for _ in range(_MOST_PASSES):
            if unsafe - safe <= self._precise_seconds:
                break
            steps = np.linspace(safe, unsafe, _CANDIDATES + 2)[1:-1].tolist()
            safe, unsafe = _bracket([safe, *steps, unsafe], [True, *self._safe(steps)])
        return math.floor(safe / _STEP_SECONDS) * _STEP_SECONDS

    def before(self) -> float | None:
        """Return the latest safe delay below zero, which is itself not safe.

        A start that is so early that every replication under way is through when the window opens gains nothing by
        being still earlier.
        """
        later = 0.0
        for hours in _EARLIER_HOURS:
            steps = [-3600.0 * hour for hour in hours]
            verdicts = self._safe(steps)
            for step, is_safe in zip(steps, verdicts, strict=True):
                if is_safe:
                    return self._between(step, later)
                later = step
            if self._is_seeded:
                return None
        return None


def _bracket(delays: list[float], verdicts: list[bool]) -> tuple[float, float]:
    """Return the last delay before the first that is not safe, and that one; the last delay is not safe."""
    first_bad = verdicts.index(False) if False in verdicts else len(verdicts)
    return delays[first_bad - 1], delays[first_bad]


def _is_seeded(played: Nights, first_row: int) -> bool:
    """Tell whether no base sync is under way when the switchover window opens, in the nights from a row on."""
    window = played.subject.switchover
    if window is None:
        return True
    opens = (window.opens - played.subject.starts_at).total_seconds()
    began, ended = played.vms.base_began[first_row:], played.vms.base_ended[first_row:]
    return not bool(((began < opens) & ~(ended <= opens)).any())
