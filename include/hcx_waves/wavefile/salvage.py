"""What can still be said of a wave file in which something is wrong, so that everything is told at once.

Each field is read by itself, and each entry of a list. What is wrong is left out, and the rules are asked about the
rest; what a rule says is kept only where it cannot be a consequence of what was left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from hcx_waves.model.base import RULES_ERROR, BrokenRule, Location
from hcx_waves.wavefile.document import WaveDocument
from hcx_waves.wavefile.rules import RULES, Rule
from hcx_waves.wavefile.wave import Wave

_LISTS = ("vms", "segments", "waivers", "after", "switchover_order")
_MOST_ENTRIES = 5000


@dataclass
class Salvaged:
    """What of a wave file is right by itself."""

    values: dict[str, Any] = field(default_factory=dict)
    """By field; of a list the entries that can be used."""
    places: dict[str, list[int]] = field(default_factory=dict)
    """Where in the file each entry of a list stands."""
    unsound: set[str] = field(default_factory=set)
    """Fields that are missing, wrong, or have an entry that is."""
    cut: dict[str, set[int]] = field(default_factory=dict)
    """Entries of a list from which something was left out, as they are counted in the file."""
    further: list[BrokenRule] = field(default_factory=list)
    """Rules inside an entry that it breaks besides what is wrong with it."""

    def for_other_files(self) -> tuple[Wave, Salvaged]:
        """Return a wave of what is right, without entries from which something was left out, and where these stand.

        Only its sound fields may be asked for, and the entries that its lists still have.
        """
        values, places = dict(self.values), dict(self.places)
        for name, stand in self.places.items():
            whole = [(one, at) for one, at in zip(values[name], stand, strict=True) if at not in self.cut.get(name, ())]
            values[name], places[name] = tuple(one for one, _ in whole), [at for _, at in whole]
        return Wave.model_construct(None, **values), Salvaged(values, places, self.unsound)

    def broken_rules(self) -> list[BrokenRule]:
        """Return the rules between fields that are broken whatever the wrong parts come to."""
        document = WaveDocument.model_construct(None, **self.values)
        found = list(self.further)
        for rule in RULES:
            if all(name in self.values for name in rule.fields if WaveDocument.model_fields[name].is_required()):
                if any(name in self.unsound and name not in self.places for name in rule.fields):
                    continue
                found += [self.in_the_file(one) for one in rule.check(document) if self._holds(rule, one)]
        return found

    def in_the_file(self, broken: BrokenRule) -> BrokenRule:
        """Return a rule with its place as the file counts entries."""
        first, *rest = broken.location or ("",)
        if rest and isinstance(rest[0], int) and first in self.places:
            return BrokenRule((first, self.places[str(first)][rest[0]], *rest[1:]), broken.message)
        return broken

    def _holds(self, rule: Rule, broken: BrokenRule) -> bool:
        """Whether what a rule says cannot follow from what was left out."""
        first = str(broken.location[0]) if broken.location else ""
        if any(name in self.unsound for name in rule.fields if name != first):
            return False
        if first not in self.unsound:
            return True
        place = self.in_the_file(broken).location
        return len(place) > 1 and place[1] not in self.cut.get(first, set())


def salvage(data: Mapping[str, Any], unread: Collection[str] = ()) -> Salvaged:
    """Read each field of a wave file by itself.

    :param unread: fields that could not be read as YAML, at least in part.
    """
    found = Salvaged()
    for name, info in WaveDocument.model_fields.items():
        if name not in data or name in unread:
            if info.is_required() or name in unread:
                found.unsound.add(name)
        elif name in _LISTS and isinstance(data[name], list):
            _read_list(found, name, data[name][:_MOST_ENTRIES])
        else:
            value = _read(found, _adapter(name), data[name], (name,))
            if value is not None and name not in found.unsound:
                found.values[name] = value
    return found


def _read_list(found: Salvaged, name: str, entries: list[Any]) -> None:
    kept, places = [], []
    for place, entry in enumerate(entries):
        value = _read(found, _entry_adapter(name), entry, (name, place))
        if value is not None:
            kept.append(value)
            places.append(place)
    found.values[name], found.places[name] = tuple(kept), places
    if not kept:
        found.unsound.add(name)


def _read(found: Salvaged, adapter: TypeAdapter[Any], value: Any, place: Location) -> Any:
    """Return what a value means; without what is wrong with it if it can do without, else None."""
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        name = str(place[0])
        found.unsound.add(name)
        if len(place) > 1:
            found.cut.setdefault(name, set()).add(int(place[1]))
        wrong = {tuple(one["loc"]) for one in error.errors(include_url=False) if one["type"] != RULES_ERROR}
    if not wrong or not isinstance(value, dict):
        return None
    rest = deepcopy(value)
    for location in wrong:
        _remove(rest, location)
    try:
        return adapter.validate_python(rest)
    except ValidationError as error:
        found.further += _independent(error, place, {str(part) for location in wrong for part in location})
    return None


def _independent(error: ValidationError, place: Location, left_out: set[str]) -> Iterator[BrokenRule]:
    """Yield the broken rules, without those that are broken only because a field was left out."""
    for detail in error.errors(include_url=False):
        if detail["type"] != RULES_ERROR:
            continue
        for rule in detail["ctx"]["broken"]:
            named = {str(part) for part in rule.location} | set(
                rule.message.replace(":", " ").replace(",", " ").split()
            )
            if not named & left_out:
                yield BrokenRule((*place, *detail["loc"], *rule.location), rule.message)


def _remove(value: Any, location: Location) -> None:
    for part in location[:-1]:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(value, dict):
        value.pop(location[-1], None)


@cache
def _hints() -> dict[str, Any]:
    return get_type_hints(WaveDocument, include_extras=True)


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(_hints()[name])


@cache
def _entry_adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(next(iter(_entry_types(_hints()[name]))))


def _entry_types(hint: Any) -> Iterator[Any]:
    """Yield the type of the entries of a list's type, whatever it is annotated with."""
    arguments = get_args(hint)
    if arguments and arguments[-1] is Ellipsis:
        yield arguments[0]
    for argument in arguments:
        yield from _entry_types(argument)
