"""Evaluate the outcome of each VM, and which segments must keep their gateway at the source because of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import ClientError
from hcx_waves.migration.status import VmStatus
from hcx_waves.migration.verify import VmProof, facts_before, verify_virtual_machines
from hcx_waves.model.formatting import counted
from hcx_waves.model.plan import PlannedVm, WavePlan
from hcx_waves.model.states import VmOutcome
from hcx_waves.run.results import Ended, Evaluation, MigrationsWait, Verification
from hcx_waves.run.scope import Scope


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
        notes=(*awaited.notes, *late),
        fatal="" if arrived else _nothing_arrived(listed_failures),
    )


def verify(plan: WavePlan, evaluated: Evaluation, awaited: MigrationsWait, clients: SiteClients) -> Verification:
    """Compare every VM with the plan, at both sites; a VM that is not verified blocks its segments.

    :raises ClientError: if a vCenter cannot be read.
    """
    found = () if awaited.status is None else verify_virtual_machines(plan, awaited.status, clients)
    proofs = (*found, *(_already_there(vm) for vm in plan.vms if vm.already_there))
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


def _already_there(vm: PlannedVm) -> VmProof:
    """A VM that the plan has found at the destination, which needs no further proof."""
    return VmProof(name=vm.name, outcome=VmOutcome.ALREADY_THERE, before=facts_before(vm))


def _with_unproven(plan: WavePlan, blocked: Mapping[str, str], proofs: Iterable[VmProof]) -> dict[str, str]:
    found = dict(blocked)
    for proof in proofs:
        if not proof.is_proven:
            for name in plan.vm(proof.name).segments:
                found.setdefault(name, f"{proof.name} is not verified: {'; '.join(proof.reasons)}")
    return found
