"""Folders of many wave files, each wave with VMs and a segment of its own, chained by fives."""

from __future__ import annotations

import shutil
from pathlib import Path

from support.airflow_home import DAGS


def write_many_waves(folder: Path, count: int) -> list[str]:
    """Write wave files like the seed wave's and return the waves' names."""
    text = (DAGS / "waves" / "seed-wave.yaml").read_text()
    names = [f"wave-{number:03}" for number in range(count)]
    for number, name in enumerate(names):
        vms = f"vms: [web{number:03}, app{number:03}, db{number:03}]"
        wave = text.replace("name: seed-wave", f"name: {name}", 1).replace("vms: [web01, web02, app01, db01]", vms)
        wave = wave.replace("seed-net", f"net-{number:03}")
        if number % 5:
            wave += f"after: [{names[number - 1]}]\n"
        (folder / f"{name}.yaml").write_text(wave)
    return names


def write_dags_folder(folder: Path, count: int) -> list[str]:
    """Make a DAGs folder like the project's own with many wave files; return the waves' names."""
    (folder / "waves").mkdir(parents=True)
    for path in [*DAGS.glob("*.py"), DAGS / ".airflowignore"]:
        shutil.copy(path, folder)
    return write_many_waves(folder / "waves", count)
