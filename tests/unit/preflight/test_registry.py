"""The checks as a set: complete, and each with a name of its own."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import hcx_waves.preflight.checks as package
from hcx_waves.model.finding_ids import FINDING_IDS, NEVER_WAIVED
from hcx_waves.preflight import CHECKS
from hcx_waves.preflight.repeat import REPEATED_AT_CUTOVER
from hcx_waves.preflight.steps import WaveStep

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
FOLDER = Path(str(package.__file__)).parent


def test_every_module_is_registered_once() -> None:
    modules = [importlib.import_module(f"{package.__name__}.{one.name}") for one in pkgutil.iter_modules([str(FOLDER)])]
    assert sorted(module.CHECK.check_id for module in modules) == sorted(check.check_id for check in CHECKS)
    assert {module.__name__.rpartition(".")[2].replace("_", "-") for module in modules} == {
        check.check_id for check in CHECKS
    }


def test_checks_say_what_they_are() -> None:
    for check in CHECKS:
        assert NAME.fullmatch(check.check_id)
        assert check.title
        assert check.needs


def test_a_finding_belongs_to_one_check() -> None:
    """A waiver names a finding; so one id must not mean two things."""
    made: dict[str, set[str]] = {}
    for path in FOLDER.glob("*.py"):
        for finding_id in re.findall(r'(?:blocking|warning|advice|make)\(\s*"([a-z-]+)"', path.read_text()):
            assert NAME.fullmatch(finding_id)
            made.setdefault(finding_id, set()).add(path.stem)
    assert len(made) > 60
    assert {finding_id: modules for finding_id, modules in made.items() if len(modules) > 1} == {}


def test_reading_a_wave_file_knows_every_finding_without_the_checks() -> None:
    made = {"check-incomplete", "waiver-expired", "waiver-unused"}
    for path in FOLDER.glob("*.py"):
        made.update(re.findall(r'(?:blocking|warning|advice|make)\(\s*"([a-z-]+)"', path.read_text()))
    assert made == FINDING_IDS
    page = (Path(__file__).parents[3] / "docs" / "preflight.md").read_text()
    told = re.findall(r"cannot be waived: ([^.]*)\.", " ".join(page.split()))
    assert set(re.findall(r"`([a-z-]+)`", told[0])) == NEVER_WAIVED


def test_the_documentation_lists_every_check_and_finding() -> None:
    page = (Path(__file__).parents[3] / "docs" / "preflight.md").read_text()
    rows = {
        row[0]: set(row[1:])
        for line in page.splitlines()
        if line.startswith("| `") and (row := re.findall(r"`([a-z-]+)`", line))
    }
    assert set(rows) == {check.check_id for check in CHECKS}
    for check_id, listed in rows.items():
        text = (FOLDER / f"{check_id.replace('-', '_')}.py").read_text()
        made = set(re.findall(r'(?:blocking|warning|advice|make)\(\s*"([a-z-]+)"', text))
        assert listed == made, check_id
    cells = {line.split("`")[1]: line.split("|")[3].strip() for line in page.splitlines() if line.startswith("| `")}
    assert cells == {check.check_id: ", ".join(check.needs) for check in CHECKS}
    steps = {line.split("`")[1]: line.split("|")[4].strip() for line in page.splitlines() if line.startswith("| `")}
    assert steps == {check.check_id: f"{check.protects}{', repeated' if check.repeats else ''}" for check in CHECKS}


def test_checks_that_are_repeated_share_one_read_of_one_product() -> None:
    repeated = {
        check.protects: {check.needs for check in CHECKS if check.repeats and check.protects is step}
        for step in WaveStep
        for check in CHECKS
        if check.protects is step
    }
    assert {step for step, needs in repeated.items() if needs} == {WaveStep.SWITCHOVER, WaveStep.CUTOVER}
    assert all(len(needs) == 1 for needs in repeated[WaveStep.SWITCHOVER])


def test_what_is_repeated_before_a_cutover_is_named_with_all_that_it_finds() -> None:
    made: set[str] = set()
    for check in CHECKS:
        if check.repeats and check.protects is WaveStep.CUTOVER:
            text = (FOLDER / f"{check.check_id.replace('-', '_')}.py").read_text()
            made |= set(re.findall(r'(?:blocking|warning|advice)\(\s*"([a-z-]+)"', text))
    assert made == REPEATED_AT_CUTOVER
