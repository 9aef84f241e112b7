"""Evaluate the outcome of each VM, and which segments must keep their gateway at the source because of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import ClientError
from hcx_waves.migration.status import VmPhase, VmStatus, WaveStatus
from hcx_waves.migration.verify import VmProof, verify_virtual_machines
from hcx_waves.model.formatting import counted
from hcx_waves.model.plan import PlannedVm, WavePlan
from hcx_waves.model.states import VmOutcome
from hcx_waves.run.results import Ended, Evaluation, MigrationsWait, Verification
from hcx_waves.run.scope import Scope

_MOVED_UNSEEN = "HCX does not list its migration any more; vCenter shows it at the destination and not at the source"
_NOWHERE_LISTED = (
    "HCX does not list its migration any more, and vCenter does not show that it has moved: look for it in both "
    "vCenters and in HCX"
)


def evaluate(plan: WavePlan, scope: Scope, awaited: MigrationsWait, max_failed_vms: int | None = None) -> Evaluation:
    """Evaluate every VM of a plan after the wait for its migrations.

    :param scope: what of the plan the run does.
    :param max_failed_vms: with more than this, no segment is cut over; None for no limit.
    :raises ClientError: the error that ended the wait, if HCX could not be read any more.
    """
    if awaited.error:
        raise ClientError.from_dict(awaited.error)
    listed = {} if awaited.status is None else {vm.name: vm for vm in awaited.status.vms}
    moving = scope.moves(plan)
    found = {vm.name: _evaluated(vm, listed.get(vm.name), moving) for vm in plan.vms}
    outcomes = {name: outcome for name, (outcome, _) in found.items()}
    messages = {name: message for name, (_, message) in found.items() if message}
    failed = [name for name, outcome in outcomes.items() if not outcome.is_as_planned]
    arrived = any(outcome.is_at_destination for outcome in outcomes.values())
    late = ("the deadline passed before every migration had ended",) if awaited.ended is Ended.DEADLINE else ()
    listed_failures = [f"{name}: {outcomes[name].label.lower()} {messages.get(name, '')}".strip() for name in failed]
    return Evaluation(
        outcomes=outcomes,
        messages=messages,
        blocked_segments=_blocked(plan, outcomes, failed, max_failed_vms),
        notes=(*awaited.notes, *late, *(f"past its limit: {stall}" for stall in awaited.past_limit)),
        fatal="" if arrived else _nothing_arrived(listed_failures),
    )


def with_seen_in_vcenter(plan: WavePlan, awaited: MigrationsWait, clients: SiteClients) -> MigrationsWait:
    """Let the vCenters tell about VMs that HCX does not list any more: one that has left the source has moved.

    Anybody may archive or delete what HCX knows of migrations that have ended. A VM that is at the source, or at
    neither site, stays without an end.

    :returns: the wait with what was found, or the same if HCX lists every VM.
    :raises ClientError: if a vCenter cannot be read.
    """
    unlisted = () if awaited.status is None else awaited.status.unlisted
    if awaited.status is None or not unlisted:
        return awaited
    supposed = [vm.model_copy(update={"phase": VmPhase.DONE}) for vm in awaited.status.vms if vm.name in unlisted]
    proofs = verify_virtual_machines(plan, awaited.status.model_copy(update={"vms": tuple(supposed)}), clients)
    moved = {proof.name: proof for proof in proofs if proof.has_moved}
    vms = tuple(
        vm.model_copy(update={"phase": VmPhase.DONE, "message": _MOVED_UNSEEN})
        if vm.name in moved
        else vm.model_copy(update={"message": _NOWHERE_LISTED})
        if vm.name in unlisted
        else vm
        for vm in awaited.status.vms
    )
    return awaited.model_copy(update={"status": awaited.status.model_copy(update={"vms": vms})})


def verify(plan: WavePlan, evaluated: Evaluation, awaited: MigrationsWait, clients: SiteClients) -> Verification:
    """Compare every VM with the plan, at both sites; a VM that is not verified blocks its segments.

    :raises ClientError: if a vCenter cannot be read.
    """
    awaited = with_seen_in_vcenter(plan, awaited, clients)
    status = awaited.status or WaveStatus(at=awaited.at, vms=())
    before = [vm.name for vm in plan.vms if vm.already_there]
    proofs = verify_virtual_machines(plan, status, clients, before)
    return Verification(proofs=proofs, blocked_segments=_with_unproven(plan, evaluated.blocked_segments, proofs))


def _evaluated(vm: PlannedVm, status: VmStatus | None, moving: Sequence[str]) -> tuple[VmOutcome, str]:
    """Return what became of a VM, and what there is to say about it."""
    if vm.already_there:
        return VmOutcome.ALREADY_THERE, ""
    if vm.name not in moving:
        return VmOutcome.LEFT_OUT, "not part of this run"
    if status is None:
        return VmOutcome.PLANNED, "no migration was started"
    return status.outcome, status.message


def _blocked(
    plan: WavePlan, outcomes: Mapping[str, VmOutcome], failed: Sequence[str], most: int | None
) -> dict[str, str]:
    """Return why segments are blocked, by name."""
    if most is not None and len(failed) > most:
        reason = (
            f"{counted(len(failed), 'VM')} failed, and the wave allows {most} (max_failed_vms): {', '.join(failed)}"
        )
        return {segment.name: reason for segment in plan.segments}
    found = {}
    for segment in plan.segments:
        left = [vm.name for vm in plan.vms_of(segment.name) if outcomes[vm.name].blocks_segments]
        if left:
            found[segment.name] = "; ".join(f"{name}: {outcomes[name].label.lower()}" for name in left)
    return found


def _nothing_arrived(failed: Sequence[str]) -> str:
    found = f"no VM has arrived at the destination, so the run stops here ({'; '.join(failed) or 'no VM was to move'})"
    return f"{found}. Correct the cause, then start a new run"


def _with_unproven(plan: WavePlan, blocked: Mapping[str, str], proofs: Iterable[VmProof]) -> dict[str, str]:
    found = dict(blocked)
    for proof in proofs:
        if not proof.is_proven:
            for name in plan.vm(proof.name).segments:
                found.setdefault(name, f"{proof.name} is not verified: {'; '.join(proof.reasons)}")
    return found
