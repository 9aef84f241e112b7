"""Weigh assumed figures against observed ones: few samples move a figure little. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from hcx_waves.forecast.model.durations import Duration, Fixed, LogNormal, Triangular, Uniform
from hcx_waves.model.quantiles import quantile

PRIOR_SAMPLES = 5.0
"""How many samples the assumed figure counts for."""
PRIOR_TRIALS = 20.0
"""The same for how often something fails, of which one seen failure tells little."""
_FEWEST_FOR_SPREAD = 4
_OUTER = 0.1
_LEAST = 1e-3
# Of a normal distribution, between the quantiles at 0.16 and 0.84 lie two standard deviations.
_SIGMA = 0.16


def weight_of(count: float, prior: float = PRIOR_SAMPLES) -> float:
    """Return what share of a figure the samples decide."""
    return count / (count + prior)


def shrunk_rate(assumed: float, seen: float, count: float) -> float:
    """Return a positive figure between two, by their ratio."""
    weight = weight_of(count)
    return math.exp((1 - weight) * math.log(assumed) + weight * math.log(seen))


def shrunk_chance(assumed: float, failed: int, total: int) -> float:
    """Return a chance between the assumed one and the share that failed."""
    return (assumed * PRIOR_TRIALS + failed) / (PRIOR_TRIALS + total)


def shrunk_duration(assumed: Duration, samples: Sequence[float]) -> Duration:
    """Return the assumed distribution, moved and stretched towards the samples, each side of the median by itself.

    Medians and quantiles are compared, so that a single sample that went wrong does little.

    :param samples: in seconds; at least one.
    """
    ordered = sorted(samples)
    if isinstance(assumed, LogNormal):
        return _log_normal(assumed, [max(_LEAST, one) for one in ordered])
    weight = weight_of(len(ordered))
    middle = quantile_of(assumed, 0.5)
    seen = quantile(ordered, 0.5)
    centre = (1 - weight) * middle + weight * seen
    scale = centre / middle if middle else 1.0
    left = right = scale
    if len(ordered) >= _FEWEST_FOR_SPREAD:
        left = _stretch(weight, scale, seen - quantile(ordered, _OUTER), middle - quantile_of(assumed, _OUTER))
        right = _stretch(weight, scale, quantile(ordered, 1 - _OUTER) - seen, quantile_of(assumed, 1 - _OUTER) - middle)

    def moved(value: float) -> float:
        return max(0.0, centre + (value - middle) * (left if value < middle else right))

    return _around(assumed, centre, moved)


def _around(assumed: Fixed | Uniform | Triangular, centre: float, moved: Callable[[float], float]) -> Duration:
    """Return the distribution with its corners moved, and then shifted until the median is where it should be."""
    if isinstance(assumed, Fixed):
        return Fixed(seconds=round(centre, 3))
    low, high = moved(assumed.low_seconds), moved(assumed.high_seconds)
    mode = moved(assumed.mode_seconds) if isinstance(assumed, Triangular) else high
    made: Uniform | Triangular = Uniform(low_seconds=low, high_seconds=high)
    if isinstance(assumed, Triangular):
        made = Triangular(low_seconds=low, mode_seconds=mode, high_seconds=high)
    shift = centre - quantile_of(made, 0.5)
    low, mode, high = (round(max(0.0, one + shift), 3) for one in (low, mode, high))
    if isinstance(assumed, Triangular):
        return Triangular(low_seconds=low, mode_seconds=mode, high_seconds=high)
    return Uniform(low_seconds=low, high_seconds=high)


def quantile_of(duration: Fixed | Uniform | Triangular, share: float) -> float:
    """Return the length that a share of the draws do not exceed."""
    if isinstance(duration, Fixed):
        return duration.seconds
    low, high = duration.low_seconds, duration.high_seconds
    if isinstance(duration, Uniform) or high == low:
        return low + (high - low) * share
    mode = duration.mode_seconds
    if share <= (mode - low) / (high - low):
        return low + math.sqrt(share * (high - low) * (mode - low))
    return high - math.sqrt((1 - share) * (high - low) * (high - mode))


def _stretch(weight: float, scale: float, seen: float, assumed: float) -> float:
    """Return how much wider a side becomes; without a width of its own it keeps the scale of the median."""
    return (1 - weight) * scale + weight * (seen / assumed) if assumed > 0 else scale


def _log_normal(assumed: LogNormal, ordered: Sequence[float]) -> LogNormal:
    weight = weight_of(len(ordered))
    logs = [math.log(one) for one in ordered]
    median = math.exp((1 - weight) * math.log(assumed.median_seconds) + weight * quantile(logs, 0.5))
    sigma = assumed.sigma
    if len(ordered) >= _FEWEST_FOR_SPREAD:
        seen = (quantile(logs, 1 - _SIGMA) - quantile(logs, _SIGMA)) / 2
        sigma = (1 - weight) * sigma + weight * seen
    longest = max(assumed.max_seconds, ordered[-1])
    return LogNormal(median_seconds=round(median, 3), sigma=round(sigma, 4), max_seconds=round(longest, 3))
