"""What a DAG's page says about its wave."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hcx_airflow import names
from hcx_waves.model.choices import CutoverPolicy
from hcx_waves.model.times import format_duration
from hcx_waves.wavefile.segments import Segment
from hcx_waves.wavefile.wave import Wave

_MOST_VMS = 40
_MOST_LETTERS = 20_000
_OWNER = "hcx-waves"
_LONGEST_OWNER = 100


def owner_of(wave: Wave) -> str:
    """Return whom the DAG belongs to: the first approver of the wave, if it names any."""
    approvers = wave.gates.approve_wave.approvers
    return approvers[0][:_LONGEST_OWNER] if approvers else _OWNER


def tags_of(wave: Wave, kind: str) -> list[str]:
    """Return the tags of one of a wave's DAGs."""
    return ["hcx-waves", kind, f"wave:{wave.name}"]


def live_document(wave: Wave, text: str, next_waves: tuple[str, ...] = ()) -> str:
    """Return the page of a live DAG, in Markdown.

    :param text: the wave file as it stands.
    :param next_waves: the waves that this one starts.
    """
    return _document(wave, text, [*_live_lines(wave), *_chain_lines(wave, next_waves)])


def cleanup_document(wave: Wave, text: str) -> str:
    """Return the page of a cleanup DAG, in Markdown."""
    return _document(wave, text, list(_cleanup_lines(wave)))


def rehearsal_document(wave: Wave, text: str) -> str:
    """Return the page of a rehearsal DAG, in Markdown."""
    return _document(wave, text, list(_rehearsal_lines(wave)))


def _document(wave: Wave, text: str, lines: list[str]) -> str:
    shown = text if len(text) <= _MOST_LETTERS else text[:_MOST_LETTERS].rstrip() + "\n# and so on"
    # A fence longer than any in the file, so that nothing in the file can end it.
    fence = "`" * (max([2, *map(len, re.findall(r"`+", shown))]) + 1)
    parts = [f"## {wave.name}", wave.description, "\n".join(lines), "### Wave file"]
    return "\n\n".join([*parts, f"{fence}yaml\n{shown.rstrip()}\n{fence}"]) + "\n"


def _live_lines(wave: Wave) -> Iterator[str]:
    yield f"- **Start**: {_start(wave)}."
    if wave.switchover_window is not None:
        yield f"- **Switchover**: {wave.switchover_window} ({wave.time_zone})."
    shown = ", ".join(vm.name for vm in wave.vms[:_MOST_VMS])
    more = len(wave.vms) - _MOST_VMS
    yield f"- **VMs** ({len(wave.vms)}): {shown}" + (f" and {more} more." if more > 0 else ".")
    for segment in wave.segments:
        yield f"- **Segment {segment.name}**: {_segment(segment)}."
    gates = [names.APPROVE_WAVE, *([names.APPROVE_SWITCHOVER] if wave.gates.approve_switchover else [])]
    gates += [f"{names.APPROVE_CUTOVER} for each segment"] if wave.segments_to_cut else []
    yield f"- **Gates**: {', '.join(gates)}. A rejection, or no answer in time, changes nothing more."
    yield f"- **Rehearsal**: `{names.rehearsal_dag_id(wave.name)}`; this DAG moves real machines."


def _start(wave: Wave) -> str:
    if wave.start is not None:
        late = format_duration(wave.start_tolerance)
        return f"{wave.start} {wave.time_zone}, at most {late} later, once this DAG is unpaused"
    if wave.after:
        return f"by the last of {', '.join(wave.after)} to end as planned, once this DAG is unpaused; or by hand"
    return "by hand"


def _segment(segment: Segment) -> str:
    if segment.cutover is CutoverPolicy.LATER:
        return f"stays stretched; cut over by {segment.cut_by}"
    if segment.cutover is CutoverPolicy.NEVER:
        return "stays stretched"
    stays = f"; {', '.join(one.vm for one in segment.stays)} may stay at the source" if segment.stays else ""
    return f"cut over {segment.cutover_window}, source disconnected by {segment.means_of_disconnect}{stays}"


def _chain_lines(wave: Wave, next_waves: tuple[str, ...]) -> Iterator[str]:
    if next_waves:
        yield f"- **Then**: {', '.join(next_waves)}, if this wave ends as planned."
    if wave.segments_to_clean:
        yield f"- **Cleanup**: {format_duration(wave.cleanup.hold)} later, by `{names.cleanup_dag_id(wave.name)}`."


def _cleanup_lines(wave: Wave) -> Iterator[str]:
    yield f"- **When**: {format_duration(wave.cleanup.hold)} after the wave has cut a segment over, or by hand."
    for segment in wave.segments_to_clean:
        steps = ["source segment deleted"] if wave.deletes_source(segment) else ["source segment kept"]
        if segment.rename_destination is not None:
            steps.append(f"destination renamed to {segment.rename_destination}")
        yield f"- **Segment {segment.name}**: {', '.join(steps)}."
    yield f"- **Gate**: {names.APPROVE_CLEANUP}. A rejection, or no answer in time, deletes nothing."


def _rehearsal_lines(wave: Wave) -> Iterator[str]:
    dag_id = names.rehearsal_dag_id(wave.name)
    yield f"- **What it is**: the tasks of `{wave.name}` on a twin of the site, in virtual time. Nothing real changes."
    yield (
        "- **Night**: that of the run's logical date, with its windows and clock changes; a run started by hand "
        f"rehearses {wave.night or 'tonight'} unless its form says otherwise."
    )
    yield f"- **When**: at noon ({wave.time_zone}), for the coming night, once this DAG is unpaused{_until(wave)}."
    yield "- **Gates**: answered by the run itself, as `rehearsal-approver`."
    yield "- **Results**: a record of each night and a summary of all of them, beside the reports of the wave."
    yield "- **Backfill**, once this DAG is unpaused; the last date is the first that is not rehearsed any more:"
    yield (
        f"\n```\nairflow backfill create --dag-id {dag_id} --from-date 2026-10-01 --to-date 2026-10-31\n```\n\n"
        "With `--reprocess-behavior completed` nights are rehearsed again: the same snapshot makes the same timeline."
    )


def _until(wave: Wave) -> str:
    return f", up to {wave.starts_at or wave.night:%Y-%m-%d}" if wave.starts_at or wave.night else ""
