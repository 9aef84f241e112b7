"""Search how many VMs of a wave would fit its windows, and how long the windows would have to be for all of them."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np

from hcx_waves.forecast.model.durations import Numbers
from hcx_waves.forecast.model.inputs import ForecastInput
from hcx_waves.forecast.model.nights import Nights, simulate
from hcx_waves.forecast.model.parameters import ModelParameters
from hcx_waves.forecast.model.safe_start import SAFE_CHANCE
from hcx_waves.model.fit import NeededWindow, WindowFit
from hcx_waves.model.schedule import TimeWindow

_FOR_EVER = timedelta(days=14)
"""How much longer windows are held open for the search: nothing misses them then, unless it never comes."""
_FEWEST_NIGHTS, _MOST_NIGHTS = 50, 200
_VMS_TIMES_NIGHTS = 12_000
_SHORT_SECONDS, _FINE_STEP_SECONDS, _STEP_SECONDS = 3 * 3600.0, 300.0, 3600.0


def window_fit(
    subject: ForecastInput, parameters: ModelParameters, *, chance: float = SAFE_CHANCE, seed: int = 0
) -> WindowFit | None:
    """Return what of a wave would fit its windows, and which windows would have to be longer.

    A wave of fewer VMs transfers faster, so each number of VMs is played as a wave of its own, with the same segments.
    VMs that fail for other reasons do not count against a window.

    :param chance: how often is enough.
    :return: None if the windows are not what is in the way, there are none, no VM moves, or the wave is under way.
    """
    has_windows = subject.switchover is not None or any(one.window is not None for one in subject.segments)
    if not has_windows or not subject.vms or subject.under_way:
        return None
    search = _FitSearch(subject, parameters, chance, seed)
    played = search.play(subject, to_the_end=True)
    if search.is_enough(played):
        return None
    return WindowFit(
        chance=chance,
        vms_fitting=search.most_vms(played),
        vms=len(subject.vms),
        windows=tuple(search.needed(played)),
    )


class _FitSearch:
    def __init__(self, subject: ForecastInput, parameters: ModelParameters, chance: float, seed: int) -> None:
        self._subject, self._parameters = subject, parameters
        self._chance, self._seed = chance, seed
        self._nights = min(_MOST_NIGHTS, max(_FEWEST_NIGHTS, _VMS_TIMES_NIGHTS // len(subject.vms)))

    def play(self, subject: ForecastInput, *, to_the_end: bool) -> Nights:
        """Play nights in which no cutover window closes.

        :param to_the_end: whether the switchover window does not close either. Otherwise a night is left as it stands
            when it does.
        """
        segments = tuple(one.model_copy(update={"window": _held_open(one.window)}) for one in subject.segments)
        switchover = _held_open(subject.switchover) if to_the_end else subject.switchover
        wide = subject.model_copy(update={"segments": segments, "switchover": switchover})
        return simulate(wide, self._parameters, self._nights, self._seed, only_what_fits=not to_the_end)

    def is_enough(self, played: Nights) -> bool:
        """Whether nothing is later than the windows as planned close, in enough nights.

        A segment that is not cut over although its window stays open is held up by a VM that has failed.
        """
        in_time = np.ones(played.count, dtype=np.bool_)
        if self._subject.switchover is not None:
            in_time &= self._last_switchover(played) <= self._after_start(self._subject.switchover)
        for number, segment in enumerate(self._subject.segments):
            if segment.window is not None and not segment.cut_already:
                in_time &= ~(played.segments.routed[:, number] > self._after_start(segment.window))
        return bool(in_time.mean() >= self._chance)

    def most_vms(self, played: Nights) -> int:
        """Return how many VMs fit, those first that switch over first; of a large wave to one in fifty."""
        ends = {vm.name: self._usual_end(played, vm.name) for vm in self._subject.vms}
        ranked = sorted(ends, key=lambda name: (ends[name], name))
        window = self._subject.switchover or next(one.window for one in self._subject.segments if one.window)
        fits, too_many, step = 0, len(ranked), max(1, len(ranked) // 50)
        # As many as are in time while all the others transfer as well: near to the answer, mostly.
        guess = sum(end <= self._after_start(window) for end in ends.values())
        for count in (guess - step, guess + step):
            if fits < count < too_many:
                fits, too_many = (count, too_many) if self._fits(ranked[:count]) else (fits, count)
        while too_many - fits > step:
            middle = (fits + too_many) // 2
            fits, too_many = (middle, too_many) if self._fits(ranked[:middle]) else (fits, middle)
        return fits

    def _usual_end(self, played: Nights, name: str) -> float:
        return float(np.median(np.nan_to_num(played.vms.ended[:, played.layout.columns[name]], nan=np.inf)))

    def _fits(self, chosen: list[str]) -> bool:
        names = set(chosen)
        part = {
            "vms": tuple(vm for vm in self._subject.vms if vm.name in names),
            "switchover_order": tuple(name for name in self._subject.switchover_order if name in names),
        }
        return self.is_enough(self.play(self._subject.model_copy(update=part), to_the_end=False))

    def needed(self, played: Nights) -> list[NeededWindow]:
        """Return the windows that are too short, with the length that each would need."""
        found = []
        if self._subject.switchover is not None:
            found.append(self._needed(None, self._subject.switchover, self._last_switchover(played)))
        for number, segment in enumerate(self._subject.segments):
            if segment.window is not None and not segment.cut_already:
                found.append(self._needed(segment.name, segment.window, played.segments.routed[:, number]))
        return [one for one in found if one is not None]

    def _needed(self, segment: str | None, window: TimeWindow, ends: Numbers) -> NeededWindow | None:
        # What is never done is done too late, except for a segment that a failed VM holds up in some nights.
        known = ends[np.isfinite(ends)] if segment is not None else np.nan_to_num(ends, nan=np.inf)
        last = _in_time_with(known, self._chance) if len(known) else math.inf
        if last <= self._after_start(window):
            return None
        opens = (window.opens - self._subject.starts_at).total_seconds()
        return NeededWindow(segment=segment, window=window, needed_seconds=_rounded_up(last - opens))

    def _last_switchover(self, played: Nights) -> Numbers:
        """Return when the last switchover has ended, for ever where one never does."""
        ended = np.nan_to_num(played.vms.ended[:, played.layout.occupied], nan=np.inf)
        last: Numbers = ended.max(axis=1)
        return last

    def _after_start(self, window: TimeWindow) -> float:
        return (window.closes - self._subject.starts_at).total_seconds()


def _in_time_with(ends: Numbers, chance: float) -> float:
    """Return the instant by which enough nights have ended: that of a night, as nothing in between has been played."""
    return float(np.sort(ends)[math.ceil(chance * len(ends)) - 1])


def _held_open(window: TimeWindow | None) -> TimeWindow | None:
    return None if window is None else window.model_copy(update={"closes": window.closes + _FOR_EVER})


def _rounded_up(seconds: float) -> float | None:
    if not math.isfinite(seconds):
        return None
    step = _FINE_STEP_SECONDS if seconds <= _SHORT_SECONDS else _STEP_SECONDS
    return math.ceil(seconds / step) * step
