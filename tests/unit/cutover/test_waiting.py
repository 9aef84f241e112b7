"""Short waits, with a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from hcx_waves.clients.errors import NotFound, RateLimited
from hcx_waves.cutover.waiting import Patience


class Clock:
    """Time that only waits move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, tzinfo=UTC)

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def seen(*answers: int | Exception) -> Callable[[], int]:
    left = list(answers)

    def look() -> int:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return look


def patience(limit_seconds: float = 10) -> Patience:
    clock = Clock()
    return Patience(lambda: clock.now, clock.sleep, limit_seconds, 1.0)


def test_first_look_may_be_good() -> None:
    wait = patience().until(seen(1), lambda value: value == 1)
    assert (wait.is_good, wait.last_not) == (True, None)


def test_last_look_that_was_not_good_is_kept() -> None:
    wait = patience().until(seen(0, 0, 1), lambda value: value == 1)
    assert wait.first_seen is not None
    assert wait.last_not is not None
    assert wait.first_seen - wait.last_not == timedelta(seconds=1)


def test_time_ends_it() -> None:
    wait = patience().until(seen(0), lambda value: value == 1)
    assert (wait.is_good, wait.seen, wait.first_seen) == (False, 0, None)


def test_transient_error_is_no_answer() -> None:
    assert patience().until(seen(RateLimited("slow"), 1), lambda value: value == 1).is_good
    with pytest.raises(RateLimited, match="slow"):
        patience().until(seen(RateLimited("slow")), lambda value: value == 1)
    with pytest.raises(NotFound, match="gone"):
        patience().until(seen(NotFound("gone")), lambda value: value == 1)
