"""Limits that only stop a hang, and waiting for another thread's effect without a fixed sleep."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

HANG_SECONDS = 300.0
"""The limit of a single wait: far above what anything takes on a busy machine, below the limit of a whole test."""
_PAUSE = threading.Event()


def wait_until(condition: Callable[[], T], within_seconds: float = HANG_SECONDS) -> T:
    """Return the first true value of ``condition``.

    :raises AssertionError: when there is none in time.
    """
    deadline = time.monotonic() + within_seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"the condition did not come true within {within_seconds:g} s")
        _PAUSE.wait(0.005)
    return value
