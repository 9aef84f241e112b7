"""Short waits inside a step: for a change to be read back and realised. Time is injected."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from hcx_waves.clients.errors import ClientError

Seen = TypeVar("Seen")


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Patience:
    """How long a step may wait for something that takes seconds, and by which clock.

    :param now: aware wall-clock time; results carry its instants. Of a simulated site that is faster than life it
        may be the site's own time.
    :param sleep: waits for seconds.
    :param limit_seconds: of one wait, by ``now``.
    :param pause_seconds: between two looks; bounds how exactly an outage is measured.
    """

    now: Callable[[], datetime] = _utc_now
    sleep: Callable[[float], None] = time.sleep
    limit_seconds: float = 60.0
    pause_seconds: float = 0.5

    def until(self, look: Callable[[], Seen], good: Callable[[Seen], bool]) -> Wait[Seen]:
        """Look until it is good or time is up; always looks at least once.

        A look that fails for a transient reason says nothing, and is made again as long as there is time.

        :raises ClientError: what the last look failed with, if it is not transient or time is up.
        """
        deadline = self.now() + timedelta(seconds=self.limit_seconds)
        last_not: datetime | None = None
        while True:
            asked = self.now()
            try:
                seen = look()
            except ClientError as error:
                if not error.is_transient or self.now() >= deadline:
                    raise
            else:
                answered = self.now()
                if good(seen):
                    return Wait(seen, is_good=True, last_not=last_not, first_seen=answered)
                last_not = asked
                if answered >= deadline:
                    return Wait(seen, is_good=False, last_not=last_not, first_seen=None)
            self.sleep(self.pause_seconds)


@dataclass(frozen=True)
class Wait(Generic[Seen]):
    """How a wait ended.

    :param seen: the last thing seen.
    :param last_not: when the last look that was not good began; None if the first one was good.
    :param first_seen: when the good look was answered.
    """

    seen: Seen
    is_good: bool
    last_not: datetime | None
    first_seen: datetime | None
