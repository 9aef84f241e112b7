"""After the hold: delete the source segment, give the destination its name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from hcx_airflow.operators.base import SegmentOperator
from hcx_airflow.runs.leftovers import skip_if_not_due
from hcx_airflow.runs.task import TaskRun

APPROVE_CLEANUP = "approve_cleanup"


class DeleteSourceSegmentOperator(SegmentOperator):
    """Delete the segment at the source for good, unless the wave keeps it. Ports are waited for, never forced."""

    retries_and_delay: ClassVar[dict[str, Any]] = {"retries": 30, "delay": timedelta(seconds=5)}

    @override
    def act(self, run: TaskRun) -> dict[str, Any]:
        from hcx_waves.cutover.cleanup import delete_source_segment

        skip_if_not_due(run)
        plan = run.plan
        if not plan.segment(self.segment).deletes_source:
            raise AirflowSkipException(f"wave {run.wave_id} keeps segment {self.segment} at the source")
        decision = run.approval(APPROVE_CLEANUP, run.wave.gates.approve_cleanup)
        self.log.info("The cleanup was %s", decision.spoken)
        with run.sites() as clients:
            deletion = delete_source_segment(plan, self.segment, clients)
        self.log.info("Source segment %s is %s", deletion.path, "gone already" if deletion.already_gone else "deleted")
        return deletion.model_dump(mode="json")


class RenameDestinationSegmentOperator(SegmentOperator):
    """Give the segment at the destination the name that the wave file wants, also if the source segment is kept."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trigger_rule": "none_failed", **kwargs})

    @override
    def act(self, run: TaskRun) -> dict[str, Any]:
        from hcx_waves.cutover.cleanup import rename_destination_segment

        skip_if_not_due(run)
        plan = run.plan
        name = plan.segment(self.segment).rename_destination
        if name is None:
            raise AirflowSkipException(f"segment {self.segment} keeps its name at the destination")
        run.approval(APPROVE_CLEANUP, run.wave.gates.approve_cleanup)
        with run.sites() as clients:
            renaming = rename_destination_segment(plan, self.segment, clients, name)
        self.log.info("Destination segment is called %s%s", name, " already" if renaming.already else "")
        return renaming.model_dump(mode="json")
