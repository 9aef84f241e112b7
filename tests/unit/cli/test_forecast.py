"""``hcx-waves forecast``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hcx_waves.cli import main
from hcx_waves.forecast import Forecast

ROOT = Path(__file__).parents[3]
WAVES = ROOT / "dags" / "waves"
SNAPSHOT = ROOT / "tests" / "contract" / "snapshot" / "seed.json"
START = "2026-03-02 18:00"


def run(*arguments: str | Path) -> Result:
    """Run the command with few nights."""
    words = [str(argument) for argument in arguments]
    return CliRunner().invoke(main, ["forecast", *words, "--nights", "30"], env={"COLUMNS": "180"})


def seed(*arguments: str | Path) -> Result:
    """Forecast the seed wave on its snapshot."""
    return run(WAVES / "seed-wave.yaml", "--snapshot", SNAPSHOT, "--start", START, *arguments)


def test_it_tells_a_wave_with_its_snapshot() -> None:
    result = seed()
    assert (result.exit_code, result.stderr) == (0, "")
    assert "seed-wave: 4 VMs (4 RAV), 1 segment to cut over, starting Mon 2026-03-02 18:00 UTC" in result.stdout
    assert "30 nights, seed 0, default parameters" in result.stdout
    assert "Fits its windows in 100 % of the nights" in result.stdout
    assert re.search(r"Last safe start \(95 %\): Tue 2026-03-03 0[45]:\d\d UTC", result.stdout)
    assert "Note: 4 of 4 VMs have no known change rate" in result.stdout
    assert "What if" not in result.stdout


def test_without_a_snapshot_it_says_what_it_assumes() -> None:
    result = run(WAVES / "three-tier-1.yaml", "--start", START, "--no-safe-start")
    assert result.exit_code == 0
    assert "Note: 17 of 17 VMs have no known size: 93.1 GiB is assumed for each." in result.stdout
    assert "Last safe start" not in result.stdout


def test_json_and_picture_are_written(tmp_path: Path) -> None:
    document, picture = tmp_path / "deep" / "forecast.json", tmp_path / "forecast.svg"
    result = seed("--out", document, "--out", picture, "--seed", "7")
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [f"{document}: written", f"{picture}: written"]
    written = json.loads(document.read_text())
    told = Forecast.model_validate(written["forecast"])
    assert (told.wave, told.nights, told.seed, written["what_if"]) == ("seed-wave", 30, 7, None)
    assert told.last_safe_start is not None
    assert b"<svg" in picture.read_bytes()


def test_json_on_the_output_is_nothing_but_json() -> None:
    result = seed("--json")
    assert json.loads(result.stdout)["forecast"]["wave"] == "seed-wave"


def test_what_if_stands_beside_what_is_planned() -> None:
    result = seed("--bandwidth", "100", "--second-mesh", "--order", "db01,web01", "--json")
    document = json.loads(result.stdout)
    assert document["what_if"]["flags"] == [
        "100 Mbit/s per mesh", "a second mesh", "switchovers in the order db01,web01",
    ]  # fmt: skip
    planned, changed = (Forecast.model_validate(one) for one in (document["forecast"], document["what_if"]["forecast"]))
    assert changed.transfer_end.p50_seconds > 5 * planned.transfer_end.p50_seconds
    assert {vm.mesh for vm in changed.vms} == {"seed-mesh", "seed-mesh (second)"}
    turns = sorted(changed.vms, key=lambda vm: vm.begins_seconds)
    assert [vm.name for vm in turns[:2]] == ["db01", "web01"]
    assert "What if: 100 Mbit/s per mesh" in seed("--bandwidth", "100").stdout


def test_another_start_is_a_question_where_the_file_has_one(tmp_path: Path) -> None:
    text = (WAVES / "seed-wave.yaml").read_text().replace("time_zone: UTC", f"time_zone: UTC\nstart: {START}")
    path = tmp_path / "seed-wave.yaml"
    path.write_text(text)
    result = run(path, "--snapshot", SNAPSHOT, "--start", "2026-03-02 20:00", "--json")
    document = json.loads(result.stdout)
    assert document["what_if"]["flags"] == ["start 2026-03-02 20:00 UTC"]
    assert document["forecast"]["starts_at"] == "2026-03-02T18:00:00Z"
    assert document["what_if"]["forecast"]["starts_at"] == "2026-03-02T20:00:00Z"


def test_another_night_moves_the_windows() -> None:
    result = run(WAVES / "three-tier-1.yaml", "--night", "2026-10-24", "--json")
    told = json.loads(result.stdout)["forecast"]
    assert told["starts_at"] == "2026-10-23T22:00:00Z"
    assert told["switchover_window"] == {"opens": "2026-10-24T20:00:00Z", "closes": "2026-10-25T03:00:00Z"}


def test_parameters_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "parameters.yaml"
    path.write_text("network: {unextend: {kind: fixed, seconds: 600}}\norchestrator: {step_in_outage_seconds: 0}\n")
    result = seed("--parameters", path, "--json")
    [segment] = json.loads(result.stdout)["forecast"]["segments"]
    assert segment["outage"]["p50_seconds"] == pytest.approx(604)


@pytest.mark.parametrize(("arguments", "words"), [
    (["--snapshot", "none.json"], "none.json"),
    (["--parameters", "none.yaml"], "none.yaml"),
    (["--start", "18:00"], '"18:00" has no date: write 2026-10-24 20:00'),
    (["--start", "soon"], '"soon" is not a time'),
    (["--night", "tomorrow"], '"tomorrow" is not a date: write 2026-10-24'),
    (["--order", "web09"], "web09: not moved by wave seed-wave"),
    (["--out", "forecast.gif", "--start", START], "must end in .json, or for a picture in .svg, .png, .pdf"),
])  # fmt: skip
def test_what_cannot_be_used_is_said(arguments: list[str], words: str) -> None:
    given = [] if "--start" in arguments else ["--start", START]
    result = run(WAVES / "seed-wave.yaml", *given, *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_everything_that_cannot_be_used_is_said_at_once(tmp_path: Path) -> None:
    parameters = tmp_path / "parameters.yaml"
    parameters.write_text("transfer: {speed: 1}\ngates: 3\n")
    result = run(
        WAVES / "nowhere.yaml", "--snapshot", "none.json", "--parameters", parameters, "--night", "tomorrow",
        "--start", "soon", "--out", "forecast.gif",
    )  # fmt: skip
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"{WAVES / 'nowhere.yaml'}:1:1 wave: cannot be read: No such file or directory",
        "none.json: cannot be read: No such file or directory",
        f"{parameters}: transfer.speed: is not a parameter",
        f"{parameters}: gates: must be a mapping of names to values",
        '"tomorrow" is not a date: write 2026-10-24',
        '"soon" is not a time: write 2026-10-24 22:00, 22:00, or +2h for two hours after the start',
        "forecast.gif: the name must end in .json, or for a picture in .svg, .png, .pdf",
    ]


def test_a_parameters_file_that_is_no_yaml_is_said_in_one_line(tmp_path: Path) -> None:
    parameters = tmp_path / "parameters.json"
    parameters.write_text('{"a": [')
    result = run(WAVES / "seed-wave.yaml", "--start", START, "--parameters", parameters)
    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    assert line.startswith(f"{parameters}: is neither YAML nor JSON: did not find expected node content")
    assert line.endswith("at line 2, column 1")


def test_a_broken_wave_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("name: broken\n")
    result = run(path)
    assert result.exit_code == 2
    assert "broken.yaml:1:1" in result.stderr


def test_a_large_forecast_searches_the_safe_start_on_another_core(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = json.loads(seed("--json").stdout)
    monkeypatch.setattr("hcx_waves.cli.forecast._WORTH_A_PROCESS", 1)
    assert json.loads(seed("--json").stdout) == alone
