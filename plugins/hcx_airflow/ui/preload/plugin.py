"""The plugin that Airflow finds by the entry point ``airflow.plugins``."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from hcx_airflow.ui import notes
from hcx_airflow.ui.preload import listener


class PreloadPlugin(AirflowPlugin):
    """Makes task starts cheap, and the outcome of a run its note."""

    name = "hcx_waves_preload"
    listeners = [listener, notes]  # noqa: RUF012  (as the base class has it)
