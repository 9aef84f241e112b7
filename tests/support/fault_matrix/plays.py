"""What is played: a DAG, and what has to be there before it. Another play is another row of ``PLAYS``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from airflow.sdk import DAG

from hcx_airflow.dag_factory.loader import wave_dags
from hcx_airflow.names import cleanup_dag_id
from hcx_sim.world.model import SiteName
from support.airflow_tasks import AirflowRun
from support.fault_matrix.playing import Played
from support.fault_matrix.stage import SEGMENT, VMS, WAVE, Stage

RENAMED = "seed-net-cloud"
_DAGS: dict[str, DAG] = {}


@dataclass(frozen=True)
class Play:
    """One DAG, played from its beginning.

    :param dag_id: of the DAG.
    :param before: plays what comes before, without any fault; returns the runs that the DAG's run looks at.
    :param missing: says what of the play's aim is not reached; nothing, if it is.
    """

    name: str
    dag_id: str
    before: Callable[[Stage], dict[str, AirflowRun]]
    missing: Callable[[Stage], list[str]]
    conf: dict[str, Any] = field(default_factory=dict)

    def cast(self, stage: Stage, earlier: dict[str, AirflowRun], number: int = 1) -> Played:
        """Return a run of the DAG that has not begun.

        :param earlier: what :attr:`before` has returned.
        :param number: of the run; 2 is what a person starts after the first.
        """
        run = AirflowRun(
            stage.folder,
            dag_id=self.dag_id,
            run_id=f"manual__{self.name}_{number}",
            params={"poll_interval_seconds": 30},
            conf=dict(self.conf),
            run_after=stage.pair.now,
            other_runs=dict(earlier),
            asked=stage.asked,
            # A drawn trace id would be the only thing of a cell that its seed does not decide.
            made=f"{self.name}{number}".ljust(32, "0"),
        )
        return Played(stage, _dag(stage, self.dag_id), run)


def _dag(stage: Stage, dag_id: str) -> DAG:
    if dag_id not in _DAGS:
        _DAGS.update(wave_dags(stage.folder / "waves", only=dag_id))
    return _DAGS[dag_id]


def _no_runs(_stage: Stage) -> dict[str, AirflowRun]:
    return {}


def _a_wave(stage: Stage) -> dict[str, AirflowRun]:
    played = PLAYS["wave"].cast(stage, {})
    played.play()
    assert not played.failed, {one: str(played.errors.get(one)) for one in played.failed}
    return {played.run.run_id: played.run}


def _not_moved(stage: Stage) -> list[str]:
    pair, world = stage.pair, stage.pair.world
    missing = [f"{name} is not at the destination" for name in VMS if pair.vm(name).site is not SiteName.DESTINATION]
    if world.bridges:
        missing.append("the network is still extended")
    found = world.segments.get(f"destination/{SEGMENT}")
    if found is None or not found.gateway_up:
        missing.append("the destination gateway is off")
    return missing


def _not_cleaned(stage: Stage) -> list[str]:
    segments = stage.pair.world.segments
    missing = ["the source segment is still there"] if f"source/{SEGMENT}" in segments else []
    names = [one.display_name for one in segments.values()]
    return missing if RENAMED in names else [*missing, f"no segment is named {RENAMED}: {names}"]


PLAYS = {
    one.name: one
    for one in (
        Play("wave", WAVE, _no_runs, _not_moved),
        Play(
            "cleanup",
            cleanup_dag_id(WAVE),
            _a_wave,
            _not_cleaned,
            {"wave_dag_id": WAVE, "wave_run_id": "manual__wave_1"},
        ),
    )
}
