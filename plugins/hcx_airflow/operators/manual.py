"""The gate for a source gateway that a person switches off by hand."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Context
from typing_extensions import override

from hcx_airflow.operators.gates import WaveGate
from hcx_airflow.runs.cutover import APPROVE_CUTOVER, require_open_window, require_unblocked, twin_router
from hcx_airflow.runs.gates import CONFIRM_DISCONNECTED
from hcx_airflow.runs.task import TaskRun


class ConfirmDisconnectedGate(WaveGate):
    """Show the instructions, and wait until somebody says that it is done; the step after it checks.

    Following the instructions begins the outage, so they are shown only once the cutover is approved, no VM was left
    behind and the window is open.

    :param segment: the segment's name.
    :raises NotApprovedError, BlockedError: if not; nobody is asked.
    """

    def __init__(self, *, segment: str, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "gate": CONFIRM_DISCONNECTED, "segment": segment})

    @override
    def execute(self, context: Context) -> Any:
        if not self.rehearsal:
            self._require_may_begin(TaskRun(self.wave_id, self.rehearsal, context))
        return super().execute(context)

    def _require_may_begin(self, run: TaskRun) -> None:
        run.approval(APPROVE_CUTOVER, run.wave.gates.approve_cutover)
        require_unblocked(run, str(self.segment))
        require_open_window(run, str(self.segment), run.now())

    @override
    def rehearse(self, run: TaskRun) -> Any:
        self._require_may_begin(run)
        return super().rehearse(run)

    @override
    def before_rehearsed_yes(self, run: TaskRun) -> None:
        with run.sites(check=False) as clients:
            router = twin_router(run, str(self.segment), clients)
            if router is not None:
                router.switch(connected=False)
