"""Ids of DAGs, groups and tasks. They are the keys of a wave's history: add, never rename."""

from __future__ import annotations

from hcx_waves.wavefile.segments import Segment

# Wave names hold no underscore, so none of these is ever the name of a wave.
CLEANUP_PREFIX = "cleanup__"
REHEARSAL_PREFIX = "rehearsal__"
WATCHDOG_DAG_ID = "hcx_waves_watchdog"

RESOLVE_PLAN = "resolve_plan"
RUN_PREFLIGHT = "run_preflight"
APPROVE_WAVE = "approve_wave"
START_MIGRATIONS = "start_migrations"
AWAIT_SEEDED = "await_seeded"
APPROVE_SWITCHOVER = "approve_switchover"
RELEASE_SWITCHOVERS = "release_switchovers"
AWAIT_MIGRATIONS = "await_migrations"
EVALUATE_MIGRATIONS = "evaluate_migrations"
VERIFY_VIRTUAL_MACHINES = "verify_virtual_machines"
PROVE_SEGMENT_EMPTY = "prove_segment_empty"
APPROVE_CUTOVER = "approve_cutover"
CONFIRM_DISCONNECTED = "confirm_disconnected"
DISCONNECT_SOURCE_SEGMENT = "disconnect_source_segment"
UNEXTEND_NETWORK = "unextend_network"
AWAIT_UNEXTENDED = "await_unextended"
VERIFY_DESTINATION_ROUTED = "verify_destination_routed"
RECONNECT_SOURCE_SEGMENT = "reconnect_source_segment"
CONCLUDE_WAVE = "conclude_wave"
CONFIRM_OUTCOME = "confirm_outcome"
SCHEDULE_CLEANUP = "schedule_cleanup"
START_WAVE_PREFIX = "start_wave__"
APPROVE_CLEANUP = "approve_cleanup"
DELETE_SOURCE_SEGMENT = "delete_source_segment"
RENAME_DESTINATION_SEGMENT = "rename_destination_segment"
WRITE_REPORT = "write_report"
TAKE_SNAPSHOT = "take_snapshot"
OPEN_TWIN = "open_twin"
CLOSE_TWIN = "close_twin"
SUMMARISE_REHEARSALS = "summarise_rehearsals"
REPORT_WAVES = "report_waves"


def cleanup_dag_id(wave: str) -> str:
    """Return the id of a wave's cleanup DAG; that of its live DAG is the wave's name itself."""
    return f"{CLEANUP_PREFIX}{wave}"


def rehearsal_dag_id(wave: str) -> str:
    """Return the id of a wave's rehearsal DAG."""
    return f"{REHEARSAL_PREFIX}{wave}"


def wave_of_dag(dag_id: str) -> str:
    """Return the wave whose DAG an id would be."""
    return dag_id.removeprefix(CLEANUP_PREFIX).removeprefix(REHEARSAL_PREFIX)


def cutover_group(segment: Segment) -> str:
    """Return the id of a segment's group in the live DAG."""
    return f"cutover_{segment.key}"


def cleanup_group(segment: Segment) -> str:
    """Return the id of a segment's group in the cleanup DAG."""
    return f"cleanup_{segment.key}"


def start_wave_task(wave: str) -> str:
    """Return the id of the task that starts the next wave."""
    return f"{START_WAVE_PREFIX}{wave}"
