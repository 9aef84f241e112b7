"""How many files one argument visits.

A journey begins at a function and one of its parameters, and follows it by names and annotations alone: into each
function or class of the tree that is called with it or with a part of it (what is read from it by attribute or by
method), and into each method or property that is read from it. It is followed under every local name that it or a part
of it is assigned to. The files of all these functions are counted, each once. Where nobody has written down the class
of a value, or a function is handed on as a value, a journey ends early; it does not follow
parts that are known to be of a class from elsewhere, as texts, numbers and instants are.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from house.tree import FUNCTIONS, Definition, Function, Module, find, meaning

Place = tuple[Module, ast.ClassDef]
Found = tuple[Module, Definition]
Member = tuple[Module, Function | ast.AnnAssign]
Names = dict[str, Place | None]
"""The names of the argument and of its parts in a function, each with its class if that is known."""


@dataclass(frozen=True, eq=False)
class Visit:
    """One function that the argument comes to."""

    module: Module
    node: Definition
    names: Names

    @property
    def key(self) -> tuple[int, frozenset[str]]:
        """What tells a visit from those before it."""
        return id(self.node), frozenset(self.names)

    def is_ours(self, node: ast.expr) -> bool:
        """Whether an expression is the argument or a part of it."""
        if isinstance(node, ast.Name):
            return node.id in self.names
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return self.is_ours(node.func)
        return isinstance(node, ast.Attribute) and self.is_ours(node.value) and not self._is_plain(node)

    def _is_plain(self, node: ast.Attribute) -> bool:
        """Whether a part is known to be of a class from elsewhere: a text, a number, an instant."""
        found = _member(self.kind(node.value), node.attr)
        if found is None:
            return False
        annotation = _annotation(found[1])
        return isinstance(annotation, ast.Name) and annotation.id != "Any" and _annotated(found[0], annotation) is None

    def kind(self, node: ast.expr) -> Place | None:
        """Return the class of the argument or of a part of it."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if isinstance(node, ast.Call):
            return self.kind(node.func)
        return _kind_of_member(self.kind(node.value), node.attr) if isinstance(node, ast.Attribute) else None


def modules_visited(start: str, parameter: str) -> set[Module]:
    """Return the modules that an argument visits.

    :param start: a function as ``package.module.function``, or a method as ``package.module.Class.method``.
    :raises LookupError: if there is no such function or parameter.
    """
    found: set[Module] = set()
    seen: set[tuple[int, frozenset[str]]] = set()
    ahead = [_first_visit(start, parameter)]
    while ahead:
        visit = ahead.pop()
        found.add(visit.module)
        if visit.key not in seen:
            seen.add(visit.key)
            ahead += _steps(visit)
    return found


def _first_visit(start: str, parameter: str) -> Visit:
    owner, _, name = start.rpartition(".")
    place = _class(find(owner))
    found = _member(place, name) if place is not None else find(start)
    if found is None or not isinstance(found[1], FUNCTIONS) or parameter not in _parameters(found[1]):
        raise LookupError(f"{start} with a parameter {parameter} is not there; name what has taken its place")
    return Visit(found[0], found[1], {parameter: _annotated(found[0], _parameters(found[1])[parameter])})


def _steps(visit: Visit) -> Iterator[Visit]:
    nodes = list(ast.walk(visit.node))
    for target, value in _assigned(nodes):
        if isinstance(target, ast.Name) and visit.is_ours(value):
            visit.names.setdefault(target.id, visit.kind(value))
    for node in nodes:
        if isinstance(node, ast.Call):
            yield from _handed_on(visit, node)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            place = visit.kind(node.value)
            member = _member(place, node.attr)
            if member is not None and isinstance(member[1], FUNCTIONS):
                first = next(iter(_parameters(member[1])), None)
                yield Visit(member[0], member[1], {first: place} if first else {})


def _assigned(nodes: list[ast.AST]) -> Iterator[tuple[ast.expr, ast.expr]]:
    for node in nodes:
        if isinstance(node, ast.Assign):
            yield from ((target, node.value) for target in node.targets)
        elif isinstance(node, ast.For | ast.comprehension):
            yield node.target, node.iter


def _handed_on(visit: Visit, call: ast.Call) -> Iterator[Visit]:
    if not any(visit.is_ours(value) for value in [*call.args, *(word.value for word in call.keywords)]):
        return
    target, is_bound = _called(visit, call)
    if target is not None and isinstance(target[1], ast.ClassDef):
        yield Visit(target[0], target[1], {})
        target, is_bound = _member((target[0], target[1]), "__init__"), True
    if target is not None and isinstance(target[1], FUNCTIONS):
        yield Visit(target[0], target[1], _received(visit, call, target[0], target[1], is_bound=is_bound))


def _called(visit: Visit, call: ast.Call) -> tuple[Found | Member | None, bool]:
    """Return what is called, and whether its first parameter is not among the arguments."""
    target = call.func
    if isinstance(target, ast.Attribute):
        place = visit.kind(target.value) or _class(meaning(visit.module, target.value))
        if isinstance(target.value, ast.Name) and target.value.id in ("self", "cls") and place is None:
            place = _around(visit)
        if place is not None:
            return _member(place, target.attr), True
    return meaning(visit.module, target), False


def _received(visit: Visit, call: ast.Call, module: Module, node: Function, *, is_bound: bool) -> Names:
    """Return the parameters that get the argument or a part of it."""
    parameters = _parameters(node)
    is_static = any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in node.decorator_list)
    given = list(zip(list(parameters)[is_bound and not is_static :], call.args, strict=False))
    given += [(word.arg, word.value) for word in call.keywords if word.arg in parameters]
    ours = {name: value for name, value in given if visit.is_ours(value)}
    return {name: _annotated(module, parameters[name]) or visit.kind(value) for name, value in ours.items()}


def _parameters(node: Function) -> dict[str, ast.expr | None]:
    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return {parameter.arg: parameter.annotation for parameter in every}


def _around(visit: Visit) -> Place | None:
    classes = (node for node in visit.module.tree.body if isinstance(node, ast.ClassDef))
    return next(((visit.module, node) for node in classes if visit.node in node.body), None)


def _annotated(module: Module, annotation: ast.expr | None) -> Place | None:
    """Return the class that an annotation names, alone or beside None."""
    if isinstance(annotation, ast.BinOp):
        return _annotated(module, annotation.left)
    return _class(meaning(module, annotation))


def _class(found: Found | None) -> Place | None:
    return (found[0], found[1]) if found is not None and isinstance(found[1], ast.ClassDef) else None


def _member(place: Place | None, name: str) -> Member | None:
    """Return a method, property or annotated field of a class, or of one that it is made of."""
    if place is None:
        return None
    module, node = place
    for member in node.body:
        if isinstance(member, FUNCTIONS) and member.name == name:
            return module, member
        if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name) and member.target.id == name:
            return module, member
    inherited = (_member(_class(meaning(module, base)), name) for base in node.bases)
    return next((member for member in inherited if member is not None), None)


def _kind_of_member(place: Place | None, name: str) -> Place | None:
    found = _member(place, name)
    if found is None:
        return None
    return _annotated(found[0], _annotation(found[1]))


def _annotation(member: Function | ast.AnnAssign) -> ast.expr | None:
    return member.annotation if isinstance(member, ast.AnnAssign) else member.returns
