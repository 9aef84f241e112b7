"""The progress of a series of rehearsals: their runs in Airflow and the records that they left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hcx_demo.airflow_api import AirflowApi
from hcx_demo.rehearsal.backfill import NightRange
from hcx_demo.steps import StepState, fold
from hcx_waves.rehearsals.model import RehearsalRecord
from hcx_waves.rehearsals.store import RecordError, RecordStore
from hcx_waves.wavefile.wave import Wave

_FINISHED = frozenset({"success", "failed"})
_RUNNING = "running"
_PAGE = 100


@dataclass(frozen=True)
class RehearsalRun:
    """The rehearsal of one night: its run and, once it has ended, its record.

    :param state: the state of the run in Airflow; empty while there is no run.
    :param activity: the steps that are running.
    :param wall_seconds: duration of the run so far.
    :param record: None if the run left none.
    """

    night: date
    state: str = ""
    run_id: str = ""
    activity: str = ""
    wall_seconds: float = 0.0
    record: RehearsalRecord | None = None

    @property
    def is_finished(self) -> bool:
        """Whether the run has ended, successfully or not."""
        return self.state in _FINISHED

    @property
    def is_running(self) -> bool:
        """Whether the run is in progress."""
        return self.state == _RUNNING


class RehearsalProgress:
    """Reads the state of all rehearsals of a series from Airflow and from their records.

    :param began_at: older records belong to an earlier series.
    """

    def __init__(
        self, api: AirflowApi, store: RecordStore, wave: Wave, dag_id: str, nights: NightRange, began_at: datetime
    ) -> None:
        self._api = api
        self._store = store
        self._wave = wave.name
        self._zone = ZoneInfo(wave.time_zone)
        self._dag_id = dag_id
        self._nights = nights
        self._began_at = began_at
        self._ended: dict[date, RehearsalRun] = {}

    def look(self) -> tuple[RehearsalRun, ...]:
        """Return the rehearsals of all nights in order.

        :raises DemoError: if Airflow does not answer.
        """
        runs = dict(self._runs())
        for day, run in runs.items():
            if day not in self._ended and run.get("state") in _FINISHED:
                self._ended[day] = self._rehearsal(day, run)
        return tuple(self._ended.get(day) or self._rehearsal(day, runs.get(day, {})) for day in self._nights.dates())

    def _runs(self) -> Iterator[tuple[date, Mapping[str, Any]]]:
        path = f"/dags/{self._dag_id}/dagRuns?order_by=logical_date&limit={_PAGE}"
        path += f"&logical_date_gte={self._nights.first}T00:00:00Z&logical_date_lt={self._nights.end}T00:00:00Z"
        offset = 0
        while True:
            found = self._api.call("GET", f"{path}&offset={offset}").get("dag_runs", [])
            yield from ((self._day(run), run) for run in found)
            offset += _PAGE
            if len(found) < _PAGE:
                return

    def _day(self, run: Mapping[str, Any]) -> date:
        return datetime.fromisoformat(str(run["logical_date"])).astimezone(self._zone).date()

    def _rehearsal(self, day: date, run: Mapping[str, Any]) -> RehearsalRun:
        state, run_id = str(run.get("state") or ""), str(run.get("dag_run_id") or "")
        finished = state in _FINISHED
        return RehearsalRun(
            night=day,
            state=state,
            run_id=run_id,
            activity=self._activity(run_id) if state == _RUNNING else "",
            wall_seconds=_wall_seconds(run),
            record=self._record(day) if finished else None,
        )

    def _activity(self, run_id: str) -> str:
        active = [step for step in fold(self._api.tasks(self._dag_id, run_id)) if step.state is StepState.RUNNING]
        return "; ".join(f"{step.title}: {step.detail}" if step.detail else step.title for step in active)

    def _record(self, day: date) -> RehearsalRecord | None:
        try:
            record = self._store.read(self._wave, day)
        except RecordError:
            return None
        return record if record.recorded_at is None or record.recorded_at >= self._began_at else None


def _wall_seconds(run: Mapping[str, Any]) -> float:
    began, ended = run.get("start_date"), run.get("end_date")
    if not began:
        return 0.0
    end = datetime.fromisoformat(str(ended)) if ended else datetime.now(UTC)
    return max(0.0, (end - datetime.fromisoformat(str(began))).total_seconds())
