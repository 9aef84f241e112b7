"""Makes checks again right before the step that they protect, and says what has changed since they were made first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from pydantic import AwareDatetime

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.model.base import DomainModel
from hcx_waves.model.findings import Assessment, Assessments, SegmentSeen, assess
from hcx_waves.model.plan import WavePlan
from hcx_waves.preflight.base import Check
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.registry import CHECKS
from hcx_waves.preflight.runner import distinct, findings_of
from hcx_waves.preflight.seen import differences, see_gateways
from hcx_waves.preflight.steps import WaveStep
from hcx_waves.wavefile.wave import Wave

CHECK_INCOMPLETE = "check-incomplete"
REPEATED_AT_CUTOVER = frozenset(
    {
        "segment-destination-missing",
        "segment-dhcp-at-both-sites",
        "segment-dhcp-at-source",
        "segment-extension-changed",
        "segment-extension-down",
        "segment-extension-state-unknown",
        "segment-gateway-lost",
        "segment-mon-on",
        "segment-not-extended",
        "segment-subnet-overlaps",
        "segment-two-gateways",
    }
)
"""What the checks that are repeated before a cutover can find."""


class Recheck(DomainModel):
    """What the repeated checks found right before a step, against what was known when the wave was approved."""

    step: WaveStep
    at: AwareDatetime
    items: tuple[Assessment, ...] = ()
    """All that they found, gravest first, with the wave's waivers as they hold now."""
    new: tuple[Assessment, ...] = ()
    """Those of them that were not found before, or are graver now, or whose waiver has expired."""
    gone: tuple[Assessment, ...] = ()
    """What was found before the wave, has been looked for again, and is not there any more."""
    drift: tuple[str, ...] = ()
    """What has changed on the segment, one sentence each."""

    @property
    def stops(self) -> dict[str, str]:
        """What must not go on, by subject, with the reason."""
        found: dict[str, list[str]] = {}
        for item in self.items:
            if item.blocks:
                found.setdefault(item.finding.subject, []).append(item.finding.message)
        return {subject: "; ".join(messages) for subject, messages in found.items()}


def repeat_checks(
    plan: WavePlan,
    wave: Wave,
    clients: SiteClients,
    step: WaveStep,
    *,
    now: datetime,
    before: Assessments | None,
    only: Collection[str] | None = None,
    seen: SegmentSeen | None = None,
    checks: Sequence[Check] = CHECKS,
) -> Recheck:
    """Make the cheap checks that protect a step once more: at most one batched read of each product.

    Before the start also those that protect the switchover are made, since a wave that holds nothing back has no later
    moment for them.

    :param before: what was found when the wave was approved; without it everything is new.
    :param only: names of the VMs that the step is about; all unless given.
    :param seen: the segment that the step is about, with what its proof has seen on it; all unless given.
    """
    due = [one for one in checks if one.repeats and is_due(one.protects, step)]
    name = None if seen is None else seen.segment
    context = PreflightContext(plan, wave, clients, now=now, only=only, step=step, segment=name)
    findings = distinct(one for check in due for one in findings_of(check, context))
    items = assess(findings, wave.waivers, now.astimezone(wave.zone).date()).items
    known = {} if before is None else {_key(one): one for one in before.items}
    return Recheck(
        step=step,
        at=now,
        items=items,
        new=tuple(one for one in items if _is_news(one, known.get(_key(one)))),
        gone=tuple(_gone(known, items, name)),
        drift=tuple(_drift(context, before, seen)),
    )


def _gone(
    known: Mapping[tuple[str, str], Assessment], items: Sequence[Assessment], segment: str | None
) -> Iterator[Assessment]:
    """Yield what was found of the segment and is not there any more; nothing of it counts if a check was not made."""
    found = {_key(one) for one in items}
    if any(finding_id == CHECK_INCOMPLETE for finding_id, _ in found):
        return
    for key, item in known.items():
        if key[1] == segment and key[0] in REPEATED_AT_CUTOVER and key not in found:
            yield item


def _drift(context: PreflightContext, before: Assessments | None, seen: SegmentSeen | None) -> Iterator[str]:
    then = None if before is None or seen is None else before.segment(seen.segment)
    if then is None or seen is None:
        return
    source, destination = see_gateways(context, context.plan.segment(seen.segment))
    yield from differences(then, seen.model_copy(update={"source": source, "destination": destination}))


def is_due(protects: WaveStep, step: WaveStep) -> bool:
    """Whether a check that protects one step is made again before another."""
    return protects is step or (step is WaveStep.START and protects is WaveStep.SWITCHOVER)


def _key(item: Assessment) -> tuple[str, str]:
    return item.finding.finding_id, item.finding.subject


def _is_news(item: Assessment, known: Assessment | None) -> bool:
    if known is None:
        return True
    return item.finding.severity.rank < known.finding.severity.rank or (item.blocks and not known.blocks)
