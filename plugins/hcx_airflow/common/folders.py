"""Where what runs leave for people is kept."""

from __future__ import annotations

import os
from pathlib import Path

REPORTS_VARIABLE = "HCX_WAVES_REPORTS_FOLDER"


def reports_folder() -> Path:
    """Return where reports and the records of rehearsals are written; the API server reads them there too."""
    chosen = os.environ.get(REPORTS_VARIABLE)
    return Path(chosen) if chosen else Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "reports"
