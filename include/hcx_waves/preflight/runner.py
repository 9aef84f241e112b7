"""Runs the checks and applies the wave's waivers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import ClientError
from hcx_waves.model.findings import ANY_SUBJECT, Assessments, Finding, assess
from hcx_waves.model.plan import WavePlan
from hcx_waves.preflight.base import Check, Product, advice, blocking, warning
from hcx_waves.preflight.context import PreflightContext
from hcx_waves.preflight.registry import CHECKS
from hcx_waves.preflight.seen import see
from hcx_waves.probe.kept import KeptProbe
from hcx_waves.wavefile.wave import Wave


def run_preflight(
    plan: WavePlan,
    wave: Wave,
    clients: SiteClients,
    *,
    now: datetime,
    other_waves: Sequence[Wave] = (),
    only: Collection[str] | None = None,
    cuts: bool = True,
    probes: Sequence[KeptProbe] = (),
    checks: Sequence[Check] = CHECKS,
) -> Assessments:
    """Judge whether a wave may start. Only reads.

    :param now: the instant that windows and waivers are judged by.
    :param other_waves: further waves of these sites, to say whose VM is in the way.
    :param only: names of the VMs that the run moves, for a run of a part of the wave; all unless given.
    :param cuts: False for a run that stops before the cutover.
    :param probes: what probes have last seen at the endpoints, to warn of answers that are not as expected.
    :returns: every finding with its waiver; ``blocking`` is what keeps the wave from starting. A check that a
        product's error stopped is a blocking finding ``check-incomplete`` about that check. Waivers that have
        expired, or that nothing asked for, are findings themselves.
    """
    context = PreflightContext(
        plan, wave, clients, now=now, other_waves=other_waves, only=only, cuts=cuts, probes=probes
    )
    findings = distinct(one for check in checks for one in findings_of(check, context))
    day = now.astimezone(wave.zone).date()
    judged = assess(findings, wave.waivers, day)
    about_waivers = [*_expired(judged), *_unused(judged)]
    judged = assess([*findings, *about_waivers], wave.waivers, day) if about_waivers else judged
    return judged.model_copy(update={"segments": tuple(see(context, one) for one in context.segments_to_cut)})


def findings_of(check: Check, context: PreflightContext) -> list[Finding]:
    """Run one check; nothing for a check of NSX at a source without it."""
    if Product.SOURCE_NSX in check.needs and context.clients.source_nsx is None:
        return []
    try:
        return list(check.run(context))
    except ClientError as error:
        where = error.endpoint or error.system or "a product"
        return [
            blocking(
                "check-incomplete",
                check.check_id,
                f'"{check.title}" could not be checked: {type(error).__name__} at {where}: {error.message}',
                error.hint,
                error=error.to_dict(),
            )
        ]


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Return one finding for each id and subject; what several say of the same is put into one, gravest first."""
    kept: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        key = (finding.finding_id, finding.subject)
        known = kept.get(key)
        if known is None:
            kept[key] = finding
        elif finding.message not in known.message:
            first, second = sorted((known, finding), key=lambda one: one.severity.rank)
            message = f"{first.message}; {second.message}"
            kept[key] = first.model_copy(
                update={
                    "message": message,
                    "evidence": {**second.evidence, **first.evidence},
                    "waivable": first.waivable and second.waivable,
                }
            )
    return list(kept.values())


def _expired(judged: Assessments) -> list[Finding]:
    return distinct(
        warning(
            "waiver-expired",
            item.finding.subject,
            f"the waiver for {item.finding.finding_id} by {item.expired.approved_by} held until {item.expired.expires}",
            "Resolve the finding, or have it waived again.",
        )
        for item in judged.items
        if item.expired is not None
    )


def _unused(judged: Assessments) -> list[Finding]:
    return distinct(
        advice(
            "waiver-unused",
            "wave" if waiver.subject == ANY_SUBJECT else waiver.subject,
            f"no finding matches the waiver of {waiver.finding}",
            "Remove the waiver from the wave file.",
        )
        for waiver in judged.unused
    )
