"""What a migration looks like in each of the three generations of the API."""

from __future__ import annotations

from typing import Any

from hcx_sim.engine.clock import to_ms
from hcx_sim.hcx.body import section
from hcx_sim.hcx.mobility.flow import Flow
from hcx_sim.hcx.mobility.model import Migration, MobilityGroup, Options, Phase
from hcx_sim.hcx.mobility.progress import amount_of, category_of, percent_of, progress_of, updated_ms
from hcx_sim.hcx.mobility.scheduling import wire_schedule
from hcx_sim.world.model import Vm
from hcx_sim.world.world import World

FIRST_STATES = ("MIGRATING", "MIGRATED", "MIGRATE_FAILED", "MIGRATE_CANCELED")
FIRST_STEPS = (
    "PROCESS_COLLECT_GATEWAY_DETAILS", "PROCESS_COLLECT_VM_DETAILS_RESULT", "JOIN_RECONFIGURE",
    "PROCESS_RECONFIGURE_RESULT", "DESTINATION_SIDE_START_RELOCATE", "PROCESS_START_RELOCATE_RESULT",
    "PROCESS_DESTINATION_SIDE_RELOCATE_PROGRESS_RESULT", "PROCESS_SOURCE_SIDE_RELOCATE_PROGRESS_RESULT",
    "SOURCE_SIDE_CLEANUP", "DESTINATION_SIDE_CLEANUP", "COMPLETED", "FAILED",
)  # fmt: skip
TERMINAL_STATES = ("MIGRATION_COMPLETE", "MIGRATION_FAILED", "TRANSFER_FAILED", "MIGRATION_CANCELLED")
_STEP_OF = {
    Phase.TRANSFER_WINDOW: FIRST_STEPS[0],
    Phase.QUEUED: FIRST_STEPS[0],
    Phase.PREPARING: FIRST_STEPS[1],
    Phase.BASE_SYNC: FIRST_STEPS[3],
    Phase.SWITCHOVER_WINDOW: FIRST_STEPS[3],
    Phase.SWITCHOVER_TURN: FIRST_STEPS[4],
    Phase.SHUTDOWN: FIRST_STEPS[4],
    Phase.FINAL_SYNC: FIRST_STEPS[5],
    Phase.RELOCATION: FIRST_STEPS[6],
    Phase.SWITCHOVER: FIRST_STEPS[7],
    Phase.CLEANUP: FIRST_STEPS[9],
    Phase.COMPLETE: "COMPLETED",
}


def state_name(world: World, migration: Migration) -> str:
    """Return the second generation's ``state``: sourced names at the end, configurable ones on the way."""
    settings = world.settings.hcx
    if migration.phase is Phase.COMPLETE:
        return "MIGRATION_COMPLETE"
    if migration.phase is Phase.CANCELLED:
        return settings.canceled_name
    if migration.phase is Phase.FAILED:
        return "MIGRATION_FAILED"
    return settings.intermediate_states.get(migration.phase.value, migration.phase.name)


def first_state_name(migration: Migration) -> str:
    """Return the first generation's ``jobInfo.state``. [D+C hcx 4.6]"""
    return {
        Phase.COMPLETE: "MIGRATED",
        Phase.FAILED: "MIGRATE_FAILED",
        Phase.TRANSFER_FAILED: "MIGRATE_FAILED",
        Phase.CANCELLED: "MIGRATE_CANCELED",
    }.get(migration.phase, "MIGRATING")


def second_form(flow: Flow, migration: Migration) -> dict[str, Any]:
    """Return an item of a compat 2.1 query. [C hcx 4.5]"""
    intent, plan = migration.intent, migration.plan
    replicates = plan is not None and plan.migration_type.replicates
    transfer, switchover = section(intent, "transferParams"), section(intent, "switchoverParams")
    if plan is not None:
        transfer = {"transferType": plan.migration_type.transfer_type, **transfer}
        switchover = {"switchoverType": plan.migration_type.value, **switchover}
        transfer["schedule"] = wire_schedule(plan.transfer_window)
        switchover["schedule"] = wire_schedule(plan.switchover_window)
        switchover |= _both_forms(plan.options)
    version = 2 if replicates else 1  # which version goes with what is a guess; ASAF reads 2 as "percent by bytes"
    item: dict[str, Any] = {
        "migrationId": migration.migration_id,
        "migrationGroupId": migration.group_id,
        "state": state_name(flow.world, migration),
        "username": migration.username,
        "creationDate": to_ms(migration.created_us),
        "lastUpdated": updated_ms(flow, migration),
        "version": version,
        "migrationType": plan.migration_type.value if plan is not None else intent.get("migrationType"),
        "servicemeshId": plan.mesh_key if plan is not None else intent.get("servicemeshId"),
        "entity": {"entityId": migration.entity_id, "entityName": migration.entity_name},
        "source": section(intent, "source"),
        "destination": section(intent, "destination"),
        "transferParams": {**transfer, "workflowVersion": version},
        "switchoverParams": {"schedule": {"startTime": 0, "expiryTime": 0}, **switchover},
        "progress": progress_of(flow, migration),
    }
    return item


