"""What a gate says of the checks that were made again before it asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hcx_waves.report.markup import Markdown, bullets, document, table

if TYPE_CHECKING:
    from hcx_waves.preflight.repeat import Recheck

_CUTOVER = "cutover"
_HEAD = ("Severity", "Subject", "Finding", "Action")
_REST = "the log of this task lists all of them"


def changes_part(recheck: Recheck | None, most: int) -> Markdown:
    """Return what has changed since the approval of the wave; nothing where nothing was checked again."""
    if recheck is None:
        return Markdown()
    if not (recheck.new or recheck.gone or recheck.drift):
        return Markdown("Nothing. The checks that protect this step were made again.")
    gone = [f"Gone: {item.finding.subject}: {item.finding.message}" for item in recheck.gone]
    return document(
        table(_HEAD, _rows(recheck), most=most, rest=_REST) if recheck.new else Markdown(),
        bullets([*recheck.drift, *gone]),
    )


def _rows(recheck: Recheck) -> Iterator[tuple[str, ...]]:
    for item in recheck.new:
        waits = " The gateway is not moved" if recheck.step.value == _CUTOVER else " It is not released"
        held = f"{waits} until this is resolved." if item.blocks else ""
        severity = "Waived" if item.waiver else item.finding.severity.label
        yield severity, item.finding.subject, item.finding.message, f"{item.finding.suggestion}{held}".strip()
