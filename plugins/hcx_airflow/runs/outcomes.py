"""What became of the VMs, and what follows from it for the segments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hcx_airflow.common.errors import WaitedInVainError
from hcx_airflow.runs.scope import Scope
from hcx_waves.clients.errors import ClientError
from hcx_waves.model.plan import PlannedVm, WavePlan
from hcx_waves.model.states import VmOutcome
from hcx_waves.wavefile.wave import Wave

if TYPE_CHECKING:
    from hcx_waves.clients.bundle import SiteClients


def evaluate(plan: WavePlan, wave: Wave, scope: Scope, awaited: Mapping[str, Any] | None) -> dict[str, Any]:
    """Judge what the sensor left.

    :param awaited: the sensor's outcome: ``{"ended", "status", "error", "notes"}``.
    :returns: ``{"vms", "migrated", "failed", "left_out", "blocked_segments", "notes", "fatal"}``; ``fatal`` says
        why nothing can go on, or is empty.
    :raises ClientError: the one that ended the waiting, if HCX could not be asked any more.
    :raises WaitedInVainError: if the sensor left nothing.
    """
    if awaited is None:
        raise WaitedInVainError("await_migrations has left no outcome; clear it to look again")
    if awaited.get("error"):
        raise ClientError.from_dict(awaited["error"])
    listed = {vm["name"]: vm for vm in (awaited.get("status") or {}).get("vms", [])}
    moving = scope.moves(plan)
    vms = [_vm(vm, listed.get(vm.name), moving) for vm in plan.vms]
    blocking = {vm["name"]: vm for vm in vms if VmOutcome(vm["outcome"]).blocks_segments}
    arrived = [vm["name"] for vm in vms if VmOutcome(vm["outcome"]).is_at_destination]
    failed = [vm for vm in vms if not VmOutcome(vm["outcome"]).is_as_planned]
    notes = list(awaited.get("notes") or ())
    if awaited.get("ended") == "deadline":
        notes.append("the deadline passed before HCX was through with every VM")
    return {
        "vms": vms,
        "migrated": arrived,
        "failed": failed,
        "left_out": [vm["name"] for vm in vms if vm["outcome"] == VmOutcome.LEFT_OUT],
        "blocked_segments": _blocked(plan, wave, blocking, failed),
        "notes": notes,
        "fatal": "" if arrived else _nothing(failed),
    }


def _vm(vm: PlannedVm, status: Mapping[str, Any] | None, moving: tuple[str, ...]) -> dict[str, Any]:
    if vm.already_there:
        outcome, message = VmOutcome.ALREADY_THERE, ""
    elif vm.name not in moving:
        outcome, message = VmOutcome.LEFT_OUT, "not part of this run"
    elif status is None:
        outcome, message = VmOutcome.PLANNED, "nothing was started for it"
    else:
        outcome, message = _outcome_of(status), str(status.get("message") or "")
    return {
        "name": vm.name,
        "outcome": outcome.value,
        "message": message,
        "migration_id": None if status is None else status.get("migration_id"),
        "state": None if status is None else status.get("state_name"),
        "segments": list(vm.segments),
    }


def _outcome_of(status: Mapping[str, Any]) -> VmOutcome:
    from hcx_waves.migration.status import VmStatus

    return VmStatus.model_validate(status).outcome


def _blocked(plan: WavePlan, wave: Wave, blocking: Mapping[str, Any], failed: list[dict[str, Any]]) -> dict[str, str]:
    most = wave.limits.max_failed_vms
    if most is not None and len(failed) > most:
        names = ", ".join(vm["name"] for vm in failed)
        reason = f"{len(failed)} VMs failed and the wave allows {most}: {names}"
        return {segment.name: reason for segment in plan.segments}
    found = {}
    for segment in plan.segments:
        left = [vm.name for vm in plan.vms_of(segment.name) if vm.name in blocking]
        if left:
            found[segment.name] = "; ".join(f"{name} is {blocking[name]['outcome']}" for name in left)
    return found


def _nothing(failed: list[dict[str, Any]]) -> str:
    listed = "; ".join(f"{vm['name']}: {vm['outcome']} {vm['message']}".strip() for vm in failed)
    return f"no VM has arrived, so nothing further is done ({listed or 'none was to move'})"


def prove(
    plan: WavePlan, evaluated: Mapping[str, Any], awaited: Mapping[str, Any], clients: SiteClients
) -> dict[str, Any]:
    """Compare every VM with the plan, at both sites.

    :returns: ``{"proofs", "blocked_segments", "may_settle"}``; a VM that is not as it should be blocks its segments.
    :raises ClientError: if a vCenter cannot be read.
    """
    from hcx_waves.migration.status import WaveStatus
    from hcx_waves.migration.verify import verify_virtual_machines

    status = WaveStatus.model_validate(awaited["status"])
    found = verify_virtual_machines(plan, status, clients)
    proofs = [{**proof.model_dump(mode="json"), "proven": proof.is_proven} for proof in found]
    proofs += [_adopted(vm) for vm in plan.vms if vm.already_there]
    blocked = dict(evaluated["blocked_segments"])
    for proof in proofs:
        if proof["proven"]:
            continue
        for name in plan.vm(proof["name"]).segments:
            blocked.setdefault(name, f"{proof['name']} is not proven: {'; '.join(proof['reasons'])}")
    may_settle = any(proof.may_settle for proof in found)
    return {"proofs": proofs, "blocked_segments": blocked, "may_settle": may_settle}


def _adopted(vm: PlannedVm) -> dict[str, Any]:
    """A VM that the plan has found at the destination, which needs no further proof."""
    from hcx_waves.migration.verify import facts_before

    there = facts_before(vm).model_copy(update={"site": "destination"})
    return {
        "name": vm.name,
        "outcome": VmOutcome.ALREADY_THERE.value,
        "before": there.model_dump(mode="json"),
        "after": None,
        "reasons": [],
        "outstanding": [],
        "proven": True,
    }
