"""The report of a recovery: what was asked for, found, approved and done, as JSON and Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import AwareDatetime

from hcx_waves.model.base import DomainModel
from hcx_waves.model.files import file_name
from hcx_waves.model.formatting import instant
from hcx_waves.report.files import read_report, write_pair, write_report
from hcx_waves.report.markup import Markdown, bullets, document, escape, section
from hcx_waves.report.timeline import RUN_BEGUN, with_rescues
from hcx_waves.rescue.audit import read_entries
from hcx_waves.rescue.recovery import Recovery, RecoveryResult
from hcx_waves.run.decisions import Decision
from hcx_waves.run.failures import StepFailure


class RecoveryReport(DomainModel):
    """What became of one run of a recovery DAG. Fields are added, never renamed.

    :param recovery: the run of the recovery DAG.
    """

    version: int = 1
    wave: str
    recovery: str
    started_by: str = ""
    written_at: AwareDatetime
    found: Recovery | None = None
    decision: Decision | None = None
    result: RecoveryResult | None = None
    nothing: str = ""
    """Why there was nothing to do."""
    failures: tuple[StepFailure, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """Return one sentence about it."""
        if self.failures:
            return f"Not recovered. {self.failures[-1].sentence}"
        if self.found is None:
            return self.nothing or "Nothing was done."
        done = "; ".join(f"{one.subject}: {one.text}" for one in (self.result.outcomes if self.result else ()))
        return f"{self.found.title}. {done or 'Nothing was done.'}"


def write_recovery_report(report: RecoveryReport, folder: Path, secrets: Sequence[str] = ()) -> dict[str, str]:
    """Write a recovery's report beside those of its wave; returns the files by kind.

    :raises OSError: if a file cannot be written.
    """
    name = f"{file_name(report.recovery)}.recovery"
    return write_pair(report, to_markdown(report), folder / file_name(report.wave) / name, secrets)


def tell_in_report(folder: Path, wave: str, run_id: str, secrets: Sequence[str] = ()) -> bool:
    """Take what ways back have done about a run into the timeline of its report; return whether there is one.

    A report that is written later takes it in by itself.

    :raises OSError: if a file cannot be read or written.
    :raises ValueError: if the report or the audit cannot be read.
    """
    path = folder / file_name(wave) / f"{file_name(run_id)}.json"
    if not path.is_file():
        return False
    report = read_report(path)
    began = next((one.at for one in report.timeline if one.what == RUN_BEGUN), None)
    entries = read_entries(folder, wave, run_id, began)
    events = with_rescues(report.timeline, entries, apart=report.virtual_sites)
    write_report(report.model_copy(update={"timeline": events}), folder, secrets)
    return True


def to_markdown(report: RecoveryReport) -> Markdown:
    """Return the report for people."""
    return document(
        Markdown(f"# Recovery of {escape(report.wave)}"),
        escape(report.headline),
        bullets(escape(line) for line in _facts(report)),
        section("Notes", bullets(report.notes) if report.notes else Markdown()),
    )


def _facts(report: RecoveryReport) -> Iterator[str]:
    yield f"Run of the recovery: {report.recovery}, written {instant(report.written_at, seconds=True)}"
    yield f"Started by: {report.started_by or 'nobody by hand'}"
    if report.found is not None:
        yield f"Run of the wave: {report.found.run_id}"
        yield f"Action: {report.found.title}{f' ({report.found.chosen})' if report.found.chosen else ''}"
        yield f"Found {instant(report.found.look.at, seconds=True)}"
        yield from (str(one) for one in report.found.intents)
    if report.decision is not None:
        yield f"Decision: {report.decision.spoken}"
    for one in () if report.result is None else report.result.outcomes:
        yield f"{one.subject}: {'done' if one.done else 'FAILED'}: {one.text}"
    yield from (one.sentence for one in report.failures)
