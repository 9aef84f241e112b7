"""Import circles, among modules and among the packages and modules side by side in one package.

Every import statement counts, also one inside a function or for type checking alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache

import grimp

from house.tree import packages

Edges = Mapping[str, set[str]]


@cache
def _imports() -> Edges:
    graph = grimp.build_graph(*packages(), cache_dir=None)
    return {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}


def module_circles() -> list[list[str]]:
    """Return the circles of modules, each as one group however many ways round it has."""
    return _circles(_imports())


def sibling_circles() -> list[list[str]]:
    """Return the circles that import-linter's contract ``acyclic_siblings`` refuses, package by package."""
    siblings: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for importer, imported_by_it in _imports().items():
        for imported in imported_by_it:
            parent, one, other = _apart(importer, imported)
            if one and other:
                siblings[parent][f"{parent}.{one}"].add(f"{parent}.{other}")
    return [circle for parent in sorted(siblings) if parent for circle in _circles(siblings[parent])]


def _apart(one: str, other: str) -> tuple[str, str, str]:
    """Return the package that two modules have in common, and the first step below it towards each."""
    parts, others = one.split("."), other.split(".")
    common = 0
    while common < min(len(parts), len(others)) and parts[common] == others[common]:
        common += 1
    return ".".join(parts[:common]), "".join(parts[common : common + 1]), "".join(others[common : common + 1])


def _circles(edges: Edges) -> list[list[str]]:
    reached = {name: _reached(name, edges) for name in edges}
    groups = {frozenset(other for other in reached[name] if name in reached.get(other, ())) for name in edges}
    return sorted(sorted(group) for group in groups if group)


def _reached(start: str, edges: Edges) -> set[str]:
    """Return what is reached by one step or more."""
    found: set[str] = set()
    ahead = list(edges.get(start, ()))
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += edges.get(name, ())
    return found
