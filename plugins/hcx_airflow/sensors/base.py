"""Base class of the sensors: no worker slot while waiting, success with an outcome at the end."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseSensorOperator, Context, PokeReturnValue
from airflow.triggers.base import StartTriggerArgs
from typing_extensions import override

from hcx_airflow.documents import Document
from hcx_airflow.retries import retry_arguments
from hcx_airflow.task import TaskRun
from hcx_airflow.triggers.base import OutcomeTrigger
from hcx_airflow.triggers.polling import Poller
from hcx_airflow.ui.links import LINKS

LONGEST = timedelta(days=40)

if TYPE_CHECKING:
    from hcx_waves.run.results import WaitResult


class OutcomeSensor(BaseSensorOperator):
    """Waits for something that another task has started.

    Deferrable, it goes straight to the triggerer and ends there; otherwise it pokes. Either way it ends in success,
    with an outcome that says why; the deadline is an instant that the task which started it has left.

    :param wave_id: the wave.
    :param rehearsal: whether the run works on twins.
    :param deferrable: whether to wait in the triggerer.
    """

    trigger_path: ClassVar[str]
    started_by: ClassVar[str]
    template_fields: Sequence[str] = ("wave_id", "started")
    operator_extra_links = LINKS

    def __init__(self, *, wave_id: str, rehearsal: bool = False, deferrable: bool = True, **kwargs: Any) -> None:
        given = {"poke_interval": 10.0, "timeout": LONGEST, **retry_arguments(rehearsal=rehearsal), **kwargs}
        super().__init__(**given)
        self.wave_id = wave_id
        self.rehearsal = rehearsal
        self.deferrable = deferrable
        # Without map_indexes the triggerer cannot read the XCom and the task would wait for ever.
        self.started = f"{{{{ ti.xcom_pull(task_ids='{self._starter_id()}', map_indexes=-1) | tojson }}}}"
        self._poller: Poller | None = None
        self._closing = ExitStack()
        if deferrable:
            self.start_from_trigger = True
            self.start_trigger_args = StartTriggerArgs(
                trigger_cls=self.trigger_path,
                trigger_kwargs={"started": self.started, "rehearsal": rehearsal, **self.trigger_arguments()},
                next_method="execute_complete",
                timeout=LONGEST,
            )

    def trigger_arguments(self) -> Document:
        """Return further arguments of the trigger."""
        return {}

    def _starter_id(self) -> str:
        group, _, _ = self.task_id.rpartition(".")
        return f"{group}.{self.started_by}" if group else self.started_by

    @abstractmethod
    def make_trigger(self, run: TaskRun) -> OutcomeTrigger:
        """Return the trigger, for a task that has a worker already."""

    @abstractmethod
    def make_poller(self, run: TaskRun) -> Poller | WaitResult:
        """Return what looks, or the result if there is nothing to wait for."""

    @override
    def execute(self, context: Context) -> Any:
        run = TaskRun(self.wave_id, self.rehearsal, context)
        if self.deferrable:
            self.defer(trigger=self.make_trigger(run), method_name="execute_complete", timeout=LONGEST)
        if self.rehearsal:
            return self._wait_here(run)
        return super().execute(context)

    def _wait_here(self, run: TaskRun) -> Document:
        """Wait in the worker by the rehearsal's time, of which Airflow's own pokes know nothing."""
        with run.clock.taking_part(), self._closing:
            made = self.make_poller(run)
            found = made.run_here() if isinstance(made, Poller) else made
            return run.results.sealed(found.model_dump(mode="json"))

    def execute_complete(self, context: Context, event: Document | None = None) -> Document:
        """Return the outcome that the trigger has sent."""
        if not isinstance(event, dict) or "ended" not in event:
            raise ValueError("the trigger sent no outcome. Clear this task to wait again")
        run = TaskRun(self.wave_id, self.rehearsal, context)
        with run.clock.taking_part():
            return run.results.sealed(event)

    @override
    def poke(self, context: Context) -> PokeReturnValue:
        run = TaskRun(self.wave_id, self.rehearsal, context)
        if self._poller is None:
            made = self.make_poller(run)
            if not isinstance(made, Poller):
                return PokeReturnValue(is_done=True, xcom_value=run.results.sealed(made.model_dump(mode="json")))
            self._poller = made
        found = self._poller.step()
        if found is None:
            return PokeReturnValue(is_done=False)
        self._closing.close()
        return PokeReturnValue(is_done=True, xcom_value=run.results.sealed(found.model_dump(mode="json")))
