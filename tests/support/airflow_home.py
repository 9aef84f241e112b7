"""An Airflow of the tests' own: its home and its database are in a temporary folder, never the user's."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

DAGS = Path(__file__).parents[2] / "dags"
_MARK = "HCX_WAVES_TESTS_AIRFLOW"


def prepare_airflow_home() -> Path:
    """Point Airflow to a new home, once per process; to be called before Airflow is imported.

    :raises RuntimeError: if it is too late for that.
    """
    owner = f"{os.getpid()}"
    if os.environ.get(_MARK) == owner:
        return Path(os.environ["AIRFLOW_HOME"])
    if "airflow.settings" in sys.modules:
        raise RuntimeError("Airflow was imported before the tests gave it a home of its own")
    home = Path(tempfile.mkdtemp(prefix="hcx-waves-airflow-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
        del os.environ[name]
    os.environ.update(
        {
            _MARK: owner,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        }
    )
    return home


def make_database() -> None:
    """Create Airflow's tables in the tests' own database; takes about three seconds."""
    # What Airflow's own libraries deprecate is no concern of these tests.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from airflow.utils.db import initdb

        initdb()
