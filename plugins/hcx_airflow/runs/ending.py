"""How a run has ended: every VM, every segment, and the wave."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hcx_airflow.common.signing import DECISION_KEY
from hcx_airflow.runs.cutover import REMOVAL_KEY, SNAPSHOT_KEY
from hcx_airflow.runs.gates import CONFIRM_DISCONNECTED
from hcx_airflow.runs.leftovers import NOT_DUE_KEY
from hcx_airflow.runs.task import TaskRun
from hcx_airflow.runs.verdicts import OF_THE_WHOLE_RUN, blocking_findings, drift_of_run, refusals, said_no
from hcx_waves.model.choices import CutoverPolicy
from hcx_waves.model.plan import PlannedSegment
from hcx_waves.model.states import SegmentOutcome, VmOutcome, WaveOutcome, wave_outcome


def ending_of(run: TaskRun) -> dict[str, Any]:
    """Return how the run has ended so far, from what its tasks have left.

    :returns: ``{"outcome", "vms": {name: outcome}, "segments": {name: outcome}, "blocked_segments", "open_steps",
        "causes", "notes"}``; open steps say, by segment, what a person has to do now; causes why it is not as planned.
    :raises PlanMissingError: if there is no plan.
    """
    run.use_stored_plan()
    verified, evaluated = run.wave_xcom("verify_virtual_machines") or {}, run.wave_xcom("evaluate_migrations") or {}
    vms = {vm.name: VmOutcome.PLANNED for vm in run.plan.vms}
    vms.update({vm["name"]: VmOutcome(vm["outcome"]) for vm in evaluated.get("vms", [])})
    vms.update({proof["name"]: VmOutcome(proof["outcome"]) for proof in verified.get("proofs", [])})
    blocked = verified.get("blocked_segments") or evaluated.get("blocked_segments") or {}
    segments = {segment.name: _segment(run, segment, segment.name in blocked) for segment in run.plan.segments}
    outcome, causes = _outcome(run, wave_outcome(vms.values(), segments.values()))
    return {
        "wave": run.wave_id,
        "outcome": outcome.value,
        "vms": {name: one.value for name, one in vms.items()},
        "segments": {name: one.value for name, one in segments.items()},
        "blocked_segments": blocked,
        "open_steps": dict(_open_steps(run)),
        "causes": causes,
        "notes": evaluated.get("notes") or [],
    }


def _outcome(run: TaskRun, outcome: WaveOutcome) -> tuple[WaveOutcome, list[str]]:
    """Return how the run has ended, and why.

    :param outcome: by what has become of VMs and segments alone.
    """
    refused = refusals(run)
    causes = list(refused.values())
    if any(gate in refused for gate in OF_THE_WHOLE_RUN):
        # Of the whole run; a cleanup that is refused changes nothing about what the wave has done.
        return WaveOutcome.REJECTED, causes
    if outcome is WaveOutcome.AS_PLANNED:
        left = _left_uncleaned(run)
        causes += [f"not cleaned up: {', '.join(left)}"] if left else []
        return (WaveOutcome.INCOMPLETE if left else outcome), causes
    if outcome is WaveOutcome.INCOMPLETE:
        findings = blocking_findings(run)
        if findings:
            return WaveOutcome.BLOCKED, [*causes, *findings]
        drift = drift_of_run(run)
        if drift is not None:
            return WaveOutcome.DRIFTED, [*causes, drift]
    return outcome, causes


def _left_uncleaned(run: TaskRun) -> list[str]:
    """Return the segments that a cleanup was to delete at the source and has not."""
    if run.origin is None:
        return []
    due = [one for one in run.plan.segments if one.cutover is CutoverPolicy.NOW and one.deletes_source]
    due = [one for one in due if run.xcom(f"cleanup_{one.key}.prove_segment_empty", NOT_DUE_KEY) is None]
    return [one.name for one in due if run.xcom(f"cleanup_{one.key}.delete_source_segment") is None]


def segment_group(segment: PlannedSegment) -> str:
    """Return the id of a segment's task group."""
    return f"cutover_{segment.key}"


def _segment(run: TaskRun, segment: PlannedSegment, blocked: bool) -> SegmentOutcome:
    if segment.cutover is not CutoverPolicy.NOW or run.scope.stop_before_cutover:
        return SegmentOutcome.STRETCHED
    group = segment_group(segment)
    if run.wave_xcom(f"{group}.verify_destination_routed") is not None:
        return SegmentOutcome.CUT_OVER
    reconnected = run.wave_xcom(f"{group}.reconnect_source_segment") or {}
    if reconnected.get("acted"):
        return SegmentOutcome.RECONNECTED
    if run.wave_xcom(f"{group}.unextend_network", REMOVAL_KEY) is not None:
        return SegmentOutcome.UNEXTENDING
    situation = reconnected.get("situation")
    if run.wave_xcom(f"{group}.disconnect_source_segment", SNAPSHOT_KEY) is not None:
        return SegmentOutcome.RECONNECTED if situation == "connected" else SegmentOutcome.UNCERTAIN
    confirmed = run.wave_xcom(f"{group}.{CONFIRM_DISCONNECTED}", DECISION_KEY)
    if reconnected.get("open") or (confirmed is not None and situation is None):
        # A person was told to switch the gateway off, and it is not known to be on.
        return SegmentOutcome.UNCERTAIN
    if any(said_no(one) for one in (confirmed, run.wave_xcom(f"{group}.approve_cutover", DECISION_KEY))):
        return SegmentOutcome.REJECTED
    return SegmentOutcome.BLOCKED if blocked else SegmentOutcome.PLANNED


def _open_steps(run: TaskRun) -> Iterator[tuple[str, str]]:
    for segment in run.plan.segments:
        left = run.wave_xcom(f"{segment_group(segment)}.reconnect_source_segment") or {}
        if left.get("open"):
            yield segment.name, str(left["open"])
