"""Validation of intents: all checks in one list, each adding errors or warnings, and the plan that comes of it.

Errors refuse an intent, warnings never do [C hcx 4.3]. Wording and codes are ours; the vendor's are not published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hcx_sim.hcx.mobility import checks_target, checks_vm
from hcx_sim.hcx.mobility.case import Batch, Case
from hcx_sim.hcx.mobility.intent import read_intent
from hcx_sim.hcx.mobility.mobility import Mobility
from hcx_sim.hcx.mobility.model import Plan
from hcx_sim.world.model import SiteName

Check = Callable[[Case], None]

CHECKS: tuple[Check, ...] = (
    checks_vm.check_type,
    checks_vm.check_sites,
    checks_vm.check_vm,
    checks_vm.check_power,
    checks_vm.check_hardware,
    checks_vm.check_other_migrations,
    checks_vm.check_leftovers,
    checks_target.check_mesh,
    checks_target.check_placement,
    checks_vm.check_target_hardware,
    checks_target.check_networks,
    checks_target.check_schedule,
)


@dataclass(frozen=True, slots=True)
class Review:
    """What validation says of one intent; ``plan`` is there exactly when there is no error."""

    entity_id: str
    entity_name: str
    errors: list[str]
    warnings: list[str]
    plan: Plan | None


def review_all(
    mobility: Mobility, manager: SiteName, intents: Sequence[Mapping[str, Any]], batch: Batch | None = None
) -> list[Review]:
    """Validate complete intents together: they share space on datastores and may not name a VM twice.

    ``manager`` is the site whose manager was asked; ``batch`` joins several lists of one request.
    """
    batch = batch or Batch()
    return [_review(Case(mobility, manager, read_intent(intent), batch)) for intent in intents]


def _review(case: Case) -> Review:
    for check in CHECKS:
        check(case)
    intent = case.intent
    name = case.vm.name if case.vm is not None else intent.entity_name
    plan = _plan(case) if not case.errors else None
    return Review(intent.entity_id, name, case.errors, case.warnings, plan)


def _plan(case: Case) -> Plan:
    """Return the plan of a case without errors; a check that left something open raises :class:`LookupError`."""
    kind, vm, mesh, target = case.kind, case.vm, case.mesh, case.target
    source, destination = case.source, case.destination
    if kind is None or vm is None or mesh is None or target is None or source is None or destination is None:
        raise LookupError(f"validation of {case.intent.entity_id!r} found no error and no plan")
    intent = case.intent
    return Plan(
        migration_type=kind,
        vm_uid=vm.uid,
        vm_key=vm.key,
        vm_name=vm.name,
        source=source,
        destination=destination,
        mesh_key=mesh.key,
        target=target,
        networks=dict(case.networks),
        options=intent.options,
        transfer_window=intent.transfer_window,
        transfer_waits=_transfer_waits(case),
        switchover_window=intent.switchover_window,
        long_recovery=intent.long_recovery,
        sync_interval_seconds=intent.sync_interval_seconds,
        addresses=dict(intent.addresses),
    )


def _transfer_waits(case: Case) -> bool:
    """Tell whether the transfer waits for its window.

    ASAF sends the switchover's window for both; whether the transfer waits for it then is unknown [? hcx 4.3], and
    ``settings.hcx.equal_windows_hold_transfer`` decides.
    """
    intent = case.intent
    if intent.transfer_window == intent.switchover_window:
        return intent.transfer_window.scheduled and case.world.settings.hcx.equal_windows_hold_transfer
    return intent.transfer_window.scheduled
