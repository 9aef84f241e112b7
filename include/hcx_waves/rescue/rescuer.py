"""Looks at a wave, and holds what the actions need to act for it."""

from __future__ import annotations

from collections.abc import Sequence

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.cutover.commands import Commands
from hcx_waves.cutover.source import SourceGateway
from hcx_waves.cutover.waiting import Patience
from hcx_waves.model.plan import PlannedSegment, WavePlan
from hcx_waves.rescue.base import Look
from hcx_waves.rescue.machines import look_at_machines
from hcx_waves.rescue.records import Records, SegmentRecord
from hcx_waves.rescue.segments import Looker, SegmentFinding
from hcx_waves.wavefile.wave import Wave

_CHANGED = "the wave file has changed since the plan was made: ids are the plan's, commands and instructions the file's"


class Rescuer:
    """Looks at a wave; the actions act by what it holds.

    :param plan_from: where the plan is from, for people.
    :param problems: what the plan lacks.
    """

    def __init__(
        self,
        wave: Wave,
        plan: WavePlan,
        clients: SiteClients,
        records: Records,
        *,
        runner: Commands,
        patience: Patience,
        plan_from: str,
        problems: Sequence[str] = (),
    ) -> None:
        self.wave, self.plan, self.clients, self.records, self.patience = wave, plan, clients, records, patience
        self._plan_from, self._problems = plan_from, tuple(problems)
        self._looker = Looker(wave, plan, clients, runner)

    def look(self) -> Look:
        """Look at every segment and every VM; changes nothing."""
        records, plan = self.records, self.plan
        machines = look_at_machines(plan, self.clients, records.recorded_ids)
        changed = () if plan.wave_hash == self.wave.wave_hash else (_CHANGED,)
        return Look(
            at=self.patience.now(),
            wave=plan.wave,
            run_id=records.run_id,
            plan_digest=plan.digest(),
            plan_from=self._plan_from,
            segments=tuple(self.look_at(one) for one in plan.segments),
            vms=machines.vms,
            notes=(*records.notes, *changed),
            problems=(*self._problems, *machines.problems),
        )

    def look_at(self, planned: PlannedSegment) -> SegmentFinding:
        """Look at one segment."""
        return self._looker.look(planned, self.record(planned))

    def record(self, planned: PlannedSegment) -> SegmentRecord:
        """Return what is recorded of a segment."""
        return self.records.segment(planned)

    def absent_gateway(self, planned: PlannedSegment) -> SourceGateway:
        """Return the gateway of a source segment that a cleanup has deleted; it reads off while there is no segment."""
        return self._looker.absent(planned)

    def gateway(self, planned: PlannedSegment) -> SourceGateway:
        """Return a segment's gateway at the source, by the means of the wave file.

        :raises NotFound: as :meth:`hcx_waves.rescue.segments.Looker.gateway` does.
        """
        return self._looker.gateway(planned)
