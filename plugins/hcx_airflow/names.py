"""Ids of DAGs, groups, tasks and XComs, and members of a run's conf.

They are the keys of a wave's history: add, never rename. Imports nothing, so that anybody may import it.
"""

from __future__ import annotations

from typing import Protocol

# Wave names hold no underscore, so none of these is ever the name of a wave.
CLEANUP_PREFIX = "cleanup__"
REHEARSAL_PREFIX = "rehearsal__"
RECOVERY_PREFIX = "recover__"
WATCHDOG_DAG_ID = "hcx_waves_watchdog"

CUTOVER_GROUP_PREFIX = "cutover_"
CLEANUP_GROUP_PREFIX = "cleanup_"

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
CANCEL_MIGRATIONS = "cancel_migrations"
CONCLUDE_WAVE = "conclude_wave"
CONFIRM_OUTCOME = "confirm_outcome"
SCHEDULE_CLEANUP = "schedule_cleanup"
START_WAVE_PREFIX = "start_wave__"
APPROVE_CLEANUP = "approve_cleanup"
DELETE_SOURCE_SEGMENT = "delete_source_segment"
RENAME_DESTINATION_SEGMENT = "rename_destination_segment"
WRITE_REPORT = "write_report"
RESOLVE_RECOVERY = "resolve_recovery"
APPROVE_RECOVERY = "approve_recovery"
RECOVER = "recover"
TAKE_SNAPSHOT = "take_snapshot"
OPEN_TWIN = "open_twin"
CLOSE_TWIN = "close_twin"
SUMMARISE_REHEARSALS = "summarise_rehearsals"
REPORT_WAVES = "report_waves"
PROBE_SITES = "probe_sites"

RETURN_VALUE = "return_value"
"""What a task returns, by Airflow's own name for it."""
DECISION = "decision"
"""The decision of a gate."""
DRIFT = "drift"
"""Of ``start_migrations``: what has changed since the approval."""
FAILURE = "failure"
"""Of every task that has failed: the error of its last try."""
STARTED = "started"
"""Of ``start_migrations``: the ids that it has started."""
RELEASED = "released"
"""Of ``release_switchovers``: the VMs that were let go."""
FORECAST = "forecast"
FORECAST_SHOWN = "forecast_shown"
NO_FORECAST = "no_forecast"
"""Of ``run_preflight``: the forecast without its VMs, which may be many; kept for later tries."""
NOT_DUE = "not_due"
"""Of ``prove_segment_empty`` in a cleanup: why the segment is left alone; of ``resolve_recovery``: why no step."""
SNAPSHOT = "snapshot"
"""Of ``disconnect_source_segment``: what it takes to restore the gateway."""
WAY_BACK = "way_back"
"""Of ``disconnect_source_segment``: what of the plan the way back goes by."""
ACTING_SINCE = "acting_since"
"""Of ``disconnect_source_segment``: the last instant at which the gateway was certainly on."""
REMOVAL = "removal"
"""Of ``unextend_network``: what HCX was asked for."""
WENT_BACK = "went_back"
"""Of ``reconnect_source_segment``: that the gateway is on again, so that the cutover before it is over."""
FOUND_OFF = "found_off"
"""Of ``reconnect_source_segment``: that an earlier try found a gateway off that a person switches."""
DEFINITION = "definition"
"""Of ``delete_source_segment``: the whole segment, by which it can be restored."""
HEADLINE = "headline"
"""Of ``write_report``: the outcome and one sentence, which becomes the note of the run."""
SHOWN = "shown"
"""Of gates: what they have asked about."""
REFUSED = "refused"
"""Of gates: the no that they have recorded."""
RETRY_AFTER = "retry_after_seconds"
"""In a rehearsed task's state store: how long its next try waits by the rehearsal's clock."""

WAVE_DAG_ID_CONF, WAVE_RUN_ID_CONF = "wave_dag_id", "wave_run_id"
"""In the conf of a cleanup: the run whose segments it is for."""
SEGMENTS_CONF = "wave_segments"
"""In the conf of a cleanup that a wave has scheduled: the segments that it had cut over by then."""


class Keyed(Protocol):
    """A segment, of a wave file or of a plan: its key is what it contributes to task ids."""

    @property
    def key(self) -> str:
        """Lower-case letters, digits, hyphen and underscore."""


def cleanup_dag_id(wave: str) -> str:
    """Return the id of a wave's cleanup DAG; that of its live DAG is the wave's name itself."""
    return f"{CLEANUP_PREFIX}{wave}"


def rehearsal_dag_id(wave: str) -> str:
    """Return the id of a wave's rehearsal DAG."""
    return f"{REHEARSAL_PREFIX}{wave}"


def recovery_dag_id(wave: str) -> str:
    """Return the id of a wave's recovery DAG."""
    return f"{RECOVERY_PREFIX}{wave}"


def wave_of_dag(dag_id: str) -> str:
    """Return the wave whose DAG an id would be."""
    for prefix in (CLEANUP_PREFIX, REHEARSAL_PREFIX, RECOVERY_PREFIX):
        dag_id = dag_id.removeprefix(prefix)
    return dag_id


def cutover_group(segment: Keyed) -> str:
    """Return the id of a segment's group in the live DAG."""
    return f"{CUTOVER_GROUP_PREFIX}{segment.key}"


def cleanup_group(segment: Keyed) -> str:
    """Return the id of a segment's group in the cleanup DAG."""
    return f"{CLEANUP_GROUP_PREFIX}{segment.key}"


def start_wave_task(wave: str) -> str:
    """Return the id of the task that starts the next wave."""
    return f"{START_WAVE_PREFIX}{wave}"
