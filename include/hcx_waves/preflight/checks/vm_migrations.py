"""No VM is being migrated by somebody else, and no failed migration has left anything behind. [D hcx 4.4]"""

from __future__ import annotations

from collections.abc import Iterator

from hcx_waves.clients.hcx import Migration
from hcx_waves.migration.groups import latest_by_entity
from hcx_waves.model.findings import Finding
from hcx_waves.model.plan import PlannedVm
from hcx_waves.preflight.base import Check, Product, advice, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.steps import WaveStep


def _run(context: PreflightContext) -> Iterator[Finding]:
    latest = latest_by_entity(context.departures)
    for vm in context.to_move:
        active = context.in_flight(vm)
        if active is None:
            yield from _failed_before(vm, latest.get(vm.vm_id))
        elif active.group_id in context.own_group_ids:
            yield advice(
                "vm-migration-adopted",
                vm.name,
                f"is being migrated by an earlier run of this wave ({active.migration_id}), which goes on",
            )
        else:
            names = {group.group_id: group.name for group in context.groups}
            yield blocking(
                "vm-already-migrating",
                vm.name,
                f"is being migrated in mobility group {names.get(str(active.group_id), active.group_id)}",
                "Wait for that migration, or cancel it.",
                migration_id=active.migration_id,
            )


def _failed_before(vm: PlannedVm, last: Migration | None) -> Iterator[Finding]:
    if last is not None and last.state.is_terminal and not last.state.is_success:
        yield warning(
            "vm-migration-failed-before",
            vm.name,
            f"its last migration ended as {last.state.name or last.state.phase}: {last.state.message}".rstrip(": "),
            "Look at it in HCX; if its rollback is incomplete, force its clean-up before the wave.",
            migration_id=last.migration_id,
        )


CHECK = Check("vm-migrations", "No VM is being migrated already", (Product.HCX,), _run, WaveStep.START)
