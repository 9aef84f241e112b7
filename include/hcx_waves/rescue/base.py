"""What a person asks for when a wave has stopped, what was found, and what would be done about it."""

from __future__ import annotations

from pydantic import AwareDatetime, JsonValue

from hcx_waves.model.base import DomainModel
from hcx_waves.model.formatting import duration, size
from hcx_waves.rescue.machines import MachineLook
from hcx_waves.rescue.menu import RescueAction, RescueChoice
from hcx_waves.rescue.segments import FINE, OFF, SegmentFinding


class Choices(DomainModel):
    """What a person has chosen beyond the action."""

    decided_by: str = ""
    """Who decided to go back although an unextend may have been asked."""
    while_extended: bool = False
    """Connect the destination although the extension is still listed."""
    force: bool = False
    """Clear migrations that cannot be cancelled gracefully."""
    deadline: AwareDatetime | None = None
    """Until when to wait, for an action that waits."""

    @property
    def made(self) -> tuple[RescueChoice, ...]:
        """The choices that were made."""
        return tuple(one for one in RescueChoice if getattr(self, one.value))


class Price(DomainModel):
    """What an action costs, as far as it is known; empty where nothing is known."""

    seconds: float | None = None
    """How long it takes."""
    outage: str = ""
    """What it does to networks and VMs that are off, as a sentence."""
    bytes_to_copy: int | None = None

    def __str__(self) -> str:
        return "; ".join(
            filter(
                None,
                (
                    "" if self.seconds is None else f"takes about {duration(self.seconds)}",
                    self.outage,
                    "" if self.bytes_to_copy is None else f"{size(self.bytes_to_copy)} are copied",
                ),
            )
        )


class Intent(DomainModel):
    """What an action comes to for one object: it will do something, need not, or must not."""

    subject: str
    will: str = ""
    """What will be sent."""
    needless: str = ""
    refused: str = ""
    """Why it must not, and what to press."""
    basis: str = ""
    """What must still be so when it is done: an agreement holds for that. Not for people."""
    price: Price = Price()

    def __str__(self) -> str:
        kind = "will" if self.will else "nothing to do" if self.needless else "refused"
        return f"{self.subject}: {kind}: {self.will or self.needless or self.refused}"

    def stands(self, now: Intent) -> bool:
        """Whether this, which was agreed to, is what was found since."""
        return bool(now.will) and self.basis == now.basis


class RescueOutcome(DomainModel):
    """What became of one object."""

    subject: str
    done: bool
    text: str
    kept: JsonValue = None
    """What the run's ledger keeps of it, for the run's own tasks."""


class Look(DomainModel):
    """Everything that was found at one moment."""

    at: AwareDatetime
    wave: str
    run_id: str
    plan_digest: str
    plan_from: str
    segments: tuple[SegmentFinding, ...]
    vms: tuple[MachineLook, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def is_fine(self) -> bool:
        """Whether each network has exactly one gateway, and everything could be read."""
        return not self.problems and all(one.state in FINE for one in self.segments)

    @property
    def off(self) -> tuple[SegmentFinding, ...]:
        """The segments without a gateway."""
        return tuple(one for one in self.segments if one.state in OFF)

    def segment(self, name: str) -> SegmentFinding:
        """Return what was found of a segment.

        :raises KeyError: if the plan has none of that name.
        """
        return {one.name: one for one in self.segments}[name]

    def vm(self, name: str) -> MachineLook:
        """Return what was found of a VM.

        :raises KeyError: if the plan has none of that name.
        """
        return {one.name: one for one in self.vms}[name]


class Wanted(DomainModel):
    """What a person asks for."""

    action: RescueAction
    choices: Choices = Choices()
    names: tuple[str, ...] = ()
    """Of the objects; unless any, all that the action is for."""
