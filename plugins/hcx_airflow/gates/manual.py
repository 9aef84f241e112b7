"""The gate that asks a person to disconnect a source gateway by hand."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Context
from typing_extensions import override

from hcx_airflow.cutover_steps import require_open_window, require_unblocked, twin_router
from hcx_airflow.gates import table
from hcx_airflow.gates.approval import require_approval
from hcx_airflow.gates.operator import WaveGate
from hcx_airflow.hooks.sites import open_sites
from hcx_airflow.task import TaskRun
from hcx_airflow.tries import says_why
from hcx_airflow.work import Work, read_work


class ConfirmDisconnectedGate(WaveGate):
    """Show the instructions and wait until a person confirms that the gateway is off; the next task checks it.

    The outage begins when somebody follows the instructions. So they are shown only if the cutover is approved, no VM
    was left behind and the window is open.

    :param segment: the segment's name.
    :raises NotApprovedError, BlockedError: otherwise; the instructions are not shown.
    """

    def __init__(self, *, segment: str, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "gate": table.MANUAL.name, "segment": segment})

    @override
    @says_why
    def execute(self, context: Context) -> Any:
        if not self.rehearsal:
            run = TaskRun(self.wave_id, self.rehearsal, context)
            self._require_may_begin(run, read_work(run))
        return super().execute(context)

    def _require_may_begin(self, run: TaskRun, work: Work) -> None:
        require_approval(run, work, table.CUTOVER)
        require_unblocked(run, str(self.segment))
        require_open_window(work, str(self.segment), run.now())

    @override
    def rehearse(self, run: TaskRun, work: Work) -> Any:
        self._require_may_begin(run, work)
        return super().rehearse(run, work)

    @override
    def before_rehearsed_yes(self, run: TaskRun, work: Work) -> None:
        with open_sites(work.wave, rehearsal=run.rehearsal, check=False, twin=run.clock.twin) as clients:
            router = twin_router(run, work, str(self.segment), clients)
            if router is not None:
                router.switch(connected=False)
