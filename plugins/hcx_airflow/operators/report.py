"""Say how the run has ended: by its colour, and by a report."""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from hcx_airflow.common.errors import IncompleteError
from hcx_airflow.operators.base import WaveOperator
from hcx_airflow.runs.task import TaskRun
from hcx_waves.model.states import WaveOutcome


class ConcludeWaveOperator(WaveOperator):
    """Let the run be green only if everything has ended as planned; leaves how each VM and segment has ended.

    :raises IncompleteError: if a VM or a segment was left behind, rejected or is in an outage; names them.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trigger_rule": "all_done", **kwargs})

    @override
    def act(self, run: TaskRun) -> dict[str, Any]:
        from hcx_airflow.runs.ending import ending_of
        from hcx_airflow.runs.verdicts import sentence_of

        ending = ending_of(run)
        if WaveOutcome(ending["outcome"]).is_green:
            self.log.info("%s", sentence_of(run.wave_id, ending))
            return ending
        run.ti.xcom_push(key="return_value", value=ending)
        raise IncompleteError(sentence_of(run.wave_id, ending))


class WriteReportOperator(WaveOperator):
    """Write the report of the run; meant as a teardown, so that it always runs and never decides the colour."""

    @override
    def act(self, run: TaskRun) -> dict[str, Any]:
        from hcx_airflow.runs.reports import write_report

        written = write_report(run)
        self.log.info("Report: %s", ", ".join(str(path) for path in written.values()))
        return written
