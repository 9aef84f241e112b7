"""A process that dies: the try of a task ends at once, at a chosen request, and sends nothing any more.

What a dead process would have done is nothing: neither ``except Exception`` nor a retry of the client runs, and no
request of a ``finally`` leaves.
"""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from typing import Any, Literal

import pytest

Moment = Literal["unsent", "acted"]


class Killed(BaseException):
    """The process was killed."""


@dataclass
class Killer:
    """Kills at a request of the try that is under way.

    :param at: which request of the try, from 0; None kills nobody.
    :param moment: before the request is sent, or after the product has acted and answered.
    """

    at: int | None = None
    moment: Moment = "unsent"
    seen: int = 0
    is_dead: bool = False
    has_killed: bool = False

    def begin_try(self, at: int | None) -> None:
        """Begin a try; kill at this request of it."""
        self.at, self.seen, self.is_dead = at, 0, False

    def _kill(self) -> None:
        self.is_dead = self.has_killed = True
        raise Killed

    def before(self) -> bool:
        """Take note of a request that is about to be sent; return whether its answer is the last thing to come."""
        if self.is_dead:
            raise Killed
        number, self.seen = self.seen, self.seen + 1
        if number != self.at:
            return False
        if self.moment == "unsent":
            self._kill()
        return True

    def after(self) -> None:
        """Die: the answer has come, and nobody has read it."""
        self._kill()


def install(killer: Killer, patches: pytest.MonkeyPatch) -> None:
    """Let a killer see all requests of all clients, where they become HTTP."""
    put, get = http.client.HTTPConnection.putrequest, http.client.HTTPConnection.getresponse
    last: set[int] = set()

    def putrequest(self: Any, *args: Any, **kwargs: Any) -> Any:
        if killer.before():
            last.add(id(self))
        return put(self, *args, **kwargs)

    def getresponse(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = get(self, *args, **kwargs)
        if id(self) in last:
            last.discard(id(self))
            self.close()
            killer.after()
        return found

    patches.setattr(http.client.HTTPConnection, "putrequest", putrequest)
    patches.setattr(http.client.HTTPConnection, "getresponse", getresponse)
