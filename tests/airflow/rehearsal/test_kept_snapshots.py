"""Snapshots on disk: which is fresh, how many are kept, and that of nights that begin together one reads the site."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hcx_airflow.rehearsal.snapshots import (
    MOST_SNAPSHOTS,
    forget_old,
    fresh_snapshot,
    one_at_a_time,
    snapshot_path,
    snapshots_folder,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


WAVE = "266095b932bedffe39294f9749be3c90"


def keep(folder: Path, *hours_ago: float, wave: str = WAVE) -> list[Path]:
    paths = [snapshot_path(folder, NOW - hours * HOUR, wave) for hours in hours_ago]
    for path in paths:
        path.write_bytes(b"")
    return paths


def test_the_latest_is_taken_while_it_is_fresh(tmp_path: Path) -> None:
    assert fresh_snapshot(tmp_path, NOW, 12 * HOUR, WAVE) is None
    latest, *_ = keep(tmp_path, 11, 13, 40)
    assert fresh_snapshot(tmp_path, NOW, 12 * HOUR, WAVE) == latest
    assert fresh_snapshot(tmp_path, NOW, 11 * HOUR, WAVE) == latest, "that old is not older"
    assert fresh_snapshot(tmp_path, NOW, 10 * HOUR, WAVE) is None
    assert fresh_snapshot(tmp_path, NOW, timedelta(), WAVE) is None


def test_one_that_was_taken_for_another_version_of_the_wave_may_lack_what_it_needs(tmp_path: Path) -> None:
    keep(tmp_path, 1, wave="0" * 32)
    assert fresh_snapshot(tmp_path, NOW, 12 * HOUR, WAVE) is None
    (ours,) = keep(tmp_path, 2)
    assert fresh_snapshot(tmp_path, NOW, 12 * HOUR, WAVE) == ours


def test_other_files_are_nobodys_snapshots(tmp_path: Path) -> None:
    taken = "20261123T110000.000000Z"
    for name in (f".{taken}-266095b932be.json.gz.part", "mine.json.gz", f"{taken}.json.gz"):
        (tmp_path / name).write_bytes(b"")
    assert fresh_snapshot(tmp_path, NOW, 12 * HOUR, WAVE) is None
    forget_old(tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_the_oldest_go_first(tmp_path: Path) -> None:
    paths = keep(tmp_path, *range(MOST_SNAPSHOTS + 3))
    forget_old(tmp_path)
    assert sorted(tmp_path.glob("*.gz")) == sorted(paths[:MOST_SNAPSHOTS])


def test_the_instant_is_utc_whatever_the_zone(tmp_path: Path) -> None:
    east = NOW.astimezone(datetime.fromisoformat("2026-11-23T12:00:00+05:30").tzinfo)
    assert snapshot_path(tmp_path, east, WAVE).name == "20261123T120000.000000Z-266095b932be.json.gz"


def test_they_are_kept_by_wave_in_the_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCX_WAVES_STATE_FOLDER", str(tmp_path))
    assert snapshots_folder("erp-1") == tmp_path / "snapshots" / "erp-1"
    monkeypatch.delenv("HCX_WAVES_STATE_FOLDER")
    monkeypatch.setenv("AIRFLOW_HOME", "/opt/airflow")
    assert snapshots_folder("erp-1") == Path("/opt/airflow/state/snapshots/erp-1")


def test_of_those_that_begin_together_one_goes_first_and_the_others_find_what_it_has_left(tmp_path: Path) -> None:
    folder = tmp_path / "erp-1"
    taken: list[str] = []
    together = threading.Barrier(5)

    def night(name: str) -> None:
        together.wait(timeout=10)
        with one_at_a_time(folder):
            if fresh_snapshot(folder, NOW, HOUR, WAVE) is None:
                taken.append(name)
                keep(folder, 0)

    threads = [threading.Thread(target=night, args=(f"night {number}",)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert len(taken) == 1
