"""Names as people write them: compared in one spelling, and near misses told so that the difference can be seen.

Two names that look the same on a screen may differ: composed and decomposed letters, blanks that do not break, double
blanks, dashes, letters of other alphabets. Composed and decomposed letters count as the same everywhere: the clients
and the wave files bring names into one form (NFC). For all other differences a person is told what differs.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher, get_close_matches

from hcx_waves.model.formatting import listed
from hcx_waves.model.outside import shown

MOST_NAMES = 10
"""How many names a hint lists in full; of more it gives a few."""
_NEAREST = 3
_FEW = 5
_CANDIDATES = 50
_MOST_SEARCHES = 200
"""Names of one list for which near ones are searched; the two-thousandth near miss helps nobody."""
_LONGEST_DIFFERENCE = 3
_LONGEST_NAME = 128
# Letters of the Cyrillic and Greek alphabets that look like Latin ones.
_TWINS = str.maketrans("аеорсухіјѕһԁԛԝАВЕКМНОРСТХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "aeopcyxijshdqwABEKMHOPCTXIJSABEZHIKMNOPTYXo")
_WORDS = re.compile(r"[\s_.-]+")
_LONG_WORD = 3
_DASHES, _QUOTES = "Pd", "'"


def one_spelling(name: str) -> str:
    """Return a name with its letters composed (NFC), as all names are compared."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def as_seen(name: str) -> str:
    """Return what a name looks like, for comparing only: equal for names that a person takes for the same."""
    if name.isascii():
        return " ".join(name.split()).casefold()
    plain = unicodedata.normalize("NFKC", name).translate(_TWINS)
    kept = (_as_seen(one) for one in plain if unicodedata.category(one) != "Cf")
    return " ".join("".join(kept).split()).casefold()


def _as_seen(letter: str) -> str:
    category = unicodedata.category(letter)
    return "-" if category == _DASHES else _QUOTES if category in ("Pi", "Pf") else " " if category == "Zs" else letter


def looks_the_same(one: str, other: str) -> bool:
    """Whether two names differ by nothing that a person sees, or by case alone."""
    return one == other or as_seen(one) == as_seen(other)


def difference(written: str, known: str) -> str:
    """Say where two names differ first, by the code points that are there.

    :param written: what a person wrote.
    :param known: what the product has.
    """
    for kind, a, b, c, d in SequenceMatcher(None, written, known, autojunk=False).get_opcodes():
        if kind != "equal":
            has, wrote = _code_points(known[c:d]), _code_points(written[a:b])
            return f"at character {c + 1} it has {has}, where {wrote} is written"
    return "it does not differ"


def _code_points(part: str) -> str:
    if not part:
        return "nothing"
    named = [f"U+{ord(one):04X} {unicodedata.name(one, 'without a name')}" for one in part[:_LONGEST_DIFFERENCE]]
    return ", ".join(named) + (", ..." if len(part) > _LONGEST_DIFFERENCE else "")


class KnownNames:
    """The names of one kind, for saying which of them a name that is not among them may have meant."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names: tuple[str, ...] = tuple(sorted(set(names)))
        self._seen: dict[str, list[str]] = defaultdict(list)
        self._pairs: dict[str, list[int]] = {}
        self._searches = 0
        for name in self.names:
            self._seen[as_seen(name)].append(name)

    def twins_of(self, name: str) -> tuple[str, ...]:
        """Return the names that look like one, or differ from it by case."""
        return tuple(one for one in self._seen.get(as_seen(name), ()) if one != name)

    def nearest(self, name: str) -> tuple[str, ...]:
        """Return up to three names that are most like one, the nearest first."""
        twins = self.twins_of(name)
        if len(twins) >= _NEAREST or self._searches >= _MOST_SEARCHES:
            return twins[:_NEAREST]
        self._searches += 1
        wanted = as_seen(name)[:_LONGEST_NAME]
        by_look = {as_seen(one)[:_LONGEST_NAME]: one for one in reversed(self._candidates(wanted))}
        alike = get_close_matches(wanted, sorted(by_look), n=2 * _NEAREST, cutoff=0.6)
        close = [by_look[look] for look in alike if _is_plausible(wanted, look)]
        # A host name with or without its domain is hardly alike by its letters.
        short = [one for look, one in by_look.items() if look.partition(".")[0] == wanted.partition(".")[0]]
        return tuple(dict.fromkeys((*twins, *short, *close)))[:_NEAREST]

    def hint(self, name: str, noun: str = "") -> str:
        """Return a sentence or two that help to correct a name; never a list that nobody reads.

        :param noun: what the names are, in the plural; for lists that are cut short.
        """
        twins = self.twins_of(name)
        if twins:
            return self._twin_hint(name, twins)
        near = self.nearest(name)
        if len(self.names) <= MOST_NAMES:
            return f"There is: {', '.join(map(_short, self.names)) or 'none'}."
        if near:
            return f"Did you mean {' or '.join(map(_short, near))}?"
        return f"There are {len(self.names)}{f' {noun}' if noun else ''}: {self._first_ones()}."

    def _twin_hint(self, name: str, twins: Sequence[str]) -> str:
        first = twins[0]
        if first.casefold() == name.casefold():
            return f"It is called {_short(first)}."
        more = f" There are {len(twins)} of them." if len(twins) > 1 else ""
        return f'"{_short(first)}" looks the same: {difference(name, first)}.{more} Copy its name from vCenter.'

    def _first_ones(self) -> str:
        return listed([_short(one) for one in self.names], _FEW)

    def _candidates(self, wanted: str) -> list[str]:
        """Return the names that share most pairs of letters with one; comparing all of them would take long."""
        if len(self.names) <= _CANDIDATES:
            return list(self.names)
        if not self._pairs:
            pairs: dict[str, list[int]] = defaultdict(list)
            for number, name in enumerate(self.names):
                for pair in _pairs_of(as_seen(name)):
                    pairs[pair].append(number)
            self._pairs = pairs
        shared = Counter(number for pair in _pairs_of(wanted) for number in self._pairs.get(pair, ()))
        return [self.names[number] for number, _ in shared.most_common(_CANDIDATES)]


def _is_plausible(written: str, known: str) -> bool:
    """Whether one name can be a slip of the other: few letters differ, or they share a word."""
    if {one for one in _WORDS.split(written) if len(one) >= _LONG_WORD} & set(_WORDS.split(known)):
        return True
    most = max(1, max(len(written), len(known)) // 3)
    return edits(written, known, most) <= most


def edits(one: str, other: str, most: int) -> int:
    """Return by how many letters two names differ: added, left out, another one, or two exchanged.

    :param most: more than that is not counted further.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, start=1):
        earlier, before, row = before, row, [place]
        for column, with_letter in enumerate(other, start=1):
            cost = min(before[column] + 1, row[-1] + 1, before[column - 1] + (letter != with_letter))
            swapped = place > 1 and column > 1 and letter == other[column - 2] and one[place - 2] == with_letter
            row.append(min(cost, earlier[column - 2] + 1) if swapped else cost)
        if min(row) > most:
            return most + 1
    return row[-1]


def _pairs_of(text: str) -> set[str]:
    padded = f" {text[:_LONGEST_NAME]} "
    return {padded[place : place + 2] for place in range(len(padded) - 1)}


def _short(name: str) -> str:
    return shown(name, _LONGEST_NAME)
