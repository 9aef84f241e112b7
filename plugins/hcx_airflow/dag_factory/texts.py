"""The texts of a wave's DAGs: page, tags and owner."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hcx_airflow import names
from hcx_waves.model.choices import CutoverPolicy, Disconnect
from hcx_waves.model.times import format_duration
from hcx_waves.wavefile.segments import Segment
from hcx_waves.wavefile.wave import Wave
from hcx_waves.wavefile.windows import Window

_MOST_VMS = 40
_MOST_LETTERS = 20_000
_OWNER = "hcx-waves"
_LONGEST_OWNER = 100
_MEANS = {Disconnect.NSX: "through NSX", Disconnect.HOOK: "by a command", Disconnect.MANUAL: "by hand"}


def owner_of(wave: Wave) -> str:
    """Return the owner of a wave's DAGs: its first approver, if it names any."""
    approvers = wave.gates.approve_wave.approvers
    return approvers[0][:_LONGEST_OWNER] if approvers else _OWNER


def display_name(wave: Wave, kind: str = "") -> str:
    """Return the name that Airflow's list shows. It sorts by it, so the wave comes before what belongs to it.

    :param kind: empty for the live DAG.
    """
    return f"{wave.name}: {kind}" if kind else wave.name


def tags_of(wave: Wave, kind: str) -> list[str]:
    """Return the tags of one of a wave's DAGs."""
    return ["hcx-waves", kind, f"wave:{wave.name}"]


@dataclass(frozen=True)
class DagFace:
    """What people see of one of a wave's DAGs, as plain texts.

    :param wave: the wave's name.
    :param title: the name in Airflow's list.
    :param page: in Markdown.
    :param objects: the names of what its form offers.
    """

    wave: str
    title: str
    owner: str
    tags: tuple[str, ...]
    page: str
    objects: tuple[str, ...] = ()


def recovery_face(wave: Wave, text: str) -> DagFace:
    """Return the face of a wave's recovery DAG.

    :param text: the wave file as it stands.
    """
    objects = dict.fromkeys([*(one.name for one in wave.segments), *(vm.name for vm in wave.vms)])
    return DagFace(
        wave=wave.name,
        title=display_name(wave, "recover"),
        owner=owner_of(wave),
        tags=tuple(tags_of(wave, "recover")),
        page=_document(wave, text, list(_recovery_lines(wave))),
        objects=tuple(objects),
    )


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
    shown = text if len(text) <= _MOST_LETTERS else text[:_MOST_LETTERS].rstrip() + "\n# ... (cut off)"
    # A fence longer than any in the file, so that nothing in the file can end it.
    fence = "`" * (max([2, *map(len, re.findall(r"`+", shown))]) + 1)
    parts = [f"## {wave.name}", wave.description, "\n".join(lines), "### Wave file"]
    return "\n\n".join([*parts, f"{fence}yaml\n{shown.rstrip()}\n{fence}"]) + "\n"


def _live_lines(wave: Wave) -> Iterator[str]:
    yield f"- **This DAG moves real VMs.** To rehearse the wave, run `{names.rehearsal_dag_id(wave.name)}`."
    yield f"- **Start**: {_start(wave)}."
    if wave.switchover_window is not None:
        yield f"- **Switchover**: {_window(wave.switchover_window, wave.time_zone)}."
    shown = ", ".join(vm.name for vm in wave.vms[:_MOST_VMS])
    more = len(wave.vms) - _MOST_VMS
    yield f"- **VMs** ({len(wave.vms)}): {shown}" + (f" and {more} more." if more > 0 else ".")
    for segment in wave.segments:
        yield f"- **Segment {segment.name}**: {_segment(segment, wave.time_zone)}."
    gates = [names.APPROVE_WAVE, *([names.APPROVE_SWITCHOVER] if wave.gates.approve_switchover else [])]
    gates += [f"{names.APPROVE_CUTOVER} for each segment"] if wave.segments_to_cut else []
    if any(one.means_of_disconnect is Disconnect.MANUAL for one in wave.segments_to_cut):
        gates += [f"{names.CONFIRM_DISCONNECTED} for each segment that is disconnected by hand"]
    yield f"- **Gates**: {', '.join(gates)}. A rejection, or no answer in time, stops the steps that the gate guards."


