"""Reading the state of a run: its tasks, its gates, the VMs, and both clocks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hcx_demo.airflow_api import AirflowApi, PendingGate, TaskState
from hcx_demo.stack.simulator import ControlApi
from hcx_demo.steps import AWAITING_INPUT, Step, fold, own_seconds
from hcx_demo.wave.sites import SiteReader, VmProgress

_FINISHED = frozenset({"success", "failed"})


@dataclass(frozen=True)
class RunStatus:
    """The state of a run at one moment.

    :param site_seconds: time since the start of the run by the sites' clock, which is virtual.
    :param wall_seconds: time since the start of the run.
    :param own_seconds: the part of it that was not spent waiting for the sites or for people.
    """

    dag_id: str
    run_id: str
    run_state: str
    steps: tuple[Step, ...]
    tasks: tuple[TaskState, ...]
    gates: tuple[PendingGate, ...]
    vms: tuple[VmProgress, ...]
    site_seconds: float
    wall_seconds: float
    own_seconds: float

    @property
    def is_finished(self) -> bool:
        """Whether the run has ended, successfully or not."""
        return self.run_state in _FINISHED


class RunObserver:
    """Reads the state of one run.

    :param vms: names of the wave's VMs; none for a run that moves none.
    """

    def __init__(
        self, api: AirflowApi, control: ControlApi, sites: SiteReader, dag_id: str, run_id: str, vms: Sequence[str]
    ) -> None:
        self._api = api
        self._control = control
        self._sites = sites
        self._vms = tuple(vms)
        self.dag_id = dag_id
        self.run_id = run_id
        self._site_began: datetime = control.now()
        self._wall_began = time.monotonic()

    def look(self) -> RunStatus:
        """Ask Airflow, HCX and the simulator's clock once each.

        :raises DemoError: if Airflow or the simulator does not answer.
        """
        # The run first: if it has ended, its tasks have ended too.
        run = self._api.run(self.dag_id, self.run_id)
        tasks = self._api.tasks(self.dag_id, self.run_id)
        waiting = any(task.state == AWAITING_INPUT for task in tasks)
        _, own = own_seconds(tasks)
        return RunStatus(
            dag_id=self.dag_id,
            run_id=self.run_id,
            run_state=str(run.get("state")),
            steps=fold(tasks),
            tasks=tasks,
            gates=self._api.pending_gates(self.dag_id, self.run_id) if waiting else (),
            vms=self._sites.progress(self._vms) if self._vms else (),
            site_seconds=(self._control.now() - self._site_began).total_seconds(),
            wall_seconds=time.monotonic() - self._wall_began,
            own_seconds=own,
        )
