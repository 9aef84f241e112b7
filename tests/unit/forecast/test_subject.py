"""What is forecast of a wave file, with a snapshot, with a plan, and with neither."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hcx_snapshot import load_snapshot
from hcx_snapshot.model import DiskPart, MeshPart, NicPart, Snapshot, UplinkPart
from hcx_waves.forecast import ModelParameters, subject_of
from hcx_waves.model.choices import Disconnect, MigrationType
from hcx_waves.wavefile.clock import ClockError
from support.waves import seed_wave, shipped

SAMPLE = Path(__file__).parents[2] / "contract" / "snapshot" / "seed.json"
AT = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
GIB = 1024**3


def sample(**vm: Any) -> Snapshot:
    """Return the seed's snapshot with ``web01`` changed."""
    snapshot = load_snapshot(SAMPLE)
    vms = [one.model_copy(update=vm) if one.name == "web01" else one for one in snapshot.source.vms]
    return snapshot.model_copy(update={"source": snapshot.source.model_copy(update={"vms": tuple(vms)})})


def with_meshes(snapshot: Snapshot, *meshes: MeshPart) -> Snapshot:
    return snapshot.model_copy(update={"hcx": snapshot.hcx.model_copy(update={"meshes": meshes})})


def test_a_snapshot_tells_sizes_segments_and_meshes() -> None:
    subject = subject_of(seed_wave(), sample(change_bytes_per_second=125_000.0), ModelParameters(), starts_at=AT)
    web01 = next(vm for vm in subject.vms if vm.name == "web01")
    assert (web01.disk_bytes, web01.memory_bytes, web01.change_bytes_per_second) == (8 * GIB, 4 * GIB, 125_000)
    assert (web01.mesh, web01.segments, web01.migration) == ("seed-mesh", ("seed-net",), MigrationType.RAV)
    assert [one.name for one in subject.segments] == ["seed-net"]
    assert subject.segments[0].window is not None
    assert subject.segments[0].window.opens == AT
    assert subject.poll_seconds == 30
    assert subject.notes == (
        "3 of 4 VMs have no known change rate: 2 Mbit/s is assumed",
        "HCX measures no bandwidth of seed-mesh: 1000 Mbit/s is assumed",
    )


def test_of_measured_bandwidths_the_least_is_used_as_twins_do() -> None:
    uplinks = (
        UplinkPart(name="a", upload_kbps=400_000.0, download_kbps=300_000.0),
        UplinkPart(name="b", upload_kbps=900_000.0),
        UplinkPart(name="c"),
    )
    mesh = MeshPart(mesh_id="m", name="seed-mesh", services=("RAV",), uplinks=uplinks)
    subject = subject_of(seed_wave(), with_meshes(sample(), mesh), ModelParameters(), starts_at=AT)
    assert subject.link_of("seed-mesh") == 300e6
    assert not any("bandwidth" in note for note in subject.notes)


def test_hcx_is_taken_to_spread_vms_over_the_meshes_that_can_move_them() -> None:
    meshes = [MeshPart(mesh_id=name, name=name, services=(service,)) for name, service in (
        ("one", "RAV"), ("two", "RAV"), ("three", "VMOTION"),
    )]  # fmt: skip
    subject = subject_of(seed_wave(), with_meshes(sample(), *meshes), ModelParameters(), starts_at=AT)
    assert sorted(vm.mesh for vm in subject.vms) == ["one", "one", "two", "two"]
    assert "4 of 4 VMs name no service mesh: HCX chooses one, here the mesh with the fewest VMs" in subject.notes


def test_a_vm_that_is_powered_off_moves_cold() -> None:
    subject = subject_of(seed_wave(), sample(power="poweredOff"), ModelParameters(), starts_at=AT)
    assert {vm.name for vm in subject.vms if vm.migration is MigrationType.COLD} == {"web01"}


