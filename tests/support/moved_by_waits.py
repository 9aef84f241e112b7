"""A world whose time moves when the product waits, so that no machine is too slow for it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from hcx_sim.engine.clock import ClockMode
from support.site_pair import SitePair

_WAITING = ("hcx_airflow", "hcx_waves", "airflow")
"""Whose waits move time; those of servers and tests are real."""


def move_by_waits(pair: SitePair, speed: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop a world's clock, and move it by ``speed`` seconds for each second that the product waits."""
    pair.run(lambda: pair.world.clock.set_mode(ClockMode.PAUSED))
    real, real_async = time.sleep, asyncio.sleep

    def product_waits() -> bool:
        return str(sys._getframe(2).f_globals.get("__name__", "")).startswith(_WAITING)

    def sleep(seconds: float) -> None:
        if product_waits():
            pair.advance(seconds * speed)
        else:
            real(seconds)

    def sleep_async(seconds: float, result: Any = None) -> Coroutine[Any, Any, Any]:
        if seconds > 0 and product_waits():
            return asyncio.to_thread(pair.advance, seconds * speed)
        return real_async(seconds, result)

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(asyncio, "sleep", sleep_async)
