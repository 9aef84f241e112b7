"""The clock of a rehearsal: the twin's stepped time, in which every task takes part.

While a participant does not wait, time stands; so what it was told last is the time until it waits again. Before time
moves, the world asks one of those who wait whether anybody is on its way who has not come yet; the participant
answers from what an injected look at the run says, and looks again as long as somebody is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, NoReturn

from hcx_waves.clients.errors import ClientError, ConflictError, ErrorContext, NotFound
from hcx_waves.twin.control import TwinControl

logger = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 0.25
STARVED_SECONDS = 120.0
STUCK_SECONDS = 1800.0
_MOST_REJOINS = 3
_GONE = 410


class TwinStalled(ClientError):
    """The rehearsal's time stands: a task of the run was to begin, and did not for long."""

    default_hint: ClassVar[str] = (
        "Give Airflow slots for all that waits at once: rehearsals need parallelism (and pool slots, and the DAG's "
        "max_active_tasks) of at least active runs x (segments + 1). See [core] parallelism."
    )


class TwinWaitEnded(ClientError):
    """A wait ended again and again without its instant, as somebody else waits under the same name."""

    default_hint: ClassVar[str] = "An earlier try of the task may still be running; end it, then clear the task."


@dataclass(frozen=True)
class Quiet:
    """Nobody is on its way.

    :param live: the names of all who take part.
    """

    live: tuple[str, ...]


@dataclass(frozen=True)
class Busy:
    """Somebody is on its way.

    :param who: what they are about; while it stays the same, nothing happens.
    :param is_starved: whether all that they lack is a slot to run in.
    """

    who: str
    is_starved: bool = False


@dataclass(frozen=True)
class Wall:
    """Real time, injected; nothing of the rehearsed night depends on it.

    :param monotonic: seconds.
    :param sleep: waits for seconds.
    """

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass
class _Stall:
    """How long the same somebody has been on its way."""

    wall: Wall
    busy: Busy | None = None
    since: float = 0.0

    def seconds(self, busy: Busy) -> float:
        if busy != self.busy:
            self.busy, self.since = busy, self.wall.monotonic()
        return self.wall.monotonic() - self.since


class VirtualClock:
    """The time of one world as one participant sees it. For one thread at a time.

    :param name: of the participant.
    :param live_tasks: says, whenever the world asks, whether anybody is on its way.
    """

    def __init__(
        self,
        control: TwinControl,
        world_id: str,
        name: str,
        live_tasks: Callable[[], Quiet | Busy],
        *,
        wall: Wall | None = None,
    ) -> None:
        self.world_id = world_id
        self.name = name
        self._control = control
        self._live_tasks = live_tasks
        self._wall = wall or Wall()
        self._now: datetime | None = None
        self._joined = False
        self._abandoned = False

    def __repr__(self) -> str:
        return f"VirtualClock({self.world_id!r}, {self.name!r})"

    def now(self) -> datetime:
        """Return the world's time; asked of the world only by somebody who does not take part."""
        if self._now is not None and self._joined:
            return self._now
        return self._control.clock(self.world_id).now.astimezone(UTC)

    def join(self) -> None:
        """Take part, and wait for one's turn: of those who begin at the same instant, one acts at a time.

        :raises NotFound: if there is no such world.
        """
        self._control.register(self.world_id, self.name)
        self._now = self._control.clock(self.world_id).now.astimezone(UTC)
        self._joined = True
        self.sleep(0.0)

    def leave(self) -> None:
        """Take part no longer. A world that cannot be told will find out by itself, so this never raises."""
        self._joined = False
        try:
            self._control.leave(self.world_id, self.name)
        except ClientError as error:
            logger.warning("%s could not leave world %s: %s", self.name, self.world_id, error)

    def abandon(self) -> None:
        """Make the wait that another thread is in the last one; its place may be another's by now."""
        self._abandoned = True

    @contextmanager
    def taking_part(self) -> Iterator[VirtualClock]:
        """Take part for as long as the block lasts."""
        self.join()
        try:
            yield self
        finally:
            self.leave()

    def sleep(self, seconds: float) -> None:
        """Wait for virtual seconds.

        :raises TwinStalled: if a task that is to begin does not, for long.
        :raises ClientError: if the world cannot be asked.
        """
        if not self._joined:
            raise RuntimeError(f"{self.name} waits in world {self.world_id} without taking part")
        until = self.now() + timedelta(seconds=max(0.0, seconds))
        stall, rejoins = _Stall(self._wall), 0
        while True:
            try:
                woken = self._control.wait(self.world_id, self.name, until)
            except ClientError as error:
                rejoins += 1
                self._rejoin(error, rejoins)
                continue
            if self._abandoned:
                raise TwinWaitEnded(f"the wait of {self.name} has been ended", system="twin")
            if woken.reached:
                self._now = woken.now.astimezone(UTC)
                return
            if woken.epoch is not None and not self._settles(woken.epoch, stall):
                self._wall.sleep(LOOK_AGAIN_SECONDS)

    def _settles(self, epoch: int, stall: _Stall) -> bool:
        """Answer the world's question; return False if it has to be asked again."""
        found = self._live_tasks()
        if isinstance(found, Quiet):
            try:
                dropped = self._control.settle(self.world_id, epoch, found.live)
            except ConflictError as error:
                found = Busy(error.vendor_message or error.message)
            else:
                if dropped:
                    logger.warning("No longer part of world %s: %s", self.world_id, ", ".join(dropped))
                return True
        seconds = stall.seconds(found)
        if seconds > (STARVED_SECONDS if found.is_starved else STUCK_SECONDS):
            self._give_up(found, seconds)
        return False

    def _give_up(self, found: Busy, seconds: float) -> NoReturn:
        context: ErrorContext = {"system": "twin", "endpoint": self._control.base_url}
        if not found.is_starved:
            context["hint"] = "Look at these tasks in Airflow; the rehearsal goes on when they wait or end."
        raise TwinStalled(
            f"the time of world {self.world_id} has not moved for {seconds:.0f} s of real time: {found.who}", **context
        )

    def _rejoin(self, error: ClientError, count: int) -> None:
        """Take part anew after somebody else's view of the run has dropped this participant, a few times."""
        dropped = error.status == _GONE or (
            isinstance(error, NotFound) and (error.vendor_message or "").startswith("no waiter")
        )
        if not dropped or self._abandoned:
            raise error
        if count > _MOST_REJOINS:
            raise TwinWaitEnded(
                f"{self.name} was dropped {count} times while it waited", **error.context_without_hint
            ) from error
        self._control.register(self.world_id, self.name)


# ruff: noqa: N818  (the class names say what happened, as an operator would)
