"""The recovery DAG of a wave: the ways back that a person can press, one at a time."""

from __future__ import annotations

from airflow.sdk import DAG

from hcx_airflow import names
from hcx_airflow.dag_factory import priorities
from hcx_airflow.dag_factory.cleanup import RUN_TYPES
from hcx_airflow.dag_factory.form import set_params
from hcx_airflow.dag_factory.recovery_form import recovery_params
from hcx_airflow.dag_factory.texts import DagFace
from hcx_airflow.gates.operator import WaveGate
from hcx_airflow.operators.recovery import RecoverOperator, ResolveRecoveryOperator, WriteRecoveryReportOperator
from hcx_airflow.operators.report import add_confirmation


def build_recovery_dag(face: DagFace) -> DAG:
    """Return the recovery DAG of a wave."""
    with DAG(
        names.recovery_dag_id(face.wave),
        dag_display_name=face.title,
        description=f"Takes a way back for {face.wave}: looks, asks, acts, reads back",
        doc_md=face.page,
        tags=list(face.tags),
        default_args={"owner": face.owner, **priorities.in_outage()},
        schedule=None,
        catchup=False,
        # One way back at a time: the next one begins with what this one has left.
        max_active_runs=1,
        allowed_run_types=RUN_TYPES,
        # It starts nothing by itself and asks before it acts; paused, it would do nothing when it is needed.
        is_paused_upon_creation=False,
        auto_register=False,
    ) as dag:
        resolve = ResolveRecoveryOperator(task_id=names.RESOLVE_RECOVERY, wave_id=face.wave)
        approve = WaveGate(task_id=names.APPROVE_RECOVERY, gate=names.APPROVE_RECOVERY, wave_id=face.wave)
        recover = RecoverOperator(task_id=names.RECOVER, wave_id=face.wave)
        resolve >> approve >> recover
        report = WriteRecoveryReportOperator(task_id=names.WRITE_REPORT, wave_id=face.wave)
        recover >> report
        report.as_teardown(on_failure_fail_dagrun=False)
        tasks = [resolve, recover]
        add_confirmation(tasks, excuses=dict.fromkeys((one.task_id for one in tasks), resolve.task_id))
    set_params(dag, recovery_params(face))
    return dag
