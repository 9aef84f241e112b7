"""Wait until HCX has unextended a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from hcx_airflow.names import UNEXTEND_NETWORK
from hcx_airflow.results import UNEXTEND_STARTED, to_json
from hcx_airflow.sensors.base import OutcomeSensor
from hcx_airflow.task import TaskRun
from hcx_airflow.triggers.polling import Poller
from hcx_airflow.triggers.unextend import UnextendTrigger, unextend_poller, unextend_without_look
from hcx_airflow.waits import note_of

if TYPE_CHECKING:
    from hcx_waves.run.results import WaitResult


class AwaitUnextendedSensor(OutcomeSensor):
    """Wait until the unextend that ``unextend_network`` has started succeeds or fails.

    :param segment: the segment's name.
    """

    trigger_path: ClassVar[str] = "hcx_airflow.triggers.unextend.UnextendTrigger"
    started_by: ClassVar[str] = UNEXTEND_NETWORK

    def __init__(self, *, segment: str, **kwargs: Any) -> None:
        super().__init__(**{"poke_interval": 1.0, **kwargs})
        self.segment = segment

    @override
    def make_trigger(self, run: TaskRun) -> UnextendTrigger:
        started = run.results.beside(UNEXTEND_STARTED)
        document = None if started is None else to_json(UNEXTEND_STARTED, started)
        return UnextendTrigger(started=document, rehearsal=self.rehearsal, ends_task=False)

    @override
    def make_poller(self, run: TaskRun) -> Poller | WaitResult:
        from hcx_waves.run.results import Ended

        started = run.results.beside(UNEXTEND_STARTED)
        if started is None:
            return unextend_without_look(run.clock, Ended.NOTHING)
        place = note_of(run, started.poll_seconds)
        made = unextend_poller(started, {}, run.clock, rehearsal=self.rehearsal, place=place)
        return self._closing.enter_context(made)
