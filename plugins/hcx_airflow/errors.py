"""Errors of the Airflow layer. Each says what is the case and what to do next; none is worth a retry by itself."""

from __future__ import annotations

from collections.abc import Sequence

from hcx_waves.clients.errors import ClientError
from hcx_waves.model.outside import shown, shown_lines

DRIFT_KEY = "drift"
"""Where a task leaves what has drifted, for the verdict about its run."""


class WaveTaskError(Exception):
    """Base: a task that cannot go on.

    :param message: what is the case, with what to do next. It can quote what others wrote, so it is cleaned.
    """

    def __init__(self, message: str) -> None:
        super().__init__(shown_lines(message))


class ConnectionSettingsError(WaveTaskError):
    """An Airflow connection that cannot be used; names the connection, and none of its values."""

    def __init__(self, conn_id: str, problem: str) -> None:
        self.conn_id = conn_id
        super().__init__(f'connection "{conn_id}": {problem}')


class RunRefusedError(WaveTaskError):
    """A run of a kind, or at a time, at which this wave must not start."""


class TwinRefusedError(WaveTaskError):
    """A simulated world that no rehearsal may work in."""


class DriftedError(WaveTaskError):
    """What was planned or approved is no longer what is there.

    :param differences: what has changed, one sentence each.
    """

    def __init__(self, message: str, differences: Sequence[str] = ()) -> None:
        self.differences = tuple(shown(difference) for difference in differences)
        listed = "".join(f"\n- {difference}" for difference in self.differences)
        super().__init__(f"drifted: {message}{listed}")


class PlanMissingError(WaveTaskError):
    """There is no plan to work by."""


class BlockedError(WaveTaskError):
    """Findings, or VMs that were left behind, stand against the step."""


class SigningKeyError(WaveTaskError):
    """The key that decisions are signed with is missing or too short."""


class NotApprovedError(WaveTaskError):
    """A step that changes something has no valid approval."""


class RejectedError(WaveTaskError):
    """A person said no."""


class UnansweredError(WaveTaskError):
    """Nobody answered in time, which counts as no."""


class AnswerRefusedError(WaveTaskError):
    """An answer that does not count: the wrong person, or no change reference."""


class NothingMigratedError(WaveTaskError):
    """No VM has arrived."""


class IncompleteError(WaveTaskError):
    """Something was left behind."""


class WaitedInVainError(WaveTaskError):
    """The deadline passed before the end was seen."""


def name_connection(error: ClientError, conn_id: str) -> ClientError:
    """Put the connection's id into a client's error, which knows addresses only. The class stays what it is.

    An error that names a connection already, or that no product has caused, is left as it is.
    """
    if error.system and not error.message.startswith('connection "'):
        error.message = f'connection "{conn_id}": {error.message}'
        error.args = (error.message,)
    return error
