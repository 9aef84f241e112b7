"""Tasks without a scheduler: what operators see of Airflow, in memory, against a simulated site pair.

``AirflowRun(bundle)`` is one DAG run; ``run.execute(operator)`` does what a worker does with a task: XComs of an
earlier try are gone, the task state store is not, a deferral runs its trigger, and what is returned becomes the XCom.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from airflow.sdk import Connection
from airflow.sdk.definitions.retry_policy import RetryAction
from airflow.sdk.exceptions import TaskAwaitingInput, TaskDeferred

from hcx_airflow import results
from hcx_airflow.results import Results, Slot
from hcx_airflow.seal import SEAL, seal

KEPT = {slot.key for slot in vars(results).values() if isinstance(slot, Slot) and slot.kept}


def connection_documents(endpoints: dict[str, Any], **extra: Any) -> dict[str, dict[str, Any]]:
    """Return the Airflow connections of an endpoints document, by id, as JSON documents."""
    trust = {"ca_file": endpoints["ca_file"], "simulated": True, **extra}
    found: dict[str, dict[str, Any]] = {}
    for site in ("source", "destination"):
        for product, conn_type in (("hcx", "hcx"), ("vcenter", "vsphere"), ("nsx", "nsx_policy")):
            facts = (endpoints.get(site) or {}).get(product)
            if facts:
                found[f"{product}_{site}"] = {
                    "conn_type": conn_type,
                    "host": facts["url"],
                    "login": facts["username"],
                    "password": facts["password"],
                    "extra": trust,
                }
        vmc = endpoints.get("vmc") or {}
        if vmc.get(f"{site}_sddc_id"):
            ids = {"sddc_id": vmc[f"{site}_sddc_id"], "org_id": vmc["org_id"], "csp_url": vmc["csp_url"]}
            found[f"vmc_{site}"] = {
                "conn_type": "vmc",
                "host": vmc["url"],
                "password": vmc["refresh_token"],
                "extra": {**trust, **ids},
            }
    return found


def set_connections(monkeypatch: Any, documents: dict[str, dict[str, Any]], prefix: str = "") -> None:
    """Put connections into the environment, where Airflow finds them."""
    for conn_id, document in documents.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{prefix}{conn_id}".upper(), json.dumps(document))


def connection(conn_id: str, document: dict[str, Any]) -> Connection:
    """Make a connection object."""
    return Connection.from_json(json.dumps(document), conn_id=conn_id)


@dataclass
class FakeStore:
    """A task's state store: it outlives tries and clears."""

    values: dict[str, Any] = field(default_factory=dict)

    def get(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, default)

    def set(self, key: str, value: Any) -> None:
        self.values[key] = json.loads(json.dumps(value))

    def delete(self, key: str) -> None:
        self.values.pop(key, None)


