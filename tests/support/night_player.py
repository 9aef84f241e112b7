"""A whole rehearsal in one process: the tasks of a rehearsal DAG in threads, in the order that Airflow would run them.

What operators, sensors, triggers and gates do is real, against real sockets: a live-role world that is read and twins
that are worked on. Made up is Airflow: trigger rules, retries and states are done here in miniature, with latencies
of its own that a seed shuffles.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from airflow.sdk import DAG
from airflow.sdk.definitions.retry_policy import RetryAction
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred

from hcx_airflow.dag_factory.loader import wave_dags
from support.airflow_tasks import FakeStore, class_at, content_of, fire
from support.threads import Threads

ENDED = ("success", "failed", "skipped", "upstream_failed")
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
_PAUSE = threading.Event()


@dataclass
class NightRun:
    """One run of a rehearsal DAG.

    :param bundle: a folder with ``waves/``.
    :param night: of a backfilled or scheduled run: its logical date is noon of that day, in UTC.
    :param disorder: seeds the latencies between the end of one task and the start of the next.
    :param tries: of a run whose tasks were cleared: how many each has had.
    :param stores: of such a run: what its tasks remember, which Airflow keeps.
    :param before: what happens right before a task's try begins, by task id.
    :param let_go: ends the waits of a night that is interrupted; drops the run's world.
    """

    bundle: Path
    wave: str
    run_id: str = "backfill__1"
    night: str | None = None
    run_type: str = "backfill"
    params: Mapping[str, Any] = field(default_factory=dict)
    conf: Mapping[str, Any] = field(default_factory=dict)
    disorder: int = 0
    before: Mapping[str, Callable[[NightRun], None]] = field(default_factory=dict)
    let_go: Callable[[NightRun], None] = lambda _run: None
    states: dict[str, str | None] = field(default_factory=dict)
    xcoms: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: dict[str, BaseException] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    stores: dict[str, FakeStore] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dag: DAG = wave_dags(self.bundle / "waves", only=f"rehearsal__{self.wave}")[f"rehearsal__{self.wave}"]
        self.states = dict.fromkeys(self.dag.task_ids)
        self._chance = random.Random(self.disorder)  # noqa: S311  (latencies)
        self._interrupted = False
        self.given = {**self.dag.params.dump(), **self.conf, **self.params}

    def play(self) -> NightRun:
        """Run every task that Airflow would run.

        Interrupted, as by a time limit, it lets go of the tasks and triggers that wait for the night's time.
        """
        running: dict[Future[None], str] = {}
        with Threads(self.run_id, self._interrupt) as threads:
            while True:
                before = dict(self.states)
                ready = [task_id for task_id in self.dag.task_ids if self._decide(task_id)]
                self._chance.shuffle(ready)
                for task_id in ready:
                    self.states[task_id] = "queued"
                    running[threads.submit(self._run, task_id, self._chance.random())] = task_id
                if not running:
                    if self._settled():
                        return self
                    assert self.states != before, f"nothing can run any more: {self.states}"
                    continue
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    del running[done]
                    done.result(timeout=0)

    @property
    def red(self) -> set[str]:
        """The tasks that failed."""
        return {task_id for task_id, state in self.states.items() if state == "failed"}

    def left(self, task_id: str, key: str = "return_value") -> Any:
        """Return what a task has left."""
        return content_of(self.xcoms.get(task_id, {}).get(key))

    def _interrupt(self) -> None:
        self._interrupted = True
        self.let_go(self)

    def _settled(self) -> bool:
        return all(state in ENDED for state in self.states.values())

    def _decide(self, task_id: str) -> bool:
        """Return whether a task is to run now; one that never will gets its state here."""
        if self.states[task_id] is not None:
            return False
        task = self.dag.get_task(task_id)
        above = {one: self.states[one] for one in task.upstream_task_ids}
        if not all(state in ENDED for state in above.values()):
            return False
        ended = _verdict(str(task.trigger_rule.value), above, self._setups_of(task))
        if ended is not None:
            self.states[task_id] = ended
        return ended is None

    def _setups_of(self, task: Any) -> set[str]:
        return {one for one in task.upstream_task_ids if self.dag.get_task(one).is_setup}

    def _run(self, task_id: str, latency: float) -> None:
        task = self.dag.get_task(task_id)
        earlier = self.tries.get(task_id, 0)
        for number in range(1, task.retries + 2):
            _PAUSE.wait(latency * 0.02)
            if self._interrupted:
                return
            self.tries[task_id] = earlier + number
            self.xcoms[task_id] = {}
            try:
                self.before.get(task_id, lambda _run: None)(self)
                self._try(task)
            except AirflowSkipException:
                self.states[task_id] = "skipped"
            except Exception as error:  # noqa: BLE001  (whatever it is, the task has failed)
                self.errors[task_id] = error
                policy = task.retry_policy
                if policy is not None and number <= task.retries:
                    self.states[task_id] = "up_for_retry"
                    if policy.evaluate(error, number, task.retries).action is RetryAction.RETRY:
                        continue
                self.states[task_id] = "failed"
            else:
                self.states[task_id] = "success"
            return

    def _try(self, task: Any) -> None:
        task_id = task.task_id
        if getattr(task, "started", None) is not None:
            task.started = json.dumps(self._pull(task._starter_id()))
        if task.start_from_trigger:
            self.states[task_id] = "deferred"
            arguments = task.start_trigger_args
            trigger = class_at(arguments.trigger_cls)(**{**arguments.trigger_kwargs, "started": task.started})
            self.xcoms[task_id]["return_value"] = json.dumps(self._fire(trigger, task_id))
            return
        self.states[task_id] = "running"
        context = self._context(task)
        try:
            result = task.execute(context)
        except TaskDeferred as deferred:
            result = self._resume(task, context, deferred)
        if result is not None:
            context["ti"].xcom_push("return_value", result)

    def _resume(self, task: Any, context: dict[str, Any], deferred: TaskDeferred) -> Any:
        self.states[task.task_id] = "deferred"
        event = self._fire(deferred.trigger, task.task_id)
        self.states[task.task_id] = "running"
        try:
            return getattr(task, deferred.method_name)(context, event=event, **(deferred.kwargs or {}))
        except TaskDeferred as again:
            return self._resume(task, context, again)

    def _fire(self, trigger: Any, task_id: str) -> Any:
        return fire(trigger, self._task_instance(task_id))

    def _context(self, task: Any) -> dict[str, Any]:
        ti = self._task_instance(task.task_id)
        logical = None if self.night is None else datetime.fromisoformat(f"{self.night}T12:00+00:00")
        dag_run = SimpleNamespace(
            run_type=self.run_type,
            conf=dict(self.conf),
            run_after=datetime.now(UTC),
            start_date=datetime.now(UTC),
            logical_date=logical,
            triggering_user_name="carol",
            run_id=self.run_id,
            dag_id=self.dag.dag_id,
            clear_number=0,
        )
        store = self.stores.setdefault(task.task_id, FakeStore())
        return {
            "ti": ti, "task_instance": ti, "task": task, "dag": self.dag, "params": self.given, "dag_run": dag_run,
            "run_id": self.run_id, "task_state_store": store,
        }  # fmt: skip

    def _task_instance(self, task_id: str) -> Any:
        def pull(task_ids: str, key: str = "return_value", **where: Any) -> Any:
            assert where.pop("map_indexes") == -1
            assert where.pop("dag_id", self.dag.dag_id) == self.dag.dag_id, "a rehearsal reads nothing of other DAGs"
            return self._pull(task_ids, key)

        def push(key: str, value: Any) -> None:
            self.xcoms[task_id][key] = json.loads(json.dumps(value))

        def states(dag_id: str, task_ids: Sequence[str] | None = None, run_ids: Sequence[str] = ()) -> dict[str, Any]:
            assert (dag_id, list(run_ids)) == (self.dag.dag_id, [self.run_id])
            wanted = self.dag.task_ids if task_ids is None else task_ids
            return {self.run_id: {one: self.states[one] for one in wanted if one in self.states}}

        return SimpleNamespace(
            id=f"{self.run_id}-{task_id}-{self.tries.get(task_id, 1)}",
            context_carrier={"traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-00"},
            task_id=task_id,
            dag_id=self.dag.dag_id,
            run_id=self.run_id,
            map_index=-1,
            try_number=self.tries.get(task_id, 1),
            bundle_instance=SimpleNamespace(path=self.bundle),
            xcom_pull=pull,
            xcom_push=push,
            get_task_states=states,
        )

    def _pull(self, task_id: str, key: str = "return_value") -> Any:
        return self.xcoms.get(task_id, {}).get(key)


def _verdict(rule: str, above: Mapping[str, str | None], setups: set[str]) -> str | None:
    """Return the state of a task that does not run, or None if it does; all above it have ended."""
    if rule == "all_done":
        return None
    if rule == "all_done_setup_success":
        return None if not setups or any(above[one] == "success" for one in setups) else "skipped"
    assert rule == "all_success", rule
    if any(state in ("failed", "upstream_failed") for state in above.values()):
        return "upstream_failed"
    return "skipped" if "skipped" in above.values() else None
