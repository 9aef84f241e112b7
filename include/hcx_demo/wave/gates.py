"""Answering gates as the demo approver, by keys or automatically."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from hcx_demo.airflow_api import AirflowApi, AirflowApiError, PendingGate

APPROVE, REJECT = "Approve", "Reject"
# Airflow 3.3 can mark a gate as failed if the answer arrives while the scheduler is still parking the task.
PARKED_SECONDS = 3.0
_DONE = {APPROVE: "approved", REJECT: "rejected"}
_CONFLICT, _FORBIDDEN = 409, 403

Key = tuple[str, str, str, int]


class GateKeeper:
    """Holds every answer back until its gate has been parked long enough.

    :param change_reference: sent with each answer.
    :param automatic: whether each gate is approved without asking.
    :param clock: monotonic seconds.
    """

    def __init__(
        self,
        api: AirflowApi,
        change_reference: str,
        *,
        automatic: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._change_reference = change_reference
        self._automatic = automatic
        self._clock = clock
        self._seen: dict[Key, float] = {}
        self._chosen: dict[Key, str] = {}
        self._closed: set[Key] = set()

    def open_gates(self, gates: Sequence[PendingGate]) -> tuple[PendingGate, ...]:
        """Return the gates that have not been answered here yet."""
        return tuple(gate for gate in gates if gate.key not in self._chosen and gate.key not in self._closed)

    def choose(self, gate: PendingGate, option: str) -> None:
        """Answer a gate as soon as that is safe."""
        self._chosen.setdefault(gate.key, option)

    def tend(self, gates: Sequence[PendingGate]) -> tuple[str, ...]:
        """Send the answers that are due; return one line to print for each.

        :param gates: the gates that wait for an answer now.
        :raises AirflowApiError: if Airflow refuses an answer for a reason other than an earlier answer or a missing
            permission.
        """
        events = []
        for gate in gates:
            if gate.key in self._closed:
                continue
            since = self._seen.setdefault(gate.key, self._clock())
            if self._automatic:
                self.choose(gate, APPROVE)
            option = self._chosen.get(gate.key)
            if option is not None and self._clock() - since >= PARKED_SECONDS:
                events.append(self._send(gate, option))
        return tuple(events)

    def _send(self, gate: PendingGate, option: str) -> str:
        self._closed.add(gate.key)
        parameters = {"change_reference": self._change_reference}
        if option == REJECT:
            parameters["reason"] = "rejected at the terminal of the demo"
        try:
            self._api.answer(gate, option, parameters)
        except AirflowApiError as error:
            if error.status == _CONFLICT:
                return f"{gate.subject}: another user has answered already"
            if error.status == _FORBIDDEN:
                who = ", ".join(gate.assigned_users) or "another user"
                return f"{gate.subject}: {self._api.username} is not allowed to answer, {who} is; answer it in the UI"
            raise
        return f"{gate.subject}: {_DONE.get(option, option)} by {self._api.username}"
