"""The command ``plan``, from files to files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from hcx_waves.cli.app import main
from hcx_waves.inventory import inventory_text
from support.plan_oracle import RULES, inventory, vm

RUN = CliRunner(env={"COLUMNS": "200"})


@pytest.fixture
def files(tmp_path: Path) -> Path:
    known = inventory(*(vm(f"{app}-{number}", f"net-{app}", application=app) for app in "abc" for number in range(3)))
    (tmp_path / "inventory.json").write_text(inventory_text(known), encoding="utf-8")
    rules = {**RULES, "limits": {"vms": 4}, "together": [["a-0", "b-0"]]}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    return tmp_path


def plan(files: Path, *more: str) -> Result:
    given = [str(files / "inventory.json"), "--rules", str(files / "rules.yaml"), "--seconds", "0"]
    return RUN.invoke(main, ["plan", *given, *more])


def change(files: Path, **changes: object) -> None:
    document = yaml.safe_load((files / "rules.yaml").read_text(encoding="utf-8"))
    (files / "rules.yaml").write_text(yaml.safe_dump({**document, **changes}), encoding="utf-8")


def test_a_plan_is_written_and_its_waves_are_valid(files: Path) -> None:
    made = plan(files, "--out", str(files / "out"))

    assert made.exit_code == 0, made.output
    assert "biggest application first" in made.stdout
    assert sorted(one.name for one in (files / "out").iterdir()) == ["plan.csv", "plan.json", "plan.svg", "waves"]
    assert RUN.invoke(main, ["validate", str(files / "out" / "waves")]).exit_code == 0


def test_json_alone_is_printed(files: Path) -> None:
    assert json.loads(plan(files, "--json").stdout)["format"] == "hcx-waves-plan"


def test_rules_that_conflict_end_with_1_and_leave_nothing(files: Path) -> None:
    change(files, apart=[["a-0", "b-0"]])

    made = plan(files, "--out", str(files / "out"))

    assert made.exit_code == 1
    assert "apart[0], together[0]" in made.stderr
    assert not (files / "out").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"together": [["a-0", "a-9"]]}, 'no VM is called "a-9"'),
        ({"limit": {}}, 'did you mean "limits"?'),
        ({"nights": {"first": "2027-01-09", "every": "36h"}}, "must be whole days"),
        ({"time_zone": "CET"}, "is not a time zone"),
    ],
)
def test_rules_that_cannot_be_used_end_with_2(files: Path, changes: dict[str, object], message: str) -> None:
    change(files, **changes)

    made = plan(files)

    assert made.exit_code == 2
    assert message in made.stderr


def test_an_edited_table_is_kept_and_questions_are_answered(files: Path) -> None:
    out = files / "out"
    plan(files, "--out", str(out))
    document = json.loads((out / "plan.json").read_text(encoding="utf-8"))
    mover, there = document["waves"][-1]["members"][0]["key"], document["waves"][0]["name"]
    (files / "moves.csv").write_text(f"key,wave\n{mover},{there}\n", encoding="utf-8")

    kept = plan(files, "--keep", str(out / "plan.json"), "--moves", str(files / "moves.csv"), "--out", str(files / "2"))
    compared = RUN.invoke(main, ["plan", "compare", str(out / "plan.json"), str(files / "2" / "plan.json")])
    explained = RUN.invoke(main, ["plan", "explain", str(files / "2" / "plan.json"), mover])
    rules = str(files / "rules.yaml")
    tried = RUN.invoke(
        main, ["plan", "whatif", str(files / "inventory.json"), "--rules", rules, "--slots", "1", "--seconds", "0"]
    )

    assert "1 moved, 0 new" in kept.stdout
    assert (compared.exit_code, f"{mover}: " in compared.stdout) == (1, True), kept.output
    assert f"is in {there}" in explained.stdout
    assert "what if" in tried.stdout
