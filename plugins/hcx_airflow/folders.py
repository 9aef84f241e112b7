"""Folders for reports and for what workers keep."""

from __future__ import annotations

import os
from pathlib import Path

REPORTS_VARIABLE = "HCX_WAVES_REPORTS_FOLDER"
STATE_VARIABLE = "HCX_WAVES_STATE_FOLDER"


def reports_folder() -> Path:
    """Return where reports and the records of rehearsals are written; the API server reads them there too."""
    return _folder(REPORTS_VARIABLE, "reports")


def state_folder() -> Path:
    """Return where workers keep what they may need again, such as snapshots."""
    return _folder(STATE_VARIABLE, "state")


def _folder(variable: str, name: str) -> Path:
    chosen = os.environ.get(variable)
    return Path(chosen) if chosen else Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / name
