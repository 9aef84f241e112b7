"""Try VMs again that failed or were cancelled: what an old attempt has left is cleared first, as HCX demands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import OutcomeUnknownError, ValidationFailed
from hcx_waves.clients.hcx import HcxClient, Migration
from hcx_waves.migration.intents import group_name, intents_of
from hcx_waves.migration.start import StartedVm, StartedWave, retry_virtual_machines
from hcx_waves.migration.switchover import hold, is_held
from hcx_waves.model.base import DomainModel
from hcx_waves.model.plan import WavePlan

Settle = Callable[[Callable[[], str], Callable[[str], bool]], str]
"""Looks until what it sees is good, or its time is up; returns what it saw last."""


class Retried(DomainModel):
    """What became of one VM."""

    name: str
    migration_id: str = ""
    """Of the new attempt; empty if there is none."""
    cleared: bool = False
    """Whether left-overs of the old attempt were cleared by force first."""
    problem: str = ""
    """Why it was not started again, in HCX's words."""


def started_of(plan: WavePlan, migrations: Mapping[str, Migration]) -> StartedWave:
    """Return VMs of a plan as they were started, by what HCX lists.

    :param migrations: the newest migration of each VM, by its name.
    """
    vms = tuple(
        StartedVm(name=name, vm_id=plan.vm(name).vm_id, migration_id=one.migration_id, group_id=one.group_id or "")
        for name, one in migrations.items()
    )
    groups = tuple(dict.fromkeys(vm.group_id for vm in vms))
    return StartedWave(
        group_id=groups[0] if groups else "",
        group_name=group_name(plan),
        vms=vms,
        adopted=True,
        earlier_groups=groups[1:],
    )


def retry_after_clean_up(
    plan: WavePlan, migrations: Mapping[str, Migration], clients: SiteClients, now: datetime, settle: Settle
) -> tuple[Retried, ...]:
    """Start VMs again in the group of their last attempt, many at once.

    HCX refuses a VM whose last attempt has not rolled back until its left-overs are cleared by force [D hcx 4.4]; that
    is done for those that it refuses, and for no others. What it refuses then is not started.

    :param migrations: the last attempt of each VM, by its name; all have ended badly, and are this wave's.
    :param settle: waits a short while for the clean-up.
    :raises GroupMismatchError, SubmissionLostError: as :func:`~hcx_waves.migration.start.retry_virtual_machines` does.
    :raises ClientError: if HCX cannot be asked.
    """
    held = {name for name, one in migrations.items() if is_held(one.window_start, now)}
    problems: dict[str, str] = {}
    cleared: set[str] = set()
    for name in _refused(plan, clients.hcx, list(migrations)):
        if _was_cleared(clients.hcx, migrations[name]):
            cleared.add(name)
            problem = settle(lambda name=name: _problem(plan, clients.hcx, name), _is_none)  # type: ignore[misc]
        else:
            problem = _problem(plan, clients.hcx, name)
        if problem:
            problems[name] = problem
    started = started_of(plan, migrations)
    new: dict[str, StartedVm] = {}
    # What waited for its release goes on waiting for it.
    for window, names in ((hold(now), held), (None, set(migrations) - held)):
        due = [name for name in migrations if name in names and name not in problems]
        if due:
            done = retry_virtual_machines(plan, started, due, clients, window=window)
            new.update({name: done.vm(name) for name in due})
    return tuple(_retried(name, one, new.get(name), problems, cleared) for name, one in migrations.items())


def _retried(
    name: str, last: Migration, new: StartedVm | None, problems: Mapping[str, str], cleared: set[str]
) -> Retried:
    if new is None:
        return Retried(name=name, cleared=name in cleared, problem=problems[name])
    if new.refused or new.migration_id == last.migration_id:
        said = "; ".join(new.refused) or "HCX lists no new migration of it"
        return Retried(name=name, cleared=name in cleared, problem=said)
    return Retried(name=name, migration_id=new.migration_id, cleared=name in cleared)


def _refused(plan: WavePlan, hcx: HcxClient, names: Sequence[str]) -> list[str]:
    """Return the VMs that HCX would not start now; one question if it would start all of them."""
    intents = intents_of(plan)
    try:
        hcx.validate_migrations([intents[name] for name in names])
    except ValidationFailed:
        return [name for name in names if _problem(plan, hcx, name)]
    return []


def _problem(plan: WavePlan, hcx: HcxClient, name: str) -> str:
    try:
        hcx.validate_migrations([intents_of(plan)[name]])
    except ValidationFailed as error:
        return "; ".join(error.messages) or error.message
    return ""


def _was_cleared(hcx: HcxClient, last: Migration) -> bool:
    """Clear what an attempt that has ended has left at both sites, without its seed data; return whether it was so."""
    try:
        hcx.force_cancel_migrations([last])
    except ValidationFailed:
        # It has left nothing, so HCX refuses the VM for another reason.
        return False
    except OutcomeUnknownError:
        # The next validation tells.
        return True
    return True


def _is_none(problem: str) -> bool:
    return not problem
