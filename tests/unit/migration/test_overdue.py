"""Switchovers that last longer than forecast, and how far a wave is in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hcx_waves.migration.overdue import SwitchoverKeeper
from hcx_waves.migration.status import VmPhase, VmStatus, WaveStatus
from hcx_waves.model.expectation import ExpectedVm

ZERO = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
EXPECTED = {"app01": ExpectedVm(name="app01", switchover_seconds=60, switchover_p99_seconds=300)}


def vm(name: str, phase: VmPhase, **others: object) -> VmStatus:
    facts = {"vm_id": f"vm-{name}", "migration_id": f"mig-{name}", "group_id": "g", "service_mesh_id": "mesh", **others}
    return VmStatus.model_validate({"name": name, "phase": phase, **facts})


def status(minutes: float, *vms: VmStatus) -> WaveStatus:
    return WaveStatus(at=ZERO + timedelta(minutes=minutes), vms=vms)


def said(keeper: SwitchoverKeeper, minutes: float, phase: VmPhase = VmPhase.SWITCHOVER) -> list[str]:
    behind = (vm("db01", VmPhase.WAITING_FOR_TURN), vm("web02", VmPhase.WAITING_FOR_TURN))
    return list(keeper.warnings(status(minutes, vm("app01", phase), *behind)))


def test_a_switchover_past_the_forecast_is_named_with_how_long_it_has_lasted() -> None:
    keeper = SwitchoverKeeper(EXPECTED)
    assert said(keeper, 0) == said(keeper, 5) == []
    [warning] = said(keeper, 6)
    assert warning == (
        "app01 has been in its switchover for at least 6m; in 99 of 100 forecast nights it takes at most 5m; 2 VMs "
        "behind it cannot move. Look at migration mig-app01 in HCX, and at the VM in both vCenters"
    )


def test_it_is_said_again_when_it_has_lasted_twice_as_long() -> None:
    keeper = SwitchoverKeeper(EXPECTED)
    times = [minutes for minutes in range(121) if said(keeper, minutes)]
    assert times == [6, 13, 27, 55, 111]


def test_another_try_begins_anew() -> None:
    keeper = SwitchoverKeeper(EXPECTED)
    said(keeper, 0)
    said(keeper, 4, VmPhase.DELTA_SYNC)
    assert said(keeper, 6) == []


def test_without_a_forecast_half_an_hour_is_long() -> None:
    keeper = SwitchoverKeeper()
    assert said(keeper, 0) == said(keeper, 30) == []
    assert "there is no forecast of it" in said(keeper, 31)[0]


def test_how_far_a_wave_is_names_who_has_not_moved() -> None:
    found = status(
        0, vm("db01", VmPhase.DONE), vm("web01", VmPhase.DONE), vm("app01", VmPhase.FAILED),
        vm("web02", VmPhase.CANCELLED),
    )  # fmt: skip
    assert found.summary == "2 of 4 moved, 1 failed (app01), 1 cancelled (web02)"


def test_a_percentage_is_of_what_is_named() -> None:
    half = {"bytes_done": 50, "bytes_total": 100}
    found = status(0, vm("a", VmPhase.DONE), vm("b", VmPhase.BASE_SYNC, **half), vm("c", VmPhase.BASE_SYNC, **half))
    assert found.summary == "1 of 3 moved, 2 replicating (50 % of their data)"
    unknown = status(0, vm("a", VmPhase.SWITCHOVER), vm("b", VmPhase.BASE_SYNC, bytes_done=50))
    assert unknown.summary == "0 of 2 moved, 1 in switchover (a), 1 replicating"


def test_every_phase_has_words() -> None:
    for phase in VmPhase:
        text = status(0, vm("a", phase)).summary
        assert "_" not in text
        assert text in ("1 of 1 moved",) or text.startswith("0 of 1 moved, 1 "), phase
