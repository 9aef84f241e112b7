"""What a rehearsal is about: its night, its seed, what goes wrong in it, and how fast people answer.

Everything follows from the wave, the run's date and its params; so a night that is rehearsed again is the same night.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hcx_airflow.common.errors import RunRefusedError
from hcx_airflow.common.folders import reports_folder, state_folder
from hcx_waves.model.choices import Disconnect
from hcx_waves.twin.names import world_id_of
from hcx_waves.wavefile.night import DEFAULT_LEAD, LONGEST_LEAD, RehearsedWave, rotated, seed_of
from hcx_waves.wavefile.wave import Wave

if TYPE_CHECKING:
    from hcx_waves.forecast import ModelParameters

REHEARSAL_RUN_TYPES = ("scheduled", "manual", "backfill")
APPROVER_ASLEEP = "approver-asleep"
TWIN_FAULTS = {
    "stuck-switchover": "the scheduled switchover of one VM never begins",
    "failing-switchover": "the switchover of one VM fails and rolls back",
    "tunnel-down": "a service mesh's tunnel goes down in the night and comes back",
    "unextend-fails": "HCX fails to unextend a network",
    "destination-full": "the destination's datastores have no space left",
    "slow-link": "the links of all service meshes carry a part of their bandwidth",
    "vcenter-flaps": "a vCenter refuses connections for some seconds, several times",
}
"""Scenarios that the twin plays, by name."""
FAULTS = {**TWIN_FAULTS, APPROVER_ASLEEP: "nobody answers the gates of the night before their windows have closed"}
_HOUR = timedelta(hours=1)


class RehearsalParams(BaseModel):
    """The params that only rehearsals have. Airflow's form does not enforce all of this."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    night: date | None = None
    """For a run that somebody starts by hand; others rehearse their own date."""
    lead_hours: float = Field(default=DEFAULT_LEAD / _HOUR, ge=0, le=LONGEST_LEAD / _HOUR)
    faults: tuple[str, ...] = ()
    rotate_faults: bool = False
    reaction_minutes: float | None = Field(default=None, ge=0, le=1440)
    outage_poll_seconds: float = Field(default=5, ge=1, le=600)
    parameters_file: Path | None = None
    snapshot: Path | None = None
    snapshot_max_age_hours: float = Field(default=12, ge=0)
    forecast: bool = True

    @classmethod
    def of_params(cls, params: Mapping[str, Any]) -> RehearsalParams:
        """Read a run's params.

        :raises RunRefusedError: if they make no sense.
        """
        given = {name: params.get(name) for name in cls.model_fields if params.get(name) not in (None, "", [])}
        try:
            read = cls.model_validate(given)
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise RunRefusedError(f"the rehearsal's params cannot be used: {problems}") from error
        strange = sorted(set(read.faults) - set(FAULTS))
        if strange:
            raise RunRefusedError(f"there is no fault {', '.join(strange)}; there are: {', '.join(FAULTS)}")
        return read


