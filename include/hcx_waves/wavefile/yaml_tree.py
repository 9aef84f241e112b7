"""Read YAML as plain data with the position of every key and value, and refuse everything that is not plain data.

A file is data: no tags, no anchors and aliases (so nothing grows beyond the file), no merge keys, no second document,
no templates. Plain words are read by the core schema of YAML 1.2, so ``on``, ``no`` and ``22:00`` are text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from hcx_waves.model.base import Location
from hcx_waves.model.names import has_template_marks

SIZE_LIMIT_BYTES = 1024 * 1024
DEEPEST = 20
_TEMPLATE = "templates are not supported: write the value itself"
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_INTEGER, _FLOAT = re.compile(r"[-+]?(?:0|[1-9]\d{0,17})"), re.compile(r"[-+]?(?:0|[1-9]\d*)\.\d+")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Position:
    """A line and a column, both from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Flaw:
    """Something that cannot be read, where it is, and below which field."""

    place: Position
    location: Location
    message: str


@dataclass
class YamlTree:
    """A document, where its keys and values are, and what is wrong with it as YAML.

    :param data: dictionaries, lists and scalars; what is flawed is left out.
    :param values: the place of each value by its location.
    :param keys: the place of each key by its location.
    """

    data: Any = None
    values: dict[Location, Position] = field(default_factory=dict)
    keys: dict[Location, Position] = field(default_factory=dict)
    flaws: list[Flaw] = field(default_factory=list)

    def place_of(self, location: Location, at_key: bool = False) -> Position:
        """Return where a value is, or the nearest one around it.

        :param at_key: return the place of its key, if it has one.
        """
        for length in range(len(location), -1, -1):
            part = location[:length]
            if at_key and part in self.keys:
                return self.keys[part]
            if part in self.values:
                return self.values[part]
        return Position(1, 1)


def read_yaml(text: str) -> YamlTree:
    """Read a document; never raises for what is in it, see :attr:`YamlTree.flaws`."""
    tree = YamlTree()
    try:
        if not _is_safe(text, tree):
            return tree
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        tree.flaws.append(_syntax_flaw(text, error))
        return tree
    if root is None:
        tree.flaws.append(Flaw(Position(1, 1), (), "the file is empty"))
    elif not isinstance(root, yaml.MappingNode):
        tree.flaws.append(Flaw(_place(root.start_mark), (), "must be a mapping of fields to values"))
    else:
        tree.data = _value(root, (), tree)
    return tree


def refusal_in(text: str) -> str | None:
    """Return why a document is not read at all (tags, anchors, aliases, depth), with its place; None if it can be.

    :raises yaml.YAMLError: if it is not YAML.
    """
    tree = YamlTree()
    if _is_safe(text, tree):
        return None
    flaw = tree.flaws[0]
    return f"line {flaw.place.line}, column {flaw.place.column}: {flaw.message}"


def _is_safe(text: str, tree: YamlTree) -> bool:
    """Look at the stream of events, which costs nothing however deep it goes, before anything is built."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        refusal = _refusal(event, depth, documents)
        if refusal is not None:
            tree.flaws.append(Flaw(_place(event.start_mark), (), refusal))
        if depth > DEEPEST:
            return False
    return not tree.flaws


def _refusal(event: Any, depth: int, documents: int) -> str | None:
    if isinstance(event, yaml.AliasEvent):
        return f"aliases (*{event.anchor}) are not supported: write the value out, or use defaults"
    if getattr(event, "anchor", None) is not None:
        return f"anchors (&{event.anchor}) are not supported: write the value out, or use defaults"
    if getattr(event, "tag", None) is not None and event.tag != "!":
        return f"tags ({event.tag}) are not allowed"
    if depth > DEEPEST:
        return f"nested more than {DEEPEST} deep"
    if isinstance(event, yaml.DocumentStartEvent) and documents == 2:
        return "contains a second document: write one wave per file"
    return None


def _value(node: yaml.Node, location: Location, tree: YamlTree) -> Any:
    tree.values[location] = _place(node.start_mark)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, location, tree)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*location, index), tree) for index, item in enumerate(node.value)]
    text = str(node.value)
    if has_template_marks(text):
        tree.flaws.append(Flaw(_place(node.start_mark), location, _TEMPLATE))
    # Style None is a plain scalar; quotes and blocks are text whatever they hold.
    return text if isinstance(node, yaml.ScalarNode) and node.style else _scalar(text)


def _mapping(node: yaml.MappingNode, location: Location, tree: YamlTree) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, value in node.value:
        place = _place(key.start_mark)
        if not isinstance(key, yaml.ScalarNode):
            in_template = isinstance(key, yaml.MappingNode) and key.flow_style
            message = _TEMPLATE if in_template else "a key must be a word, not a mapping or a list"
            tree.flaws.append(Flaw(place, location, message))
            continue
        name = str(key.value)
        here = (*location, name)
        if name == "<<":
            tree.flaws.append(Flaw(place, location, "merge keys (<<) are not supported: use defaults"))
        elif has_template_marks(name):
            tree.flaws.append(Flaw(place, location, _TEMPLATE))
        elif name in members:
            first = tree.keys[here].line
            tree.flaws.append(Flaw(place, here, f"is written twice; the first is in line {first}"))
        else:
            tree.keys[here] = place
            members[name] = _value(value, here, tree)
    return members


def _scalar(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _syntax_flaw(text: str, error: yaml.YAMLError) -> Flaw:
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        place = _place(mark)
        line = text.splitlines()[place.line - 1] if place.line <= len(text.splitlines()) else ""
        if has_template_marks(line):
            return Flaw(place, (), _TEMPLATE)
        return Flaw(place, (), f"is not valid YAML: {getattr(error, 'problem', None) or error}")
    position = getattr(error, "position", None)
    if isinstance(position, int):
        before = text[:position]
        place = Position(before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)
        return Flaw(place, (), "contains a character that YAML does not allow")
    return Flaw(Position(1, 1), (), f"is not valid YAML: {error}")


def _place(mark: Any) -> Position:
    return Position(mark.line + 1, mark.column + 1)
