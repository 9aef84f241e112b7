"""By which clocks the instants of a run are."""

from __future__ import annotations

import logging

from airflow.sdk.exceptions import AirflowNotFoundException

from hcx_airflow.common.errors import ConnectionSettingsError
from hcx_airflow.hooks.hcx import HcxHook
from hcx_airflow.hooks.sites import hcx_connection_id
from hcx_airflow.runs.files import WaveFileError, WaveFileMissingError
from hcx_airflow.runs.task import TaskRun

logger = logging.getLogger(__name__)


def has_virtual_sites(run: TaskRun) -> bool:
    """Whether a run by wall time works on sites with a virtual time; no, if its connections cannot be read any more.

    A rehearsal goes by the time of its twin as a whole.
    """
    if run.rehearsal:
        return False
    try:
        return bool(HcxHook.of(hcx_connection_id(run.wave, rehearsal=False)).extras.simulated)
    except (WaveFileError, WaveFileMissingError, ConnectionSettingsError, AirflowNotFoundException) as error:
        logger.warning("whether the sites are simulated is not known: %s", error)
        return False