def _both_forms(options: Options) -> dict[str, Any]:
    """Return the options of a switchover in both forms, whichever was sent. [D+C hcx 4.3]"""
    named = {
        "retainMac": options.retain_mac,
        "forcePowerOffVm": options.force_power_off,
        "upgradeHardware": options.upgrade_hardware,
        "upgradeVMTools": options.upgrade_tools,
        "retainTags": options.retain_tags,
        "updateCustomAttributes": options.update_custom_attributes,
        "removeSnapshots": options.remove_snapshots,
        "removeISOs": options.remove_isos,
    }
    profile = [{"option": name, "value": value} for name, value in named.items()]
    return {"options": named, "switchoverProfile": profile}


def first_form(flow: Flow, migration: Migration) -> dict[str, Any]:
    """Return an item or row of a first generation query. [C hcx 4.5]"""
    return {
        "migrationId": migration.migration_id,
        "migrationInfo": {
            "entityDetails": {"entityId": migration.entity_id, "entityName": migration.entity_name},
            "message": migration.message,
            "progressDetails": {
                "state": _STEP_OF.get(migration.phase, "FAILED"),
                "progressPercentage": percent_of(flow, migration),
                "diskCopyBytes": amount_of(flow, migration).done_bytes,
            },
        },
        "jobInfo": {
            "state": first_state_name(migration),
            "username": migration.username,
            "creationDate": to_ms(migration.created_us),
            "lastUpdated": updated_ms(flow, migration),
        },
    }


V2_STATUS = {
    "totalVmsDraft": "DRAFT",
    "totalVmsQueued": "QUEUED",
    "totalVmsInTransfer": "IN_TRANSFER",
    "totalVmsWaitingSwitchover": "WAITING_SWITCHOVER",
    "totalVmsInSwitchover": "IN_SWITCHOVER",
    "totalVmsCompleted": "COMPLETED",
    "totalVmsError": "ERROR",
    "totalVmsCancelled": "CANCELLED",
}


def v2_migration(flow: Flow, migration: Migration) -> dict[str, Any]:
    """Return an item of a v2 query for the migrations of a group. [C hcx 4.5]"""
    amount = amount_of(flow, migration)
    errors = [{"message": migration.error}] if migration.error and not migration.phase.active else []
    return {
        "info": {
            "id": migration.migration_id,
            "entity": {"entityId": migration.entity_id, "entityName": migration.entity_name},
        },
        "summary": {
            "progressSummary": {
                "status": V2_STATUS[category_of(migration)],
                "message": migration.message,
                "startTimestamp": to_ms(migration.started_us or 0),
                "lastUpdatedTimestamp": updated_ms(flow, migration),
                "transfer": {"percentComplete": percent_of(flow, migration)},
                "total": {"bytesTransferred": amount.done_bytes, "totalBytes": amount.total_bytes},
                "error": {"messages": errors},
                "warning": {"messages": [{"message": text} for text in migration.warnings]},
            }
        },
    }


def v2_group(flow: Flow, group: MobilityGroup, migrations: list[Migration], state: str) -> dict[str, Any]:
    """Return an item of a v2 group query, with a counter per kind of migration. [C hcx 4.5]"""
    counts = dict.fromkeys(V2_STATUS, 0)
    for migration in migrations:
        counts[category_of(migration)] += 1
    started = [migration.started_us for migration in migrations if migration.started_us is not None]
    first = migrations[0].intent if migrations else group.defaults
    return {
        "info": {
            "id": group.group_id,
            "name": group.name,
            "createdTimestamp": to_ms(group.created_us),
            "migrationStartTimestamp": to_ms(min(started)) if started else 0,
            "lastUpdatedTimestamp": max([to_ms(group.updated_us), *(updated_ms(flow, each) for each in migrations)]),
            "username": group.username,
            "servicemeshId": first.get("servicemeshId") or group.defaults.get("servicemeshId") or "",
            "source": section(first, "source") or section(group.defaults, "source"),
            "destination": section(first, "destination") or section(group.defaults, "destination"),
        },
        "summary": {
            "state": state,
            "configurationStatus": "COMPLETE",
            "countSummary": {
                "totalVms": len(migrations),
                **counts,
                "totalVmsWarning": sum(bool(migration.warnings) for migration in migrations),
            },
            "resourceSummary": _resources(flow.world, migrations),
        },
    }


def _resources(world: World, migrations: list[Migration]) -> dict[str, int]:
    totals = {"totalCpus": 0, "totalMem": 0, "totalDisk": 0}
    for migration in migrations:
        vm = _living(world, migration.plan.vm_uid) if migration.plan is not None else None
        if vm is not None:
            totals["totalCpus"] += vm.num_cpu
            totals["totalMem"] += vm.memory_mb * 1024 * 1024
            totals["totalDisk"] += sum(disk.capacity_bytes for disk in vm.disks)
        else:
            summary = section(migration.intent, "entity", "summary")
            for name, key in (("totalCpus", "numCpu"), ("totalMem", "memorySize"), ("totalDisk", "diskSize")):
                value = summary.get(key)
                totals[name] += value if isinstance(value, int) else 0
    return totals


def _living(world: World, vm_uid: str) -> Vm | None:
    try:
        return world.vm_by_uid(vm_uid)
    except KeyError:
        return None
