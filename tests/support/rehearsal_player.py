"""Plays the rehearsal DAG of a wave in this process, against a guarded world: threads instead of workers and triggerer.

What is made up is Airflow alone: it starts each task by its trigger rule after a delay of real time, runs tries,
deferrals and triggers, and answers which state each task is in. Everything else is the product: operators, triggers,
connections, control API, world. Tasks that make and end the world are played as done.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from airflow.sdk import DAG
from airflow.sdk.definitions.retry_policy import RetryAction
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred

from hcx_airflow.dag_factory.rehearsal import build_rehearsal_dag
from hcx_waves.domain.loader import load_wave
from hcx_waves.domain.wave import Wave
from hcx_waves.twin.control import TwinControl
from hcx_waves.twin.names import world_id_of
from support.airflow_tasks import AirflowRun
from support.site_pair import SitePair, SiteServer

AROUND = ("take_snapshot", "open_twin", "close_twin", "summarise_rehearsals")
ENDED = frozenset({"success", "failed", "skipped", "upstream_failed"})
NIGHT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def twin_documents(server: SiteServer, **extra: Any) -> dict[str, dict[str, Any]]:
    """Return the connections of rehearsals as people write them: a server's addresses, and the control token."""
    endpoints = server.default().endpoints
    trust = {"ca_file": endpoints["ca_file"], **extra}
    found: dict[str, dict[str, Any]] = {
        "twin_control": {
            "conn_type": "hcx_twin",
            "host": endpoints["control"]["url"],
            "password": endpoints["control"]["token"],
            "extra": trust,
        }
    }
    for site in ("source", "destination"):
        for product, conn_type in (("hcx", "hcx"), ("vcenter", "vsphere"), ("nsx", "nsx_policy")):
            url = endpoints[site][product]["url"]
            found[f"twin_{product}_{site}"] = {"conn_type": conn_type, "host": url, "extra": trust}
        found[f"twin_vmc_{site}"] = {"conn_type": "vmc", "host": endpoints["vmc"]["url"], "extra": trust}
    return found


@contextmanager
def twin_control(pair: SitePair) -> Iterator[TwinControl]:
    """Open the control port of a pair's server."""
    from hcx_waves.clients.tls import TlsSettings

    control = pair.endpoints["control"]
    client = TwinControl(control["url"], control["token"], tls=TlsSettings(ca_file=Path(str(pair.ca_file))))
    try:
        yield client
    finally:
        client.close()


@dataclass
class RehearsalRun(AirflowRun):
    """A run of a rehearsal DAG, as its tasks see it."""

    run_type: str = "backfill"
    logical_date: datetime = NIGHT

    def context(self, operator: Any, try_number: int | None = None) -> dict[str, Any]:
        context = super().context(operator, try_number)
        context["dag_run"].logical_date = self.logical_date
        context["ti"] = self.task_instance(operator.task_id, self.tries.get(operator.task_id, 1))
        return context

    def task_instance(self, task_id: str, try_number: int) -> Any:
        made = super().task_instance(task_id, try_number)
        made.get_task_states = self.task_states
        return made

    def task_states(self, dag_id: str, run_ids: list[str], **_others: Any) -> dict[str, dict[str, str | None]]:
        """Answer as Airflow does."""
        assert (dag_id, run_ids) == (self.dag_id, [self.run_id])
        return {self.run_id: dict(self.states)}


