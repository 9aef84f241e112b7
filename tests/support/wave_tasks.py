"""The tasks of a wave by their ids, as the DAG factory makes them, for runs in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hcx_airflow.gates.operator import WaveGate
from hcx_airflow.operators.cleanup import DeleteSourceSegmentOperator, RenameDestinationSegmentOperator
from hcx_airflow.operators.cutover import (
    DisconnectSourceSegmentOperator,
    ProveSegmentEmptyOperator,
    UnextendNetworkOperator,
    VerifyDestinationRoutedOperator,
)
from hcx_airflow.operators.migration import (
    CancelMigrationsOperator,
    EvaluateMigrationsOperator,
    ReleaseSwitchoversOperator,
    StartMigrationsOperator,
    VerifyVirtualMachinesOperator,
)
from hcx_airflow.operators.plan import ResolvePlanOperator, RunPreflightOperator
from hcx_airflow.operators.reconnect import ReconnectSourceSegmentOperator
from hcx_airflow.operators.report import ConcludeWaveOperator, WriteReportOperator
from hcx_airflow.sensors.migration import AwaitMigrationsSensor
from hcx_airflow.sensors.unextend import AwaitUnextendedSensor
from support.airflow_tasks import AirflowRun, content_of

WAVE_TASKS: dict[str, Callable[..., Any]] = {
    "resolve_plan": ResolvePlanOperator,
    "run_preflight": RunPreflightOperator,
    "start_migrations": StartMigrationsOperator,
    "release_switchovers": ReleaseSwitchoversOperator,
    "await_migrations": AwaitMigrationsSensor,
    "evaluate_migrations": EvaluateMigrationsOperator,
    "verify_virtual_machines": VerifyVirtualMachinesOperator,
    "cancel_migrations": CancelMigrationsOperator,
    "conclude_wave": ConcludeWaveOperator,
    "write_report": WriteReportOperator,
}
SEGMENT_TASKS: dict[str, Callable[..., Any]] = {
    "prove_segment_empty": ProveSegmentEmptyOperator,
    "disconnect_source_segment": DisconnectSourceSegmentOperator,
    "unextend_network": UnextendNetworkOperator,
    "await_unextended": AwaitUnextendedSensor,
    "verify_destination_routed": VerifyDestinationRoutedOperator,
    "reconnect_source_segment": ReconnectSourceSegmentOperator,
    "delete_source_segment": DeleteSourceSegmentOperator,
    "rename_destination_segment": RenameDestinationSegmentOperator,
}
_CLEANUP = ("delete_source_segment", "rename_destination_segment")


class WaveTasks:
    """Makes and runs the tasks of one wave in one run."""

    def __init__(self, run: AirflowRun, wave: str = "seed-wave", segment: str = "seed-net") -> None:
        self.run, self.wave, self.segment = run, wave, segment

    def task_id(self, name: str, segment: str | None = None, group: str | None = None) -> str:
        if name not in SEGMENT_TASKS and name not in ("approve_cutover", "confirm_disconnected"):
            return name
        kind = group or ("cleanup" if name in _CLEANUP else "cutover")
        return f"{kind}_{segment or self.segment}.{name}"

    def make(self, name: str, segment: str | None = None, group: str | None = None, **kwargs: Any) -> Any:
        """Make a task."""
        given: dict[str, Any] = {"task_id": self.task_id(name, segment, group), "wave_id": self.wave, **kwargs}
        if name in WAVE_TASKS:
            return WAVE_TASKS[name](**given)
        if name in SEGMENT_TASKS:
            return SEGMENT_TASKS[name](segment=segment or self.segment, **given)
        chosen = (segment or self.segment) if name in ("approve_cutover", "confirm_disconnected") else None
        return WaveGate(gate=name, segment=chosen, **given)

    def do(self, *names: str, **kwargs: Any) -> Any:
        """Run tasks one after the other, gates approved by alice; return the last one's result."""
        result = None
        for name in names:
            task = self.make(name, **kwargs)
            gate = isinstance(task, WaveGate)
            result = self.run.answer(task, change_reference="CHG1", reason=None) if gate else self.run.execute(task)
        return result

    def left(self, name: str, key: str = "return_value", segment: str | None = None) -> Any:
        """Return what a task has left."""
        return content_of(self.run.xcoms.get((self.task_id(name, segment), key)))


UNTIL_VERIFIED = (
    "resolve_plan",
    "run_preflight",
    "approve_wave",
    "start_migrations",
    "await_migrations",
    "evaluate_migrations",
    "verify_virtual_machines",
)
CUTOVER = (
    "prove_segment_empty",
    "approve_cutover",
    "disconnect_source_segment",
    "unextend_network",
    "await_unextended",
    "verify_destination_routed",
    "reconnect_source_segment",
)
