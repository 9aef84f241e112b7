"""One expression for many names: as a tree of their letters, so that it takes no longer for a thousand than for ten."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_END = ""


def expression_of(names: Iterable[str]) -> str:
    """Return an expression that finds any of the names, the longest first, in any case, and not inside of words.

    An underscore ends a word here: ids of DAGs and tasks are made of names.
    """
    tree: dict[str, Any] = {}
    for name in names:
        node = tree
        for letter in name.lower():
            node = node.setdefault(letter, {})
        node[_END] = {}
    return rf"(?<![^\W_])(?i:{_branches(tree)})(?![^\W_])" if tree else r"(?!)"


def _branches(tree: dict[str, Any]) -> str:
    """Return the expression of a tree; what goes on comes before what ends."""
    rest = ""
    while len(tree) == 1 and _END not in tree:
        [(letter, tree)] = tree.items()
        rest += re.escape(letter)
    ways = [re.escape(letter) + _branches(below) for letter, below in sorted(tree.items()) if letter != _END]
    if not ways:
        return rest
    group = f"(?:{'|'.join(ways)})"
    return f"{rest}{group}?" if _END in tree else f"{rest}{group}"
