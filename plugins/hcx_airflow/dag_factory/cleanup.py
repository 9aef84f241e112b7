"""The cleanup DAG of a wave: deletes source segments and renames those at the destination, after the hold."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, BaseOperator, TaskGroup

from hcx_airflow import names
from hcx_airflow.dag_factory import priorities
from hcx_airflow.dag_factory.form import cleanup_params, set_params
from hcx_airflow.dag_factory.texts import cleanup_document, display_name, owner_of, tags_of
from hcx_airflow.documents import Arguments
from hcx_airflow.gates.operator import WaveGate
from hcx_airflow.operators.cleanup import DeleteSourceSegmentOperator, RenameDestinationSegmentOperator
from hcx_airflow.operators.cutover import ProveSegmentEmptyOperator
from hcx_airflow.operators.report import WriteReportOperator, add_confirmation
from hcx_waves.wavefile.loader import dump_wave
from hcx_waves.wavefile.segments import Segment
from hcx_waves.wavefile.wave import Wave

# Airflow turns the words into its own enumeration, which is not public.
RUN_TYPES: Any = ("manual", "operator_triggered")


def build_cleanup_dag(wave: Wave, *, text: str | None = None) -> DAG:
    """Return the cleanup DAG of a wave, which has segments to clean.

    :param text: the wave file as it stands, for the DAG's page.
    """
    with DAG(
        names.cleanup_dag_id(wave.name),
        dag_display_name=display_name(wave, "cleanup"),
        description=f"Deletes and renames the segments that {wave.name} has cut over, after the hold",
        doc_md=cleanup_document(wave, dump_wave(wave) if text is None else text),
        tags=tags_of(wave, "cleanup"),
        default_args={"owner": owner_of(wave), **priorities.at(priorities.LIVE)},
        schedule=None,
        catchup=False,
        max_active_runs=1,
        allowed_run_types=RUN_TYPES,
        # It starts nothing by itself and asks before it deletes; paused, the end of a hold would go unnoticed.
        is_paused_upon_creation=False,
        auto_register=False,
    ) as dag:
        _add_tasks(wave)
    set_params(dag, cleanup_params(wave))
    return dag


def _add_tasks(wave: Wave) -> None:
    # Asked when all proofs are done and one succeeded: a segment that is not empty keeps no other from its cleanup.
    approve = WaveGate(
        task_id=names.APPROVE_CLEANUP,
        gate=names.APPROVE_CLEANUP,
        wave_id=wave.name,
        trigger_rule="all_done_min_one_success",
    )
    report = WriteReportOperator(task_id=names.WRITE_REPORT, wave_id=wave.name)
    groups = [_add_group(wave, segment, approve) for segment in wave.segments_to_clean]
    last = [last for _, last in groups]
    last >> report
    report.as_teardown(on_failure_fail_dagrun=False)
    add_confirmation(last, excuses={last.task_id: prove.task_id for prove, last in groups})


def _add_group(wave: Wave, segment: Segment, approve: BaseOperator) -> tuple[BaseOperator, BaseOperator]:
    """Add a segment's tasks around the gate; return the first and the last one."""
    common: Arguments = {"wave_id": wave.name, "segment": segment.name}
    with TaskGroup(names.cleanup_group(segment), tooltip=f"Clean up segment {segment.name}"):
        # Proven also before a mere renaming: what is not cut over is not renamed.
        prove = ProveSegmentEmptyOperator(task_id=names.PROVE_SEGMENT_EMPTY, **common)
        prove >> approve
        last: BaseOperator = prove
        if wave.deletes_source(segment):
            last = DeleteSourceSegmentOperator(task_id=names.DELETE_SOURCE_SEGMENT, **common)
            [prove, approve] >> last
        if segment.rename_destination is not None:
            rename = RenameDestinationSegmentOperator(
                task_id=names.RENAME_DESTINATION_SEGMENT, trigger_rule="all_success", **common
            )
            # Joined to the gate itself too: a deletion that was marked done by hand approves nothing.
            [last, approve] >> rename
            last = rename
    return prove, last
