"""Which gates there are, what each is about, and until when it can be answered."""

from __future__ import annotations

from hcx_airflow.runs.forecasts import forecast_of
from hcx_airflow.runs.gate_body import cleanup_body, cutover_body, manual_body, switchover_body, wave_body
from hcx_airflow.runs.leftovers import why_not_due
from hcx_airflow.runs.task import TaskRun
from hcx_waves.model.plan import WavePlan
from hcx_waves.model.schedule import TimeWindow
from hcx_waves.wavefile.gates import Gate
from hcx_waves.wavefile.wave import Wave

CONFIRM_DISCONNECTED = "confirm_disconnected"
GATES = ("approve_wave", "approve_switchover", "approve_cutover", "approve_cleanup", CONFIRM_DISCONNECTED)


def gate_settings(wave: Wave, gate: str) -> Gate:
    """Return who may answer a gate, for how long, and what the answer must quote."""
    if gate == CONFIRM_DISCONNECTED:
        # Whoever does it has been told to by an approved cutover; the change reference was quoted there.
        free = {"approvers": None, "change_reference_pattern": None, "four_eyes": False}
        return wave.gates.approve_cutover.model_copy(update=free)
    settings: Gate | None = getattr(wave.gates, gate)
    return wave.gates.settled(Gate() if settings is None else settings)


def gate_window(plan: WavePlan, gate: str, segment: str | None) -> TimeWindow | None:
    """Return the window in which the step has to happen that a gate is about."""
    if gate in ("approve_cutover", CONFIRM_DISCONNECTED) and segment is not None:
        return plan.clock.cutover(segment)
    return plan.clock.switchover if gate in ("approve_wave", "approve_switchover") else None


def subject_of(gate: str, wave_id: str, segment: str | None) -> str:
    """Return a gate's headline."""
    return {
        CONFIRM_DISCONNECTED: f"Disconnect segment {segment} at the source by hand (wave {wave_id})",
        "approve_wave": f"Start wave {wave_id}?",
        "approve_switchover": f"Let the VMs of wave {wave_id} switch over?",
        "approve_cutover": f"Move the gateway of segment {segment} (wave {wave_id})?",
        "approve_cleanup": f"Delete what wave {wave_id} has left at the source?",
    }[gate]


def body_of(run: TaskRun, gate: str, segment: str | None) -> str:
    """Return what a gate shows."""
    if gate == "approve_wave":
        return wave_body(run.plan, run.wave, run.scope, run.nearby("run_preflight"), forecast_of(run))
    if gate == "approve_switchover":
        awaited = run.nearby("await_seeded") or {}
        return switchover_body(run.plan, awaited.get("status"))
    if gate == "approve_cleanup" or segment is None:
        not_due = {one.name: why_not_due(run, one.name) for one in run.plan.segments}
        return cleanup_body(run.plan, run.wave, not_due)
    if gate == CONFIRM_DISCONNECTED:
        return manual_body(run.plan, run.wave, segment)
    verified = run.nearby("verify_virtual_machines") or {}
    proof = run.nearby("prove_segment_empty")
    return cutover_body(run.plan, run.wave, segment, proof, verified.get("proofs") or (), forecast_of(run))
