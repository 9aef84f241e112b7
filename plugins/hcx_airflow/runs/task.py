"""One task of one run of a wave: its file, its plan, its scope, what the tasks before it left, and who approved."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from hcx_airflow.common.errors import DriftedError, PlanMissingError
from hcx_airflow.common.signing import DECISION_KEY, Decision, signing_key
from hcx_airflow.hooks.sites import open_sites, pages_of
from hcx_airflow.pace.base import Pace
from hcx_airflow.runs import attestation
from hcx_airflow.runs.approval import Requirement, verify_decision
from hcx_airflow.runs.files import read_wave_of_task
from hcx_airflow.runs.pace import pace_of
from hcx_airflow.runs.rehearsal import Rehearsal
from hcx_airflow.runs.scope import Scope
from hcx_waves.model.plan import WavePlan
from hcx_waves.wavefile.gates import Gate
from hcx_waves.wavefile.wave import Wave

if TYPE_CHECKING:
    from hcx_waves.clients.bundle import SiteClients

RESOLVE_PLAN, OPEN_TWIN = "resolve_plan", "open_twin"


@dataclass
class TaskRun:
    """What a task knows of its run.

    :param context: Airflow's task context.
    """

    wave_id: str
    rehearsal: bool
    context: Any
    pages: dict[str, str] = field(default_factory=dict)

    @property
    def ti(self) -> Any:
        """The task instance."""
        return self.context["ti"]

    @property
    def task_id(self) -> str:
        """The running task."""
        return str(self.ti.task_id)

    @property
    def params(self) -> Mapping[str, Any]:
        """The run's params."""
        return dict(self.context.get("params") or {})

    @property
    def run_type(self) -> str:
        """How the run came about: ``scheduled``, ``manual``, ``backfill``, ..."""
        kind = self.context["dag_run"].run_type
        return str(getattr(kind, "value", kind))

    @property
    def started_at(self) -> datetime:
        """The instant that the wave's times count from; the same for every try of a run."""
        if self.rehearsal:
            return self.rehearsed.wave.begins_at
        run = self.context["dag_run"]
        instant: datetime = run.run_after or run.start_date
        return instant.astimezone(UTC)

    @cached_property
    def pace(self) -> Pace:
        """The time of the run: real time, or that of the world which a rehearsal alone works in.

        :raises RunRefusedError: if a rehearsal is in no rehearsal DAG.
        """
        return pace_of(self.ti, rehearsal=self.rehearsal)

    def now(self) -> datetime:
        """Return the present instant of the run's time (UTC)."""
        return self.pace.now()

    @cached_property
    def wave(self) -> Wave:
        """The wave file as it is now; in a rehearsal moved to the rehearsed night."""
        return self.rehearsed.wave if self.rehearsal else read_wave_of_task(self.wave_id, self.context)

    @cached_property
    def rehearsed(self) -> Rehearsal:
        """Which night is rehearsed, and how.

        :raises RunRefusedError: if the run's params or its kind make no sense for a rehearsal.
        """
        return Rehearsal.of(read_wave_of_task(self.wave_id, self.context), self.context)

    @cached_property
    def scope(self) -> Scope:
        """What of the wave this run does."""
        return Scope.of_params(self.params, self.wave)

    @cached_property
    def plan(self) -> WavePlan:
        """The plan that this run works by.

        :raises PlanMissingError: if there is none.
        :raises DriftedError: if the wave file has changed since it was made.
        """
        plan = self.stored_plan()
        if plan.wave_hash != self.wave.wave_hash:
            raise DriftedError(
                f"the file of wave {self.wave_id} has changed since this run was planned; start a new run, which "
                "adopts what is under way and asks for approval anew"
            )
        return plan

    def stored_plan(self) -> WavePlan:
        """Return the plan as ``resolve_plan`` left it, of this run or of the wave's run that the cleanup is for."""
        document = self.wave_xcom(RESOLVE_PLAN)
        if document is None:
            raise PlanMissingError(f"{RESOLVE_PLAN} has left no plan; run it first")
        try:
            return WavePlan.model_validate(document)
        except ValidationError as error:
            raise PlanMissingError(f"what {RESOLVE_PLAN} left is no plan ({error.error_count()} problems)") from error

    @cached_property
    def origin(self) -> dict[str, Any] | None:
        """Where the wave's own run is, for a cleanup; None in that run itself, and in rehearsals."""
        if self.rehearsal:
            return None
        conf = self.context["dag_run"].conf or {}
        dag_id = str(conf.get("wave_dag_id") or self.wave_id)
        if dag_id == self.ti.dag_id:
            return None
        run_id = conf.get("wave_run_id")
        return {"dag_id": dag_id, **({"run_id": str(run_id)} if run_id else {"include_prior_dates": True})}

    def wave_xcom(self, task_id: str, key: str = "return_value") -> Any:
        """Return what a task of the wave has left: of this run, or of the one that this cleanup is for."""
        own = self.xcom(task_id, key)
        return self.xcom(task_id, key, **self.origin) if own is None and self.origin is not None else own

    @property
    def clear_number(self) -> int:
        """How often tasks of the run have been cleared."""
        return int(getattr(self.context["dag_run"], "clear_number", None) or 0)

    @property
    def started_by(self) -> str | None:
        """Who has started the run by hand; None if nobody has, as far as Airflow says."""
        name = getattr(self.context["dag_run"], "triggering_user_name", None)
        return None if name is None else str(name)

    def use_stored_plan(self) -> None:
        """Work by the stored plan whatever the wave file says now: for the way back, which must not be in its way."""
        self.__dict__["plan"] = self.stored_plan()

    def xcom(self, task_id: str, key: str = "return_value", **where: Any) -> Any:
        """Return what a task left, or None."""
        value = self.ti.xcom_pull(task_ids=task_id, key=key, map_indexes=-1, **where)
        # What a trigger leaves by ending its task is encoded twice by Airflow, and comes back as text.
        return json.loads(value) if isinstance(value, str) and value.startswith("{") else value

    def remember(self, key: str, value: Any) -> None:
        """Keep something for later tries of this task and for other tasks, before anything else happens.

        None takes back what was kept.
        """
        store = self.context.get("task_state_store")
        if store is not None and value is None:
            store.delete(self.kept_as(key))
        elif store is not None:
            store.set(self.kept_as(key), value)
        self.ti.xcom_push(key=key, value=value)

    def recall(self, key: str) -> Any:
        """Return what an earlier try has kept, or None; other tasks see it again, as a retry has removed it there."""
        store = self.context.get("task_state_store")
        value = None if store is None else store.get(self.kept_as(key))
        if value is not None:
            self.ti.xcom_push(key=key, value=value)
        return value

    def kept_as(self, key: str) -> str:
        """Return the name that something is kept under for later tries.

        Airflow keeps it for runs that are cleared, too. A rehearsal that is run again works in another twin, in which
        nothing of it has happened.
        """
        return f"{key}@{self._opening}" if self.rehearsal else key

    @cached_property
    def _opening(self) -> Any:
        return (self.xcom(OPEN_TWIN) or {}).get("opening")

    def sibling(self, name: str) -> str:
        """Return the id of a task in the same task group."""
        group, _, _ = self.task_id.rpartition(".")
        return f"{group}.{name}" if group else name

    def nearby(self, name: str, key: str = "return_value") -> Any:
        """Return what a task of the same group left, else one of that name at top level; None if neither did."""
        found = self.xcom(self.sibling(name), key)
        return self.xcom(name, key) if found is None and self.sibling(name) != name else found

    def approval(self, name: str, gate: Gate) -> Decision:
        """Return the valid approval of a gate, in the same task group or at top level.

        :raises NotApprovedError: if there is none.
        :raises SigningKeyError: if this worker has no key.
        """
        key = signing_key()
        task_ids = dict.fromkeys((self.sibling(name), name))
        found = {task_id: self.xcom(task_id, DECISION_KEY) for task_id in task_ids}
        task_id = next((one for one, document in found.items() if document is not None), name)
        needed = Requirement(
            str(self.ti.dag_id),
            str(self.ti.run_id),
            task_id,
            self.plan.digest(),
            self.scope.meaning(),
            self.wave.gates.settled(gate),
            rehearsal=self.rehearsal,
            started_by=self.started_by,
        )
        decision = verify_decision(found[task_id], needed, key)
        if not self.rehearsal:
            attestation.require_current(self, decision, found[task_id], key)
        return decision

    @contextmanager
    def sites(self, *, check: bool = True) -> Iterator[SiteClients]:
        """Open the clients of both sites; see :func:`hcx_airflow.hooks.sites.open_sites`."""
        twin = self.pace.twin
        with open_sites(self.wave, rehearsal=self.rehearsal, check=check, twin=twin) as clients:
            self.pages = pages_of(self.wave, clients, rehearsal=self.rehearsal, twin=twin)
            yield clients
