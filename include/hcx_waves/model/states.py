"""What becomes of a VM, of a segment and of a wave. Values are stored in runs and reports: add, never rename."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

_WORDS = {"planned": "Not started", "disconnected": "No gateway"}
"""What people see instead of a stored value that would mislead them."""


class Labelled(StrEnum):
    """Values that are stored as they are and shown in words."""

    @property
    def label(self) -> str:
        """The words that people see: ``As planned`` for ``as_planned``."""
        return _WORDS.get(self.value) or self.value.replace("_", " ").capitalize()


class VmOutcome(Labelled):
    """How a VM's move ended, or how it stands."""

    PLANNED = "planned"
    """Nothing has been started for it."""
    MIGRATING = "migrating"
    """HCX works on it, or says something that is not known to be an end."""
    MIGRATED = "migrated"
    """It is at the destination; HCX says so and vCenter confirms it."""
    ALREADY_THERE = "already_there"
    """It was at the destination before the wave started anything."""
    FAILED = "failed"
    """HCX gave up; it is at the source."""
    CANCELLED = "cancelled"
    """Somebody cancelled its migration; it is at the source."""
    LEFT_OUT = "left_out"
    """The run was told to leave it where it is."""
    MISPLACED = "misplaced"
    """HCX says it has moved, but it was not found as it should be at the destination."""
    UNKNOWN = "unknown"
    """Its migration was started, and nobody has looked at it since."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more comes of it in this run."""
        return self not in (VmOutcome.PLANNED, VmOutcome.MIGRATING, VmOutcome.UNKNOWN)

    @property
    def is_at_destination(self) -> bool:
        """Whether it has arrived."""
        return self in (VmOutcome.MIGRATED, VmOutcome.ALREADY_THERE)

    @property
    def blocks_segments(self) -> bool:
        """Whether its segments must keep their gateway at the source."""
        return not self.is_at_destination

    @property
    def is_as_planned(self) -> bool:
        """Whether it ended the way the run was meant to end."""
        return self.is_at_destination or self is VmOutcome.LEFT_OUT


class SegmentOutcome(Labelled):
    """How a segment ended in a wave, or how it stands."""

    PLANNED = "planned"
    """Its cutover has not begun."""
    STRETCHED = "stretched"
    """Left stretched on purpose: ``later``, ``never``, or a run that stops before the cutover."""
    BLOCKED = "blocked"
    """Not touched, as a VM is still at the source or something else stood against it."""
    REJECTED = "rejected"
    """Not touched, as a person said no or nobody answered."""
    DISCONNECTED = "disconnected"
    """The source gateway is off and no destination gateway is on: the outage."""
    RECONNECTED = "reconnected"
    """The cutover failed and the source gateway is on again, as before."""
    UNEXTENDING = "unextending"
    """HCX has accepted the unextend; the way back is a person's decision."""
    CUT_OVER = "cut_over"
    """The destination routes it, proven, and the extension is gone."""
    UNCERTAIN = "uncertain"
    """What was read back is none of these; a person has to look."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more comes of it by itself."""
        return self not in (SegmentOutcome.PLANNED, SegmentOutcome.DISCONNECTED, SegmentOutcome.UNEXTENDING)

    @property
    def is_outage(self) -> bool:
        """Whether its VMs may have no gateway."""
        return self in (SegmentOutcome.DISCONNECTED, SegmentOutcome.UNEXTENDING, SegmentOutcome.UNCERTAIN)

    @property
    def is_untouched(self) -> bool:
        """Whether its gateway is where it was before the wave."""
        return self in (
            SegmentOutcome.PLANNED,
            SegmentOutcome.STRETCHED,
            SegmentOutcome.BLOCKED,
            SegmentOutcome.REJECTED,
            SegmentOutcome.RECONNECTED,
        )

    @property
    def is_as_planned(self) -> bool:
        """Whether it ended the way the run was meant to end."""
        return self in (SegmentOutcome.CUT_OVER, SegmentOutcome.STRETCHED)


class WaveOutcome(Labelled):
    """How a run ended."""

    AS_PLANNED = "as_planned"
    """Everything that was to move has moved, and every segment is as it was to be."""
    INCOMPLETE = "incomplete"
    """Something was left behind: a VM, or a segment that was to be cut over."""
    REJECTED = "rejected"
    """A person said no to the wave, or to one of its segments."""
    BLOCKED = "blocked"
    """Findings kept it from starting."""
    DRIFTED = "drifted"
    """What was approved is no longer what is there."""
    STRANDED = "stranded"
    """A segment was left in an outage, or in a state that nobody has confirmed."""

    @property
    def sentence(self) -> str:
        """What it means, as a sentence without its full stop."""
        return _SENTENCES[self]

    @property
    def is_green(self) -> bool:
        """Whether the run may look successful and start the next wave."""
        return self is WaveOutcome.AS_PLANNED


_SENTENCES = {
    WaveOutcome.AS_PLANNED: "Everything went as planned",
    WaveOutcome.INCOMPLETE: "Something was left behind",
    WaveOutcome.REJECTED: "Not approved",
    WaveOutcome.BLOCKED: "Blocked before the start",
    WaveOutcome.DRIFTED: "The plan had changed since its approval",
    WaveOutcome.STRANDED: "A segment was left without a confirmed gateway",
}
_LABELS = {one.value: one.label for outcomes in (VmOutcome, SegmentOutcome, WaveOutcome) for one in outcomes}


def label_of(text: str) -> str:
    """Return the words for a stored outcome; any other text as it is."""
    return _LABELS.get(text, text)


def wave_outcome(vms: Iterable[VmOutcome], segments: Iterable[SegmentOutcome]) -> WaveOutcome:
    """Return how a run ended that was approved and started, the gravest first.

    :param vms: the outcomes of its VMs.
    :param segments: the outcomes of its segments.
    """
    ended = list(segments)
    if any(outcome.is_outage for outcome in ended):
        return WaveOutcome.STRANDED
    if SegmentOutcome.REJECTED in ended:
        return WaveOutcome.REJECTED
    if all(vm.is_as_planned for vm in vms) and all(segment.is_as_planned for segment in ended):
        return WaveOutcome.AS_PLANNED
    return WaveOutcome.INCOMPLETE
