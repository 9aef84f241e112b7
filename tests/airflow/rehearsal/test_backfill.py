"""Backfills by Airflow's own code: which nights become runs, what is refused, and which conf a night has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.exceptions import DagRunTypeNotAllowed
from airflow.models.backfill import InvalidBackfillConf, ReprocessBehavior, _create_backfill
from airflow.models.dagbundle import DagBundleModel
from airflow.models.dagrun import DagRun
from airflow.sdk import DAG
from airflow.utils.session import create_session
from sqlalchemy import delete, select, update

from hcx_airflow.dag_factory.cleanup import build_cleanup_dag
from hcx_airflow.dag_factory.live import build_live_dag
from hcx_airflow.dag_factory.rehearsal import build_rehearsal_dag
from hcx_waves.wavefile.loader import read_wave
from support.dag_player import BUNDLE
from support.wave_files import minimal

CUT = "segments:\n  - {name: net, cutover: now, cutover_window: {opens: +0m, lasts: 2h}}\n"
WAVE = read_wave(minimal("backfilled", more=CUT).replace("UTC", "Europe/Berlin"))
FAULTY = {"faults": ["tunnel-down"]}


@pytest.fixture
def dags(airflow_database: None) -> Iterator[list[DAG]]:
    """A wave's three DAGs as the DAG processor stores them; their runs are gone in the end."""
    made = [build_live_dag(WAVE), build_cleanup_dag(WAVE), build_rehearsal_dag(WAVE)]
    bag = DagBag(dag_folder="/dev/null", bundle_name=BUNDLE)
    for dag in made:
        dag.fileloc, dag.relative_fileloc = f"/nowhere/{dag.dag_id}.py", f"{dag.dag_id}.py"
        bag.bag_dag(dag)
    with create_session() as session:
        if session.scalar(select(DagBundleModel).where(DagBundleModel.name == BUNDLE)) is None:
            session.add(DagBundleModel(name=BUNDLE))
            session.flush()
        sync_bag_to_db(bag, BUNDLE, None, session=session)
    yield made
    with create_session() as session:
        session.execute(delete(DagRun).where(DagRun.dag_id.in_([dag.dag_id for dag in made])))


def backfill(dag_id: str, first: int, end: int, conf: dict[str, Any] | None = None, *, again: bool = False) -> None:
    """Do what ``airflow backfill create`` does for days of October, and end the runs and the backfill."""
    made = _create_backfill(
        dag_id=dag_id,
        from_date=datetime(2026, 10, first, tzinfo=UTC),
        to_date=datetime(2026, 10, end, tzinfo=UTC),
        max_active_runs=4,
        reverse=False,
        dag_run_conf=conf,
        triggering_user_name="carol",
        reprocess_behavior=ReprocessBehavior.COMPLETED if again else ReprocessBehavior.NONE,
    )
    with create_session() as session:
        session.execute(update(DagRun).where(DagRun.dag_id == dag_id).values(state="success"))
        session.execute(update(type(made)).where(type(made).id == made.id).values(completed_at=datetime.now(UTC)))


def runs(dag_id: str) -> list[DagRun]:
    with create_session() as session:
        return list(session.scalars(select(DagRun).where(DagRun.dag_id == dag_id).order_by(DagRun.logical_date)))


@pytest.mark.usefixtures("dags")
def test_thirty_nights_become_thirty_runs_each_at_noon_of_its_date() -> None:
    backfill("rehearsal__backfilled", 1, 31)
    found = [run.logical_date for run in runs("rehearsal__backfilled")]
    assert [one.day for one in found] == list(range(1, 31))
    # The clocks go back on the 25th.
    assert [one.hour for one in found] == [10] * 24 + [11] * 6
    assert {str(run.run_type) for run in runs("rehearsal__backfilled")} == {"backfill"}


@pytest.mark.parametrize("dag_id", ["backfilled", "cleanup__backfilled"])
@pytest.mark.usefixtures("dags")
def test_airflow_refuses_to_backfill_what_touches_machines(dag_id: str) -> None:
    with pytest.raises(DagRunTypeNotAllowed, match=f"'{dag_id}' does not allow backfill runs"):
        backfill(dag_id, 1, 3)
    assert runs(dag_id) == []


@pytest.mark.usefixtures("dags")
def test_a_night_that_is_rehearsed_again_keeps_the_conf_of_the_first_time_unless_it_is_given_another() -> None:
    backfill("rehearsal__backfilled", 5, 7, FAULTY)
    backfill("rehearsal__backfilled", 5, 7, {"faults": []})
    assert [run.conf for run in runs("rehearsal__backfilled")] == [FAULTY] * 2, "existing nights are not touched"
    backfill("rehearsal__backfilled", 5, 6, again=True)
    assert runs("rehearsal__backfilled")[0].conf == FAULTY, "no conf is not an empty conf"
    backfill("rehearsal__backfilled", 5, 6, {"faults": []}, again=True)
    assert runs("rehearsal__backfilled")[0].conf == {"faults": []}


@pytest.mark.parametrize(
    "conf",
    [
        {"faults": ["earthquake"]},
        {"rotate_faults": "yes"},
        {"lead_hours": 23},
        {"reaction_minutes": -1},
        {"vms": ["x"]},
    ],
    ids=str,
)
@pytest.mark.usefixtures("dags")
def test_airflow_refuses_a_conf_that_makes_no_sense(conf: dict[str, Any]) -> None:
    with pytest.raises(InvalidBackfillConf):
        backfill("rehearsal__backfilled", 1, 3, conf)
    assert runs("rehearsal__backfilled") == []
