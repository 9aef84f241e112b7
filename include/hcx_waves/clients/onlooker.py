"""Who looks on while clients read: the probe, which compares what comes with the contract.

Like the bounds of an exchange, it is set for a block and a thread, so that no client has to be made for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol


class Onlooker(Protocol):
    """What is said to one who looks on. Nothing of it may be changed."""

    def saw_answer(self, system: str, endpoint: str, call: Any, reply: Any) -> None:
        """Take a :class:`~hcx_waves.clients.transport_wire.Call` and its reply, whatever its status.

        :param system: ``hcx``, ``nsx`` or ``vmc``, which also stands for VMware's log-in service.
        """

    def saw_objects(self, endpoint: str, kind: Any, paths: Sequence[str], objects: Sequence[Mapping[str, Any]]) -> None:
        """Take what a vCenter has answered about objects of a kind.

        :param kind: pyvmomi's class of managed objects.
        :param paths: the property paths that were asked for.
        :param objects: for each object ``obj``, its MoRef, and ``values``, pyvmomi's values by path.
        """

    def saw_result(self, endpoint: str, method: str, result: Any) -> None:
        """Take what a method of a vCenter's own service has returned."""


_ONLOOKER: ContextVar[Onlooker | None] = ContextVar("onlooker", default=None)


@contextmanager
def watched_by(onlooker: Onlooker) -> Iterator[None]:
    """Let somebody look on at what this thread reads in the block."""
    token = _ONLOOKER.set(onlooker)
    try:
        yield
    finally:
        _ONLOOKER.reset(token)


def onlooker() -> Onlooker | None:
    """Return who looks on; usually nobody."""
    return _ONLOOKER.get()
