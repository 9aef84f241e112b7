"""The mapping of HCX's answers to a wave's status, word by word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hcx_waves.clients.hcx import Migration
from hcx_waves.migration.start import StartedVm, StartedWave
from hcx_waves.migration.status import VmPhase, WaveStatus, wave_status
from hcx_waves.migration.switchover import next_release
from hcx_waves.model.states import VmOutcome

NOW = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)


def ms(moment: datetime | None) -> int:
    return 0 if moment is None else int(moment.timestamp() * 1000)


def started(*names: str, **refused: tuple[str, ...]) -> StartedWave:
    vms = tuple(
        StartedVm(name=n, vm_id=f"vm-{n}", migration_id=f"m-{n}", group_id="g", refused=refused.get(n, ()))
        for n in names
    )
    return StartedWave(group_id="g", group_name="wave-1", vms=vms)


def migration(
    name: str,
    state: str = "SOMETHING",
    *,
    flags: dict[str, Any] | None = None,
    progress: dict[str, Any] | None = None,
    window: tuple[datetime | None, datetime | None] = (None, None),
    attempt: int = 1,
    mesh: str = "mesh-1",
) -> Migration:
    return Migration.of_wire(
        {
            "migrationId": f"m-{name}" if attempt == 1 else f"m-{name}-{attempt}",
            "migrationGroupId": "g",
            "state": state,
            "servicemeshId": mesh,
            "creationDate": ms(NOW) - 10_000_000 + attempt,
            "entity": {"entityId": f"vm-{name}", "entityName": name},
            "switchoverParams": {"schedule": {"startTime": ms(window[0]), "expiryTime": ms(window[1])}},
            "progress": {**(progress or {}), "state": flags or {}},
        }
    )


def status(*migrations: Migration, now: datetime = NOW) -> WaveStatus:
    names = list(dict.fromkeys(one.entity_name or "" for one in migrations))
    return wave_status(migrations, started(*names), now)


WAITING = {"isTransfer": 1, "isTransferCompleted": 1, "isWaitingForMaintWindow": 1}


@pytest.mark.parametrize(
    ("state", "flags", "progress", "phase", "outcome"),
    [
        ("MIGRATION_COMPLETE", {}, {"isDone": True}, VmPhase.DONE, VmOutcome.MIGRATED),
        ("MIGRATION_FAILED", {}, {"isDone": True, "didFail": True}, VmPhase.FAILED, VmOutcome.FAILED),
        ("TRANSFER_FAILED", {}, {}, VmPhase.FAILED, VmOutcome.FAILED),
        ("MIGRATION_CANCELLED", {}, {"isDone": True}, VmPhase.CANCELLED, VmOutcome.CANCELLED),
        ("MIGRATE_CANCELED", {}, {}, VmPhase.CANCELLED, VmOutcome.CANCELLED),
        ("X", {"isTransfer": 1, "isTransferProgress": 1}, {}, VmPhase.BASE_SYNC, VmOutcome.MIGRATING),
        ("X", {"isTransfer": 1, "isTransferCompleted": 1}, {}, VmPhase.DELTA_SYNC, VmOutcome.MIGRATING),
        ("X", WAITING, {}, VmPhase.WAITING_FOR_WINDOW, VmOutcome.MIGRATING),
        ("X", {"isSwitchoverStarted": 1}, {}, VmPhase.SWITCHOVER, VmOutcome.MIGRATING),
        ("X", {"isTransfer": 0}, {}, VmPhase.QUEUED, VmOutcome.MIGRATING),
        ("DRAFT", {}, {}, VmPhase.DRAFT, VmOutcome.MIGRATING),
        ("NEVER_HEARD_OF", {}, {}, VmPhase.RUNNING, VmOutcome.MIGRATING),
        ("", {}, {}, VmPhase.RUNNING, VmOutcome.MIGRATING),
        ("SUCCESSFULLY_DOING", {}, {"didFail": False}, VmPhase.RUNNING, VmOutcome.MIGRATING),
    ],
)
def test_words_and_flags(
    state: str, flags: dict[str, int], progress: dict[str, Any], phase: VmPhase, outcome: VmOutcome
) -> None:
    vm = status(migration("a", state, flags=flags, progress=progress)).vm("a")
    assert (vm.phase, vm.outcome) == (phase, outcome)
    assert vm.is_terminal is outcome.is_final


def test_unknown_state_is_running_and_said_once() -> None:
    seen = status(migration("a", "NEVER_HEARD_OF"))
    [note] = seen.notes()
    assert note == 'HCX reports "NEVER_HEARD_OF" for a, which is unknown; it is treated as running'
    assert seen.notes(said=[note]) == ()
    assert not seen.is_terminal


def test_counts_percent_and_bytes() -> None:
    total = {"total": {"value": 400, "bytesTransferred": 100}, "percentComplete": 25}
    seen = status(
        migration("a", "MIGRATION_COMPLETE", progress={"isDone": True}),
        migration("b", flags={"isTransfer": 1, "isTransferProgress": 1}, progress=total),
    )
    assert seen.counts == {"done": 1, "base_sync": 1}
    assert seen.percent == pytest.approx(62.5)
    assert (seen.vm("b").bytes_done, seen.vm("b").bytes_total) == (100, 400)
    assert (seen.migrated, seen.unfinished) == (("a",), ("b",))
    with pytest.raises(KeyError, match='no status of "z"'):
        seen.vm("z")
    assert WaveStatus.model_validate_json(seen.model_dump_json()) == seen


def test_vm_that_is_not_listed_has_not_ended() -> None:
    seen = wave_status([], started("a"), NOW)
    assert seen.vm("a").phase is VmPhase.NOT_LISTED
    assert not seen.is_terminal
    assert "may have been archived" in seen.notes()[0]


def test_refused_vm_has_ended() -> None:
    seen = wave_status([migration("a", "DRAFT")], started("a", a=("no room",)), NOW)
    assert (seen.vm("a").phase, seen.vm("a").message) == (VmPhase.REFUSED, "no room")
    assert seen.vm("a").outcome is VmOutcome.FAILED
    assert seen.is_terminal


def test_newest_attempt_counts() -> None:
    failed = migration("a", "MIGRATION_FAILED", progress={"isDone": True, "didFail": True})
    again = migration("a", flags={"isTransfer": 1, "isTransferProgress": 1}, attempt=2)
    for order in ([failed, again], [again, failed]):
        vm = wave_status(order, started("a"), NOW).vm("a")
        assert (vm.migration_id, vm.phase) == ("m-a-2", VmPhase.BASE_SYNC)


def test_first_generation_answer_is_matched_by_migration_id() -> None:
    info = {"entityDetails": {"entityName": "a"}}
    old = Migration.of_wire({"migrationId": "m-a", "migrationInfo": info, "jobInfo": {"state": "MIGRATED"}})
    assert wave_status([old], started("a"), NOW).vm("a").phase is VmPhase.DONE


HOUR = timedelta(hours=1)
OPEN = (NOW - HOUR, NOW + HOUR)


def test_window_that_is_not_open_is_no_stall() -> None:
    vm = status(migration("a", flags=WAITING, window=(NOW + HOUR, NOW + 2 * HOUR))).vm("a")
    assert (vm.stalled, vm.missed_window) == (False, False)


def test_window_that_has_closed_is_missed() -> None:
    seen = status(migration("a", flags=WAITING, window=(NOW - 2 * HOUR, NOW - HOUR)))
    assert seen.vm("a").missed_window
    assert seen.is_stuck
    assert seen.notes() == ("a missed its switchover window and waits for a new one: reschedule it in HCX",)


def test_open_window_without_any_movement_is_a_stall() -> None:
    seen = status(migration("a", flags=WAITING, window=OPEN), migration("b", flags={"isTransferProgress": 1}))
    assert seen.vm("a").stalled
    assert not seen.is_stuck
    assert "KB 321654" in seen.notes()[0]
    early = (NOW - timedelta(minutes=2), NOW + HOUR)
    assert not status(migration("a", flags=WAITING, window=early)).vm("a").stalled


@pytest.mark.parametrize(
    "other",
    [
        {"flags": {"isSwitchoverStarted": 1}},
        {"flags": {**WAITING, "isWaitingForMaintWindow": 0, "isSwitchoverParked": 1},
         "progress": {"switchover": {"waiting": 7}}},
        {"state": "MIGRATION_COMPLETE", "progress": {"isDone": True, "endTime": ms(NOW - timedelta(minutes=3))}},
    ],
    ids=["switching", "waiting for its turn", "just done"],
)  # fmt: skip
def test_movement_on_the_same_mesh_is_no_stall(other: dict[str, Any]) -> None:
    moving = migration("b", **other)
    assert not status(migration("a", flags=WAITING, window=OPEN), moving).vm("a").stalled
    elsewhere = migration("b", **other, mesh="mesh-2")
    assert status(migration("a", flags=WAITING, window=OPEN), elsewhere).vm("a").stalled


def test_order_goes_on_only_behind_what_has_moved() -> None:
    done = {"state": "MIGRATION_COMPLETE", "progress": {"isDone": True}}
    failed = {"state": "MIGRATION_FAILED", "progress": {"isDone": True, "didFail": True}}

    def due(first: dict[str, Any], released: list[str], **more: Any) -> tuple[tuple[str, ...], str | None, str | None]:
        seen = status(migration("a", **first), migration("b", flags=WAITING), migration("c", flags=WAITING))
        step = next_release(seen, ["a", "b"], released, **more)
        return step.names, step.waiting_for, step.stopped_by

    assert due({"flags": WAITING}, []) == (("a",), None, None)
    assert due({"flags": WAITING}, ["a"]) == ((), "a", None)
    assert due({"flags": {"isSwitchoverStarted": 1}}, ["a"]) == ((), "a", None)
    assert due(done, ["a"]) == (("b",), None, None)
    assert due(failed, ["a"]) == ((), None, "a")
    assert due(failed, ["a"], stop_on_failure=False) == (("b",), None, None)
    gone = next_release(status(migration("a", **done), migration("b", **done)), ["a", "b"], ["a", "b"])
    assert gone.is_over
