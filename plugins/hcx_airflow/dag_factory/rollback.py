"""The rollback DAG of a wave: networks and VMs of a run back to the source."""

from __future__ import annotations

from airflow.sdk import DAG, Param

from hcx_airflow import names
from hcx_airflow.dag_factory import priorities
from hcx_airflow.dag_factory.cleanup import RUN_TYPES
from hcx_airflow.dag_factory.form import record_params, set_params
from hcx_airflow.dag_factory.texts import DagFace
from hcx_airflow.documents import Arguments
from hcx_airflow.gates.operator import WaveGate
from hcx_airflow.operators.report import add_confirmation
from hcx_airflow.operators.rollback import (
    MigrateBackOperator,
    ResolveRollbackOperator,
    ReturnNetworksOperator,
    UnextendAgainOperator,
    WriteRollbackReportOperator,
)
from hcx_waves.wavefile.gates import GateSettings

_MOST_LETTERS = 250


def build_rollback_dag(face: DagFace) -> DAG:
    """Return the rollback DAG of a wave."""
    with DAG(
        names.rollback_dag_id(face.wave),
        dag_display_name=face.title,
        description=f"Takes what a run of {face.wave} has moved back to the source: looks, asks, goes back, proves",
        doc_md=face.page,
        tags=list(face.tags),
        default_args={"owner": face.owner, **priorities.in_outage()},
        schedule=None,
        catchup=False,
        max_active_runs=1,
        allowed_run_types=RUN_TYPES,
        # It starts nothing by itself and asks before it acts; paused, it would do nothing when it is needed.
        is_paused_upon_creation=False,
        auto_register=False,
    ) as dag:
        common: Arguments = {"wave_id": face.wave}
        resolve = ResolveRollbackOperator(task_id=names.RESOLVE_ROLLBACK, **common)
        approve = WaveGate(task_id=names.APPROVE_ROLLBACK, gate=names.APPROVE_ROLLBACK, **common)
        networks = ReturnNetworksOperator(task_id=names.RETURN_NETWORKS, **common)
        vms = MigrateBackOperator(task_id=names.MIGRATE_BACK, **common)
        unextend = UnextendAgainOperator(task_id=names.UNEXTEND_AGAIN, **common)
        report = WriteRollbackReportOperator(task_id=names.WRITE_REPORT, **common)
        resolve >> approve >> networks >> vms >> unextend >> report
        report.as_teardown(on_failure_fail_dagrun=False)
        steps = [resolve, networks, vms, unextend]
        add_confirmation(steps, excuses=dict.fromkeys((one.task_id for one in steps), resolve.task_id))
    run = Param(
        None,
        type=["string", "null"],
        maxLength=_MOST_LETTERS,
        title="Run of the wave",
        description=f"Run id of the live run of {face.wave} that is rolled back. If empty, the run that was active "
        "last.",
    )
    set_params(dag, {"run": run, **record_params(GateSettings(), "Kept with the run.")})
    return dag