@dataclass(frozen=True)
class Rehearsal:
    """One rehearsed night, as one run has it.

    :param file: the wave as its file has it.
    """

    file: Wave
    night: date
    params: RehearsalParams
    run_id: str

    @classmethod
    def of(cls, file: Wave, context: Any) -> Rehearsal:
        """Return what a task's run rehearses.

        :raises RunRefusedError: if its params or its kind make no sense.
        """
        params = _with_own_files(RehearsalParams.of_params(dict(context.get("params") or {})), context)
        return cls(file, _night(file, params, context["dag_run"]), params, str(context["ti"].run_id))

    @cached_property
    def wave(self) -> RehearsedWave:
        """The wave on that night."""
        return RehearsedWave.of(self.file, self.night, timedelta(hours=self.params.lead_hours))

    @property
    def seed(self) -> int:
        """The night's seed."""
        return seed_of(self.file.name, self.night)

    @cached_property
    def faults(self) -> tuple[str, ...]:
        """What goes wrong: the chosen faults, or with a rotation the one whose turn it is."""
        chosen = self.params.faults
        if not self.params.rotate_faults:
            return chosen
        turn = rotated(chosen or tuple(FAULTS), self.file.name, self.night)
        return () if turn is None else (turn,)

    @property
    def twin_faults(self) -> tuple[str, ...]:
        """What of it the twin plays."""
        return tuple(name for name in self.faults if name in TWIN_FAULTS)

    @property
    def world_id(self) -> str:
        """The twin's world of this run."""
        return world_id_of(self.file.name, self.run_id)

    def reactions(self, parameters: ModelParameters) -> dict[str, float | None]:
        """Return for each gate's task how long the rehearsal approver takes; None where nobody answers in time.

        Each is drawn from the night's seed and the task's id alone.
        """
        return {task_id: self._reaction(gate, task_id, parameters) for task_id, gate in gates_of(self.file).items()}

    def _reaction(self, gate: str, task_id: str, parameters: ModelParameters) -> float | None:
        import numpy as np

        if APPROVER_ASLEEP in self.faults and gate in self._gates_of_the_night:
            return None
        if self.params.reaction_minutes is not None:
            return self.params.reaction_minutes * 60
        stream = np.random.default_rng([self.seed, *sha256(task_id.encode()).digest()[:8]])
        return round(float(getattr(parameters.gates, gate).draw(stream, (1,))[0]), 3)

    @property
    def _gates_of_the_night(self) -> tuple[str, ...]:
        """The gates that come after the start; of a wave without any, the one it starts with."""
        if self.file.gates.approve_switchover is None and not self.file.segments_to_cut:
            return ("approve_wave",)
        return ("approve_switchover", "approve_cutover", "confirm_disconnected")


def gates_of(wave: Wave) -> dict[str, str]:
    """Return the gates of a wave's DAG, by the ids of their tasks."""
    found = {"approve_wave": "approve_wave"}
    if wave.gates.approve_switchover is not None:
        found["approve_switchover"] = "approve_switchover"
    for segment in wave.segments_to_cut:
        found[f"cutover_{segment.key}.approve_cutover"] = "approve_cutover"
        if segment.means_of_disconnect is Disconnect.MANUAL:
            found[f"cutover_{segment.key}.confirm_disconnected"] = "confirm_disconnected"
    return found


def _with_own_files(params: RehearsalParams, context: Any) -> RehearsalParams:
    """Return the params with the paths of their files, seen from the state folder.

    :raises RunRefusedError: for a file that is nobody's business: what is wrong with a file is told in the log.
    """
    bundle = getattr(context["ti"], "bundle_instance", None)
    roots = [state_folder(), reports_folder(), *([] if bundle is None else [Path(bundle.path)])]
    found: dict[str, Path] = {}
    for name in ("snapshot", "parameters_file"):
        given: Path | None = getattr(params, name)
        if given is None:
            continue
        found[name] = (roots[0] / given).resolve()
        if not any(found[name].is_relative_to(root.resolve()) for root in roots):
            places = ", ".join(str(root) for root in roots)
            raise RunRefusedError(f"{name}: {given} lies in none of the folders of this installation: {places}")
    return params.model_copy(update=found)


def _night(file: Wave, params: RehearsalParams, dag_run: Any) -> date:
    """Return the night that a run is about: its logical date in the wave's zone, or for a run that somebody starts by
    hand the one that is asked for, else the wave's own, else tonight.
    """
    kind = str(getattr(dag_run.run_type, "value", dag_run.run_type))
    if kind not in REHEARSAL_RUN_TYPES:
        raise RunRefusedError(
            f"a run of type {kind} rehearses no night: let it be scheduled, backfill it, or start it by hand"
        )
    if kind == "manual":
        begun: datetime = dag_run.run_after or dag_run.start_date
        return params.night or file.night or begun.astimezone(file.zone).date()
    if dag_run.logical_date is None:
        raise RunRefusedError(f"this {kind} run has no logical date, so it rehearses no night")
    own: date = dag_run.logical_date.astimezone(UTC).astimezone(file.zone).date()
    if params.night not in (None, own):
        raise RunRefusedError(
            f"this {kind} run rehearses the night of {own}, and its params ask for {params.night}: night is for runs "
            "that are started by hand"
        )
    return own
