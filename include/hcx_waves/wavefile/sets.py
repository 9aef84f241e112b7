"""Rules between several wave files that are read together.

A file's own problems make that wave unusable. A conflict between files does not say which of them is wrong, and one of
them may be running; so conflicts are kept apart, placed in every file that takes part. So is a waiver that can never
hold: the preflight of another release may know the finding, and the run says so in any case.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hcx_waves.model.base import BrokenRule, Location
from hcx_waves.model.choices import CutoverPolicy
from hcx_waves.model.finding_ids import useless_waiver
from hcx_waves.model.spelling import KnownNames
from hcx_waves.wavefile.loader import SUFFIX, BrokenWaveFile, WaveFile, read_wave_file
from hcx_waves.wavefile.problems import Problem
from hcx_waves.wavefile.salvage import Salvaged
from hcx_waves.wavefile.segments import Segment

Conflict = tuple[WaveFile, BrokenRule]


@dataclass(frozen=True)
class WaveSet:
    """Wave files that were read together.

    :param files: those that are valid by themselves, by path.
    :param problems: of files that are not.
    :param conflicts: between files that are, and with what preflight knows.
    """

    files: tuple[WaveFile, ...]
    problems: tuple[Problem, ...]
    conflicts: tuple[Problem, ...]


def wave_paths(folder: Path) -> list[Path]:
    """Return the wave files of a folder, by name: every ``*.yaml`` and ``*.yml`` that is not hidden."""
    found = (path for suffix in (SUFFIX, ".yml") for path in folder.glob(f"*{suffix}"))
    return sorted(path for path in found if not path.name.startswith("."))


def load_waves(paths: Iterable[Path]) -> WaveSet:
    """Read wave files and check them against each other; never raises for what is in them.

    A file that cannot be used takes part in the checks that ask only for what is right in it.
    """
    files: list[WaveFile] = []
    broken: list[BrokenWaveFile] = []
    for path in sorted(set(paths)):
        read = read_wave_file(path)
        if isinstance(read, WaveFile):
            files.append(read)
        else:
            broken.append(read)
    problems = [problem for one in broken for problem in one.problems]
    conflicts = {problem for check in _CHECKS for problem in _conflicts(check, files, broken)}
    return WaveSet(tuple(files), tuple(sorted(problems)), tuple(sorted(conflicts - set(problems))))


def _conflicts(check: _Check, files: Iterable[WaveFile], broken: Iterable[BrokenWaveFile]) -> Iterator[Problem]:
    taking_part, left, outside = list(files), {}, set()
    for one in broken:
        if one.left is None or one.tree is None or not check.can_ask(one.left):
            outside.add(one.path.stem)
        else:
            wave, left[one.path] = one.left.for_other_files()
            taking_part.append(WaveFile(one.path, wave, one.tree))
    for file, rule in check.find(sorted(taking_part, key=lambda file: file.path), outside):
        yield file.problem(left[file.path].in_the_file(rule) if file.path in left else rule)


def load_folder(folder: Path) -> WaveSet:
    """Read all wave files of a folder; see :func:`load_waves`."""
    return load_waves(wave_paths(folder))


def _by_name(files: Iterable[WaveFile]) -> dict[str, WaveFile]:
    return {file.wave.name: file for file in reversed(list(files))}


def _ancestors(name: str, waves: dict[str, WaveFile]) -> set[str]:
    """Return all waves that come before one; with a cycle, that one is among them."""
    found: set[str] = set()
    ahead = list(waves[name].wave.after) if name in waves else []
    while ahead:
        current = ahead.pop()
        if current not in found:
            found.add(current)
            ahead.extend(waves[current].wave.after if current in waves else ())
    return found


def _same_names(files: list[WaveFile], _broken: set[str]) -> Iterator[Conflict]:
    for (name,), group in _groups(files, lambda file: [((file.wave.name,), ("name",))]).items():
        for file, location in group:
            others = _others(file, group)
            if others:
                yield file, BrokenRule(location, f'"{name}" is also the name of the wave in {others}')


def _chain(files: list[WaveFile], broken: set[str]) -> Iterator[Conflict]:
    waves = _by_name(files)
    for file in files:
        for index, name in enumerate(file.wave.after):
            # A wave whose file is broken has problems enough of its own.
            if name not in waves and name not in broken:
                yield file, BrokenRule(("after", index), f'there is no wave "{name}"{_near(name, waves, file)}')
        if file.wave.name in _ancestors(file.wave.name, waves):
            yield (
                file,
                BrokenRule(("after",), f"forms a circle: {' after '.join(_circle(file.wave.name, waves))}"),
            )


def _near(name: str, waves: dict[str, WaveFile], asking: WaveFile) -> str:
    # No wave comes after itself, so it is not what was meant.
    near = KnownNames(one for one in waves if one != asking.wave.name).nearest(name)
    return f" (did you mean {' or '.join(near)}?)" if near else ""


def _circle(name: str, waves: dict[str, WaveFile]) -> list[str]:
    path = [name]
    while True:
        following = [one for one in waves[path[-1]].wave.after if one == name or name in _ancestors(one, waves)]
        path.append(following[0])
        if following[0] == name or following[0] in path[1:-1]:
            return path


def _chain_dates(files: list[WaveFile], _broken: set[str]) -> Iterator[Conflict]:
    waves = _by_name(files)
    for file in files:
        first = _first_opening(file)
        for index, name in enumerate(file.wave.after):
            last = _last_closing(waves[name]) if name in waves else None
            if first is not None and last is not None and first < last:
                message = f"a window of this wave opens before the last window of {name} has closed"
                yield file, BrokenRule(("after", index), message)


def _first_opening(file: WaveFile) -> datetime | None:
    if file.wave.night is None:
        return None
    clock = file.wave.clock()
    opens = [entry.window.opens for entry in clock.cutovers]
    return min([*opens, clock.switchover.opens] if clock.switchover is not None else opens, default=None)


def _last_closing(file: WaveFile) -> datetime | None:
    return None if file.wave.night is None else file.wave.clock().last_instant


def _shared_vms(files: list[WaveFile], _broken: set[str]) -> Iterator[Conflict]:
    def keys(file: WaveFile) -> list[tuple[tuple[str, ...], Location]]:
        vcenter = file.wave.connections.source.vcenter
        return [((vcenter, vm.name.casefold()), ("vms", index)) for index, vm in enumerate(file.wave.vms)]

    for group in _groups(files, keys).values():
        for file, location in group:
            vm = file.wave.vms[int(location[1])]
            clashing = [(other, place) for other, place in group if not _apart(vm.instance_uuid, other, place)]
            others = _others(file, clashing)
            if others:
                yield file, BrokenRule(location, f'"{vm.name}" is also moved by {others}')


def _apart(uuid: str | None, other: WaveFile, place: Location) -> bool:
    """Whether two VMs of one name are known to be different ones."""
    other_uuid = other.wave.vms[int(place[1])].instance_uuid
    return uuid is not None and other_uuid is not None and uuid.casefold() != other_uuid.casefold()


def _staying_vms(files: list[WaveFile], _broken: set[str]) -> Iterator[Conflict]:
    movers = {
        (file.wave.connections.source.vcenter, vm.name.casefold()): file for file in files for vm in file.wave.vms
    }
    for file in files:
        for index, segment in enumerate(file.wave.segments):
            for position, staying in enumerate(segment.stays):
                mover = movers.get((file.wave.connections.source.vcenter, staying.vm.casefold()))
                if mover is not None and mover is not file:
                    place: Location = ("segments", index, "stays", position, "vm")
                    yield (
                        file,
                        BrokenRule(place, f'"{staying.vm}" is moved by wave {mover.wave.name}, so it does not stay'),
                    )


def _segments(files: list[WaveFile], broken: set[str]) -> Iterator[Conflict]:
    waves = _by_name(files)

    def keys(file: WaveFile) -> list[tuple[tuple[str, ...], Location]]:
        source = file.wave.connections.source
        network = source.network or source.vcenter
        return [
            ((network, (segment.segment_id or segment.name).casefold()), ("segments", index))
            for index, segment in enumerate(file.wave.segments)
        ]

    for group in _groups(files, keys).values():
        cutters = [file for file, location in group if _at(file, location).is_cut]
        for file, location in group:
            segment = _at(file, location)
            if segment.is_cut:
                others = _others(file, [(other, ()) for other in cutters])
                if others:
                    words = f"{segment.name} is also cut over by {others}; only the last wave may say now"
                    yield file, BrokenRule((*location, "cutover"), words)
            elif segment.cutover is CutoverPolicy.NEVER:
                for other in cutters:
                    words = f"wave {other.wave.name} cuts {segment.name} over: write later and cut_by here"
                    yield file, BrokenRule((*location, "cutover"), words)
            else:
                yield from _cut_later(file, location, cutters, waves, broken)


def _cut_later(
    file: WaveFile, location: Location, cutters: list[WaveFile], waves: dict[str, WaveFile], broken: set[str]
) -> Iterator[Conflict]:
    segment, here = _at(file, location), (*location, "cut_by")
    name = str(segment.cut_by)
    if name not in waves:
        if name not in broken:
            yield (
                file,
                BrokenRule(
                    here,
                    f'there is no wave "{name}"{_near(name, waves, file)}, so {segment.name} would never be cut over',
                ),
            )
    elif all(cutter.wave.name != name for cutter in cutters):
        words = f"wave {name} does not cut {segment.name} over (cutover: now), so it would never be cut over"
        yield file, BrokenRule(here, words)
    elif file.wave.name not in _ancestors(name, waves):
        words = f"wave {name} does not come after this one (its after), so it could cut {segment.name} over too early"
        yield file, BrokenRule(here, words)


def _waivers(files: list[WaveFile], _broken: set[str]) -> Iterator[Conflict]:
    for file in files:
        for index, waiver in enumerate(file.wave.waivers):
            why = useless_waiver(waiver.finding)
            if why is not None:
                yield file, BrokenRule(("waivers", index, "finding"), why)


def _at(file: WaveFile, location: Location) -> Segment:
    return file.wave.segments[int(location[1])]


Keys = Callable[[WaveFile], list[tuple[tuple[str, ...], Location]]]


def _groups(files: Iterable[WaveFile], keys: Keys) -> dict[tuple[str, ...], list[tuple[WaveFile, Location]]]:
    """Return the places in files by what they name."""
    groups: dict[tuple[str, ...], list[tuple[WaveFile, Location]]] = defaultdict(list)
    for file in files:
        for key, location in keys(file):
            groups[key].append((file, location))
    return groups


def _others(file: WaveFile, group: Iterable[tuple[WaveFile, Location]]) -> str:
    """Return the other files of a group, for a sentence; empty if there is none."""
    others = [other for other, _ in group if other is not file]
    return ", ".join(f"wave {other.wave.name} ({other.path})" for other in others)


@dataclass(frozen=True)
class _Check:
    """A rule between files, and the fields of a file that it asks for besides the name."""

    find: Callable[[list[WaveFile], set[str]], Iterator[Conflict]]
    fields: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    """Lists of which it is enough to know some entries."""

    def can_ask(self, left: Salvaged) -> bool:
        """Whether enough of a file is right."""
        return not left.unsound & {"name", *self.fields} and self.lists <= left.places.keys()


_TIMES = frozenset(("time_zone", "start", "start_tolerance", "switchover_window", "segments"))
_CHECKS = (
    _Check(_same_names),
    _Check(_chain, frozenset(("after",))),
    _Check(_chain_dates, frozenset(("after", *_TIMES))),
    _Check(_shared_vms, frozenset(("connections",)), frozenset(("vms",))),
    _Check(_staying_vms, frozenset(("connections", "vms", "segments"))),
    _Check(_segments, frozenset(("connections", "after", "segments"))),
    _Check(_waivers, lists=frozenset(("waivers",))),
)
