"""The one place at which stalls are told: to the log, and to whoever listens.

A notifier adds itself with :func:`listen`; it is told each event of each stall of the waits in its process (the
triggerer; a worker for waits that poke) and of the watchdog.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from hcx_waves.model.outside import shown

if TYPE_CHECKING:
    from hcx_waves.run.stalls import StallEvent

logger = logging.getLogger(__name__)
Listener = Callable[["StallEvent"], None]
_LISTENERS: list[Listener] = []


def listen(listener: Listener) -> Callable[[], None]:
    """Tell somebody of all stalls from now on.

    :param listener: is called with each event; what it raises is logged, and holds up nobody.
    :returns: what ends it.
    """
    _LISTENERS.append(listener)
    return lambda: _LISTENERS.remove(listener)


def tell(event: StallEvent) -> None:
    """Log an event and tell it to all who listen."""
    from hcx_waves.run.stalls import StallNews, lines_of

    level = logging.INFO if event.news is StallNews.ENDED else logging.WARNING
    for line in lines_of(event):
        logger.log(level, "%s", shown(line))
    for listener in tuple(_LISTENERS):
        try:
            listener(event)
        except Exception:
            # Who is told must not hold up what is waited for.
            logger.exception("Cannot tell %r of a stall", listener)
