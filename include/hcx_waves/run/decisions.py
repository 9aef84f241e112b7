"""Decisions at gates: who decided what, and when."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, Field, JsonValue

from hcx_waves.model.base import DomainModel
from hcx_waves.model.formatting import instant


class Choice(StrEnum):
    """How a gate ended. Stored in runs: add, never rename."""

    APPROVED = "approved"
    REJECTED = "rejected"
    UNANSWERED = "unanswered"

    @property
    def is_no(self) -> bool:
        """Whether the step behind the gate must not happen."""
        return self is not Choice.APPROVED


class Decision(DomainModel):
    """A decision as it is sealed and stored: its fields are a wire format."""

    wave: str
    dag_id: str
    run_id: str
    task_id: str
    try_number: int
    clear_number: int | None = None
    """How often tasks of the run had been cleared when it was given; None in what older releases have left."""
    gate: str
    segment: str | None = None
    digest: str
    """Of the plan that was shown."""
    scope: dict[str, JsonValue]
    """What of the plan the run does, as shown."""
    choice: Choice
    user_id: str | None = None
    user_name: str | None = None
    change_reference: str | None = None
    reason: str | None = None
    started_by: str | None = None
    """The user who started the run by hand; None if none did, and in what older releases have left."""
    rehearsal: bool = False
    """Whether the rehearsal approver answered instead of a person."""
    at: AwareDatetime
    asked_at: AwareDatetime | None = None
    """When the gate asked."""
    evidence: dict[str, str] = Field(default_factory=dict)
    """Codes of what was shown beside the plan (findings, proofs), by task; empty for what no task had left."""

    @property
    def approver(self) -> str:
        """Who decided, with the change reference, as a timeline shows it."""
        return f"{self.user_name or 'unknown'}{f' ({self.change_reference})' if self.change_reference else ''}"

    @property
    def spoken(self) -> str:
        """The decision as the end of a sentence: ``approved by alice at ... (CHG1)``."""
        who = "in rehearsal" if self.rehearsal else f"by {self.user_name or 'an unknown user'}"
        what = f"not answered by {instant(self.at, seconds=True)}"
        if self.choice is not Choice.UNANSWERED:
            what = f"{self.choice} {who} at {instant(self.at, seconds=True)}"
        why = "; ".join(text for text in (self.change_reference, self.reason) if text)
        return what + (f" ({why})" if why else "")


class Approval(DomainModel):
    """One gate in a report."""

    gate: str
    """Task id of the gate."""
    decision: str
    """``approve``, ``reject``, ``no answer``, ``no decision`` or ``not valid``."""
    by: str | None = None
    at: AwareDatetime | None = None
    asked_at: AwareDatetime | None = None
    change_reference: str | None = None
    digest: str | None = None
    """Of the plan that was shown."""
    note: str = ""


NOT_VALID = "not valid"
"""Of a stored decision that cannot be trusted: its seal does not fit, or cannot be checked."""


class GateAnswer(Approval):
    """One gate of a run with what its answer means for the run."""

    choice: Choice | None = Field(default=None)
    """None if there is no valid decision."""
    segment: str | None = None
    """The segment that it is about; None for a gate of the whole run."""
    starts_outage: bool = False
    """Whether the gate asks a person to switch a gateway off, which begins an outage."""
    in_this_run: bool = True
    """False for a gate of the wave's own run, seen from its cleanup."""

    @property
    def was_asked(self) -> bool:
        """Whether somebody was asked and answered, even if the decision cannot be trusted."""
        return self.choice is not None or self.decision == NOT_VALID

    @property
    def refusal(self) -> str:
        """Who rejected which gate and why, as a sentence."""
        if self.choice is Choice.UNANSWERED:
            return f"{self.gate} was not answered, which counts as a rejection ({self.note or 'no answer in time'})"
        why = f" ({self.note})" if self.note else ""
        return f"{self.by or 'an unknown user'} rejected {self.gate}{why}"
