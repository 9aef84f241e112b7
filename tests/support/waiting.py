"""Waiting for another thread's effect without a fixed sleep, and running a blocking call beside the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_PAUSE = threading.Event()


def wait_until(condition: Callable[[], T], within_seconds: float = 10.0) -> T:
    """Return the first true value of ``condition``; fails when there is none in time."""
    deadline = time.monotonic() + within_seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError("the condition did not come true in time")
        _PAUSE.wait(0.005)
    return value
