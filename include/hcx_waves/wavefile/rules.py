"""Rules between the fields of one wave file.

Each rule names the fields it needs, so that of a file in which something is wrong only those rules are believed that
are not about a consequence of it (``salvage``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hcx_waves.model.base import BrokenRule, Location
from hcx_waves.model.schedule import WaveClock
from hcx_waves.model.spelling import KnownNames
from hcx_waves.model.times import format_duration
from hcx_waves.wavefile.clock import counts_from_start, order_problems, strict_clock, windows_of
from hcx_waves.wavefile.document import WaveDocument
from hcx_waves.wavefile.settings import VmRequest, VmSettings, duplicates, request_for, switch_suits

_TIMES = ("time_zone", "start", "start_tolerance", "switchover_window", "segments")
_SOME_START = datetime(2001, 1, 1, tzinfo=UTC)
_SHORTEST_POLL, _LONGEST_POLL = timedelta(seconds=5), timedelta(minutes=10)


@dataclass(frozen=True)
class Rule:
    """A rule and the fields of the wave file that it reads."""

    fields: tuple[str, ...]
    check: Callable[[WaveDocument], Iterator[BrokenRule]]


def broken_rules(document: WaveDocument) -> list[BrokenRule]:
    """Return every rule that a wave file breaks."""
    return [broken for rule in RULES for broken in rule.check(document)]


def _names(document: WaveDocument) -> Iterator[BrokenRule]:
    yield from duplicates([vm.name for vm in document.vms], "vms")
    yield from duplicates([vm.instance_uuid or index for index, vm in enumerate(document.vms)], "vms", "instance_uuid")


def _switchover_order(document: WaveDocument) -> Iterator[BrokenRule]:
    names = {vm.name for vm in document.vms}
    known = KnownNames(names)
    yield from duplicates(document.switchover_order, "switchover_order")
    for index, name in enumerate(document.switchover_order):
        if name not in names:
            twins = known.twins_of(name)
            words = f'"{name}" is not among the wave\'s vms{f"; there it is {twins[0]}" if twins else ""}'
            yield BrokenRule(("switchover_order", index), words)


def _placement(document: WaveDocument) -> Iterator[BrokenRule]:
    requests = [request_for(vm, document.defaults) for vm in document.vms]
    for this, that in (("resource_pool", "cluster"), ("datastore", "storage_policy")):
        without = [n for n, one in enumerate(requests) if getattr(one, this) is None and getattr(one, that) is None]
        if len(without) == len(requests):
            yield BrokenRule(("defaults",), f"needs {this} or {that}, as no VM has one of its own")
        else:
            for index in without:
                words = f"{requests[index].name} has no {this} and no {that}, neither here nor in defaults"
                yield BrokenRule(("vms", index), words)


_SWITCHES = {
    "force_power_off": "applies to Bulk only",
    "seed_checkpoint": "needs a migration that replicates (RAV or Bulk)",
}


def _options(document: WaveDocument) -> Iterator[BrokenRule]:
    requests = [request_for(vm, document.defaults) for vm in document.vms]
    for switch, words in _SWITCHES.items():
        for index, (vm, request) in enumerate(zip(document.vms, requests, strict=True)):
            if getattr(vm.options, switch) and not switch_suits(switch, request.migration):
                yield BrokenRule(("vms", index, "options", switch), f"{words}, not {request.migration}")
        fits = any(switch_suits(switch, request.migration) for request in requests)
        if getattr(document.defaults.options, switch) and not fits:
            yield BrokenRule(("defaults", "options", switch), f"{words}, and no VM of the wave is moved that way")
    yield from _seeds(document, requests)


def _seeds(document: WaveDocument, requests: Sequence[VmRequest]) -> Iterator[BrokenRule]:
    words = "needs a datastore, as replicated data is kept on one specific datastore"
    inherited = False
    for index, (vm, request) in enumerate(zip(document.vms, requests, strict=True)):
        if not request.options.seed_checkpoint or request.datastore is not None:
            continue
        if vm.options.seed_checkpoint:
            yield BrokenRule(("vms", index, "options", "seed_checkpoint"), words)
        elif not inherited:
            inherited = True
            yield BrokenRule(("defaults", "options", "seed_checkpoint"), f"{words} and {vm.name} has none")


def _segment_names(document: WaveDocument) -> Iterator[BrokenRule]:
    yield from duplicates([segment.name for segment in document.segments], "segments", "name")
    seen: dict[str, str] = {}
    for index, segment in enumerate(document.segments):
        other = seen.setdefault(segment.key, segment.name)
        if other.casefold() != segment.name.casefold():
            words = f'"{segment.name}" and "{other}" would have the same task ids ({segment.key})'
            yield BrokenRule(("segments", index, "name"), words)
    for field in ("segment_id", "rename_destination"):
        values = [getattr(segment, field) or index for index, segment in enumerate(document.segments)]
        yield from duplicates(values, "segments", field)


def _mappings(document: WaveDocument) -> Iterator[BrokenRule]:
    places = {segment.name: segment.destination for segment in document.segments if segment.destination is not None}
    holders: list[tuple[Location, VmSettings]] = [(("defaults",), document.defaults)]
    holders += [(("vms", index), vm) for index, vm in enumerate(document.vms)]
    for location, settings in holders:
        for position, mapping in enumerate(settings.networks):
            place = places.get(mapping.source)
            if place is not None and place != mapping.destination:
                words = f'segment {mapping.source} goes to "{place}", so its NICs cannot go to "{mapping.destination}"'
                yield BrokenRule((*location, "networks", position, "destination"), words)


def _stays(document: WaveDocument) -> Iterator[BrokenRule]:
    moving = {vm.name.casefold() for vm in document.vms}
    for index, segment in enumerate(document.segments):
        for position, staying in enumerate(segment.stays):
            if staying.vm.casefold() in moving:
                words = f'"{staying.vm}" is among the wave\'s vms, so it cannot stay'
                yield BrokenRule(("segments", index, "stays", position, "vm"), words)


def _source_network(document: WaveDocument) -> Iterator[BrokenRule]:
    if document.connections.source.network is not None:
        return
    for index, segment in enumerate(document.segments):
        if segment.is_cut and segment.means_of_disconnect == "nsx":
            words = (
                "nsx needs connections.source.nsx or connections.source.vmc; a router is disconnected by hook or manual"
            )
            yield BrokenRule(("segments", index, "disconnect" if segment.disconnect else "cutover"), words)


def _times(document: WaveDocument) -> Iterator[BrokenRule]:
    windows = windows_of(document)
    if document.start is None and len({window.opens.is_dated for _, window in windows}) > 1:
        undated = next(location for location, window in windows if not window.opens.is_dated)
        yield BrokenRule(
            (*undated, "opens"), "has no date while another window has one: date all windows, or write start"
        )
        return
    clock, broken = _clock_for_any_start(document)
    yield from broken
    if clock is not None:
        yield from order_problems(document, clock)


def _clock_for_any_start(document: WaveDocument) -> tuple[WaveClock | None, list[BrokenRule]]:
    """Return the instants, as far as they can be judged before the wave starts, and the times that are wrong.

    Windows that count from an unknown start and last for a given time obey the rules whenever that is, or never.
    Where clock times depend on it, the run judges them when it starts.
    """
    windows = [window for _, window in windows_of(document)]
    broken: list[BrokenRule] = []
    if not counts_from_start(document):
        return strict_clock(document, None, broken), broken
    if all(window.opens.after_start is not None and window.lasts is not None for window in windows):
        return strict_clock(document, _SOME_START, broken), broken
    return None, broken


def _answers(document: WaveDocument) -> Iterator[BrokenRule]:
    """Gates that could be answered after the window for which they ask has closed."""
    if any(True for _ in _times(document)):
        return
    clock, _ = _clock_for_any_start(document)
    if clock is None:
        return
    gates = document.gates
    if gates.approve_switchover is not None and clock.switchover is not None:
        yield from _too_long("approve_switchover", gates.approve_switchover.response_timeout, clock.switchover.length)
    for entry in clock.cutovers:
        yield from _too_long(
            "approve_cutover", gates.approve_cutover.response_timeout, entry.window.length, entry.segment
        )
    if document.start is not None and clock.starts_at is not None and clock.switchover is not None:
        time_left = clock.switchover.closes - clock.starts_at
        yield from _too_long("approve_wave", gates.approve_wave.response_timeout, time_left)


def _too_long(
    gate: str, timeout: timedelta | None, available: timedelta, segment: str | None = None
) -> Iterator[BrokenRule]:
    if timeout is None or timeout <= available:
        return
    what = "switchover window" if segment is None else f"cutover window of {segment}"
    words = f"{format_duration(timeout)} is longer than the {format_duration(available)} until the {what} closes"
    yield BrokenRule(("gates", gate, "response_timeout"), words)


def _chain(document: WaveDocument) -> Iterator[BrokenRule]:
    yield from duplicates(document.after, "after")
    for index, name in enumerate(document.after):
        if name == document.name:
            yield BrokenRule(("after", index), "a wave cannot come after itself")
    for index, segment in enumerate(document.segments):
        if segment.cut_by == document.name:
            words = "names this wave itself: write cutover: now if it cuts the segment over"
            yield BrokenRule(("segments", index, "cut_by"), words)


def _started_twice(document: WaveDocument) -> Iterator[BrokenRule]:
    if document.after and document.start is not None:
        yield BrokenRule(("start",), "cannot be combined with after: the waves before this one start it")


def _options_of_run(document: WaveDocument) -> Iterator[BrokenRule]:
    if not _SHORTEST_POLL <= document.options.poll_interval <= _LONGEST_POLL:
        yield BrokenRule(("options", "poll_interval"), "must be between 5s and 10m")


def _waivers(document: WaveDocument) -> Iterator[BrokenRule]:
    pairs = [f"{waiver.finding} for {waiver.subject}" for waiver in document.waivers]
    yield from duplicates(pairs, "waivers")


def _waiver_dates(document: WaveDocument) -> Iterator[BrokenRule]:
    if document.start is None or document.start.day is None:
        return
    for index, waiver in enumerate(document.waivers):
        if waiver.expires < document.start.day:
            words = f"{waiver.expires} is before the wave's start on {document.start.day}, so the waiver never holds"
            yield BrokenRule(("waivers", index, "expires"), words)


RULES = (
    Rule(("vms",), _names),
    Rule(("vms", "switchover_order"), _switchover_order),
    Rule(("vms", "defaults"), _placement),
    Rule(("vms", "defaults"), _options),
    Rule(("segments",), _segment_names),
    Rule(("vms", "defaults", "segments"), _mappings),
    Rule(("vms", "segments"), _stays),
    Rule(("connections", "segments"), _source_network),
    Rule(_TIMES, _times),
    Rule((*_TIMES, "gates"), _answers),
    Rule(("name", "after", "segments"), _chain),
    Rule(("start", "after"), _started_twice),
    Rule(("options",), _options_of_run),
    Rule(("waivers",), _waivers),
    Rule(("start", "waivers"), _waiver_dates),
)
