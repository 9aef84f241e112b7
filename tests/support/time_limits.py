"""What makes a hanging test impossible: a limit that really ends it, and a guard against what it leaves behind.

It takes the place of pytest-timeout's own timers, which have three holes: they ring once (whatever waits next waits
for ever), they are switched off as soon as a test fails (so its teardown has no limit), and Airflow uses their signal.

1. At its limit (``timeout`` in ``pyproject.toml``, or the marker) a test is interrupted: an exception is raised in it
   that shows where it was, with the stacks of all threads. Its context managers and fixtures let go of what they hold.
2. While anything of it goes on, teardown included, it is interrupted again every few seconds.
3. If that does not help either (code that holds the interpreter), the process ends. With xdist the test has failed,
   another worker takes the process's place, and the rest of the suite goes on.

After each test, threads that it started and waits in a world's time must be gone, else the test fails with their
names. The waits are let go. Daemon threads that are not the tests' own are left alone: they hold up nothing.
"""

from __future__ import annotations

import concurrent.futures.thread
import faulthandler
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Generator
from types import FrameType
from typing import Any

import pytest
from pytest_timeout import is_debugging

from support.site_servers import forget_waits, open_waits
from support.threads import TestThread

GONE_SECONDS = 30.0
"""How long the guard waits for a thread to end; only a test with leftovers takes that long."""
_EXIT_SECONDS = 20.0
_RINGS = 8
_SIGNAL = signal.SIGVTALRM
"""Nobody else uses it; Airflow has SIGALRM and the scheduler's signals."""
_OF_SERVERS = "AnyIO worker thread"
"""Begins the names of threads that a server of the whole session keeps for its next request."""
_POOL_THREAD = concurrent.futures.thread._worker.__code__
_PAUSE = threading.Event()


def pause_between(limit_seconds: float) -> float:
    """Return how many seconds after the first interruption the next one comes."""
    return min(20.0, max(1.0, limit_seconds / 10))


class _Bell(threading.Thread):
    """Interrupts the main thread at an instant and then again and again."""

    def __init__(self) -> None:
        super().__init__(name="time limit of the tests", daemon=True)
        self._changed = threading.Condition()
        self._next: float | None = None
        self._pause = 0.0

    def set(self, first: float | None, pause: float = 0.0) -> None:
        """Ring first at an instant (monotonic), None: never."""
        with self._changed:
            self._next, self._pause = first, pause
            self._changed.notify()

    def run(self) -> None:
        while True:
            with self._changed:
                left = None if self._next is None else self._next - time.monotonic()
                if left is None or left > 0:
                    self._changed.wait(left)
                    continue
                self._next = time.monotonic() + self._pause
            signal.pthread_kill(threading.main_thread().ident or 0, _SIGNAL)


class TimeLimits:
    """The pytest plugin; see the module text. It is made before output is captured."""

    def __init__(self) -> None:
        self._stderr = os.dup(sys.__stderr__.fileno()) if sys.__stderr__ else 2
        self._bell: _Bell | None = None
        self._item: pytest.Item | None = None
        self._limit = self._due = 0.0
        self._has_rung = False
        self._before: set[threading.Thread] = set()
        self._leftovers: list[threading.Thread] = []

    # The limit ---------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_timeout_set_timer(self, item: pytest.Item, settings: Any) -> bool:
        """Start the limit instead of pytest-timeout's."""
        self._item, self._limit = item, settings.timeout
        self._due = time.monotonic() + self._limit
        if threading.current_thread() is threading.main_thread():
            signal.signal(_SIGNAL, self._ring)
            if self._bell is None:
                self._bell = _Bell()
                self._bell.start()
            self._bell.set(self._due, pause_between(self._limit))
        self._arm_exit()
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_timeout_cancel_timer(self) -> bool:
        """Go on: this is also called when a test has failed, whose teardown must have a limit too."""
        return True

    def pytest_enter_pdb(self) -> None:
        """Leave a person at the debugger alone."""
        self._disarm()

    def _arm_exit(self) -> None:
        if self._item is not None:
            left = max(0.0, self._due - time.monotonic()) + _RINGS * pause_between(self._limit)
            faulthandler.dump_traceback_later(left, exit=True, file=self._stderr)

    def _disarm(self) -> None:
        self._item = None
        self._stop_bell()
        faulthandler.cancel_dump_traceback_later()

    def _stop_bell(self) -> None:
        if self._bell is not None:
            self._bell.set(None)

    def _ring(self, _number: int, _frame: Any) -> None:
        __tracebackhide__ = True
        if self._item is None or time.monotonic() < self._due or is_debugging():
            return
        if not self._has_rung:
            self._item.add_report_section("call", "stacks of all threads", _stacks())
        self._has_rung = True
        pytest.fail(f"Timeout: the test is over its limit of {self._limit:g} s")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Generator[None, Any, Any]:
        """Note what is there before the test; end its limit with it."""
        self._before, self._has_rung = set(threading.enumerate()), False
        try:
            return (yield)
        finally:
            self._disarm()

    # What is left ------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, Any, Any]:
        """Look for leftovers once the fixtures of the test have ended.

        :raises pytest.fail.Exception: if there are any.
        """
        # pytest switches this off when a test has failed, with a debugger in mind.
        self._arm_exit()
        try:
            result = yield
        except (Exception, pytest.fail.Exception):
            self._assert_nothing_left()
            raise
        self._assert_nothing_left()
        return result

    def _assert_nothing_left(self) -> None:
        __tracebackhide__ = True
        self._stop_bell()
        within = min(GONE_SECONDS, self._limit) or GONE_SECONDS
        faulthandler.dump_traceback_later(10 * within, exit=True, file=self._stderr)
        if self._has_rung:
            forget_waits()
        deadline = time.monotonic() + within
        while (left := self._left()) and time.monotonic() < deadline:
            _PAUSE.wait(0.01)
        if left:
            forget_waits()
            self._leftovers += self._threads_left()
            pytest.fail(f"the test has left behind: {'; '.join(left)}")

    def _left(self) -> list[str]:
        return [f"thread {thread.name!r}" for thread in self._threads_left()] + open_waits()

    def _threads_left(self) -> list[threading.Thread]:
        frames = sys._current_frames()
        return [
            thread
            for thread in threading.enumerate()
            if thread not in self._before
            and (isinstance(thread, TestThread) or not (thread.daemon or thread.name.startswith(_OF_SERVERS)))
            and not _is_idle(frames.get(thread.ident or 0))
        ]

    def pytest_unconfigure(self) -> None:
        """Let no thread hold up the exit of the process."""
        if any(thread.is_alive() for thread in self._leftovers):
            faulthandler.dump_traceback_later(_EXIT_SECONDS, exit=True, file=self._stderr)


def _is_idle(frame: FrameType | None) -> bool:
    """Whether a pool's thread waits for its next call: it ends with its pool, at the latest with the process."""
    return frame is not None and frame.f_code is _POOL_THREAD


def _stacks() -> str:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "\n".join(
        f"{names.get(ident, '?')}:\n{''.join(traceback.format_stack(frame))}"
        for ident, frame in sys._current_frames().items()
    )
