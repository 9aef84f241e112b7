"""The packages of every extra are pinned, and the image has the extras that its components need."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]


def normalised(requirement: str) -> str:
    """Return the name of a package as indexes compare it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=; ]", requirement)[0]).lower()


def test_every_dependency_is_pinned() -> None:
    locked = {normalised(line) for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line}
    needed = {normalised(one) for group in (PROJECT["dependencies"], *EXTRAS.values()) for one in group}

    assert needed - locked == {PROJECT["name"]}


def test_no_package_is_in_the_base_and_in_an_extra() -> None:
    base = {normalised(one) for one in PROJECT["dependencies"]}

    assert [one for group in EXTRAS.values() for one in group if normalised(one) in base] == []


def test_the_image_has_the_extras_of_its_components() -> None:
    (installed,) = re.findall(r"/opt/hcx-waves\[([a-z,]+)\]", (ROOT / "Dockerfile").read_text())

    assert set(installed.split(",")) == set(EXTRAS) - {"demo"}
