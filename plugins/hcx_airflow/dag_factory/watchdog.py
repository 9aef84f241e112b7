"""The watchdog DAG: fails, and says why, when waves are due but paused, missed or broken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, BaseOperator, Context, CronTriggerTimetable
from airflow.sdk.exceptions import AirflowRuntimeError
from typing_extensions import override

from hcx_airflow import names
from hcx_airflow.dag_factory.live import LONG_AGO
from hcx_airflow.dag_factory.watch import concerns_of
from hcx_airflow.errors import WaveTaskError
from hcx_airflow.task import bundle_path
from hcx_airflow.work import wave_folders

_EVERY_FIVE_MINUTES = "*/5 * * * *"


class WavesNeedAttentionError(WaveTaskError):
    """Waves that somebody should see to; one sentence a line."""

    def __init__(self, concerns: Sequence[str]) -> None:
        self.concerns = tuple(concerns)
        count = f"{len(concerns)} thing{'s' if len(concerns) > 1 else ''} to see to"
        super().__init__("\n- ".join([f"{count}:", *concerns]))


class ReportWavesOperator(BaseOperator):
    """Look at all wave files and at the runs of their DAGs; reads only.

    :raises WavesNeedAttentionError: with everything that somebody should see to.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"retries": 2, "retry_delay": timedelta(seconds=10), **kwargs})

    @override
    def execute(self, context: Context) -> None:
        from airflow.sdk.exceptions import AirflowFailException

        folder = folder_of_waves(context)
        concerns = concerns_of(folder, AirflowRuns(context["ti"]), datetime.now(UTC))
        if concerns:
            # What is found now is found in ten seconds as well, so it is not tried again.
            raise AirflowFailException(str(WavesNeedAttentionError(concerns)))
        self.log.info("Nothing to see to in %s", folder)


class AirflowRuns:
    """Airflow's runs, as a task can see them.

    :param ti: the running task instance.
    """

    def __init__(self, ti: Any) -> None:
        self._ti = ti

    def is_paused(self, dag_id: str) -> bool | None:
        """Whether a DAG is paused; None if Airflow does not know it."""
        try:
            return bool(self._ti.get_dag(dag_id).is_paused)
        except AirflowRuntimeError as error:
            if "404" in str(error):
                return None
            raise

    def count(self, dag_id: str, states: Sequence[str] | None = None, logical_date: datetime | None = None) -> int:
        """Return how many runs a DAG has in some states, or of a logical date."""
        return int(
            self._ti.get_dr_count(
                dag_id,
                states=None if states is None else list(states),
                logical_dates=None if logical_date is None else [logical_date],
            )
        )


def folder_of_waves(context: Any) -> Path:
    """Return the first folder of wave files that exists, that of the DAG's bundle before others."""
    folders = wave_folders(bundle_path(context["ti"]))
    return next((folder for folder in folders if folder.is_dir()), folders[-1])


def build_watchdog_dag() -> DAG:
    """Return the watchdog DAG; attach a callback or watch its runs, as each of them is red while there is something."""
    with DAG(
        names.WATCHDOG_DAG_ID,
        description="Waves that are due but paused, missed, or broken",
        doc_md=__doc__,
        schedule=CronTriggerTimetable(_EVERY_FIVE_MINUTES, timezone="UTC"),
        start_date=LONG_AGO,
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        tags=["hcx-waves", "watchdog"],
        auto_register=False,
    ) as dag:
        ReportWavesOperator(task_id=names.REPORT_WAVES)
    return dag
