"""The way of each migration type, as a list of phases to be read from top to bottom.

A step whose guard does not hold for a migration is left out of its way. Failure and cancellation leave the way
altogether (rollback, cancelling) and end in a terminal phase of their own. Sources: UG 4.7 and 4.9, KB 323663
(stages), KB 440117 (replication, then vMotion), hcx 4.8.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hcx_sim.hcx.mobility.model import Migration, MigrationType, Phase

Guard = Callable[[Migration], bool]


def _always(_migration: Migration) -> bool:
    return True


def _transfer_waits(migration: Migration) -> bool:
    return migration.known.transfer_waits


def _switchover_is_scheduled(migration: Migration) -> bool:
    return migration.known.switchover_window.scheduled


@dataclass(frozen=True, slots=True)
class Step:
    """One phase of a way and when it belongs to it."""

    phase: Phase
    when: Guard = _always


_REPLICATION = (
    Step(Phase.TRANSFER_WINDOW, _transfer_waits),
    Step(Phase.QUEUED),
    Step(Phase.PREPARING),
    Step(Phase.BASE_SYNC),
    Step(Phase.SWITCHOVER_WINDOW),
)
_END = (Step(Phase.SWITCHOVER), Step(Phase.CLEANUP), Step(Phase.COMPLETE))

_RAV = (*_REPLICATION, Step(Phase.SWITCHOVER_TURN), Step(Phase.FINAL_SYNC), *_END)
_BULK = (*_REPLICATION, Step(Phase.SHUTDOWN), Step(Phase.FINAL_SYNC), *_END)
_VMOTION = (Step(Phase.PREPARING), Step(Phase.SWITCHOVER_TURN), Step(Phase.RELOCATION), *_END)
_HOST_TO_HOST = (Step(Phase.PREPARING), Step(Phase.RELOCATION), *_END)
_COLD = (
    Step(Phase.PREPARING),
    Step(Phase.SWITCHOVER_WINDOW, _switchover_is_scheduled),
    Step(Phase.RELOCATION),
    *_END,
)

ITINERARIES: dict[MigrationType, tuple[Step, ...]] = {
    MigrationType.RAV: _RAV,
    MigrationType.BULK: _BULK,
    MigrationType.OSAM: _BULK,
    MigrationType.VMOTION: _VMOTION,
    MigrationType.XVMOTION: _HOST_TO_HOST,
    MigrationType.COLD: _COLD,
}


def next_phase(migration: Migration) -> Phase:
    """Return the phase after the present one; a draft gets the first.

    Raises :class:`LookupError` when the present phase is not on the migration's way or is the last of it.
    """
    steps = ITINERARIES[migration.known.migration_type]
    later = steps
    if migration.phase is not Phase.DRAFT:
        here = next((at for at, step in enumerate(steps) if step.phase is migration.phase), len(steps))
        later = steps[here + 1 :]
    for step in later:
        if step.when(migration):
            return step.phase
    raise LookupError(f"{migration.known.migration_type} has no phase after {migration.phase}")
