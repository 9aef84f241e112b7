"""Rest for the garbage collector while a lot is made that will stay."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.Lock()
_resting = 0


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Let no cyclic collection run inside the block; several threads may be in it, the last one out ends the rest.

    A world of ten thousand VMs is half a million objects, none of them garbage: looking at them again and again
    takes as long as making them.
    """
    global _resting
    with _LOCK:
        if _resting == 0 and gc.isenabled():
            gc.disable()
            _resting = 1
        elif _resting:
            _resting += 1
        counted = _resting > 0
    try:
        yield
    finally:
        with _LOCK:
            if counted:
                _resting -= 1
                if _resting == 0:
                    gc.enable()
