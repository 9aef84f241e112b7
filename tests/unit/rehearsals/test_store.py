"""Records on disk: written whole, replaced, read back, and named when they cannot be read."""

from __future__ import annotations

import json
import stat
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from hcx_waves.rehearsals.model import Timeline, TimelineEvent
from hcx_waves.rehearsals.store import RecordError, RecordStore
from support.rehearsed import FIRST_NIGHT, a_record, start_of

NEXT = FIRST_NIGHT + timedelta(days=1)
WAVE = "three-tier-1"


def a_timeline(night: date = FIRST_NIGHT, *events: TimelineEvent) -> Timeline:
    return Timeline(wave=WAVE, night=night, time_zone="UTC", seed=7, starts_at=start_of(night), events=events)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    store = RecordStore(tmp_path / "reports")
    record = a_record()
    paths = store.write(record, a_timeline())
    assert paths["record"] == tmp_path / "reports" / WAVE / "rehearsals" / "2026-11-01.json"
    assert stat.S_IMODE(paths["record"].stat().st_mode) == 0o600
    assert store.read(WAVE, FIRST_NIGHT) == record
    assert store.timeline(WAVE, FIRST_NIGHT) == a_timeline().export()
    assert store.waves() == (WAVE,)


def test_a_night_rehearsed_again_replaces_its_record_and_timeline(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    store.write(a_record(), a_timeline())
    store.write(a_record(NEXT))
    store.write(a_record(end_minutes=400))
    assert store.nights(WAVE) == (FIRST_NIGHT, NEXT)
    assert store.read(WAVE, FIRST_NIGHT).ended_at == start_of(FIRST_NIGHT) + timedelta(minutes=400)
    with pytest.raises(RecordError, match=r"2026-11-01\.timeline\.json: No such file"):
        store.timeline(WAVE, FIRST_NIGHT)
    assert sorted(path.name for path in store.place(WAVE).iterdir()) == ["2026-11-01.json", "2026-11-02.json"]


_REQUIRED = ("night", "time_zone", "seed", "outcome", "verdict", "starts_at")


def test_what_cannot_be_read_is_named_and_does_not_hide_the_rest(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    store.write(a_record(NEXT))
    place = store.place(WAVE)
    (place / "2026-11-03.json").write_text("{")
    (place / "2026-11-04.json").write_text(json.dumps({"record_version": 9}))
    (place / "2026-11-05.json").write_text(json.dumps({"record_version": 1, "wave": WAVE}))
    (place / "2026-11-06.json").write_bytes((place / "2026-11-02.json").read_bytes())
    (place / "2026-13-45.json").write_text("{}")
    (place / "notes.json").write_text("{}")
    found = store.read_all(WAVE)
    assert [record.night for record in found.records] == [NEXT]
    assert found.problems == (
        "2026-11-03.json: is not valid JSON: Expecting property name enclosed in double quotes at line 1, column 2",
        "2026-11-04.json: is of version 9, and only version 1 can be read here",
        "2026-11-05.json: is not a record of a rehearsal: "
        + "; ".join(f"{field}: Field required" for field in _REQUIRED),
        "2026-11-06.json: holds the night of 2026-11-02",
    )


@pytest.mark.parametrize("wave", ["../secrets", "..", "a/b", "", ".", "Wave", "a\\b", "a\0b", "%2e%2e", "x" * 61])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, wave: str) -> None:
    store = RecordStore(tmp_path)
    for look in (store.place, store.nights, store.read_all):
        with pytest.raises(RecordError, match="is not the name of a wave"):
            look(wave)
    with pytest.raises(RecordError, match="is not the name of a file"):
        store.write_beside(WAVE, "../x.json", b"")


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RecordStore(tmp_path)
    store.write(a_record())

    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        store.write(a_record(end_minutes=400))
    monkeypatch.undo()
    assert store.read(WAVE, FIRST_NIGHT) == a_record()
    assert [path.name for path in store.place(WAVE).iterdir()] == ["2026-11-01.json"]


def test_a_timeline_of_another_night_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="is of three-tier-1 on 2026-11-02, not of 2026-11-01"):
        RecordStore(tmp_path).write(a_record(), a_timeline(NEXT))


def test_a_timeline_is_the_same_bytes_however_it_was_collected() -> None:
    one = TimelineEvent(
        at=datetime(2026, 11, 1, 21, tzinfo=UTC), what="phase", subject="web01", detail={"b": 1, "a": 2}
    )
    two = TimelineEvent(at=datetime(2026, 11, 1, 20, tzinfo=UTC), what="phase", subject="web02")
    forth, back = a_timeline(FIRST_NIGHT, one, two).export(), a_timeline(FIRST_NIGHT, two, one).export()
    assert forth == back
    document = json.loads(forth)
    assert [event["subject"] for event in document["events"]] == ["web02", "web01"]
    assert forth.count(b"\n") == 4


def test_a_timeline_takes_nothing_that_differs_from_run_to_run() -> None:
    event = TimelineEvent(at=start_of(FIRST_NIGHT), what="gate", detail={"answers": [{"try_number": 2}]})
    with pytest.raises(ValidationError, match="try_number differs from run to run"):
        a_timeline(FIRST_NIGHT, event)


def test_a_closed_record_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        a_record(colour="green")
