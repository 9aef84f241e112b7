"""The watchdog DAG: fails while waves are due but paused, missed or broken, and lists the problems."""

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
from hcx_airflow.dag_factory.watch import concerns_of, new_differences
from hcx_airflow.errors import WaveTaskError
from hcx_airflow.task import bundle_path
from hcx_airflow.work import wave_folders
from hcx_waves.model.formatting import counted

_EVERY_FIVE_MINUTES = "*/5 * * * *"
_PAGE = """## Watchdog

Checks all waves every five minutes. The run fails, and the log of `report_waves` lists the problems, while a wave

- is due within two hours and its DAG is paused,
- is due and has not started, or did not start in time,
- has a run that waits although its DAG is paused,
- has a file that is broken or contradicts another one, or has no DAG,
- has a task that waits and in which something stands, or at which no triggerer looks. Each has a name, which leads to
  `docs/guide/stalls.md`.

Once a day `probe_sites` makes every read that waves rely on at the sites of all waves that are not paused and do not
run just then. The run fails if a product's answers differ from what is known of it and that was not known before; the
preflight of the waves warns of it from then on.

Put a failure callback or an alert on this DAG.
"""
_WAITING_STATES = ("deferred", "running")
_LONGEST_PROBE = timedelta(minutes=4)


class WavesNeedAttentionError(WaveTaskError):
    """Waves that need a person; one problem a line."""

    def __init__(self, concerns: Sequence[str]) -> None:
        self.concerns = tuple(concerns)
        super().__init__("\n- ".join([f"{counted(len(concerns), 'problem')} with waves:", *concerns]))


class ReportWavesOperator(BaseOperator):
    """Look at all wave files and at the runs of their DAGs; reads only.

    :raises AirflowFailException: with the text of :class:`WavesNeedAttentionError`, if there are problems.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"retries": 2, "retry_delay": timedelta(seconds=10), **kwargs})

    @override
    def execute(self, context: Context) -> None:
        from airflow.sdk.exceptions import AirflowFailException

        folder = folder_of_waves(context)
        concerns = concerns_of(folder, AirflowRuns(context["ti"]), datetime.now(UTC))
        if concerns:
            # A retry would find the same.
            raise AirflowFailException(str(WavesNeedAttentionError(concerns)))
        self.log.info("No problems with the waves in %s", folder)


class SitesDifferError(WaveTaskError):
    """Products that answer otherwise than they are known to; one difference a line."""

    def __init__(self, differences: Sequence[str]) -> None:
        self.differences = tuple(differences)
        found = f"{counted(len(differences), 'new difference')} between the products' answers and the contract"
        super().__init__("\n- ".join([f"{found}. See docs/probe.md:", *differences]))


class ProbeSitesOperator(BaseOperator):
    """Probe the sites of all waves once a day; reads only.

    Tries in the first minutes of an hour only, so that a site that does not answer holds up one run in twelve.

    :raises AirflowFailException: with the text of :class:`SitesDifferError`, if there are new differences.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"execution_timeout": _LONGEST_PROBE, **kwargs})

    @override
    def execute(self, context: Context) -> None:
        from airflow.sdk.exceptions import AirflowFailException

        differences = new_differences(folder_of_waves(context), AirflowRuns(context["ti"]), datetime.now(UTC))
        if differences:
            # A retry would not find them again: they are known now.
            raise AirflowFailException(str(SitesDifferError(differences)))


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

    def is_waiting(self, dag_id: str, run_id: str, task_id: str) -> bool:
        """Whether a task waits in the triggerer, or looks from a worker."""
        states = self._ti.get_task_states(dag_id=dag_id, task_ids=[task_id], run_ids=[run_id])
        found = states.get(run_id, {}).get(task_id)
        return str(getattr(found, "value", found)) in _WAITING_STATES


def folder_of_waves(context: Any) -> Path:
    """Return the first folder of wave files that exists, that of the DAG's bundle before others."""
    folders = wave_folders(bundle_path(context["ti"]))
    return next((folder for folder in folders if folder.is_dir()), folders[-1])


def build_watchdog_dag() -> DAG:
    """Return the watchdog DAG; its runs fail while there is a problem, so attach a callback or alert on them."""
    with DAG(
        names.WATCHDOG_DAG_ID,
        dag_display_name="watchdog of all waves",
        description="Fails while a wave is due but paused, was missed, or has a broken file",
        doc_md=_PAGE,
        schedule=CronTriggerTimetable(_EVERY_FIVE_MINUTES, timezone="UTC"),
        start_date=LONG_AGO,
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        tags=["hcx-waves", "watchdog"],
        auto_register=False,
    ) as dag:
        ReportWavesOperator(task_id=names.REPORT_WAVES)
        ProbeSitesOperator(task_id=names.PROBE_SITES)
    return dag