@dataclass
class AirflowRun:
    """One DAG run."""

    bundle: Path
    dag_id: str = "seed-wave"
    run_id: str = "manual__1"
    params: dict[str, Any] = field(default_factory=dict)
    conf: dict[str, Any] = field(default_factory=dict)
    run_type: str = "manual"
    triggering_user_name: str | None = "carol"
    run_after: datetime = field(default_factory=lambda: datetime.now(UTC))
    xcoms: dict[tuple[str, str], Any] = field(default_factory=dict)
    other_runs: dict[str, AirflowRun] = field(default_factory=dict)
    stores: dict[str, FakeStore] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    rendered: list[Any] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)
    clear_number: int = 0
    logical_date: datetime | None = None
    trace_ids: dict[str, str] = field(default_factory=dict)
    made: str = field(default_factory=lambda: uuid4().hex)

    def context(self, operator: Any, try_number: int | None = None) -> dict[str, Any]:
        task_id = operator.task_id
        return {
            "ti": self.task_instance(task_id, try_number or self.tries.get(task_id, 1)),
            "task_instance": self.task_instance(task_id, try_number or self.tries.get(task_id, 1)),
            "task": operator,
            "params": self.params,
            "dag_run": SimpleNamespace(
                run_type=self.run_type,
                conf=self.conf,
                run_after=self.run_after,
                start_date=self.run_after,
                triggering_user_name=self.triggering_user_name,
                run_id=self.run_id,
                dag_id=self.dag_id,
                clear_number=self.clear_number,
                logical_date=self.logical_date,
            ),
            "task_state_store": self.stores.setdefault(task_id, FakeStore()),
        }

    def task_instance(self, task_id: str, try_number: int) -> Any:
        def pull(task_ids: str, key: str = "return_value", **where: Any) -> Any:
            assert where.pop("map_indexes") == -1
            run = self if where.get("run_id") in (None, self.run_id) else self.other_runs[where["run_id"]]
            if where.get("dag_id") not in (None, run.dag_id):
                return None
            return run.xcoms.get((task_ids, key))

        def states(dag_id: str, task_ids: list[str], run_ids: list[str]) -> dict[str, dict[str, str]]:
            runs = [one for one in (self, *self.other_runs.values()) if one.run_id in run_ids and one.dag_id == dag_id]
            return {one.run_id: {name: one.states[name] for name in task_ids if name in one.states} for one in runs}

        def push(key: str, value: Any) -> None:
            self.xcoms[task_id, key] = json.loads(json.dumps(value))

        return SimpleNamespace(
            id=f"{self.made}-{self.trace_of(task_id)}-{task_id}-{try_number}",
            context_carrier={"traceparent": f"00-{self.trace_of(task_id)}-00f067aa0ba902b7-00"},
            task_id=task_id,
            dag_id=self.dag_id,
            run_id=self.run_id,
            map_index=-1,
            try_number=try_number,
            bundle_instance=SimpleNamespace(path=self.bundle),
            xcom_pull=pull,
            xcom_push=push,
            get_task_states=states,
        )

    def trace_of(self, task_id: str) -> str:
        """Return the trace id of a task: drawn when the run is made, and anew for what is cleared."""
        return self.trace_ids.get(task_id, self.made)

    def leave(self, task_id: str, content: Any, key: str = "return_value") -> None:
        """Leave JSON as the present try of a task would, with its seal and in the ledger."""
        ti = self.task_instance(task_id, self.tries.get(task_id, 1))
        self.xcoms[task_id, key] = sealed_as(ti, content, key, self.clear_number)

    def make_begin(self, task_id: str) -> None:
        """Let a try of a task begin that ends without a result, as one does that fails."""
        ti = self.task_instance(task_id, self.tries.get(task_id, 1))
        _ = Results({"ti": ti, "dag_run": SimpleNamespace(clear_number=self.clear_number)}).ledger

    def execute(self, operator: Any) -> Any:
        """Run a task to its end, as worker and triggerer do, with its own retries but without their delays."""
        for number in range(1, operator.retries + 2):
            try:
                return self.execute_once(operator)
            except Exception as error:
                policy = operator.retry_policy
                action = None
                if policy is not None:
                    action = policy.evaluate(error, number, operator.retries, self.context_of_try).action
                if action is not RetryAction.RETRY or number > operator.retries:
                    raise
        raise AssertionError("a task ends or raises")

    def execute_once(self, operator: Any) -> Any:
        """Run one try of a task to its end."""
        task_id = operator.task_id
        self.tries[task_id] = self.tries.get(task_id, 0) + 1
        for name in [key for key in self.xcoms if key[0] == task_id]:
            del self.xcoms[name]
        context = self.context_of_try = self.context(operator)
        if getattr(operator, "started", None) is not None:
            operator.started = json.dumps(self.xcoms.get((operator._starter_id(), "return_value")))
        self.rendered.append({name: getattr(operator, name, None) for name in operator.template_fields})
        if operator.start_from_trigger:
            return self._end_in_triggerer(operator)
        try:
            result = operator.execute(context)
        except TaskDeferred as deferred:
            result = self._resume(operator, context, deferred)
        if result is not None:
            context["ti"].xcom_push("return_value", result)
        return content_of(result)

    def _end_in_triggerer(self, operator: Any) -> Any:
        """End a task from its trigger; Airflow encodes what is left by it twice."""
        arguments = operator.start_trigger_args
        kwargs = {**arguments.trigger_kwargs, "started": operator.started}
        task_id = operator.task_id
        outcome = fire(
            class_at(arguments.trigger_cls)(**kwargs), self.task_instance(task_id, self.tries.get(task_id, 1))
        )
        self.xcoms[operator.task_id, "return_value"] = json.dumps(outcome)
        return content_of(outcome)

    def _resume(self, operator: Any, context: dict[str, Any], deferred: TaskDeferred) -> Any:
        event = fire(deferred.trigger)
        try:
            return getattr(operator, deferred.method_name)(context, event=event, **(deferred.kwargs or {}))
        except TaskDeferred as again:
            return self._resume(operator, context, again)

    def answer(
        self,
        gate: Any,
        choice: str = "Approve",
        user: str | None = "alice",
        *,
        meanwhile: Callable[[], Any] | None = None,
        **params: Any,
    ) -> Any:
        """Ask a gate's question and answer it, as worker, API and worker do.

        :param meanwhile: is done between question and answer.
        """
        event = {
            "chosen_options": [choice],
            "params_input": params,
            "responded_at": datetime.now(UTC),
            "responded_by_user": None if user is None else {"id": user, "name": user},
            "timedout": False,
        }
        return self._ask(gate, event, meanwhile)

    def time_out(self, gate: Any) -> Any:
        """Ask a gate's question, and let nobody answer."""
        return self._ask(
            gate, {"error": "The timeout has passed, and the response is not yet received.", "error_type": "timeout"}
        )

    def _ask(self, gate: Any, event: dict[str, Any], meanwhile: Callable[[], Any] | None = None) -> Any:
        self.states[gate.task_id] = "failed"
        try:
            result = self.execute(gate)
        except TaskAwaitingInput as parked:
            if meanwhile is not None:
                meanwhile()
            context = self.context(gate)
            kwargs = json.loads(json.dumps(parked.kwargs or {}))
            result = getattr(gate, parked.method_name)(context, event=event, **kwargs)
            context["ti"].xcom_push("return_value", result)
        self.states[gate.task_id] = "success"
        return content_of(result)

    def clear(self, *task_ids: str) -> None:
        """Do what Airflow does when a person clears tasks: XComs stay until a task starts again."""
        self.clear_number += 1
        trace_id = uuid4().hex
        for task_id in task_ids:
            self.states.pop(task_id, None)
            self.trace_ids[task_id] = trace_id


