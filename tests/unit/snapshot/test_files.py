"""Snapshot files: the same inventory makes the same bytes; other files are refused, with every problem."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hcx_snapshot import (
    Snapshot,
    SnapshotFileError,
    digest_of,
    load_document,
    load_snapshot,
    parse_snapshot,
    save_snapshot,
)
from hcx_snapshot import files as snapshot_files

SAMPLE = Path(__file__).parents[2] / "contract" / "snapshot" / "every_field.json"


@pytest.fixture
def snapshot() -> Snapshot:
    return load_snapshot(SAMPLE)


@pytest.mark.parametrize("name", ["one.json", "one.json.gz", "new/folder/one.json.gz"])
def test_what_is_saved_is_loaded(snapshot: Snapshot, tmp_path: Path, name: str) -> None:
    save_snapshot(snapshot, tmp_path / name)
    assert load_snapshot(tmp_path / name) == snapshot
    assert [path.name for path in (tmp_path / name).parent.iterdir()] == [Path(name).name]


@pytest.mark.parametrize("name", ["{}.json", "{}.json.gz"])
def test_equal_snapshots_make_equal_bytes(snapshot: Snapshot, tmp_path: Path, name: str) -> None:
    shuffled = json.loads(SAMPLE.read_text())
    shuffled = dict(sorted(shuffled.items(), reverse=True))
    first, second = tmp_path / name.format("first"), tmp_path / name.format("second")
    save_snapshot(snapshot, first)
    save_snapshot(parse_snapshot(shuffled), second)
    assert first.read_bytes() == second.read_bytes()


def test_the_digest_is_of_what_was_read_and_not_of_when(snapshot: Snapshot) -> None:
    later = snapshot.model_copy(update={"taken_at": datetime(2027, 1, 1, tzinfo=UTC)})
    assert digest_of(later) == digest_of(snapshot)
    assert digest_of(snapshot.model_copy(update={"whole": False})) != digest_of(snapshot)


def test_the_suffix_decides_about_compression(snapshot: Snapshot, tmp_path: Path) -> None:
    save_snapshot(snapshot, tmp_path / "plain.json")
    save_snapshot(snapshot, tmp_path / "packed.json.gz")
    assert gzip.decompress((tmp_path / "packed.json.gz").read_bytes()) == (tmp_path / "plain.json").read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.json", b"{", "a.json: is not valid JSON"),
        ("a.json", b"[]", "a.json: is not a snapshot: it must be a JSON object"),
        ("a.json", b'{"format": "tar"}', 'a.json: is not a snapshot: its format is "tar", not "hcx-waves-snapshot"'),
        ("a.json.gz", b"{}", "a.json.gz: cannot be read: Not a gzipped file"),
        ("a.json.gz", gzip.compress(b'{"format": 1}', mtime=0)[:-9], "a.json.gz: is damaged"),
        ("a.json", b"[" * 100_000, "a.json: is not valid JSON"),
        ("a.json", b'{"format": ' + b"[" * 100_000, "a.json: is not valid JSON"),
        ("a.json", b"\xff", "a.json: is not valid JSON"),
    ],
)
def test_files_that_are_not_snapshots(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SnapshotFileError) as error:
        load_snapshot(tmp_path / name)
    assert says in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SnapshotFileError, match=r"none\.json: cannot be read: No such file or directory"):
        load_snapshot(tmp_path / "none.json")


def test_a_newer_version_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "new.json"
    path.write_text(json.dumps({**json.loads(SAMPLE.read_text()), "version": 7, "surprise": True}))
    with pytest.raises(SnapshotFileError) as error:
        load_snapshot(path)
    assert str(error.value) == (
        f"{path}: has version 7; this release reads versions up to 1. "
        "Take it again with this release, or use the release that took it."
    )


def test_a_file_that_would_fill_the_memory(snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one.json", "one.json.gz"):
        save_snapshot(snapshot, tmp_path / name)
        with monkeypatch.context() as patch:
            patch.setattr(snapshot_files, "MOST_BYTES", 1000)
            with pytest.raises(SnapshotFileError, match="is larger than 1000 bytes"):
                load_document(tmp_path / name)
