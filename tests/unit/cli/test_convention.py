"""Every command keeps the convention of docs/cli.md."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from hcx_sim.cli import app as sim
from hcx_waves.cli import app, main
from hcx_waves.cli.old_spellings import JSON_TOOK_A_FILE, OLD_OPTIONS, modern
from hcx_waves.cli.output import working
from support.wave_files import minimal, write

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
SNAPSHOT = ROOT / "tests" / "contract" / "snapshot" / "seed.json"
ROWS = {
    tuple(cells[0].strip("`").split(maxsplit=1)): cells[2:]
    for line in PAGE.splitlines()
    if line.startswith("| `hcx-")
    for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
    if len(cells) > 2
}
"""By program and command: what the page says of ``--json``, of ``--out``, and of code 1."""
ALSO_OLD = {"--endpoints-file", "--output"}
WRITES = re.compile(r"^File to write|^Where to write|[Ww]rite .*(here|to this file)|Also draw")


def every_command() -> Iterator[tuple[str, str, Any]]:
    """Yield program, name and command of all there are."""
    for name, entry in app.entry_points().items():
        command = app.as_command(name, entry.load())
        # A command with commands of its own, of which one is the command itself.
        for below, one in getattr(command, "commands", {"": command}).items():
            yield "hcx-waves", f"{name} {below}".removesuffix(" make").strip(), one
    for name, command in get_command(sim).commands.items():  # type: ignore[attr-defined]
        yield "hcx-sim", name, command


COMMANDS = list(every_command())
each_command = pytest.mark.parametrize(
    ("program", "name", "command"), COMMANDS, ids=[f"{program} {name}" for program, name, _ in COMMANDS]
)


def options_of(command: Any) -> dict[str, Any]:
    """Return the options of a command by their first name."""
    return {one.opts[0]: one for one in command.params if one.param_type_name == "option"}


def run(*arguments: str | Path, env: dict[str, str] | None = None) -> Result:
    """Run ``hcx-waves``."""
    return CliRunner().invoke(main, [str(one) for one in arguments], env={"COLUMNS": "200", **(env or {})})


def test_the_page_has_a_row_for_every_command() -> None:
    assert set(ROWS) == {(program, name) for program, name, _ in COMMANDS}


@each_command
def test_json_is_a_flag_and_files_are_written_by_out(program: str, name: str, command: Any) -> None:
    options = options_of(command)
    as_json, out, _ = ROWS[program, name]
    assert ("--json" in options) == (as_json == "yes")
    assert ("--out" in options) == bool(out)
    if "--json" in options:
        assert options["--json"].is_flag
        assert "Print JSON" in options["--json"].help
    for first, option in options.items():
        assert first.startswith("--")
        assert set(option.opts[1:]) <= ALSO_OLD
        if WRITES.search(option.help or ""):
            assert first == "--out", f"{first}: {option.help}"


@each_command
def test_its_help_says_how_it_exits_and_only_with_codes_of_the_table(program: str, name: str, command: Any) -> None:
    text = " ".join(inspect.getdoc(command.callback).split())  # type: ignore[union-attr]
    [sentence] = re.findall(r"Exits with [^.]*\.", text)
    codes = set(map(int, re.findall(r"with (\d+)", sentence)))
    assert 0 in codes
    assert codes <= {0, 1, 2}
    assert (1 in codes) == bool(ROWS[program, name][2])


UNUSABLE = [
    ["validate", "nowhere.yaml"],
    ["validate", "--json", "nowhere.yaml"],
    ["doctor", "--endpoints", "nowhere.json"],
    ["doctor", "--json", "--endpoints", "nowhere.json"],
    ["probe", "--json", "--endpoints", "nowhere.json"],
    ["rescue", "nowhere.yaml", "--json", "--endpoints", "nowhere.json"],
    ["snapshot", "nowhere.yaml", "--endpoints", "nowhere.json", "--out", "x.json"],
    ["forecast", "nowhere.yaml", "--json"],
    ["calibrate", "nowhere.json", "--out", "x.yaml"],
    ["rehearsals", "nowhere", "--reports", ".", "--json"],
    ["rehearsals", "nowhere", "--reports", "nowhere"],
    ["twin-connections", "nowhere.yaml", "--endpoints", "nowhere.json", "--out", "x.json"],
    ["bundle", "nowhere", "--reports", "nowhere"],
    ["import", "list.csv", "--column", "nothing=x"],
    ["plan", "nowhere.json", "--rules", "nowhere.yaml", "--out", "x"],
    ["plan", "explain", "nowhere.json", "web-01"],
    ["plan", "compare", "nowhere.json", "nowhere.json"],
    ["plan", "whatif", "nowhere.json", "--rules", "nowhere.yaml"],
    ["demo", "--scenario", "nowhere"],
    ["rehearse", "--wave", "nowhere"],
    ["validate", "--no-such-option"],
    ["no-such-command"],
]


@pytest.mark.parametrize("arguments", UNUSABLE, ids=" ".join)
def test_what_cannot_be_used_is_said_on_standard_error_with_code_2(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert result.stderr.strip()
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_every_command_is_tried_with_what_cannot_be_used() -> None:
    tried = {arguments[0] for arguments in UNUSABLE}
    assert {name.split()[0] for program, name, _ in COMMANDS if program == "hcx-waves"} - tried == {"schema"}


def test_a_folder_in_the_place_of_a_file_shows_no_traceback(tmp_path: Path) -> None:
    result = run("doctor", "--endpoints", tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert str(tmp_path) in result.stderr


def test_json_is_all_that_is_printed(tmp_path: Path) -> None:
    good, bad = write(tmp_path, minimal("a", "[x]"), minimal("b", "[x]"))
    told = run("validate", "--json", good)
    document = json.loads(told.stdout)
    assert (told.exit_code, told.stderr, document["valid"]) == (1, "", False)
    assert document["problems"][0] == {
        "file": str(good), "line": 8, "column": 7, "field": "vms[0]", "message": f'"x" is also moved by wave b ({bad})',
    }  # fmt: skip
    bad.unlink()
    alone = run("validate", "--json", tmp_path)
    [wave] = json.loads(alone.stdout)["waves"]
    assert (alone.exit_code, wave["name"], wave["vms"]) == (0, "a", 1)


@pytest.mark.parametrize("old", [["--json", "-"], ["--json=-"]])
def test_the_old_json_of_a_forecast_goes_on_working_with_a_hint(old: list[str]) -> None:
    wave = ROOT / "dags" / "waves" / "seed-wave.yaml"
    result = run("forecast", wave, "--snapshot", SNAPSHOT, "--nights", "2", "--no-safe-start", *old)
    assert json.loads(result.stdout)["forecast"]["wave"] == "seed-wave"
    assert result.stderr == "--json prints JSON without the -; it still works\n"


def test_old_spellings_are_rewritten_and_nothing_else_is() -> None:
    assert modern("forecast", ["w.yaml", "--json", "f.json", "--picture=p.svg", "--seed", "1"]).arguments == [
        "w.yaml", "--out", "f.json", "--out=p.svg", "--seed", "1",
    ]  # fmt: skip
    assert modern("forecast", ["--json", "w.yaml"]).arguments == ["--json", "w.yaml"]
    assert modern("probe", ["--record", "r.json", "--json"]).arguments == ["--out", "r.json", "--json"]
    assert modern("doctor", ["--json", "x.json"]).arguments == ["--json", "x.json"]
    assert modern("forecast", ["--", "--json", "-"]).arguments == ["--", "--json", "-"]
    assert modern("forecast", ["--json"]).hints == ()


def test_no_old_spelling_is_an_option_still() -> None:
    for program, name, command in COMMANDS:
        if program == "hcx-waves":
            assert not OLD_OPTIONS.get(name, {}).keys() & options_of(command).keys()
            assert name not in JSON_TOOK_A_FILE or options_of(command)["--json"].is_flag


def test_there_is_no_bar_where_output_is_piped(capsys: pytest.CaptureFixture[str]) -> None:
    with working("Counting", steps=2) as steps:
        steps.done()
    assert capsys.readouterr() == ("", "")


def test_a_terminal_sees_a_bar_but_not_with_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with working("Counting", steps=2) as steps:
        steps.done()
    seen = capsys.readouterr()
    assert "Counting" in seen.err
    assert seen.out == ""
    with working("Counting", as_json=True):
        pass
    assert capsys.readouterr() == ("", "")


def test_no_color_is_heeded(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from hcx_waves.cli.output import output_console

    monkeypatch.setenv("FORCE_COLOR", "1")
    output_console().print("[red]x[/red]")
    assert "\x1b[31m" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    output_console().print("[red]x[/red]")
    assert "\x1b[31m" not in capsys.readouterr().out
