"""Reading several inputs of a command, so that everything that is wrong with them is said at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Gathering:
    """Remembers what is wrong with each input and goes on to the next one.

    :param expected: the errors that say that an input cannot be used; others are raised as they are.
    """

    def __init__(self, *expected: type[Exception]) -> None:
        self._expected = expected
        self.problems: list[str] = []

    def read(self, reader: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Return what a reader returns; None if it raised what was expected, whose text is a problem then."""
        try:
            return reader(*args, **kwargs)
        except self._expected as error:
            self.problems.append(str(error))
            return None
