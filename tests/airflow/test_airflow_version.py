"""The installed Airflow is one whose private API this project knows."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

from hcx_airflow.airflow_private import KNOWN_VERSIONS

_REQUIREMENTS = Path(__file__).parents[2] / "requirements.txt"


def test_the_installed_airflow_is_a_known_one() -> None:
    assert version("apache-airflow") in KNOWN_VERSIONS, (
        f"Airflow {version('apache-airflow')} is new here: read what has changed in the modules that "
        "hcx_airflow/airflow_private.py imports, then add the version there"
    )


def test_the_pinned_airflow_is_a_known_one() -> None:
    pinned = re.search(r"^apache-airflow(?:\[[^]]*\])?==(\S+)", _REQUIREMENTS.read_text(), re.MULTILINE)

    assert pinned is not None
    assert pinned[1] in KNOWN_VERSIONS
