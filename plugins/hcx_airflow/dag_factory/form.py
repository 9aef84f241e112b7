"""The trigger form: the params of a run. Airflow does not enforce all of it, so ``resolve_plan`` checks it again."""

from __future__ import annotations

from airflow.sdk import DAG, Param
from airflow.sdk import ParamsDict as Params  # type: ignore[attr-defined]

from hcx_airflow.names import APPROVE_WAVE, WAVE_RUN_ID_CONF
from hcx_waves.wavefile.gates import GateSettings
from hcx_waves.wavefile.wave import Wave

# The form opens with the params that have no section; every section is closed at first and opens alone.
_HOW = "Execution"


def set_params(dag: DAG, params: dict[str, Param]) -> None:
    """Give a DAG its params when its tasks are there.

    Each task that is made while a DAG has params gets copies of them, three times over, which takes most of the time
    of a parse and of a serialisation; at run time a task sees the DAG's params in any case.
    """
    dag.params = Params(params)


def live_params(wave: Wave) -> dict[str, Param]:
    """Return the params of a wave's live DAG. Every default is valid, as a scheduled run takes them all."""
    names = [vm.name for vm in wave.vms]
    return {
        "vms": Param(
            [],
            type=["array", "null"],
            items={"type": "string", "enum": names},
            examples=names,
            uniqueItems=True,
            title="Virtual machines",
            description="Moves only these VMs; all VMs of the wave if none is selected. A segment that still "
            "has any of its VMs at the source keeps its gateway there.",
        ),
        "stop_before_cutover": Param(
            wave.options.stop_before_cutover,
            type="boolean",
            title="Stop before the cutover",
            description="Ends the run when the VMs have moved. Every segment stays stretched.",
        ),
        "cutover_only": Param(
            False,
            type="boolean",
            title="Cutover only",
            description="Moves no VMs. Cuts over the segments whose VMs have all arrived.",
        ),
        **record_params(wave.gates.approve_wave, f"Shown at the gate {APPROVE_WAVE}, and kept with the run."),
        "poll_interval_seconds": Param(
            wave.options.poll_interval.total_seconds(),
            type="number",
            minimum=1,
            maximum=600,
            title="Poll interval (seconds)",
            description="How often the status of all migrations is read from HCX, in one query.",
            section=_HOW,
        ),
    }


def cleanup_params(wave: Wave) -> dict[str, Param]:
    """Return the params of a wave's cleanup DAG."""
    return {
        WAVE_RUN_ID_CONF: Param(
            None,
            type=["string", "null"],
            maxLength=250,
            title="Run of the wave",
            description=f"Run id of the run of {wave.name} whose segments are cleaned up. If empty, the latest run "
            "with a plan.",
        ),
        **record_params(wave.gates.approve_cleanup, "Kept with the run."),
    }


def record_params(gate: GateSettings, about_notes: str) -> dict[str, Param]:
    """Return the params that are kept with a run.

    :param gate: what the change reference must match.
    """
    hint = f"Reference of the change request. It can also be given when the gate is answered. {gate.reference_hint}"
    return {
        "change_reference": Param(None, title="Change reference", description=hint.rstrip(), **gate.reference_schema()),
        "notes": Param(
            None,
            type=["string", "null"],
            format="multiline",
            maxLength=4000,
            title="Notes",
            description=about_notes,
        ),
    }