@dataclass
class Player:
    """Plays one run.

    :param delays: seconds of real time before a task's try begins, by task id.
    :param meanwhile: is called in a task's thread, right before its try begins.
    """

    run: RehearsalRun
    dag: DAG
    pair: SitePair
    delays: Callable[[str], float] = lambda _task: 0.0
    meanwhile: Callable[[str], None] = lambda _task: None
    only: Callable[[str], bool] = lambda _task: True
    errors: dict[str, BaseException] = field(default_factory=dict)
    began: list[tuple[str, datetime]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self.run.states = {task.task_id: None for task in self.dag.tasks}  # type: ignore[misc]
        for name in AROUND:
            self.run.states[name] = "success"
        with twin_control(self.pair) as control:
            upstream = {task.task_id: sorted(task.upstream_task_ids) for task in self.dag.tasks}
            control.annotate(self.pair.world_id, "upstream", upstream)

    def play(self, limit_seconds: float = 120.0) -> dict[str, str | None]:
        """Play all tasks to their end; return how each has ended."""
        with self._changed:
            while True:
                for task in self.dag.tasks:
                    self._begin(task)
                if not self._goes_on():
                    return dict(self.run.states)
                assert self._changed.wait(limit_seconds), f"nothing happens any more: {self.run.states}"

    def _goes_on(self) -> bool:
        return any(state is not None and state not in ENDED for state in self.run.states.values())

    def _begin(self, task: Any) -> None:
        if self.run.states[task.task_id] is not None or not self.only(task.task_id):
            return
        ended = [self.run.states[one] for one in task.upstream_task_ids]
        if not all(state in ENDED for state in ended):
            return
        unmet = _unmet(task, ended, self.run.states)
        if unmet is not None:
            self._set(task.task_id, unmet)
            return
        self._set(task.task_id, "queued")
        threading.Thread(target=self._task, args=(task,), daemon=True).start()

    def _set(self, task_id: str, state: str) -> None:
        with self._changed:
            self.run.states[task_id] = state
            self._changed.notify_all()

    def _task(self, task: Any) -> None:
        try:
            self._set(task.task_id, self._tries(task))
        except BaseException as error:
            self.errors[task.task_id] = error
            self._set(task.task_id, "failed")

    def _tries(self, task: Any) -> str:
        for number in range(1, task.retries + 2):
            self.run.tries[task.task_id] = number
            for name in [key for key in self.run.xcoms if key[0] == task.task_id]:
                del self.run.xcoms[name]
            threading.Event().wait(self.delays(task.task_id))
            self.meanwhile(task.task_id)
            try:
                self._try(task)
            except AirflowSkipException:
                return "skipped"
            except Exception as error:
                self.errors[task.task_id] = error
                policy = task.retry_policy
                action = None if policy is None else policy.evaluate(error, number, task.retries).action
                if action is not RetryAction.RETRY or number > task.retries:
                    return "failed"
                self._set(task.task_id, "up_for_retry")
                continue
            return "success"
        raise AssertionError("a task ends or raises")

    def _try(self, task: Any) -> None:
        context = self.run.context(task)
        if getattr(task, "started", None) is not None:
            task.started = json.dumps(self.run.xcoms.get((task._starter_id(), "return_value")))
        if task.start_from_trigger:
            arguments = task.start_trigger_args
            kwargs = {**arguments.trigger_kwargs, "started": task.started}
            outcome = self._trigger(task, arguments.trigger_cls, kwargs)
            self.run.xcoms[task.task_id, "return_value"] = json.dumps(outcome)
            return
        self._set(task.task_id, "running")
        result = self._worker(task, context, lambda: task.execute(context))
        if result is not None:
            context["ti"].xcom_push("return_value", result)

    def _worker(self, task: Any, context: Mapping[str, Any], work: Callable[[], Any]) -> Any:
        try:
            return work()
        except TaskDeferred as deferred:
            path, kwargs = deferred.trigger.serialize()
            event = self._trigger(task, path, json.loads(json.dumps(kwargs)))
            method = getattr(task, deferred.method_name)
            self._set(task.task_id, "running")
            more = deferred.kwargs or {}
            return self._worker(task, context, lambda: method(context, event=event, **more))

    def _trigger(self, task: Any, path: str, kwargs: dict[str, Any]) -> Any:
        self._set(task.task_id, "deferred")
        module, _, name = path.rpartition(".")
        trigger = getattr(__import__(module, fromlist=[name]), name)(**kwargs)
        instance = self.run.task_instance(task.task_id, self.run.tries[task.task_id])
        trigger.task_instance = SimpleNamespace(**vars(instance))

        async def first() -> Any:
            async for event in trigger.run():
                return event
            raise AssertionError("the trigger ended without an event")

        event = asyncio.run(first())
        xcoms = getattr(event, "xcoms", None)
        if not xcoms:
            self._set(task.task_id, "scheduled")
        return xcoms["return_value"] if xcoms else event.payload


def _unmet(task: Any, ended: list[str | None], states: Mapping[str, str | None]) -> str | None:
    """Return how a task ends that its trigger rule does not let begin, None if it begins."""
    rule = str(task.trigger_rule.value)
    if rule == "all_done":
        return None
    if rule == "all_done_setup_success":
        setups = [states[one] for one in task.upstream_task_ids if task.dag.get_task(one).is_setup]
        if not setups or "success" in setups:
            return None
        return "skipped" if set(setups) <= {"skipped"} else "upstream_failed"
    if {"failed", "upstream_failed"} & set(ended):
        return "upstream_failed"
    return "skipped" if rule == "all_success" and "skipped" in ended else None


def rehearsed(
    server: SiteServer, folder: Path, wave_id: str, *, reactions: Mapping[str, float | None], **world: Any
) -> tuple[RehearsalRun, DAG, SitePair]:
    """Make a run of a wave's rehearsal with a world of its own.

    :param folder: the bundle, with the wave file in ``waves``.
    :param world: options of the world.
    """
    run_id = world.pop("run_id", "backfill__2026-11-24")
    wave: Wave = load_wave(folder / "waves" / f"{wave_id}.yaml")
    dag = build_rehearsal_dag(wave)
    chosen = {"scenario": "seed", "role": "twin", "seed": 7, "guarded": True, "start": NIGHT, **world}
    pair = server.make_world(world_id=world_id_of(wave_id, run_id), mode="stepped", **chosen)
    run = RehearsalRun(folder, dag_id=dag.dag_id, run_id=run_id, params={"poll_interval_seconds": 60})
    run.xcoms["open_twin", "return_value"] = {"reactions": dict(reactions)}
    return run, dag, pair