@pytest.mark.parametrize(("vm", "size", "note"), [
    ({"disks": (), "committed_bytes": 5 * GIB}, 5 * GIB, None),
    ({"disks": (), "committed_bytes": None}, 100e9, "1 of 4 VMs have no known size: 93.1 GiB is assumed for each"),
    ({"name": "renamed"}, 100e9, "1 of 4 VMs are not in the snapshot"),
    ({"disks": (DiskPart(key=1, label="d", capacity_bytes=9 * GIB, used_bytes=3 * GIB),) * 2}, 6 * GIB, None),
])  # fmt: skip
def test_what_a_snapshot_does_not_tell_is_assumed_and_said(vm: dict[str, Any], size: float, note: str | None) -> None:
    subject = subject_of(seed_wave(), sample(**vm), ModelParameters(), starts_at=AT)
    assert next(one.disk_bytes for one in subject.vms if one.name == "web01") == size
    assert note is None or note in subject.notes


def test_without_a_snapshot_everything_is_assumed() -> None:
    subject = subject_of(seed_wave(), None, ModelParameters(), starts_at=AT)
    assert {(vm.disk_bytes, vm.mesh, vm.segments) for vm in subject.vms} == {(100e9, "mesh", ("seed-net",))}
    assert subject.notes == (
        "4 of 4 VMs have no known change rate: 2 Mbit/s is assumed",
        "4 of 4 VMs have no known size: 93.1 GiB is assumed for each",
    )


def test_a_nic_in_another_network_blocks_nothing() -> None:
    elsewhere = (NicPart(key=1, label="n", card="vmxnet3", mac="00:50:56:00:00:01", network="dvportgroup-10"),)
    subject = subject_of(seed_wave(), sample(nics=elsewhere), ModelParameters(), starts_at=AT)
    assert next(vm.segments for vm in subject.vms if vm.name == "web01") == ()


def test_orders_gates_and_means_of_disconnect_come_from_the_file() -> None:
    wave = shipped("three-tier-2")
    subject = subject_of(wave, None, ModelParameters(), starts_at=AT)
    assert subject.switchover_order == ("db01", "db02")
    assert subject.asks_switchover
    assert subject.holds_switchovers
    assert {one.name: one.disconnect for one in subject.segments} == {"db": Disconnect.NSX, "shared": Disconnect.NSX}
    assert {vm.mesh for vm in subject.vms} == {"mesh-1"}
    assert subject.switchover is not None
    # 22:00 in Berlin, the first at or after the start.
    assert subject.switchover.opens == datetime(2026, 3, 2, 21, 0, tzinfo=UTC)


@pytest.mark.parametrize(("zone", "night", "opens", "hours"), [
    ("Europe/Berlin", date(2026, 10, 24), datetime(2026, 10, 24, 20, 0, tzinfo=UTC), 7),
    ("Europe/Berlin", date(2026, 10, 25), datetime(2026, 10, 25, 21, 0, tzinfo=UTC), 6),
    ("America/New_York", date(2026, 10, 31), datetime(2026, 11, 1, 2, 0, tzinfo=UTC), 7),
    ("Asia/Tokyo", date(2026, 10, 24), datetime(2026, 10, 24, 13, 0, tzinfo=UTC), 6),
])  # fmt: skip
def test_another_night_has_its_own_clock(zone: str, night: date, opens: datetime, hours: int) -> None:
    wave = shipped("three-tier-1").model_copy(update={"time_zone": zone})
    subject = subject_of(wave, None, ModelParameters(), night=night)
    assert subject.switchover is not None
    assert subject.switchover.opens == opens
    assert subject.switchover.length == timedelta(hours=hours)


def test_a_wave_that_is_started_by_hand_needs_a_start() -> None:
    with pytest.raises(ClockError, match="no start is given"):
        subject_of(seed_wave(), None, ModelParameters())


def test_a_wave_that_stops_before_the_cutover_cuts_nothing_over() -> None:
    wave = seed_wave(options={"stop_before_cutover": True})
    assert subject_of(wave, None, ModelParameters(), starts_at=AT).segments == ()
