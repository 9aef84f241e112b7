"""The guide: each id that a person can meet has an entry, and what entries name exists."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import hcx_airflow
import hcx_waves
from hcx_airflow import names
from hcx_airflow.dag_factory.loader import InvalidWavesError
from hcx_airflow.errors import WaveTaskError
from hcx_airflow.gates.table import GATES as GATE_TABLE
from hcx_waves.cli.app import as_command, entry_points
from hcx_waves.clients.errors import ClientError
from hcx_waves.guide.entries import BASE_VARIABLE, FAMILIES, url_of
from hcx_waves.guide.errors import ERRORS
from hcx_waves.guide.findings import FINDINGS
from hcx_waves.guide.gates import GATES
from hcx_waves.guide.outcomes import OUTCOMES
from hcx_waves.guide.pages import pages
from hcx_waves.guide.stalls import STALLS
from hcx_waves.guide.tools import DOCTOR, PROBE
from hcx_waves.migration.cancel import CancelAnswer
from hcx_waves.model.finding_ids import FINDING_IDS, NEVER_WAIVED
from hcx_waves.model.states import SegmentOutcome, VmOutcome, WaveOutcome
from hcx_waves.probe.results import Outcome
from hcx_waves.rescue.menu import RescueAction
from hcx_waves.resolve.problems import PlanError
from hcx_waves.run.results import Ended
from hcx_waves.run.stalls import StallId
from hcx_waves.wavefile.problems import WaveFileError

ROOT = Path(__file__).parents[2]
ENTRIES = [(one.name, entry_id, one.entries[entry_id]) for one in FAMILIES for entry_id in one.entries]
CODE = re.compile(r"`([^`]+)`")
WAVE_DAGS = re.compile(r"(\w+?)__<wave>")
RESCUE_WORDS = {"look", *RescueAction}
OTHERS = {
    "HCX_WAVES_SIGNING_KEY", "STRANDED", "airflow triggerer", "check", "ca_file", "endpoints.json", "hcx",
    "hcx_sim_control", "https://host[:port][/path]", "ok", "rescue",
}  # fmt: skip


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """Import all modules of a package, so that each class of error is known."""
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not found.name.endswith(("__main__", ".preload", ".board")) and ".board." not in found.name:
            yield import_module(found.name)


def below(kind: type[Exception]) -> set[type[Exception]]:
    """Return a class of ours and all that are made of it."""
    found = {kind}
    for child in kind.__subclasses__():
        found |= below(child)
    return {one for one in found if one.__module__.startswith(("hcx_waves.", "hcx_airflow."))}


def test_each_finding_has_an_entry() -> None:
    assert set(FINDINGS.entries) == FINDING_IDS
    for finding_id in NEVER_WAIVED:
        assert "annot be waived" in FINDINGS.entries[finding_id].meaning, finding_id


def test_each_stall_has_an_entry() -> None:
    assert set(STALLS.entries) == set(StallId)


def test_each_gate_has_an_entry() -> None:
    assert set(GATES.entries) == set(GATE_TABLE)


def test_each_error_has_an_entry() -> None:
    list(modules(hcx_waves))
    list(modules(hcx_airflow))
    kinds = {one.__name__ for one in below(ClientError) | below(WaveTaskError)}
    assert set(ERRORS.entries) == kinds | {one.__name__ for one in (PlanError, WaveFileError, InvalidWavesError)}


def test_each_outcome_has_an_entry() -> None:
    kinds = {"vm": VmOutcome, "segment": SegmentOutcome, "run": WaveOutcome, "wait": Ended, "cancel": CancelAnswer}
    assert set(OUTCOMES.entries) == {f"{kind}-{one.value}" for kind, values in kinds.items() for one in values}


def test_each_check_of_the_doctor_and_result_of_the_probe_has_an_entry() -> None:
    source = "".join(path.read_text() for path in (ROOT / "include/hcx_waves/doctor").glob("*.py"))
    checks = set(re.findall(r'(?:ok|warning|failed|guarded)\(\s*"([a-z]+)"', source))
    assert {"tls", "login", "underlay", "sddc"} <= checks
    assert set(DOCTOR.entries) == {f"doctor-{check}" for check in checks}
    assert set(PROBE.entries) == {f"probe-{one.value.replace(' ', '-')}" for one in Outcome}


def test_no_id_has_two_entries() -> None:
    ids = [entry_id for _, entry_id, _ in ENTRIES]
    assert len(ids) == len(set(ids)) > 200


@pytest.mark.parametrize("part", ["meaning", "what_to_do", "button"])
def test_each_entry_has_its_three_parts(part: str) -> None:
    for _, entry_id, entry in ENTRIES:
        text = getattr(entry, part)
        assert text.strip() == text, entry_id
        assert len(text) >= 3, entry_id
        assert text[0].isupper() or text.startswith(("`", "*", "vCenter")), entry_id
        assert part == "button" or text.rstrip("*").endswith("."), entry_id


def test_the_pages_are_made_of_the_code() -> None:
    folder = ROOT / "docs" / "guide"
    assert {path.name for path in folder.iterdir()} == set(pages())
    for name, text in pages().items():
        assert (folder / name).read_text() == text, "run: python -m hcx_waves.guide.pages docs/guide"


def test_each_entry_is_where_its_link_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    for _, entry_id, _ in ENTRIES:
        page, _, anchor = url_of(entry_id).partition("#")
        headings = re.findall(r"^## (.+)$", (ROOT / page).read_text(), re.MULTILINE)
        assert anchor in {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}
    assert (ROOT / url_of("no-such-id")).is_file()
    monkeypatch.setenv(BASE_VARIABLE, "https://guide.example/waves/")
    assert url_of("tunnel-down") == "https://guide.example/waves/stalls.md#tunnel-down"


def dags() -> set[str]:
    """Return the prefixes of the DAGs that the factory makes of a wave."""
    return {value.removesuffix("__") for name, value in vars(names).items() if name.endswith("_PREFIX")}


def tasks() -> set[str]:
    return {value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)}


def fields() -> set[str]:
    """Return all names of fields of wave files."""
    return set(re.findall(r'"(\w+)": \{', (ROOT / "docs/wave.schema.json").read_text()))


def exists(code: str) -> bool:
    """Whether what an entry shows as code is a command, a DAG, a task, an action or a field that there is."""
    word = re.split(r"[ :]", code)[0]
    if code.startswith("hcx-waves "):
        return is_command(code.split())
    dag = WAVE_DAGS.fullmatch(code)
    if dag is not None:
        return dag[1] in dags()
    if code.startswith("--"):
        return code in options_of("rescue")
    return code in tasks() | OTHERS | RESCUE_WORDS or all(part in fields() | {"options"} for part in word.split("."))


def options_of(command: str) -> set[str]:
    """Return the options of a command of ``hcx-waves``."""
    made = as_command(command, entry_points()[command].load())
    return {option for param in made.params for option in param.opts}


def is_command(words: list[str]) -> bool:
    """Whether a command line names a command, its options, and for rescue an action that there is."""
    if words[1] not in entry_points():
        return False
    if not {word for word in words if word.startswith("--")} <= options_of(words[1]):
        return False
    return words[1] != "rescue" or words[3] in RESCUE_WORDS


@pytest.mark.parametrize(
    "wrong", ["hcx-waves heal WAVE", "hcx-waves rescue WAVE jump", "undo__<wave>", "mend_segment", "--no-such-option"]
)
def test_what_does_not_exist_is_noticed(wrong: str) -> None:
    assert not exists(wrong)


def test_what_entries_name_exists() -> None:
    missing = [
        f"{entry_id}: {code}"
        for _, entry_id, entry in ENTRIES
        for code in CODE.findall(f"{entry.meaning} {entry.what_to_do} {entry.button}")
        if not exists(code)
    ]
    assert missing == []
