"""The report of a rollback: how far the run had come, price and deadline, who approved, what came back when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import AwareDatetime

from hcx_waves.model.base import DomainModel
from hcx_waves.model.files import file_name
from hcx_waves.model.formatting import counted, duration, instant
from hcx_waves.report.files import write_pair
from hcx_waves.report.markup import Markdown, bullets, document, escape, section
from hcx_waves.rescue.rollback import ReturnedNetworks, Rollback, UnextendedAgain, VmsBack
from hcx_waves.run.decisions import Decision
from hcx_waves.run.failures import StepFailure


class RollbackReport(DomainModel):
    """What became of one run of a rollback DAG. Fields are added, never renamed.

    :param rollback: the run of the rollback DAG.
    """

    version: int = 1
    wave: str
    rollback: str
    started_by: str = ""
    written_at: AwareDatetime
    found: Rollback | None = None
    decision: Decision | None = None
    networks: ReturnedNetworks | None = None
    vms: VmsBack | None = None
    unextended: UnextendedAgain | None = None
    nothing: str = ""
    """Why there was nothing to do."""
    failures: tuple[StepFailure, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """Return one sentence about it."""
        if self.failures:
            return f"Not rolled back. {self.failures[-1].sentence}"
        if self.found is None:
            return self.nothing or "Nothing was done."
        if self.unextended is None:
            return "Not rolled back: not every step was done."
        back = counted(len(self.vms.proven) if self.vms else 0, "VM")
        stays = f"; {counted(len(self.found.stays), 'VM')} stayed at the destination" if self.found.stays else ""
        return f"Rolled back: {back} and {counted(len(self.found.networks), 'segment')} are at the source{stays}."


def write_rollback_report(report: RollbackReport, folder: Path, secrets: Sequence[str] = ()) -> dict[str, str]:
    """Write a rollback's report beside those of its wave; returns the files by kind.

    :raises OSError: if a file cannot be written.
    """
    name = f"{file_name(report.rollback)}.rollback"
    return write_pair(report, to_markdown(report), folder / file_name(report.wave) / name, secrets)


def to_markdown(report: RollbackReport) -> Markdown:
    """Return the report for people."""
    return document(
        Markdown(f"# Rollback of {escape(report.wave)}"),
        escape(report.headline),
        bullets(escape(line) for line in _facts(report)),
        section("Notes", bullets(report.notes) if report.notes else Markdown()),
    )


def _facts(report: RollbackReport) -> Iterator[str]:
    yield f"Run of the rollback: {report.rollback}, written {instant(report.written_at, seconds=True)}"
    yield f"Started by: {report.started_by or 'nobody by hand'}"
    found = report.found
    if found is not None:
        yield f"Run of the wave: {found.run_id}; found {instant(found.at, seconds=True)}"
        price = found.price
        if price is not None:
            yield f"Expected to take {duration(price.length.p90_seconds)} at most in nine of ten nights"
            yield f"Deadline: {instant(price.deadline) or 'none, as the wave has no windows'}"
        yield from (f"{name} stayed at the destination: {why}" for name, why in found.stays.items())
    if report.decision is not None:
        yield f"Decision: {report.decision.spoken}"
    for one in () if report.networks is None else report.networks.items:
        outage = "" if one.off_at is None or one.on_at is None else f", off for {_length(one.off_at, one.on_at)}"
        yield f"{one.segment}: the source routes it again{outage}"
    for name in () if report.vms is None else report.vms.proven:
        yield f"{name}: back at its place, proven"
    if report.unextended is not None:
        yield from (f"{name}: unextended" for name in report.unextended.done)
        yield from (f"{name}: stays extended, as VMs of it are at the destination" for name in report.unextended.left)
    yield from (one.sentence for one in report.failures)


def _length(begin: AwareDatetime, end: AwareDatetime) -> str:
    return duration((end - begin).total_seconds())
