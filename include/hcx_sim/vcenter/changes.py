"""What changed in one vCenter and who waits for it: the feed behind ``WaitForUpdatesEx``."""

from __future__ import annotations

import asyncio
from itertools import takewhile


class Changes:
    """Numbers every change of one site.

    ``stamp`` grows with each change, ``structure`` is the stamp of the last one that may have added or removed
    objects or changed what a view or a traversal selects.
    """

    def __init__(self) -> None:
        """Start with nothing changed."""
        self.stamp = 1
        self.structure = 1
        self._objects: dict[str, int] = {}
        self._waiting: set[asyncio.Future[None]] = set()

    def touch(self, *object_ids: str, structure: bool = False) -> None:
        """Note that objects changed and wake everybody who waits."""
        self.stamp += 1
        if structure:
            self.structure = self.stamp
        for object_id in object_ids:
            self._objects.pop(object_id, None)  # the newest change comes last
            self._objects[object_id] = self.stamp
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    def since(self, stamp: int) -> list[str]:
        """Return the objects that changed after ``stamp``, newest first."""
        return list(takewhile(lambda object_id: self._objects[object_id] > stamp, reversed(self._objects)))

    async def wait(self, seconds: float | None) -> None:
        """Return at the next change, or after so many wall seconds."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait_for(future, seconds)
        except TimeoutError:
            return
        finally:
            self._waiting.discard(future)
