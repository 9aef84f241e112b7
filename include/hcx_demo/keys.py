"""Single keys from the terminal, read while other things go on."""

from __future__ import annotations

import os
import select
import sys
import termios
import time
import tty
from types import TracebackType
from typing import Any, Self


class Keys:
    """Reads keys without waiting for Enter; puts the terminal back at the end of the context.

    Without a terminal there are never any keys. Ctrl-C stays Ctrl-C.
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
        # Not through sys.stdin: its buffer would hide a second key from select.
        return os.read(sys.stdin.fileno(), 1).decode(errors="ignore").lower() if ready else ""
