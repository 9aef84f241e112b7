"""Quantiles: the one definition behind every P50, P90 and P95 that is shown.

Between two neighbouring values the quantile lies in proportion, as by default in numpy and in
``statistics.quantiles(method="inclusive")``. It is written out here because numpy starts threads and so must not be
imported before Airflow forks, and the standard library refuses a single value.
"""

from __future__ import annotations

from collections.abc import Iterable

P50, P90, P95, P99 = 0.5, 0.9, 0.95, 0.99


def quantiles(values: Iterable[float], *shares: float) -> tuple[float, ...]:
    """Return, for each share, the value below which that share of all values lies.

    :param values: at least one, in any order.
    :param shares: between 0 and 1.
    """
    ordered = sorted(values)
    last = len(ordered) - 1
    found = []
    for share in shares:
        place = last * share
        below = int(place)
        above = min(below + 1, last)
        found.append(ordered[below] + (ordered[above] - ordered[below]) * (place - below))
    return tuple(found)


def quantile(values: Iterable[float], share: float) -> float:
    """Return one quantile, see :func:`quantiles`."""
    return quantiles(values, share)[0]
