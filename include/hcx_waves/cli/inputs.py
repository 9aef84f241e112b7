"""Reading the inputs of a command, so that everything that is wrong with them is said at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ParamSpec, TypeVar

from hcx_waves.wavefile.sets import wave_paths

P = ParamSpec("P")
T = TypeVar("T")


class Inputs:
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


def named_wave_files(paths: Iterable[Path]) -> list[Path]:
    """Return the wave files that arguments name: a folder stands for all wave files in it."""
    return [file for path in paths for file in (wave_paths(path) if path.is_dir() else [path])]


def no_wave_files(paths: Iterable[Path]) -> str:
    """Return what to say when the arguments name no wave file."""
    return f"no wave files (*.yaml) in {', '.join(map(str, paths))}"
