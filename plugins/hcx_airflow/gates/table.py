"""The table of gates, one row each. To add a gate, add a row here and a function for its body."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hcx_airflow import names
from hcx_airflow.gates.body import GateView, cleanup_body, cutover_body, manual_body, switchover_body, wave_body
from hcx_airflow.gates.recovery_body import recovery_body
from hcx_airflow.results import ASSESSMENTS, PROOF, SEEDED, VERIFIED, Slot
from hcx_airflow.results import RECOVERY as RECOVERY_FOUND
from hcx_airflow.work import Work
from hcx_waves.model.choices import Disconnect
from hcx_waves.model.formatting import counted
from hcx_waves.model.plan import PlannedSegment, WavePlan
from hcx_waves.model.schedule import TimeWindow
from hcx_waves.run.scope import Scope
from hcx_waves.wavefile.gates import WAIT_FOR_CLEANUP, WAIT_WITHOUT_WINDOW, GateSettings
from hcx_waves.wavefile.segments import Segment
from hcx_waves.wavefile.wave import Wave

WAIT_FOR_RECOVERY = timedelta(hours=2)
"""What was found grows old: it is looked at again before anything is done, and then refused if it has changed."""
Window = Callable[[WavePlan, str | None], TimeWindow | None]


def _no_window(_plan: WavePlan, _segment: str | None) -> None:
    return None


def _switchover(plan: WavePlan, _segment: str | None) -> TimeWindow | None:
    return plan.clock.switchover


def _cutover(plan: WavePlan, segment: str | None) -> TimeWindow | None:
    return None if segment is None else plan.clock.cutover(segment)


def _settings(name: str) -> Callable[[Wave], GateSettings]:
    def read(wave: Wave) -> GateSettings:
        written: GateSettings | None = getattr(wave.gates, name)
        return wave.gates.settled(written or GateSettings())

    return read


def _settings_of_manual(wave: Wave) -> GateSettings:
    # An approved cutover precedes this gate, and the change reference was given there.
    free = {"approvers": None, "change_reference_pattern": None, "four_eyes": False}
    return wave.gates.approve_cutover.model_copy(update=free)


@dataclass(frozen=True)
class Gate:
    """A question that a person answers before the wave continues.

    :param name: also the id of its task.
    :param title: the headline of a run that does all of the wave, with ``{wave}`` and ``{segment}``.
    :param body: what it shows.
    :param window: the window for the step that the gate guards.
    :param settings: who may answer, for how long, and what the answer must quote.
    :param wait: how long it waits for an answer if neither a window nor a time-out is set.
    :param per_segment: whether each segment has one.
    :param in_night: whether it asks after the start, so that an approver may be asleep.
    :param waits_for_window: whether an approval counts only once the window is open.
    :param starts_outage: whether following its text begins an outage.
    :param evidence: what it shows beside the plan; an approval holds for exactly that.
    :param evidence_of_segments: the same for a gate of the whole run that shows something of each segment, which the
        segment's own group has left; no step of a group may act without it.
    """

    name: str
    title: str
    body: Callable[[GateView], str]
    window: Window
    settings: Callable[[Wave], GateSettings]
    wait: timedelta = WAIT_WITHOUT_WINDOW
    per_segment: bool = False
    in_night: bool = True
    waits_for_window: bool = False
    starts_outage: bool = False
    evidence: tuple[Slot[Any], ...] = ()
    evidence_of_segments: tuple[Slot[Any], ...] = ()

    def settings_of(self, work: Work) -> GateSettings:
        """Return who may answer in a run, for how long, and what the answer must quote.

        What undoes a step of the wave is answered by those who may approve that step.
        """
        return _settings(work.undoes)(work.wave) if work.undoes else self.settings(work.wave)

    def headline(self, plan: WavePlan, scope: Scope, segment: str | None) -> str:
        """Return the headline for what a run really does, which its params decide."""
        said = self.title.format(wave=plan.wave, segment=segment)
        if self is not WAVE:
            return said
        if scope.cutover_only:
            return f"Cut over the segments of wave {plan.wave}, without moving VMs?"
        moving = len(scope.moves(plan))
        said = said.removesuffix("?") + (f" with {moving} of its {counted(len(plan.vms), 'VM')}" if scope.vms else "")
        return f"{said}{', without the cutover' if scope.stop_before_cutover else ''}?"


WAVE = Gate(
    names.APPROVE_WAVE,
    "Start wave {wave}?",
    wave_body,
    _switchover,
    _settings(names.APPROVE_WAVE),
    in_night=False,
    evidence=(ASSESSMENTS,),
)
SWITCHOVER = Gate(
    names.APPROVE_SWITCHOVER,
    "Switch over the VMs of wave {wave}?",
    switchover_body,
    _switchover,
    _settings(names.APPROVE_SWITCHOVER),
    evidence=(SEEDED,),
)
CUTOVER = Gate(
    names.APPROVE_CUTOVER,
    "Cut over segment {segment} (wave {wave})?",
    cutover_body,
    _cutover,
    _settings(names.APPROVE_CUTOVER),
    per_segment=True,
    waits_for_window=True,
    evidence=(VERIFIED, PROOF),
)
MANUAL = Gate(
    names.CONFIRM_DISCONNECTED,
    "Disconnect segment {segment} at the source by hand (wave {wave})",
    manual_body,
    _cutover,
    _settings_of_manual,
    per_segment=True,
    waits_for_window=True,
    starts_outage=True,
)
CLEANUP = Gate(
    names.APPROVE_CLEANUP,
    "Clean up the segments of wave {wave}?",
    cleanup_body,
    _no_window,
    _settings(names.APPROVE_CLEANUP),
    WAIT_FOR_CLEANUP,
    in_night=False,
    evidence_of_segments=(PROOF,),
)
RECOVERY = Gate(
    names.APPROVE_RECOVERY,
    "Recover wave {wave} as shown?",
    recovery_body,
    _no_window,
    _settings(names.APPROVE_CUTOVER),
    WAIT_FOR_RECOVERY,
    evidence=(RECOVERY_FOUND,),
)
GATES = {gate.name: gate for gate in (WAVE, SWITCHOVER, CUTOVER, CLEANUP, MANUAL, RECOVERY)}


@dataclass(frozen=True)
class PlacedGate:
    """A gate's task in a run.

    :param segment: the segment's name, for a gate that each segment has.
    """

    task_id: str
    gate: Gate
    segment: str | None = None


def gate_tasks(plan: WavePlan) -> Iterator[PlacedGate]:
    """Yield the tasks that a wave's gates have, in the live and in the cleanup DAG; there may be fewer."""
    for gate in GATES.values():
        if not gate.per_segment:
            yield PlacedGate(gate.name, gate)
    for segment in plan.segments:
        yield from _of_segment(segment)


def gates_of_night(wave: Wave) -> Iterator[PlacedGate]:
    """Yield the gates that a run of a wave asks, without those of its cleanup."""
    yield PlacedGate(WAVE.name, WAVE)
    if wave.gates.approve_switchover is not None:
        yield PlacedGate(SWITCHOVER.name, SWITCHOVER)
    for segment in wave.segments_to_cut:
        manual = segment.means_of_disconnect is Disconnect.MANUAL
        yield from (one for one in _of_segment(segment) if manual or one.gate is not MANUAL)


def _of_segment(segment: Segment | PlannedSegment) -> Iterator[PlacedGate]:
    for gate in GATES.values():
        if gate.per_segment:
            yield PlacedGate(f"{names.cutover_group(segment)}.{gate.name}", gate, segment.name)
