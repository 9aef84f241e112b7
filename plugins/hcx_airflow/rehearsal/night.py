"""A rehearsal's settings: its night, its seed and its faults.

Everything follows from the wave, the run's date and its params; so a night that is rehearsed again is the same night.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hcx_airflow.errors import RunRefusedError
from hcx_airflow.folders import reports_folder, state_folder
from hcx_airflow.task import TaskRun
from hcx_waves.model.base import problems_in
from hcx_waves.twin.names import world_id_of
from hcx_waves.wavefile.night import DEFAULT_LEAD, LONGEST_LEAD, RehearsedWave, rotated, seed_of
from hcx_waves.wavefile.wave import Wave

if TYPE_CHECKING:
    pass

REHEARSAL_RUN_TYPES = ("scheduled", "manual", "backfill")
APPROVER_ASLEEP = "approver-asleep"
TWIN_FAULTS = {
    "stuck-switchover": "the scheduled switchover of one VM never starts",
    "failing-switchover": "the switchover of one VM fails and rolls back",
    "tunnel-down": "a service mesh's tunnel goes down during the night and comes back",
    "unextend-fails": "HCX fails to unextend a network",
    "destination-full": "the destination's datastores have no space left",
    "slow-link": "the links of all service meshes have only part of their bandwidth",
    "vcenter-flaps": "a vCenter refuses connections for a few seconds, several times",
}
"""Scenarios that the twin plays, by name."""
FAULTS = {**TWIN_FAULTS, APPROVER_ASLEEP: "the gates after the start are not answered before their windows close"}
_HOUR = timedelta(hours=1)


class RehearsalParams(BaseModel):
    """The params that only rehearsals have. Airflow's form does not enforce all of this."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    night: date | None = None
    """For a run that is started by hand; others rehearse their own date."""
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
            raise RunRefusedError(
                f"the rehearsal's params are not valid: {problems_in(error)}. Start a new run with valid params"
            ) from error
        strange = sorted(set(read.faults) - set(FAULTS))
        if strange:
            raise RunRefusedError(f"unknown fault {', '.join(strange)}; known faults: {', '.join(FAULTS)}")
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
    def of(cls, file: Wave, run: TaskRun) -> Rehearsal:
        """Return what a task's run rehearses.

        :raises RunRefusedError: if its params or its kind make no sense.
        """
        params = _with_own_files(RehearsalParams.of_params(run.params), run.bundle)
        return cls(file, _night(file, params, run), params, run.run_id)

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


def _with_own_files(params: RehearsalParams, bundle: Path | None) -> RehearsalParams:
    """Return the params with the paths of their files, seen from the state folder.

    :raises RunRefusedError: for a file outside these folders, as the log quotes what is wrong with a file.
    """
    roots = [state_folder(), reports_folder(), *([] if bundle is None else [bundle])]
    found: dict[str, Path] = {}
    for name in ("snapshot", "parameters_file"):
        given: Path | None = getattr(params, name)
        if given is None:
            continue
        found[name] = (roots[0] / given).resolve()
        if not any(found[name].is_relative_to(root.resolve()) for root in roots):
            places = ", ".join(str(root) for root in roots)
            raise RunRefusedError(f"{name}: {given} is not below any of these folders: {places}. Copy the file there")
    return params.model_copy(update=found)


def _night(file: Wave, params: RehearsalParams, run: TaskRun) -> date:
    """Return the night that a run rehearses: its logical date in the wave's zone; for a run that is started by hand the
    night of its params, else the wave's own, else tonight.
    """
    kind, logical_date = run.run_type, run.dag_run.logical_date
    if kind not in REHEARSAL_RUN_TYPES:
        raise RunRefusedError(
            f"a run of type {kind} cannot rehearse a night. Use a scheduled run, a backfill or a run started by hand"
        )
    if kind == "manual":
        return params.night or file.night or run.run_after.astimezone(file.zone).date()
    if logical_date is None:
        raise RunRefusedError(
            f"this {kind} run has no logical date, so it has no night to rehearse. Start a run with a logical date"
        )
    own: date = logical_date.astimezone(UTC).astimezone(file.zone).date()
    if params.night not in (None, own):
        raise RunRefusedError(
            f"this {kind} run rehearses the night of {own}, but its params ask for {params.night}. Leave night empty: "
            "it is "
            "for runs that are started by hand"
        )
    return own