def sealed_as(
    ti: Any, content: Any, key: str = "return_value", clear_number: int = 0, *, rehearsal: bool = False
) -> Any:
    """Return JSON as a task instance would leave it: with its seal, and in the ledger of its run."""
    made_by = Results({"ti": ti, "dag_run": SimpleNamespace(clear_number=clear_number)}, rehearsal=rehearsal)
    if key not in KEPT:
        return json.loads(json.dumps(made_by.sealed(content, key)))
    document, made = seal(content, key, made_by.writer)
    made_by.ledger.leave(made_by.writer, made, document)
    return json.loads(json.dumps(document))


def content_of(document: Any) -> Any:
    """Return a sealed result without its seal."""
    if isinstance(document, str) and document.startswith("{"):
        document = json.loads(document)
    if not isinstance(document, dict) or SEAL not in document:
        return document
    content = {name: value for name, value in document.items() if name != SEAL}
    return content["value"] if set(content) == {"value"} else content


def class_at(path: str) -> Any:
    """Return the class at a dotted path."""
    module, _, name = path.rpartition(".")
    return getattr(__import__(module, fromlist=[name]), name)


def fire(trigger: Any, task_instance: Any = None) -> Any:
    """Run a trigger to its first event, through what is stored of it; return the payload or the XCom.

    :param task_instance: of the task that has deferred; the triggers of rehearsals ask it.
    """
    path, kwargs = trigger.serialize()
    again = class_at(path)(**json.loads(json.dumps(kwargs)))
    if task_instance is not None:
        again.task_instance = task_instance

    async def first() -> Any:
        async for event in again.run():
            return event
        raise AssertionError("the trigger ended without an event")

    event = asyncio.run(first())
    xcoms = getattr(event, "xcoms", None)
    return xcoms["return_value"] if xcoms else event.payload


def fire_with_started(trigger: Any) -> Any:
    """Run a trigger that ends its task, with what ``start_migrations`` of the same run has left."""
    ids = {"dag_id": "seed-wave", "run_id": "manual__of_triggers", "try_number": 1}
    carrier = {"traceparent": f"00-{'ab' * 16}-00f067aa0ba902b7-00"}
    starter = SimpleNamespace(id="1", task_id="start_migrations", context_carrier=carrier, **ids)
    document = trigger.started
    if isinstance(document, str) and document.startswith("{"):
        trigger.started = json.dumps(sealed_as(starter, json.loads(document)))
    elif isinstance(document, dict):
        trigger.started = sealed_as(starter, document)
    waiting = SimpleNamespace(id="2", task_id="await_migrations", context_carrier=carrier, **ids)
    return content_of(fire(trigger, waiting))
