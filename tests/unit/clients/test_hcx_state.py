"""A migration's meaning: flags and sourced terminal names decide, everything else is running."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hcx_waves.clients.hcx import Job, Migration, MigrationState, Phase
from hcx_waves.clients.hcx.values import instant_of, milliseconds_of

NOTHING = {"isTransfer": 0, "isTransferProgress": 0, "isSwitchover": 0, "isWaitingForMaintWindow": 0}


def flags(**set_flags: object) -> dict[str, Any]:
    return {"state": {**NOTHING, **set_flags}}


@pytest.mark.parametrize(
    ("name", "phase"),
    [
        ("MIGRATION_COMPLETE", Phase.DONE),
        ("MIGRATED", Phase.DONE),
        ("COMPLETED", Phase.DONE),
        ("MIGRATION_FAILED", Phase.FAILED),
        ("TRANSFER_FAILED", Phase.FAILED),
        ("MIGRATE_FAILED", Phase.FAILED),
        ("FAILED", Phase.FAILED),
        ("MIGRATION_CANCELLED", Phase.CANCELLED),
        ("MIGRATION_CANCELED", Phase.CANCELLED),
        ("MIGRATE_CANCELED", Phase.CANCELLED),
        ("MIGRATE_CANCELLED", Phase.CANCELLED),
        ("migration_complete", Phase.DONE),
    ],
)
def test_terminal_names_of_every_family(name: str, phase: Phase) -> None:
    state = MigrationState.of(name, {})
    assert (state.phase, state.is_terminal, state.is_known) == (phase, True, True)
    outcome = (state.is_success, state.is_failure, state.is_cancelled)
    assert outcome == (phase is Phase.DONE, phase is Phase.FAILED, phase is Phase.CANCELLED)


@pytest.mark.parametrize("name", ["TRANSFER_STARTED", "DELTA_SYNC", "WHAT_IS_THIS", "TRANSFER_COMPLETED", "", None])
def test_unknown_names_are_running(name: str | None) -> None:
    state = MigrationState.of(name, None)
    assert (state.phase, state.is_terminal, state.is_known) == (Phase.RUNNING, False, False)


@pytest.mark.parametrize(
    ("progress", "phase"),
    [
        ({"isDone": True}, Phase.DONE),
        ({"isDone": True, "didFail": False, "isCancelled": 0}, Phase.DONE),
        ({"state": {"isDone": True}}, Phase.DONE),
        ({"isDone": "true"}, Phase.DONE),
        ({"didFail": True, "isDone": True}, Phase.FAILED),
        ({"didFail": True, "isDone": False}, Phase.FAILED),
        ({"isCancelled": 1}, Phase.CANCELLED),
        ({"isCancelled": 2, "isDone": True}, Phase.CANCELLED),
        ({"isDone": True, "state": {"isError": 1}}, Phase.FAILED),
        ({"isDone": True, "state": {"isCanceled": 1}}, Phase.CANCELLED),
        ({"isDone": True, "state": {"isAborted": 1}}, Phase.FAILED),
    ],
)
def test_progress_flags_decide_under_an_unknown_name(progress: dict[str, Any], phase: Phase) -> None:
    assert MigrationState.of("NEVER_HEARD", progress).phase is phase


@pytest.mark.parametrize(
    ("name", "progress", "phase"),
    [
        ("MIGRATION_COMPLETE", {"didFail": True}, Phase.FAILED),
        ("MIGRATION_COMPLETE", {"isCancelled": 1}, Phase.CANCELLED),
        ("MIGRATION_FAILED", {"isDone": True, "didFail": False}, Phase.FAILED),
        ("SWITCHOVER_FAILED", {"isDone": True}, Phase.FAILED),
        ("SWITCHOVER_ABORTED", {"isDone": True}, Phase.FAILED),
        ("TRANSFER_CANCELLED", {"isDone": True}, Phase.CANCELLED),
        ("MIGRATION_COMPLETE", flags(isSwitchoverProgress=1), Phase.DONE),
    ],
)
def test_contradictions_never_read_as_success(name: str, progress: dict[str, Any], phase: Phase) -> None:
    assert MigrationState.of(name, progress).phase is phase


@pytest.mark.parametrize(
    ("progress", "phase"),
    [
        (flags(), Phase.QUEUED),
        (flags(isTransfer=1), Phase.BASE_SYNC),
        (flags(isTransfer=1, isTransferProgress=1), Phase.BASE_SYNC),
        (flags(isVMotionBaseSyncInProgress=True), Phase.BASE_SYNC),
        (flags(isTransfer=1, isTransferParked=1), Phase.DELTA_SYNC),
        (flags(isTransfer=1, isTransferCompleted=1), Phase.DELTA_SYNC),
        (flags(isTransferCompleted=1, isWaitingForMaintWindow=1), Phase.WAITING_FOR_WINDOW),
        (flags(isSwitchover=1, isWaitingForMaintWindow=1), Phase.WAITING_FOR_WINDOW),
        (flags(isSwitchover=1), Phase.SWITCHOVER),
        (flags(isSwitchover=1, isSwitchoverStarted=1, isWaitingForMaintWindow=1), Phase.SWITCHOVER),
        (flags(isSwitchover=1, isSwitchoverProgress=1), Phase.SWITCHOVER),
        (flags(isSwitchoverCompleted=1), Phase.SWITCHOVER),
        ({"switchover": {"waitingCount": 1}}, Phase.WAITING_FOR_WINDOW),
        ({"transfer": {"progressCount": 1}}, Phase.BASE_SYNC),
        ({"transfer": {"completedCount": 1}}, Phase.DELTA_SYNC),
    ],
)
def test_phases_follow_the_flags(progress: dict[str, Any], phase: Phase) -> None:
    state = MigrationState.of("ANY_NAME", progress)
    assert (state.phase, state.is_terminal) == (phase, False)


def test_draft_is_a_phase() -> None:
    assert MigrationState.of("DRAFT", {}).phase is Phase.DRAFT


@pytest.mark.parametrize(
    ("progress", "version", "percent"),
    [
        ({"total": {"value": 200, "bytesTransferred": 50}, "percentComplete": 7}, 2, 25.0),
        ({"total": {"value": 200, "bytesTransferred": 50}, "percentComplete": 7}, "2.1", 25.0),
        ({"total": {"value": 200, "bytesTransferred": 50}, "percentComplete": 7}, 1, 7.0),
        ({"total": {"value": 0, "bytesTransferred": 0}, "percentComplete": 7}, 2, 7.0),
        ({"total": {"value": 200, "bytesTransferred": 50}}, None, 25.0),
        ({"total": {"value": 100, "bytesTransferred": 130}}, 2, 100.0),
        ({"percentComplete": "42"}, 1, 42.0),
        ({"percentComplete": "lots", "total": "much"}, 1, None),
        ({}, 2, None),
        ({"isDone": True}, 2, 100.0),
    ],
)
def test_percent_of_both_workflow_versions(progress: dict[str, Any], version: object, percent: float | None) -> None:
    assert MigrationState.of("X", progress, workflow_version=version).percent == percent


def test_message_prefers_the_error() -> None:
    progress = {"message": "going", "error": {"message": "broke"}, "state": {"errorMessage": "disk full"}}
    assert MigrationState.of("X", progress).message == "disk full"
    assert MigrationState.of("X", {"message": "going"}).message == "going"


def test_reschedule_flag_of_either_level() -> None:
    assert MigrationState.of("X", {"isRescheduleAllowed": True}).reschedule_allowed
    assert MigrationState.of("X", {"state": {"isRescheduleAllowed": 1}}).reschedule_allowed
    assert not MigrationState.of("X", {}).reschedule_allowed


GEN1 = {
    "migrationId": "m-1",
    "migrationInfo": {
        "entityDetails": {"entityName": "app01"},
        "message": "Relocating",
        "progressDetails": {"state": "DESTINATION_SIDE_START_RELOCATE", "progressPercentage": 30},
    },
    "jobInfo": {"state": "MIGRATING", "username": "admin", "creationDate": 1767290400000},
}


def test_gen_1_item_is_read_and_its_step_tells_the_phase() -> None:
    migration = Migration.of_wire(GEN1)
    assert (migration.migration_id, migration.entity_name, migration.entity_id) == ("m-1", "app01", None)
    assert (migration.state.name, migration.state.phase, migration.state.percent) == ("MIGRATING", Phase.SWITCHOVER, 30)
    assert migration.created_at == datetime(2026, 1, 1, 18, 0, tzinfo=UTC)


def test_gen_1_step_never_ends_a_migration_whose_job_runs() -> None:
    info = {**GEN1["migrationInfo"], "progressDetails": {"state": "COMPLETED"}}  # type: ignore[dict-item]
    assert not Migration.of_wire({**GEN1, "migrationInfo": info}).state.is_terminal
    assert Migration.of_wire({"migrationId": "m", "migrationInfo": info}).state.is_success


@pytest.mark.parametrize(
    ("body", "terminal", "success"),
    [
        ({"isDone": True}, True, True),
        ({"isDone": True, "didFail": True}, True, False),
        ({"isDone": False, "didFail": True}, True, False),
        ({"isCancelled": True}, True, False),
        ({"isDone": True, "isRolledBack": True}, True, False),
        ({"percentComplete": 50}, False, False),
        ({}, False, False),
    ],
)
def test_job_is_over_when_it_failed_with_or_without_is_done(
    body: dict[str, Any], terminal: bool, success: bool
) -> None:
    flags = dict.fromkeys(("isDone", "didFail"), False)
    job = Job.model_validate({"jobId": "j", **flags, **body})
    assert (job.is_terminal, job.is_success) == (terminal, success)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (1767290400000, datetime(2026, 1, 1, 18, 0, tzinfo=UTC)),
        ("1767290400000", datetime(2026, 1, 1, 18, 0, tzinfo=UTC)),
        (1767290400000.0, datetime(2026, 1, 1, 18, 0, tzinfo=UTC)),
        ("2026-01-01T18:00:00+00:00", datetime(2026, 1, 1, 18, 0, tzinfo=UTC)),
        ("2026-01-01T18:00:00", datetime(2026, 1, 1, 18, 0, tzinfo=UTC)),
        (0, None),
        (None, None),
        ("", None),
        ("Yesterday", None),
        (True, None),
        (10**20, None),
    ],
)
def test_times_are_milliseconds_or_date_texts(value: object, moment: datetime | None) -> None:
    assert instant_of(value) == moment


def test_times_are_written_as_milliseconds_and_need_a_zone() -> None:
    assert milliseconds_of(datetime(2026, 1, 1, 18, 0, tzinfo=UTC)) == 1767290400000
    assert milliseconds_of(None) == 0
    with pytest.raises(ValueError, match="a time without zone"):
        milliseconds_of(datetime(2026, 1, 1))
