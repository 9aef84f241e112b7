"""When a wave will be through, with the queue of switchovers; and what the looks at it leave behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hcx_waves.migration.course import CourseKeeper, joined
from hcx_waves.migration.eta import Eta, EtaKeeper
from hcx_waves.migration.status import VmPhase, VmStatus, WaveStatus
from hcx_waves.model.expectation import ExpectedVm

NOW = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
GIB = 2**30


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def vm(name: str, phase: VmPhase, *, done: float | None = None, total: float | None = None, **more: Any) -> VmStatus:
    """Return a status; bytes are in GiB."""
    sizes = {"bytes_done": done, "bytes_total": total}
    return VmStatus(
        name=name, vm_id=f"vm-{name}", migration_id=name, group_id="g", phase=phase,
        **{key: None if value is None else int(value * GIB) for key, value in sizes.items()},
        **{"service_mesh_id": "mesh-1", **more},
    )  # fmt: skip


def expected(*names: str, **more: Any) -> dict[str, ExpectedVm]:
    """Return what takes two minutes each and syncs 1 GiB a minute."""
    facts = {"switchover_seconds": 120, "bytes_per_second": GIB / 60, "bytes_total": 10 * GIB, **more}
    return {name: ExpectedVm(name=name, **facts) for name in names}


def estimate(keeper: EtaKeeper, minutes: float, *vms: VmStatus) -> Eta:
    eta = keeper.estimate(WaveStatus(at=at(minutes), vms=vms))
    assert eta is not None
    return eta


def test_switchovers_of_a_mesh_stand_in_line_and_those_of_another_do_not() -> None:
    keeper = EtaKeeper(expected("a", "b", "c", "d"))
    waiting = [vm(name, VmPhase.WAITING_FOR_TURN) for name in "abc"]
    eta = estimate(keeper, 0, *waiting, vm("d", VmPhase.WAITING_FOR_TURN, service_mesh_id="mesh-2"))
    assert (eta.ends_at, eta.queued) == (at(6), 4)


def test_bulk_does_not_stand_in_line_and_vmotion_does_across_meshes() -> None:
    bulk = EtaKeeper(expected("a", "b", stands_in_line=False))
    meshes = [vm("a", VmPhase.WAITING_FOR_TURN), vm("b", VmPhase.WAITING_FOR_TURN, service_mesh_id="mesh-2")]
    assert estimate(bulk, 0, *meshes).ends_at == at(2)
    vmotion = EtaKeeper(expected("a", "b", lane="vMotion", bytes_per_second=None))
    queued = [vm("a", VmPhase.QUEUED), vm("b", VmPhase.QUEUED, service_mesh_id="mesh-2")]
    assert estimate(vmotion, 0, *queued).ends_at == at(4)


def test_the_queue_begins_with_the_window_and_with_the_last_bytes() -> None:
    keeper = EtaKeeper(expected("a", "b"))
    window = {"window_opens": at(60), "window_closes": at(90)}
    seeded = [vm(name, VmPhase.WAITING_FOR_WINDOW, **window) for name in "ab"]
    assert estimate(keeper, 0, *seeded).ends_at == at(64)
    syncing = vm("b", VmPhase.BASE_SYNC, done=2, total=82, **window)
    eta = estimate(keeper, 0, seeded[0], syncing)
    assert (eta.replicated_at, eta.ends_at) == (at(80), at(82))


def test_the_rate_that_is_seen_takes_the_place_of_the_one_that_was_expected() -> None:
    keeper = EtaKeeper(expected("a"))
    assert estimate(keeper, 0, vm("a", VmPhase.BASE_SYNC, done=0, total=20)).replicated_at == at(20)
    assert estimate(keeper, 10, vm("a", VmPhase.BASE_SYNC, done=5, total=20)).replicated_at == at(40)


def test_a_switchover_under_way_counts_from_when_it_was_first_seen() -> None:
    keeper = EtaKeeper(expected("a", "b"))
    estimate(keeper, 0, vm("a", VmPhase.SWITCHOVER), vm("b", VmPhase.WAITING_FOR_TURN))
    eta = estimate(keeper, 1.5, vm("a", VmPhase.SWITCHOVER), vm("b", VmPhase.WAITING_FOR_TURN))
    assert (eta.ends_at, eta.queued) == (at(4), 1)
    assert estimate(keeper, 5, vm("a", VmPhase.SWITCHOVER), vm("b", VmPhase.DONE)).ends_at == at(5)


def test_whoever_does_not_get_a_turn_before_the_window_closes_is_named() -> None:
    keeper = EtaKeeper(expected(*"abcd"))
    window = {"window_opens": at(0), "window_closes": at(5)}
    eta = estimate(keeper, 0, *(vm(name, VmPhase.WAITING_FOR_TURN, **window) for name in "abcd"))
    assert (eta.late, eta.ends_at) == (("d",), at(6))
    assert str(eta) == ("done by 2026-03-01 22:06 UTC with 4 switchovers to come; the window closes too early for 1: d")


def test_the_order_of_the_wave_goes_first() -> None:
    window = {"window_opens": at(0), "window_closes": at(1)}
    keeper = EtaKeeper(expected("a", "b"), order=("b",))
    eta = estimate(keeper, 0, *(vm(name, VmPhase.WAITING_FOR_TURN, **window) for name in "ab"))
    assert eta.late == ("a",)


def test_nothing_is_said_while_nothing_can_be_known_or_all_is_over() -> None:
    unknown = EtaKeeper({**expected("a"), **expected("b", bytes_total=None)})
    assert unknown.estimate(WaveStatus(at=NOW, vms=(vm("b", VmPhase.QUEUED),))) is None
    assert EtaKeeper({}).estimate(WaveStatus(at=NOW, vms=(vm("a", VmPhase.WAITING_FOR_TURN),))) is None
    assert EtaKeeper(expected("a")).estimate(WaveStatus(at=NOW, vms=(vm("a", VmPhase.DONE),))) is None


def test_while_switchovers_are_held_back_only_the_replication_is_estimated() -> None:
    keeper = EtaKeeper(expected("a", "b"), only_replication=True)
    far = {"window_opens": at(60 * 24 * 30)}
    eta = estimate(keeper, 0, vm("a", VmPhase.WAITING_FOR_WINDOW, **far), vm("b", VmPhase.BASE_SYNC, done=0, total=30))
    assert (eta.ends_at, str(eta)) == (at(30), "replicated by 2026-03-01 22:30 UTC")


def test_a_vm_that_was_not_forecast_takes_as_long_as_the_others() -> None:
    keeper = EtaKeeper(expected("a"))
    assert estimate(keeper, 0, vm("z", VmPhase.WAITING_FOR_TURN)).ends_at == at(2)


def test_only_what_is_notable_is_said_again() -> None:
    keeper = EtaKeeper(expected("a", bytes_total=100 * GIB))
    looks = [(0, 0), (10, 10), (20, 20.4), (30, 30), (40, 34), (50, 38)]
    said = []
    for minutes, done in looks:
        status = WaveStatus(at=at(minutes), vms=(vm("a", VmPhase.BASE_SYNC, done=done, total=100),))
        said.append(keeper.news(status) is not None)
    assert said == [True, False, False, False, True, False]


def test_a_course_bounds_each_phase_by_two_looks() -> None:
    keeper = CourseKeeper()
    looks = [
        (0, VmPhase.QUEUED, None), (1, VmPhase.BASE_SYNC, 10), (2, VmPhase.BASE_SYNC, 10),
        (3, VmPhase.WAITING_FOR_WINDOW, 12), (4, VmPhase.SWITCHOVER, 12), (5, VmPhase.DONE, 12),
    ]  # fmt: skip
    for minutes, phase, total in looks:
        keeper.see(WaveStatus(at=at(minutes), vms=(vm("a", phase, done=0, total=total),)))
    (course,) = joined([keeper.courses.values()])
    assert [one.phase.value for one in course.phases] == [
        "queued", "base_sync", "waiting_for_window", "switchover", "done",
    ]  # fmt: skip
    assert course.phases[0].entered_at is None
    assert course.entered(VmPhase.BASE_SYNC) == at(0.5)
    assert course.transfer_ended_at == at(2.5)
    assert course.entered(VmPhase.SWITCHOVER) == at(3.5)
    assert (course.base_bytes, course.last_bytes) == (10 * GIB, 12 * GIB)


def test_what_two_tasks_have_seen_is_one_course() -> None:
    first, second = CourseKeeper(), CourseKeeper()
    for minutes, phase in ((0, VmPhase.BASE_SYNC), (1, VmPhase.WAITING_FOR_WINDOW)):
        first.see(WaveStatus(at=at(minutes), vms=(vm("a", phase, done=0, total=10),)))
    for minutes, phase in ((9, VmPhase.WAITING_FOR_WINDOW), (10, VmPhase.SWITCHOVER), (11, VmPhase.DONE)):
        second.see(WaveStatus(at=at(minutes), vms=(vm("a", phase, total=11),)))
    (course,) = joined([first.courses.values(), second.courses.values()])
    assert [one.phase.value for one in course.phases] == ["base_sync", "waiting_for_window", "switchover", "done"]
    assert course.transfer_ended_at == at(0.5)
    assert course.entered(VmPhase.SWITCHOVER) == at(9.5)
    assert (course.base_bytes, course.last_bytes) == (10 * GIB, 11 * GIB)


def test_a_base_sync_that_ended_badly_has_no_end() -> None:
    keeper = CourseKeeper()
    for minutes, phase in ((0, VmPhase.QUEUED), (1, VmPhase.BASE_SYNC), (2, VmPhase.FAILED)):
        keeper.see(WaveStatus(at=at(minutes), vms=(vm("a", phase),)))
    (course,) = joined([keeper.courses.values()])
    assert course.transfer_ended_at is None
    assert course.entered(VmPhase.FAILED) == at(1.5)
