"""The definition of a check, and helpers to write findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from hcx_waves.model.findings import Finding, Severity
from hcx_waves.preflight.steps import WaveStep

if TYPE_CHECKING:
    from hcx_waves.preflight.context import PreflightContext

_LONGEST_SUBJECT = 128


class Product(StrEnum):
    """What a check reads."""

    HCX = "HCX Manager"
    SOURCE_VCENTER = "source vCenter"
    DESTINATION_VCENTER = "destination vCenter"
    SOURCE_NSX = "source NSX"
    """Left out at a source whose workload networks are not NSX's; checks that need it are left out then."""
    DESTINATION_NSX = "destination NSX"
    PROBES = "what probes have kept"
    """No product: the answers that were seen when the sites were last probed."""


@dataclass(frozen=True)
class Check:
    """One thing that is looked at. Checks only read.

    :param check_id: lower-case words with hyphens; stable, as findings and waivers are kept by it.
    :param title: what must hold, in a few words.
    :param needs: the products that it reads.
    :param protects: the step that would suffer; what only matters to a later step may change until then.
    :param repeats: whether it is made again right before that step. Such checks share one read of each product.
    :param run: yields findings, none if all is well; may raise :class:`~hcx_waves.clients.errors.ClientError`.
    """

    check_id: str
    title: str
    needs: tuple[Product, ...]
    run: Callable[[PreflightContext], Iterable[Finding]]
    protects: WaveStep = WaveStep.START
    repeats: bool = False


def blocking(finding_id: str, subject: str, message: str, suggestion: str, **evidence: Any) -> Finding:
    """Return a finding that keeps the wave from starting."""
    return _finding(Severity.BLOCKING, finding_id, subject, message, suggestion, evidence)


def warning(finding_id: str, subject: str, message: str, suggestion: str, **evidence: Any) -> Finding:
    """Return a finding that the approver should know of."""
    return _finding(Severity.WARNING, finding_id, subject, message, suggestion, evidence)


def advice(finding_id: str, subject: str, message: str, suggestion: str = "", **evidence: Any) -> Finding:
    """Return a finding that could be better."""
    return _finding(Severity.ADVICE, finding_id, subject, message, suggestion, evidence)


def _finding(
    severity: Severity, finding_id: str, subject: str, message: str, suggestion: str, evidence: dict[str, Any]
) -> Finding:
    return Finding(
        finding_id=finding_id,
        severity=severity,
        subject=subject[:_LONGEST_SUBJECT],
        message=message,
        suggestion=suggestion,
        evidence=evidence,
    )
