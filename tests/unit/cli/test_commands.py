"""The ``hcx-waves`` application: which commands there are, when they are loaded, and what a missing package means."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hcx_waves.cli import app, main

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
DECLARED: dict[str, str] = PROJECT["entry-points"][app.ENTRY_POINT_GROUP]
OWN = [
    "validate", "schema", "doctor", "probe", "snapshot", "forecast", "calibrate", "rehearsals", "twin-connections",
    "bundle", "rescue",
]  # fmt: skip


def run(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, list(arguments), env={"COLUMNS": "200"})


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> list[metadata.EntryPoint]:
    """Commands of other packages; what a test puts in is there."""
    entries: list[metadata.EntryPoint] = []
    monkeypatch.setattr(app.metadata, "entry_points", lambda group: [one for one in entries if one.group == group])
    return entries


def entry(name: str, place: str) -> metadata.EntryPoint:
    """A command of another package."""
    return metadata.EntryPoint(name, place, app.ENTRY_POINT_GROUP)


def test_every_command_is_listed_and_can_be_loaded(added: list[metadata.EntryPoint]) -> None:
    added += [entry(name, place) for name, place in DECLARED.items()]

    listing = run("--help")

    assert listing.exit_code == 0
    assert set(DECLARED) == {"demo", "rehearse"}
    for name in (*OWN, *DECLARED):
        assert f"│ {name} " in listing.stdout
        assert f"Usage: hcx-waves {name} " in run(name, "--help").stdout
    assert "Not available" not in listing.stdout


def test_another_package_cannot_replace_a_command_of_the_core(added: list[metadata.EntryPoint]) -> None:
    added.append(entry("schema", "os:getcwd"))

    assert '"$schema"' in run("schema").stdout


def test_a_command_whose_package_is_missing_says_what_to_install(
    added: list[metadata.EntryPoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    added.append(entry("demo", DECLARED["demo"]))
    for name in [name for name in sys.modules if name.partition(".")[0] in ("hcx_demo", "psutil")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psutil", None)
    monkeypatch.setattr("hcx_waves.cli.extras.metadata.requires", lambda _: ['psutil; extra == "demo"', "typer"])

    called = run("demo", "--auto", "--speed", "60")

    assert (called.exit_code, called.stdout) == (2, "")
    assert called.stderr == "the package psutil is not installed; run: pip install 'hcx-waves[demo]'\n"
    listing = run("--help")
    assert listing.exit_code == 0
    assert "Not available: the package psutil is not installed" in listing.stdout


def test_a_picture_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name == "hcx_waves.forecast.results.picture"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr("hcx_waves.cli.extras.metadata.requires", lambda _: ['matplotlib; extra == "forecast"'])

    called = run("forecast", "dags/waves/seed-wave.yaml", "--nights", "2", "--no-safe-start", "--out", "x.png")

    assert called.exit_code == 2
    assert called.stderr.endswith("the package matplotlib is not installed; run: pip install 'hcx-waves[forecast]'\n")


def test_a_missing_module_that_no_extra_brings_is_a_broken_installation(
    added: list[metadata.EntryPoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    added.append(entry("broken", "hcx_waves.nowhere:command"))
    monkeypatch.setattr("hcx_waves.cli.extras.metadata.requires", lambda _: None)

    assert isinstance(run("broken").exception, ModuleNotFoundError)


def test_a_command_loads_no_library_of_another() -> None:
    program = "import sys\nfrom hcx_waves.cli import main\ntry:\n    main(['schema'])\nexcept SystemExit:\n    pass\n"
    program += "heavy = ('numpy', 'pyVmomi', 'psutil', 'matplotlib', 'hcx_demo')\n"
    program += "print([name for name in heavy if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603

    assert done.stdout.splitlines()[-1] == "[]"


def test_a_command_that_does_not_exist_is_answered_with_the_nearest_one() -> None:
    assert "Did you mean 'snapshot'?" in run("snapsho").stderr
