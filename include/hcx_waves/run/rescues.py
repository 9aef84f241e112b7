"""What `hcx-waves rescue` has done about a run, as its audit file holds it and the report takes it in."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, ConfigDict, Field, JsonValue

from hcx_waves.model.base import DomainModel


class RescueStep(StrEnum):
    """A step of one call of the command. Stored: add, never rename."""

    LOOKED = "looked"
    """What was found; without an action nothing follows."""
    ANSWERED = "answered"
    """What the person answered to what would be done."""
    REFUSED = "refused"
    """The action is not possible for an object; nothing was sent for it."""
    ACTING = "acting"
    """Written before anything is sent."""
    DONE = "done"
    FAILED = "failed"
    READ_BACK = "read_back"
    """What was found afterwards."""


class RescueEntry(DomainModel):
    """One line of the audit file. Fields are added, never renamed. Holds no secrets."""

    model_config = ConfigDict(extra="ignore")

    version: int = 1
    at: AwareDatetime
    call_id: str
    """The same in all lines of one call."""
    who: str
    """The user of the operating system; with ``recovery`` the user who approved it in Airflow."""
    recovery: str = ""
    """The run of the wave's recovery DAG that did it; empty if it was the command."""
    decided_by: str = ""
    """The person who took a decision that a guard asks for."""
    wave: str
    run_id: str = ""
    """Empty if no record says which run it is about."""
    action: str
    step: RescueStep
    subject: str = ""
    """The segment or VM."""
    text: str = ""
    found: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def is_event(self) -> bool:
        """Whether it belongs into a timeline: something was done, or failed."""
        return self.step in (RescueStep.DONE, RescueStep.FAILED)

    @property
    def what(self) -> str:
        """What it is in a timeline."""
        failed = " failed" if self.step is RescueStep.FAILED else ""
        return f"{'recovery' if self.recovery else 'rescue'}, {self.action}{failed}: {self.text}"

    @property
    def by(self) -> str:
        """Who did it: the person who decided, else the account."""
        return self.decided_by or self.who
