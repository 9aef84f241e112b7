"""Runs of a wave's recovery DAG in memory: its tasks one after the other, as the DAG factory makes them."""

from __future__ import annotations

from typing import Any

from hcx_airflow import names
from hcx_airflow.gates.operator import WaveGate
from hcx_airflow.operators.recovery import RecoverOperator, ResolveRecoveryOperator, WriteRecoveryReportOperator
from support.airflow_tasks import AirflowRun, content_of

TASKS: dict[str, Any] = {
    names.RESOLVE_RECOVERY: ResolveRecoveryOperator,
    names.RECOVER: RecoverOperator,
    names.WRITE_REPORT: WriteRecoveryReportOperator,
}
_CHANGING = ("segments.patch", "segments.put", "l2_extensions.delete", "cancel", "forceCancel")


class Recovering:
    """One run of a recovery DAG.

    :param origin: a run of its wave.
    """

    def __init__(self, origin: AirflowRun, *, run_id: str = "r1", wave: str = "seed-wave", **params: Any) -> None:
        self.wave = wave
        facts: Any = {"dag_id": names.recovery_dag_id(wave), "run_id": run_id, "params": params}
        others = {origin.run_id: origin}
        self.run = AirflowRun(origin.bundle, asked=origin.asked, other_runs=others, **facts)

    def make(self, name: str) -> Any:
        """Make a task."""
        given = {"task_id": name, "wave_id": self.wave}
        return WaveGate(gate=name, **given) if name == names.APPROVE_RECOVERY else TASKS[name](**given)

    def resolve(self) -> Any:
        """Look, and say what would be done."""
        return self.run.execute(self.make(names.RESOLVE_RECOVERY))

    def approve(self, user: str = "alice", **answer: Any) -> str:
        """Answer the gate; return what it has shown."""
        self.run.answer(self.make(names.APPROVE_RECOVERY), user=user, **answer)
        return str(self.run.asked[-1]["body"])

    def recover(self) -> Any:
        """Act."""
        return self.run.execute(self.make(names.RECOVER))

    def all(self) -> Any:
        """Do all of it, approved by alice; return what was done."""
        self.resolve()
        self.approve()
        return self.recover()

    def report(self) -> Any:
        """Write the report."""
        return self.run.execute(self.make(names.WRITE_REPORT))

    def left(self, name: str, key: str = "return_value") -> Any:
        """Return what a task has left."""
        return content_of(self.run.xcoms.get((name, key)))


def changes(pair: Any, mark: int) -> list[str]:
    """Return the changing calls that came in since a mark."""
    calls = [call["data"]["operation"] for call in pair.calls(after=mark)]
    return [one for one in calls if any(part in one for part in _CHANGING)]
