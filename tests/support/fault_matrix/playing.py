"""One run of a DAG, task by task: real operators, triggers and gates; Airflow's rules about tasks in miniature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG
from airflow.sdk.definitions.retry_policy import RetryAction
from airflow.sdk.exceptions import AirflowSkipException

from hcx_airflow.gates.operator import WaveGate
from support.airflow_tasks import AirflowRun
from support.fault_matrix.killing import Killed
from support.fault_matrix.stage import Stage

ENDED = frozenset({"success", "failed", "skipped", "upstream_failed"})
_BAD = frozenset({"failed", "upstream_failed"})


def _nothing(_task_id: str, _number: int) -> None:
    """Take the place of a listener."""


@dataclass
class Played:
    """A run that is played.

    :param before_try: is told of each try before it begins, with its number.
    :param after_try: is told when a try has ended, also by an error.
    """

    stage: Stage
    dag: DAG
    run: AirflowRun
    before_try: Callable[[str, int], None] = _nothing
    after_try: Callable[[str, int], None] = _nothing
    most_tries: int | None = None
    until: str | None = None
    """The task after which only the report is written."""
    states: dict[str, str | None] = field(default_factory=dict)
    errors: dict[str, Exception] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.states = dict.fromkeys(self.dag.task_ids)

    def play(self) -> None:
        """Run every task that Airflow would run."""
        while any(state is None for state in self.states.values()):
            before = dict(self.states)
            for task_id in self.dag.task_ids:
                self._turn(task_id)
            assert self.states != before, f"nothing can run any more: {self.states}"

    def clear(self, task_id: str) -> None:
        """Clear a task and all after it, as the button does, and let Airflow run them again."""
        ids = [task_id, *sorted(self._after(task_id))]
        self.run.clear(*ids)
        for one in ids:
            self.states[one] = None
            self.errors.pop(one, None)
        self.play()

    def find(self, name: str, beside: str = "") -> str | None:
        """Return the id of a task by its name without its group; of several the one in the group of ``beside``."""
        found = [one for one in self.dag.task_ids if one == name or one.endswith(f".{name}")]
        group = beside.rpartition(".")[0]
        return next((one for one in found if one.rpartition(".")[0] == group), found[0] if found else None)

    @property
    def failed(self) -> list[str]:
        """The tasks that failed themselves, in the order of the DAG."""
        return [one for one in self.dag.task_ids if self.states[one] == "failed"]

    def _after(self, task_id: str) -> set[str]:
        found: set[str] = set()
        open_ones = [task_id]
        while open_ones:
            for one in self.dag.get_task(open_ones.pop()).downstream_task_ids:
                if one not in found:
                    found.add(one)
                    open_ones.append(one)
        return found

    def _turn(self, task_id: str) -> None:
        task = self.dag.get_task(task_id)
        above = {one: self.states[one] for one in task.upstream_task_ids}
        if self.states[task_id] is not None or not all(state in ENDED for state in above.values()):
            return
        if self.until is not None and self.states[self.until] in ENDED and task_id != "write_report":
            # As if somebody had marked it skipped.
            self.states[task_id] = "skipped"
            return
        setups = {one for one in above if self.dag.get_task(one).is_setup}
        state = verdict(str(getattr(task.trigger_rule, "value", task.trigger_rule)), above, setups)
        self._set(task_id, state or self._run(task))

    def _set(self, task_id: str, state: str) -> None:
        self.states[task_id] = state
        self.run.states[task_id] = state

    def _run(self, task: Any) -> str:
        if isinstance(task, TriggerDagRunOperator):
            return "success"
        last = task.retries + 1 if self.most_tries is None else min(task.retries + 1, self.most_tries)
        for number in range(1, last + 1):
            self.before_try(task.task_id, number)
            try:
                self._once(task)
            except AirflowSkipException:
                return "skipped"
            except Killed:
                self._forget(task.task_id)
            except Exception as error:  # noqa: BLE001  (whatever it is, the task has failed)
                self.errors[task.task_id] = error
                policy = task.retry_policy
                context = getattr(self.run, "context_of_try", None)
                action = None if policy is None else policy.evaluate(error, number, task.retries, context).action
                if action is not RetryAction.RETRY:
                    return "failed"
                self.stage.pair.advance(policy.delay_after(number).total_seconds())
            else:
                self.errors.pop(task.task_id, None)
                return "success"
            finally:
                self.after_try(task.task_id, number)
        return "failed"

    def _once(self, task: Any) -> None:
        if isinstance(task, WaveGate):
            self.run.answer(task, change_reference="CHG1", reason=None)
            return
        self.run.execute_once(task)

    def _forget(self, task_id: str) -> None:
        """Forget what a killed process did not come to hand over at its end."""
        self.run.xcoms.pop((task_id, "return_value"), None)


def verdict(rule: str, above: Mapping[str, str | None], setups: set[str]) -> str | None:
    """Return the state of a task that does not run, or None if it does; all above it have ended."""
    states = list(above.values())
    bad = any(state in _BAD for state in states)
    if rule == "all_done":
        return None
    if rule == "all_done_setup_success":
        return None if not setups or any(above[one] == "success" for one in setups) else "skipped"
    if rule == "all_done_min_one_success":
        return None if "success" in states else "upstream_failed" if bad else "skipped"
    if rule == "none_failed":
        return "upstream_failed" if bad else None
    assert rule == "all_success", rule
    return "upstream_failed" if bad else "skipped" if "skipped" in states else None