def _start(wave: Wave) -> str:
    if wave.start is not None:
        late = format_duration(wave.start_tolerance)
        return f"{wave.start} {wave.time_zone}, at most {late} late, if this DAG is unpaused"
    if wave.after:
        return f"when {' and '.join(wave.after)} ended as planned, if this DAG is unpaused; or by hand"
    return "by hand"


def _segment(segment: Segment, zone: str) -> str:
    if segment.cutover is CutoverPolicy.LATER:
        return f"stays stretched; wave {segment.cut_by} cuts it over"
    if segment.cutover is CutoverPolicy.NEVER:
        return "stays stretched"
    stays = f"; {', '.join(one.vm for one in segment.stays)} may stay at the source" if segment.stays else ""
    means = _MEANS[segment.means_of_disconnect]
    return f"cut over {_window(segment.cutover_window, zone)}, source gateway disconnected {means}{stays}"


def _window(window: Window | None, zone: str) -> str:
    counted = window is not None and window.opens.after_start is not None
    return f"{window}, counted from the start" if counted else f"{window} ({zone})"


def _chain_lines(wave: Wave, next_waves: tuple[str, ...]) -> Iterator[str]:
    if next_waves:
        yield f"- **Next waves**: {', '.join(next_waves)}, if this wave ends as planned."
    if wave.segments_to_clean:
        hold = format_duration(wave.cleanup.hold)
        yield f"- **Cleanup**: `{names.cleanup_dag_id(wave.name)}`, {hold} after this wave."


def _cleanup_lines(wave: Wave) -> Iterator[str]:
    yield "- **This DAG changes real segments**, once its gate is approved."
    yield f"- **Start**: {format_duration(wave.cleanup.hold)} after the run that has cut segments over, or by hand."
    for segment in wave.segments_to_clean:
        steps = ["source segment deleted"] if wave.deletes_source(segment) else ["source segment kept"]
        if segment.rename_destination is not None:
            steps.append(f"destination renamed to {segment.rename_destination}")
        yield f"- **Segment {segment.name}**: {', '.join(steps)}."
    yield f"- **Gate**: {names.APPROVE_CLEANUP}. A rejection, or no answer in time, changes nothing."


def _recovery_lines(wave: Wave) -> Iterator[str]:
    yield f"- **This DAG changes what a run of `{wave.name}` has left behind**, once its gate is approved."
    yield "- **Start**: by hand. The form asks for the action; it looks first and changes nothing before the gate."
    yield f"- **Gate**: {names.APPROVE_RECOVERY}, answered by those who may approve the step that it undoes."
    yield "- **Without Airflow**: `hcx-waves rescue` does the same for gateways and migrations."


def _rehearsal_lines(wave: Wave) -> Iterator[str]:
    dag_id = names.rehearsal_dag_id(wave.name)
    yield f"- **This DAG changes nothing real.** It runs the tasks of `{wave.name}` on a twin, in virtual time."
    yield f"- **Start**: every day at noon ({wave.time_zone}), if this DAG is unpaused{_until(wave)}; or by hand."
    yield (
        "- **Night**: that of the run's logical date, with its windows and clock changes. A run that is started by "
        f"hand rehearses {wave.night or 'tonight'}, unless its form names another night."
    )
    yield "- **Gates**: the run answers them itself, as `rehearsal-approver`."
    yield "- **Results**: a record of each night and a summary of all nights, beside the reports of the wave."
    yield "- **Backfill** of many nights, if this DAG is unpaused. The last date is not rehearsed:"
    yield (
        f"\n```\nairflow backfill create --dag-id {dag_id} --from-date 2026-10-01 --to-date 2026-10-31\n```\n\n"
        "Add `--reprocess-behavior completed` to rehearse nights again. The same snapshot gives the same timeline."
    )


def _until(wave: Wave) -> str:
    return f", up to {wave.starts_at or wave.night:%Y-%m-%d}" if wave.starts_at or wave.night else ""
