"""Findings of checks, and the waivers by which a user accepts a finding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from pydantic import Field, JsonValue

from hcx_waves.model.base import DomainModel
from hcx_waves.model.names import FindingId, SubjectName, Text, UserName
from hcx_waves.model.states import Labelled
from hcx_waves.model.times import Day

ANY_SUBJECT = "*"


class Severity(Labelled):
    """How much a finding matters."""

    BLOCKING = "blocking"
    """The wave does not start, unless the finding is waived."""
    WARNING = "warning"
    """Shown to the approver."""
    ADVICE = "advice"
    """Could be better."""

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return list(Severity).index(self)


class Waiver(DomainModel):
    """A finding that somebody has answered for, until a date."""

    finding: FindingId
    """The finding's id."""
    subject: SubjectName
    """The VM, segment or other object that it is about; ``*`` for all of them."""
    reason: Text
    """Why it may be passed over."""
    approved_by: UserName
    """Who answers for it."""
    expires: Day
    """The last day on which it holds, in the wave's time zone."""

    @property
    def sentence(self) -> str:
        """Who accepts the finding, until when and why, as it is shown everywhere."""
        return f"{self.approved_by}, until {self.expires}: {self.reason}"

    def covers(self, finding: Finding) -> bool:
        """Whether it is about a finding, expired or not."""
        return self.finding == finding.finding_id and self.subject in (ANY_SUBJECT, finding.subject)

    def holds_on(self, day: date) -> bool:
        """Whether it holds on a local date."""
        return day <= self.expires


class Finding(DomainModel):
    """One thing that a check found.

    The pair of ``finding_id`` and ``subject`` identifies it from one night to the next.
    """

    finding_id: FindingId
    """What was found, as a word: ``vm-has-snapshots``."""
    severity: Severity
    """How much it matters."""
    subject: SubjectName
    """The name of the VM, segment or other object that it is about."""
    message: str
    """What was found, as a sentence."""
    suggestion: str = ""
    """What to do about it."""
    evidence: dict[str, JsonValue] = Field(default_factory=dict)
    """What was read, as JSON; no secrets."""
    waivable: bool = True
    """Whether a person may answer for it at all."""

    @property
    def blocks(self) -> bool:
        """Whether it keeps the wave from starting, waivers aside."""
        return self.severity is Severity.BLOCKING


class Assessment(DomainModel):
    """One finding and what became of it."""

    finding: Finding
    waiver: Waiver | None = None
    """The waiver that holds for it."""
    expired: Waiver | None = None
    """A waiver that would, had it not expired."""

    @property
    def blocks(self) -> bool:
        """Whether it keeps the wave from starting."""
        return self.finding.blocks and self.waiver is None


class Assessments(DomainModel):
    """All findings of a check, gravest first, with waivers applied."""

    items: tuple[Assessment, ...]
    unused: tuple[Waiver, ...] = ()
    """Waivers that no finding asked for."""

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """What keeps the wave from starting."""
        return tuple(item.finding for item in self.items if item.blocks)

    @property
    def waived(self) -> tuple[Assessment, ...]:
        """What somebody answers for."""
        return tuple(item for item in self.items if item.waiver is not None)


def assess(findings: Iterable[Finding], waivers: Sequence[Waiver], day: date) -> Assessments:
    """Apply waivers to findings.

    A waiver for that very subject precedes one for all. A finding that is not waivable is never waived.

    :param day: the local date, in the wave's zone, on which the findings count.
    """
    items, used = [], set()
    for finding in sorted(findings, key=lambda one: (one.severity.rank, one.finding_id, one.subject)):
        covering = [waiver for waiver in waivers if waiver.covers(finding)]
        used.update(covering)
        covering.sort(key=lambda waiver: waiver.subject == ANY_SUBJECT)
        holding = [waiver for waiver in covering if waiver.holds_on(day)] if finding.waivable else []
        items.append(
            Assessment(
                finding=finding,
                waiver=holding[0] if holding else None,
                expired=covering[0] if covering and not holding and finding.waivable else None,
            )
        )
    return Assessments(items=tuple(items), unused=tuple(waiver for waiver in waivers if waiver not in used))
