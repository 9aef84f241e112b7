"""Errors of the Airflow layer. Each says what happened and what to do next; none is retried."""

from __future__ import annotations

from collections.abc import Sequence

from hcx_waves.clients.errors import ClientError
from hcx_waves.model.outside import shown, shown_lines

DRIFT_KEY = "drift"
"""Where a task leaves what has drifted, for the verdict about its run."""


class WaveTaskError(Exception):
    """Base: a task that cannot go on.

    :param message: what happened and what to do next. It can quote what others wrote, so it is cleaned.
    """

    def __init__(self, message: str) -> None:
        super().__init__(shown_lines(message))


class ConnectionSettingsError(WaveTaskError):
    """An Airflow connection that cannot be used; names the connection, and none of its values."""

    def __init__(self, conn_id: str, problem: str) -> None:
        self.conn_id = conn_id
        super().__init__(f'connection "{conn_id}": {problem}')


class UnusableConnectionsError(WaveTaskError):
    """Several Airflow connections that cannot be used.

    :param found: one error for each of them.
    """

    def __init__(self, found: Sequence[ConnectionSettingsError]) -> None:
        self.conn_ids = tuple(one.conn_id for one in found)
        super().__init__("\n".join([f"{len(found)} connections cannot be used:", *(f"- {one}" for one in found)]))


class RunRefusedError(WaveTaskError):
    """The run must not do this: wrong kind of run, wrong time or invalid params."""


class TwinRefusedError(WaveTaskError):
    """A simulated world that is not a twin for rehearsals."""


class DriftedError(WaveTaskError):
    """The wave file, the plan or the inventory has changed since it was planned or approved.

    :param differences: what has changed, one sentence each.
    """

    def __init__(self, message: str, differences: Sequence[str] = ()) -> None:
        self.differences = tuple(shown(difference) for difference in differences)
        listed = "".join(f"\n- {difference}" for difference in self.differences)
        super().__init__(f"{message}{listed}")


class PlanMissingError(WaveTaskError):
    """The run has no plan."""


class BlockedError(WaveTaskError):
    """Findings, VMs that were left behind, or a closed window block the step."""


class SigningKeyError(WaveTaskError):
    """The key that results are sealed with is missing or too short."""


class LedgerError(WaveTaskError):
    """The ledger of a run cannot be used, so nothing that the run has left can be trusted."""


class UnreadableResultError(WaveTaskError):
    """The stored result of a task cannot be read: another release or a user has written it."""


class UntrustedResultError(UnreadableResultError):
    """The stored result of a task is not what the task has left in this run."""


class NotApprovedError(WaveTaskError):
    """A step that changes something has no valid approval."""


class RejectedError(WaveTaskError):
    """A person rejected a gate."""


class UnansweredError(WaveTaskError):
    """A gate was not answered in time, which counts as a rejection."""


class AnswerRefusedError(WaveTaskError):
    """An answer that does not count: not an approver, or no valid change reference."""


class RecoveryRefusedError(WaveTaskError):
    """What a recovery asks for must not be done as the sites are now."""


class LostTooOftenError(WaveTaskError):
    """The process of a task was lost again and again."""


class NothingMigratedError(WaveTaskError):
    """No VM has arrived."""


class IncompleteError(WaveTaskError):
    """Something was left behind."""


class WaitedInVainError(WaveTaskError):
    """A task before this one stored no result to work on."""


def name_connection(error: ClientError, conn_id: str) -> ClientError:
    """Put the connection's id into a client's error, which knows addresses only. The class stays what it is.

    An error that names a connection already, or was not caused by a product, is left as it is.
    """
    if error.system and not error.message.startswith('connection "'):
        error.message = f'connection "{conn_id}": {error.message}'
        error.args = (error.message,)
    return error
