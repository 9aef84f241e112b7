"""Which part of its wave a run does, by the params that it was started with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hcx_waves.model.base import problems_in
from hcx_waves.model.formatting import listed
from hcx_waves.model.plan import WavePlan
from hcx_waves.model.spelling import MOST_NAMES, KnownNames
from hcx_waves.wavefile.wave import Wave

OUTAGE_POLL = 1.0
OUTAGE_POLL_IN_REHEARSALS = 5.0


class ScopeError(ValueError):
    """Params of a run that are not valid for its wave."""


class Scope(BaseModel):
    """The params of a run, as far as they decide what is done. Airflow's form does not enforce all of this."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    vms: tuple[str, ...] = ()
    """VMs to move; all unless given."""
    stop_before_cutover: bool = False
    """Whether every segment stays as it is."""
    cutover_only: bool = False
    """Whether no VM is moved."""
    poll_interval_seconds: float | None = Field(default=None, ge=1, le=600)
    """How often HCX is asked, instead of the wave's own interval."""
    outage_poll_seconds: float | None = Field(default=None, ge=1, le=600)
    """How often an unextend is looked at; only rehearsals ask for it."""
    change_reference: str | None = None
    notes: str | None = None

    @classmethod
    def of_params(cls, params: Mapping[str, Any], wave: Wave) -> Scope:
        """Read a run's params.

        :raises ScopeError: if they make no sense for the wave.
        """
        given = {name: params.get(name) for name in cls.model_fields if params.get(name) not in (None, "", [])}
        given["stop_before_cutover"] = given.get("stop_before_cutover", wave.options.stop_before_cutover)
        try:
            scope = cls.model_validate(given)
        except ValidationError as error:
            raise ScopeError(f"the run's params are not valid: {problems_in(error)}") from error
        strange = sorted(set(scope.vms) - {vm.name for vm in wave.vms})
        if strange:
            near = KnownNames(vm.name for vm in wave.vms).nearest(strange[0])
            names = listed(strange, MOST_NAMES) + (f" (did you mean {' or '.join(near)}?)" if near else "")
            raise ScopeError(f"the run's params name VMs that are not in wave {wave.name}: {names}")
        if scope.cutover_only and scope.stop_before_cutover:
            raise ScopeError("the run's params set both cutover_only and stop_before_cutover")
        return scope

    def moves(self, plan: WavePlan) -> tuple[str, ...]:
        """Return the names of the VMs that the run moves, in the plan's order."""
        if self.cutover_only:
            return ()
        wanted = [vm for vm in plan.vms if not self.vms or vm.name in self.vms]
        return tuple(vm.name for vm in wanted if not vm.already_there)

    def meaning(self) -> dict[str, Any]:
        """Return what an approval covers besides the plan."""
        return {
            "vms": sorted(self.vms),
            "stop_before_cutover": self.stop_before_cutover,
            "cutover_only": self.cutover_only,
        }

    def seconds_between_looks(self, *, rehearsal: bool) -> float:
        """Return how often an unextend is looked at, in the run's time."""
        # In a live run no param changes this: an outage must be noticed at once.
        return (self.outage_poll_seconds or OUTAGE_POLL_IN_REHEARSALS) if rehearsal else OUTAGE_POLL

    def poll_seconds(self, wave: Wave) -> float:
        """Return how often HCX is asked."""
        return self.poll_interval_seconds or wave.options.poll_interval.total_seconds()
