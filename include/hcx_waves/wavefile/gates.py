"""Settings of gates: who may answer, for how long, and what an answer must quote."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from pydantic import Field, StrictBool, model_validator

from hcx_waves.model.base import BrokenRule, DomainModel, refuse
from hcx_waves.model.names import Expression, UserName
from hcx_waves.model.schedule import TimeWindow
from hcx_waves.model.times import Duration
from hcx_waves.wavefile.settings import duplicates

WAIT_WITHOUT_WINDOW = timedelta(hours=24)
WAIT_FOR_CLEANUP = timedelta(days=7)
LONGEST_REFERENCE = 200


class GateSettings(DomainModel):
    """A question that a person answers before the wave goes on."""

    approvers: tuple[UserName, ...] | None = Field(default=None, json_schema_extra={"minItems": 1})
    """User names that may answer; everybody who may answer in Airflow unless set."""
    response_timeout: Duration | None = None
    """How long it is asked; without an answer by then it counts as rejected. Unless set: until the window in which the
    step has to happen closes; where there is none, 24h (cleanup: 7d)."""
    change_reference_pattern: Expression | None = None
    """A regular expression that the change reference must match as a whole; unless set, none is demanded."""
    four_eyes: StrictBool | None = None
    """Whether whoever has started the run may not approve; as for all gates unless set."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        broken = duplicates(self.approvers or (), "approvers")
        if self.approvers == ():
            broken.append(BrokenRule(("approvers",), "is empty, so nobody could answer: name a user or leave it out"))
        if self.response_timeout is not None and self.response_timeout <= timedelta():
            broken.append(BrokenRule(("response_timeout",), "must be more than 0s"))
        refuse(broken)
        return self

    @property
    def reference_hint(self) -> str:
        """What a change reference must look like, as a sentence; empty if anything will do."""
        pattern = self.change_reference_pattern
        return "" if pattern is None else f"All of it must match {pattern}."

    def reference_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the field in which a form asks for the change reference.

        A pattern with global flags in front cannot be put in brackets, so it is left out; whoever reads the reference
        checks it in any case.
        """
        schema: dict[str, Any] = {"type": ["string", "null"], "maxLength": LONGEST_REFERENCE}
        whole = f"^(?:{self.change_reference_pattern})$"
        try:
            re.compile(whole)
        except re.error:
            return schema
        return schema if self.change_reference_pattern is None else {**schema, "pattern": whole}


def time_to_answer(
    gate: GateSettings, asked_at: datetime, window: TimeWindow | None, otherwise: timedelta = WAIT_WITHOUT_WINDOW
) -> timedelta:
    """Return how long a gate may be asked.

    :param asked_at: the instant of the question.
    :param window: in which the step that it asks for has to happen, or None.
    :param otherwise: what holds without a window, and without a time of the gate's own.
    :return: never beyond the window's end; zero if that has passed.
    """
    own = gate.response_timeout
    if window is None:
        return otherwise if own is None else own
    left = max(timedelta(), window.closes.astimezone(UTC) - asked_at.astimezone(UTC))
    return left if own is None else min(own, left)


class GatedStep(StrEnum):
    """A step that a gate guards, by the field that has the gate's settings."""

    START = "approve_wave"
    SWITCHOVER = "approve_switchover"
    CUTOVER = "approve_cutover"
    CLEANUP = "approve_cleanup"


class Gates(DomainModel):
    """The gates of a wave. Those that are always asked may be given approvers and times, not be left out."""

    four_eyes: StrictBool = False
    """Whether whoever has started the run may not approve any gate that does not say otherwise. A run that nobody has
    started by hand (``start``, ``after``, the cleanup after the hold) may be approved by anybody."""
    approve_wave: GateSettings = GateSettings()
    """Before anything is started."""
    approve_switchover: GateSettings | None = None
    """Before seeded VMs switch over. Asked only if it is written here; ``{}`` will do."""
    approve_cutover: GateSettings = GateSettings()
    """Before a segment's gateway moves; once per segment."""
    approve_cleanup: GateSettings = GateSettings()
    """Before the source segments are deleted."""

    def settled(self, gate: GateSettings) -> GateSettings:
        """Return a gate with what it inherits."""
        return gate if gate.four_eyes is not None else gate.model_copy(update={"four_eyes": self.four_eyes})
