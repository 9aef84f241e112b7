"""The plugin that Airflow finds by the entry point ``airflow.plugins``."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from hcx_airflow.ui.preload import listener


class PreloadPlugin(AirflowPlugin):
    """Makes task starts cheap."""

    name = "hcx_waves_preload"
    listeners = [listener]  # noqa: RUF012  (as the base class has it)
