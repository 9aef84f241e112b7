"""The time axis that the parts of a forecast's picture share."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import matplotlib.dates as mdates

from hcx_waves.forecast.results.document import Forecast

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SECONDS_A_DAY = 86400


def day(forecast: Forecast, seconds: float) -> float:
    """Return an instant in matplotlib's days.

    :param seconds: after the forecast's start.
    """
    return number(forecast.starts_at) + seconds / _SECONDS_A_DAY


def number(at: datetime) -> float:
    """Return an instant in matplotlib's days."""
    return float(mdates.date2num(at))  # type: ignore[no-untyped-call]


def time_axis(forecast: Forecast, axes: Axes) -> None:
    """Label the x axis with local times."""
    zone = ZoneInfo(forecast.time_zone)
    locator = mdates.AutoDateLocator(tz=zone, minticks=5, maxticks=12)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator, tz=zone))  # type: ignore[no-untyped-call]
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="x", labelsize=8)
