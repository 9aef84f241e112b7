"""``hcx-waves validate`` and ``hcx-waves schema``."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hcx_waves.cli import main
from hcx_waves.wavefile.schema import wave_schema_text
from support.wave_files import FULL, changed, minimal, write


def run(*arguments: str | Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env={"COLUMNS": "300"})


def test_valid_files_are_summed_up_a_line_each(tmp_path: Path) -> None:
    write(tmp_path, minimal("small"), minimal("next", "[b]", "after: [small]\n"))

    result = run("validate", tmp_path)

    assert (result.exit_code, result.stderr) == (0, "")
    heading, first, second = result.stdout.splitlines()
    assert heading.split() == ["wave", "starts", "switchover", "cutover", "VMs", "segments", "hash"]
    assert first.split()[:8] == ["next", "after", "small", "as", "soon", "as", "ready", "none"]
    assert second.split()[:3] == ["small", "by", "hand"]


def test_the_summary_tells_times_types_and_segments(tmp_path: Path) -> None:
    # Alone in its folder the full wave lacks the wave that cuts its segment "shared".
    text = changed("{name: shared, cutover: later, cut_by: erp-2}", "{name: shared, cutover: never}")
    paths = write(tmp_path, text)

    line = run("validate", *paths).stdout.splitlines()[1]

    assert "2026-10-23 20:00 CEST" in line
    assert "2026-10-24 22:00 to 2026-10-25 04:00" in line
    assert "2026-10-25 04:00 for 3h" in line
    assert "3: 2 RAV, 1 Bulk" in line
    assert "erp (now), voice (now), shared (never), backup (never)" in line


def test_every_problem_is_printed_where_it_is(tmp_path: Path) -> None:
    (path,) = write(
        tmp_path, changed("Europe/Berlin", "Mars/Olympus", changed("poll_interval: 20s", "poll_interval: 1s"))
    )

    result = run("validate", path)

    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f'{path}:3:12 time_zone: "Mars/Olympus" is not a time zone: use an IANA name such as Europe/Berlin, '
        "America/New_York or UTC",
        f'{path}:71:44 segments[2].cut_by: there is no wave "erp-2", so shared would never be cut over',
        f"{path}:{FULL.splitlines().index('options: {poll_interval: 20s, stop_before_cutover: true}') + 1}:26 "
        "options.poll_interval: must be between 5s and 10m",
    ]
    assert result.stderr == "3 problems in 1 file\n"


def test_a_single_file_is_checked_against_its_folder(tmp_path: Path) -> None:
    first, second = write(tmp_path, minimal("a", "[x]"), minimal("b", "[x]"))

    result = run("validate", first)

    assert result.exit_code == 1
    assert result.stdout == f'{first}:8:7 vms[0]: "x" is also moved by wave b ({second})\n'
    assert result.stderr == "1 problem in 1 file\n"


def test_problems_of_files_that_were_not_asked_for_are_not_printed(tmp_path: Path) -> None:
    good, _ = write(tmp_path, minimal("good"), minimal("bad", "[other]").replace("UTC", "Mars/Olympus"))

    assert run("validate", good).exit_code == 0
    assert run("validate", tmp_path).exit_code == 1


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    result = run("validate", tmp_path / "none.yaml")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"{tmp_path}/none.yaml: there is no such file\n"


def test_a_folder_without_wave_files(tmp_path: Path) -> None:
    result = run("validate", tmp_path)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"no wave files (*.yaml) in {tmp_path}\n"


@pytest.mark.parametrize("name", ["[red]x[/red]", "a[b]"])
def test_names_cannot_style_the_summary(tmp_path: Path, name: str) -> None:
    paths = write(tmp_path, minimal(more=f'segments: [{{name: "{name}", cutover: never}}]\n'))

    assert f"{name} (never)" in run("validate", *paths).stdout


def test_the_schema_is_printed_as_it_is_shipped() -> None:
    assert run("schema").stdout == wave_schema_text()
