"""Files that were made to break what reads them: each reader has one error, in plain words, and no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hcx_snapshot import SnapshotFileError, load_document, load_snapshot, parse_snapshot
from hcx_waves.cli.calibration import ReportError
from hcx_waves.cli.calibration import _read as read_report_of_command
from hcx_waves.doctor.document import DocumentError, load_endpoints
from hcx_waves.forecast import ParametersError, load_parameters
from hcx_waves.rehearsals.store import RecordError, RecordStore
from hcx_waves.rehearsals.summary import summarise
from hcx_waves.wavefile.loader import load_wave
from hcx_waves.wavefile.problems import WaveFileError
from support.rehearsed import FIRST_NIGHT, a_record

DEEP = 100_000
LESS_DEEP = 500
WAVE = "three-tier-1"


def nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


READERS: list[tuple[Callable[[Path], Any], type[Exception]]] = [
    (load_document, SnapshotFileError),
    (load_snapshot, SnapshotFileError),
    (read_report_of_command, ReportError),
    (load_endpoints, DocumentError),
    (load_parameters, ParametersError),
    (load_wave, WaveFileError),
]


@pytest.mark.parametrize("depth", [LESS_DEEP, DEEP])
@pytest.mark.parametrize(("reader", "error"), READERS)
def test_a_file_nested_without_end(
    tmp_path: Path, reader: Callable[[Path], Any], error: type[Exception], depth: int
) -> None:
    path = tmp_path / "a.json"
    path.write_text(nested(depth))
    with pytest.raises(error) as caught:
        reader(path)
    assert "nested more than" in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_parameters_that_grow_by_aliases(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    lines = ["a0: &a0 [1,1,1,1,1,1,1,1,1,1]"] + [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    path.write_text("\n".join(lines))
    with pytest.raises(ParametersError, match="line 1, column 5: anchors"):
        load_parameters(path)


@pytest.mark.parametrize("value", ["NaN", "1e999", '"\\ud800"', nested(LESS_DEEP), nested(DEEP)])
def test_a_record_that_cannot_be_read_hides_no_other(tmp_path: Path, value: str) -> None:
    store = RecordStore(tmp_path)
    store.write(a_record())
    good = json.loads((store.place(WAVE) / f"{FIRST_NIGHT}.json").read_text())
    bad = store.place(WAVE) / f"{FIRST_NIGHT + timedelta(days=1)}.json"
    bad.write_text(json.dumps({**good, "params": "here"}).replace('"here"', value))
    with pytest.raises(RecordError, match="is not valid JSON"):
        store.read(WAVE, FIRST_NIGHT + timedelta(days=1))
    assert len(summarise(store, WAVE).problems) == 1


def test_a_timeline_larger_than_any_that_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hcx_waves.rehearsals.store._MOST_BYTES", 100)
    store = RecordStore(tmp_path)
    store.place(WAVE).mkdir(parents=True)
    (store.place(WAVE) / f"{FIRST_NIGHT}.timeline.json").write_bytes(b" " * 101)
    with pytest.raises(RecordError, match="larger than 100 bytes"):
        store.timeline(WAVE, FIRST_NIGHT)


def test_the_problems_of_a_snapshot_are_capped() -> None:
    unknown = {f"{'x' * 1000}{number}": 1 for number in range(10_000)}
    with pytest.raises(SnapshotFileError) as caught:
        parse_snapshot({"format": "hcx-waves-snapshot", "version": 1, **unknown})
    assert "more problems" in str(caught.value)
    assert len(str(caught.value)) < 100_000
