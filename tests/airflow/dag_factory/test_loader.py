"""From wave files to DAGs: what is read, what is left out, and what is said about it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import BaseHook
from airflow.serialization.serialized_objects import DagSerialization

import hcx_airflow.dag_factory.loader as loader
from hcx_airflow.dag_factory.loader import InvalidWavesError, check_waves, wave_dags
from hcx_waves.wavefile.problems import WaveFileError
from support.airflow_home import DAGS
from support.waiting import HANG_SECONDS
from support.wave_files import FULL, minimal

Waves = Callable[..., Path]
CUT = "segments:\n  - {name: net, cutover: now, cutover_window: {opens: +0m, lasts: 2h}}\n"
SHARED = CUT.replace("net", "shared")
BROKEN = minimal("broken").replace("time_zone: UTC", "time_zone: Mars")


def test_every_shipped_dag_file_is_parsed_and_every_dag_serialised() -> None:
    found = {}
    for path in DAGS.glob("*.py"):
        bag = DagBag(dag_folder=str(path), bundle_name="dags-folder", bundle_path=DAGS)
        assert bag.import_errors == {}
        found.update(bag.dags)
    assert {"seed-wave", "cleanup__seed-wave", "rehearsal__three-tier-1", "three-tier-2", "hcx_waves_watchdog"} <= set(
        found
    )
    for dag_id, dag in found.items():
        document = DagSerialization.to_dict(dag)
        again = DagSerialization.from_dict(document)
        assert sorted(again.task_dict) == sorted(dag.task_dict), dag_id


def test_a_wave_with_every_field_survives_serialisation(waves: Waves) -> None:
    for dag in wave_dags(waves(FULL)).values():
        DagSerialization.from_dict(DagSerialization.to_dict(dag))


def test_parsing_twice_makes_the_same_dag_so_that_no_version_is_minted(waves: Waves) -> None:
    folder = waves(FULL, minimal("next", vms="[z]", more="after: [erp-1]\n"))
    first, second = ({name: DagSerialization.to_dict(dag) for name, dag in wave_dags(folder).items()} for _ in "12")
    assert first == second


def test_parsing_touches_nothing_but_wave_files(waves: Waves, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("parsing must not touch this")

    for name in ("connect", "connect_ex", "sendto", "bind"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(BaseHook, "get_connection", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    folder = waves(FULL, minimal("erp-2", vms="[z]", more=SHARED + "after: [erp-1]\n"))
    assert len(wave_dags(folder)) == 8
    check_waves(folder)


def test_a_broken_wave_spoils_no_other(waves: Waves) -> None:
    assert sorted(wave_dags(waves(minimal("good", more=CUT), BROKEN))) == [
        "cleanup__good", "good", "recover__good", "rehearsal__good",
    ]  # fmt: skip


def test_a_wave_that_makes_no_dag_spoils_no_other_and_is_told_about(
    waves: Waves, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = waves(minimal("good", vms="[a]"), minimal("odd", vms="[b]"))
    build = loader.build_live_dag

    def fails_for_one(wave: Any, **given: Any) -> Any:
        if wave.name == "odd":
            raise ValueError("no such timetable")
        return build(wave, **given)

    monkeypatch.setattr(loader, "build_live_dag", fails_for_one)
    assert list(wave_dags(folder)) == ["good", "recover__good", "rehearsal__good"]
    with pytest.raises(
        InvalidWavesError, match=r"waves/odd\.yaml:1:1 wave: no DAG can be built from it: no such timetable"
    ):
        check_waves(folder)


def test_a_dag_that_failed_half_way_is_not_found_by_airflow(tmp_path: Path) -> None:
    """Airflow registers whatever DAG a ``with`` leaves, also one that an error left half built."""
    folder = tmp_path / "waves"
    folder.mkdir()
    (folder / "good.yaml").write_text(minimal("good"))
    (tmp_path / "waves.py").write_text(
        "# airflow dag\nfrom pathlib import Path\nimport hcx_airflow.dag_factory.live as live\n"
        "from hcx_airflow.dag_factory.loader import wave_dags\n"
        "live.ConcludeWaveOperator, kept = None, live.ConcludeWaveOperator\n"
        "try:\n    globals().update(wave_dags(Path(__file__).parent / 'waves'))\n"
        "finally:\n    live.ConcludeWaveOperator = kept\n"
    )
    bag = DagBag(dag_folder=str(tmp_path / "waves.py"), bundle_name="tests", bundle_path=tmp_path)
    assert bag.import_errors == {}
    assert bag.dags == {}


def test_the_import_error_lists_every_problem_with_file_line_and_field(waves: Waves) -> None:
    folder = waves(BROKEN, minimal("one"), minimal("two"))
    (folder / "worse.yaml").write_text("name: worse\nvms: [a]\n  bad\n")
    with pytest.raises(InvalidWavesError) as caught:
        check_waves(folder)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{len(lines) - 1} problems in wave files:"
    assert 'waves/broken.yaml:3:12 time_zone: "Mars"' in lines[1]
    assert 'waves/one.yaml:8:7 vms[0]: "a" is also moved by wave two (waves/two.yaml)' in lines
    assert any(line.startswith("waves/worse.yaml:3:3 wave: is not valid YAML") for line in lines)
    assert str(folder.parent) not in str(caught.value), "paths as in the DAG bundle"


def test_waves_that_contradict_each_other_are_told_about_and_stay_in_service(waves: Waves) -> None:
    """Which of them is wrong is not known, and one may be running."""
    folder = waves(minimal("one"), minimal("two"))
    assert sorted(wave_dags(folder)) == [
        "one", "recover__one", "recover__two", "rehearsal__one", "rehearsal__two", "two",
    ]  # fmt: skip
    with pytest.raises(InvalidWavesError, match='"a" is also moved by wave two'):
        check_waves(folder)


def read_by(monkeypatch: pytest.MonkeyPatch, call: Callable[[], Any]) -> tuple[Any, list[str]]:
    """Return what a call returns and the wave files that it parsed."""
    parsed: list[str] = []
    load = loader.load_wave_file

    def note(path: Path) -> Any:
        parsed.append(path.name)
        return load(path)

    monkeypatch.setattr(loader, "load_wave_file", note)
    return call(), parsed


@pytest.mark.parametrize("dag_id", ["w07", "cleanup__w07", "recover__w07", "rehearsal__w07"])
def test_a_task_start_reads_its_own_wave_and_those_that_name_it(
    waves: Waves, monkeypatch: pytest.MonkeyPatch, dag_id: str
) -> None:
    folder = waves(
        *(minimal(f"w{number:02}", vms=f"[vm{number}]", more=CUT.replace("net", f"n{number}")) for number in range(20)),
        minimal("next", vms="[z]", more="after: [w07]\n"),
    )
    whole = wave_dags(folder)
    dags, parsed = read_by(monkeypatch, lambda: wave_dags(folder, only=dag_id))
    assert sorted(parsed) == ["next.yaml", "w07.yaml"]
    assert sorted(dags) == ["cleanup__w07", "recover__w07", "rehearsal__w07", "w07"]
    for name, dag in dags.items():
        assert DagSerialization.to_dict(dag) == DagSerialization.to_dict(whole[name]), (
            "the same DAG as in a whole parse"
        )
    assert dags["w07"].has_task("start_wave__next")


def test_a_task_start_of_another_dag_reads_nothing(waves: Waves, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = waves(minimal("one"))
    dags, parsed = read_by(monkeypatch, lambda: wave_dags(folder, only="somebody_elses"))
    assert (dags, parsed) == ({}, [])


def test_a_task_start_of_a_wave_that_broke_meanwhile_says_why(waves: Waves) -> None:
    folder = waves(BROKEN, minimal("other", vms="[b]"))
    with pytest.raises(WaveFileError, match="Mars"):
        wave_dags(folder, only="broken")
    assert list(wave_dags(folder, only="other")) == ["other", "recover__other", "rehearsal__other"], (
        "which is no concern of another wave's tasks"
    )


def test_a_broken_follower_is_not_started_and_spoils_nothing(waves: Waves) -> None:
    folder = waves(minimal("first"), BROKEN + "after: [first]\n")
    for dags in (wave_dags(folder), wave_dags(folder, only="first")):
        assert [task for task in dags["first"].task_ids if task.startswith("start_wave__")] == []


@pytest.mark.parametrize(
    ("file", "wanted", "found"),
    [
        ("waves.py", "seed-wave", ["cleanup__seed-wave", "recover__seed-wave", "seed-wave"]),
        ("rehearsals.py", "rehearsal__seed-wave", ["rehearsal__seed-wave"]),
    ],
)
def test_the_dag_files_honour_the_parsing_context(file: str, wanted: str, found: list[str]) -> None:
    """As in a task's process: Airflow says in the environment which DAG is wanted."""
    script = (
        "from airflow.dag_processing.dagbag import DagBag; "
        f"bag = DagBag(dag_folder={str(DAGS / file)!r}, bundle_name='dags-folder'); "
        "print(sorted(bag.dags), bag.import_errors)"
    )
    variables = {"_AIRFLOW_PARSING_CONTEXT_DAG_ID": wanted, "_AIRFLOW_PARSING_CONTEXT_TASK_ID": "resolve_plan"}
    done = subprocess.run(  # noqa: S603  (our own interpreter)
        [sys.executable, "-c", script],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
    )
    assert done.stdout.strip().splitlines()[-1] == f"{found} {{}}", done.stderr


def test_the_folder_of_wave_files_is_no_matter_for_airflow() -> None:
    assert "waves/" in (DAGS / ".airflowignore").read_text().splitlines()
    for file in ("waves.py", "rehearsals.py"):
        assert len((DAGS / file).read_text().splitlines()) <= 15


def test_the_list_of_dags_begins_with_the_wave_and_says_what_each_dag_is(waves: Waves) -> None:
    found = wave_dags(waves(minimal("alpha", more=CUT), minimal("beta", "[b]", CUT.replace("net", "other")))).values()
    by_name = sorted(found, key=lambda dag: dag.dag_display_name)
    assert [dag.dag_display_name for dag in by_name] == [
        "alpha",
        "alpha: cleanup",
        "alpha: recover",
        "alpha: rehearsal",
        "beta",
        "beta: cleanup",
        "beta: recover",
        "beta: rehearsal",
    ]
    assert [dag.dag_id for dag in by_name][:2] == ["alpha", "cleanup__alpha"]
    assert all(dag.description and f"wave:{dag.dag_display_name.partition(':')[0]}" in dag.tags for dag in by_name)
