"""Run a command of the wave file: no shell, a time-out, an environment by allow-list, output captured and redacted."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

from hcx_waves.clients.errors import redact_parameters
from hcx_waves.model.base import DomainModel

_ALWAYS_PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
_MOST_CHARACTERS = 4000
_SHORTEST_SECRET = 4


class CommandResult(DomainModel):
    """How a command ended. ``exit_code`` is None if it was stopped because its time was up."""

    argv: tuple[str, ...]
    exit_code: int | None
    output: str
    """Both streams, redacted, the end of it if it is long."""

    @property
    def timed_out(self) -> bool:
        """Whether it was stopped."""
        return self.exit_code is None


class Commands(Protocol):
    """Whatever runs the commands of the user, or stands in for them where there is no router to command."""

    def run(self, argv: Sequence[str], timeout_seconds: float) -> CommandResult:
        """Run a command to its end, or stop it when its time is up.

        :raises OSError: if it cannot be started.
        """

    def for_segment(self, segment: str) -> Commands:
        """Return what runs the commands of one segment."""


@dataclass(frozen=True)
class CommandRunner:
    """Runs commands.

    :param environment: further variables for the command, such as the segment's name.
    :param passed: names of variables that it may see of this process besides the basic ones.
    :param secrets: texts that must not appear in its output.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    passed: Sequence[str] = ()
    secrets: Sequence[str] = field(default=(), repr=False)

    def run(self, argv: Sequence[str], timeout_seconds: float) -> CommandResult:
        """Run a command to its end, or stop it and all that it started when its time is up.

        :raises OSError: if it cannot be started.
        """
        # The arguments are the user's own, checked when the wave file was read; there is no shell to interpret them.
        process = subprocess.Popen(  # noqa: S603
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment(),
            start_new_session=True,
            text=True,
            errors="replace",
        )
        with process:
            try:
                output, _ = process.communicate(timeout=timeout_seconds)
                exit_code: int | None = process.returncode
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                output, _ = process.communicate()
                exit_code = None
        return CommandResult(
            argv=tuple(self._redacted(part) for part in argv), exit_code=exit_code, output=self._shortened(output)
        )

    def for_segment(self, segment: str) -> Self:
        """Return the same, with the segment's name as ``HCX_WAVES_SEGMENT``."""
        return replace(self, environment={**self.environment, "HCX_WAVES_SEGMENT": segment})

    def _environment(self) -> dict[str, str]:
        names = (*_ALWAYS_PASSED, *self.passed)
        return {**{name: os.environ[name] for name in names if name in os.environ}, **self.environment}

    def _shortened(self, output: str) -> str:
        text = self._redacted(output).strip()
        return text if len(text) <= _MOST_CHARACTERS else f"[...] {text[-_MOST_CHARACTERS:]}"

    def _redacted(self, text: str) -> str:
        for secret in _longest_first(self.secrets):
            text = text.replace(secret, "***")
        return redact_parameters(text)


def _longest_first(secrets: Iterable[str]) -> list[str]:
    return sorted((one for one in secrets if len(one) >= _SHORTEST_SECRET), key=len, reverse=True)
