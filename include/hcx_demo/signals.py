"""Ctrl-C and its kin, turned into one orderly stop."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

from hcx_demo.errors import Stopped

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_EXIT_BASE = 128


class StopSignals:
    """Raises :class:`Stopped` for the first signal in this context, and only tells about later ones.

    :param say: takes a line for the person.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._stopping = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in _STOPPING:
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._stopping:
            self._say("already stopping; give it a few seconds")
            return
        self._stopping = True
        raise Stopped(signal.Signals(number).name, _EXIT_BASE + number)
