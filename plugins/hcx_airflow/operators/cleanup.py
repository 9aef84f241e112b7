"""After the hold: delete the source segment, and rename the destination segment."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from hcx_airflow import results
from hcx_airflow.cutover_steps import my_turn, source_gateway
from hcx_airflow.documents import Arguments
from hcx_airflow.gates import table
from hcx_airflow.gates.approval import require_approval
from hcx_airflow.operators.base import SegmentOperator
from hcx_airflow.results import Slot
from hcx_airflow.task import TaskRun
from hcx_airflow.work import read_work

if TYPE_CHECKING:
    from hcx_waves.cutover.cleanup import Deletion, Renaming


class DeleteSourceSegmentOperator(SegmentOperator):
    """Delete the segment at the source for good, unless the wave keeps it. Waits for ports to go, never forces it."""

    result: ClassVar[Slot[Any]] = results.DELETION
    retries_and_delay: ClassVar[Arguments] = {"retries": 30, "delay": timedelta(seconds=5)}

    @override
    def act(self, run: TaskRun) -> Deletion:
        from hcx_waves.cutover.cleanup import delete_source_segment

        _skip_if_not_due(run)
        work = read_work(run)
        if not work.plan.segment(self.segment).deletes_source:
            raise AirflowSkipException(f"wave {run.wave_id} keeps segment {self.segment} at the source")
        decision = require_approval(run, work, table.CLEANUP)
        self.log.info("The cleanup was %s", decision.spoken)
        # Of an earlier try, whose deletion may have taken place.
        stored = run.results.recall(results.DEFINITION)
        with my_turn(run, work.plan.segment(self.segment)), self.sites(run, work.wave) as clients:
            gateway = source_gateway(run, work, self.segment, clients)
            deletion = delete_source_segment(
                work.plan,
                self.segment,
                clients,
                gateway,
                on_definition=lambda found: run.results.keep(results.DEFINITION, dict(found)),
            )
        known = deletion.definition or stored
        deletion = deletion.model_copy(update={"at": run.now(), "approved_by": decision.approver, "definition": known})
        self.log.info(
            "Source segment %s %s", deletion.path, "was already gone" if deletion.already_gone else "is deleted"
        )
        return deletion


class RenameDestinationSegmentOperator(SegmentOperator):
    """Give the segment at the destination the name that the wave file wants, also if the source segment is kept."""

    result: ClassVar[Slot[Any]] = results.RENAMING

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trigger_rule": "none_failed", **kwargs})

    @override
    def act(self, run: TaskRun) -> Renaming:
        from hcx_waves.cutover.cleanup import rename_destination_segment

        _skip_if_not_due(run)
        work = read_work(run)
        name = work.plan.segment(self.segment).rename_destination
        if name is None:
            raise AirflowSkipException(f"segment {self.segment} keeps its name at the destination")
        decision = require_approval(run, work, table.CLEANUP)
        with self.sites(run, work.wave) as clients:
            renaming = rename_destination_segment(work.plan, self.segment, clients, name)
        renaming = renaming.model_copy(update={"at": run.now(), "approved_by": decision.approver})
        self.log.info(
            "The destination segment %s %s", "was already named" if renaming.already else "is now named", name
        )
        return renaming


def _skip_if_not_due(run: TaskRun) -> None:
    """Skip a step of a cleanup if the proof before it says that the segment is not due.

    :raises AirflowSkipException: with the reason.
    """
    reason = run.results.beside(results.NOT_DUE)
    if reason is not None:
        raise AirflowSkipException(reason)
