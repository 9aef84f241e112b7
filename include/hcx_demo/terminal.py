"""The terminal: printing lines, reading single keys, and stopping in order at Ctrl-C."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

from rich.console import Console
from rich.markup import escape

from hcx_waves.model.outside import shown_lines

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_EXIT_BASE = 128


def speaker(console: Console) -> Callable[[str], None]:
    """Return a function that prints a line as it is."""

    def say(text: str) -> None:
        console.print(plain(text), highlight=False, soft_wrap=True)

    return say


def plain(text: object) -> str:
    """Return a text that the terminal shows as it is: nothing in it is styled, obeyed or unseen."""
    return escape(shown_lines(str(text)))


class Stopped(BaseException):
    """A signal asked the demo to stop: SIGINT, SIGTERM or SIGHUP.

    Not an :class:`Exception`, so that no handler of ordinary errors catches it.
    """

    def __init__(self, signal_name: str, exit_code: int) -> None:
        super().__init__(signal_name)
        self.signal_name = signal_name
        self.exit_code = exit_code


class StopSignals:
    """Raises :class:`Stopped` at the first signal in this context. Later signals only print a message.

    :param say: prints a line.
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
            self._say("already stopping; this takes a few seconds")
            return
        self._stopping = True
        raise Stopped(signal.Signals(number).name, _EXIT_BASE + number)


class Keys:
    """Reads keys without waiting for Enter, and restores the terminal at the end of the context.

    Without a terminal there are no keys. Ctrl-C still stops the demo.
    """

    def __init__(self) -> None:
        self.usable = sys.stdin.isatty() and sys.stdout.isatty()
        self._before: list[Any] | None = None

    def __enter__(self) -> Self:
        if self.usable:
            self._before = termios.tcgetattr(sys.stdin)
            tty.setcbreak(sys.stdin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)
            self._before = None

    def wait(self, seconds: float) -> str:
        """Return the key that was pressed within the time, in lower case, or an empty text."""
        if self._before is None:
            time.sleep(seconds)
            return ""
        ready, _, _ = select.select([sys.stdin], [], [], seconds)
        # Not through sys.stdin: its buffer would hide a second key from select().
        return os.read(sys.stdin.fileno(), 1).decode(errors="ignore").lower() if ready else ""
