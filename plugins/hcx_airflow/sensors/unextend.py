"""Wait until HCX has unextended a network."""

from __future__ import annotations

from typing import Any, ClassVar

from typing_extensions import override

from hcx_airflow.runs.task import TaskRun
from hcx_airflow.sensors.base import OutcomeSensor
from hcx_airflow.triggers.base import failed_outcome, read_json
from hcx_airflow.triggers.polling import Ended, Poller
from hcx_airflow.triggers.unextend import UnextendTrigger, unextend_poller


class AwaitUnextendedSensor(OutcomeSensor):
    """Wait until the unextend that ``unextend_network`` has started has ended, well or badly.

    :param segment: the segment's name.
    """

    trigger_path: ClassVar[str] = "hcx_airflow.triggers.unextend.UnextendTrigger"
    started_by: ClassVar[str] = "unextend_network"

    def __init__(self, *, segment: str, **kwargs: Any) -> None:
        super().__init__(**{"poke_interval": 1.0, **kwargs})
        self.segment = segment

    @override
    def make_trigger(self) -> UnextendTrigger:
        return UnextendTrigger(started=read_json(self.started), rehearsal=self.rehearsal, ends_task=False)

    @override
    def make_poller(self, run: TaskRun) -> Poller | dict[str, Any]:
        started = run.xcom(self._starter_id())
        if not started:
            return failed_outcome(None, Ended.NOTHING, run.pace)
        return self._closing.enter_context(unextend_poller(started, {}, run.pace, rehearsal=self.rehearsal))
