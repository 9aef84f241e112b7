"""Reading and writing wave files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

import yaml
from pydantic import TypeAdapter, ValidationError

from hcx_waves.model.base import BrokenRule, Location
from hcx_waves.wavefile.document import WaveDocument
from hcx_waves.wavefile.other_formats import other_content, other_text
from hcx_waves.wavefile.problems import Problem, WaveFileError, broken_rules_of, spoken
from hcx_waves.wavefile.rules import broken_rules
from hcx_waves.wavefile.wave import Wave
from hcx_waves.wavefile.yaml_tree import SIZE_LIMIT_BYTES, YamlTree, read_yaml

SUFFIX = ".yaml"


@dataclass(frozen=True)
class WaveFile:
    """A wave and the file it was read from."""

    path: Path
    wave: Wave
    tree: YamlTree

    def problem(self, rule: BrokenRule) -> Problem:
        """Return a broken rule as a problem of this file."""
        return _problem(str(self.path), self.tree, rule)


def load_wave(path: Path | str) -> Wave:
    """Read a wave file.

    :raises WaveFileError: with every problem of the file, each with line and column.
    """
    return load_wave_file(path).wave


def load_wave_file(path: Path | str) -> WaveFile:
    """Read a wave file and keep the places of its fields.

    :raises WaveFileError: as :func:`load_wave`.
    """
    path = Path(path)
    wave, tree = _read(_text_of(path), str(path))
    if path.name != f"{wave.name}{SUFFIX}":
        message = (
            f'"{wave.name}" must match the name of its file: name the file {wave.name}{SUFFIX}, or the wave {path.stem}'
        )
        raise WaveFileError([_problem(str(path), tree, BrokenRule(("name",), message))])
    return WaveFile(path, wave, tree)


def read_wave(text: str, origin: str = "wave.yaml") -> Wave:
    """Read a wave from a text.

    :param origin: what problems call it.
    :raises WaveFileError: as :func:`load_wave`.
    """
    return _read(text, origin)[0]


def dump_wave(wave: Wave) -> str:
    """Write a wave as a file's text: without comments, and without what is as it would be anyway."""
    document = wave.model_dump(mode="json", exclude_defaults=True)
    document["vms"] = [vm["name"] if vm.keys() == {"name"} else vm for vm in document["vms"]]
    return str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110))


class _Dumper(yaml.SafeDumper):
    """Quotes every text that could be anything else, to any reader of YAML."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    plain = text.replace("-", "").replace("_", "").replace(" ", "").isalpha() and text.isascii()
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _represent_text)


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(SIZE_LIMIT_BYTES + 1)
    except OSError as error:
        raise WaveFileError([_of_file(path, f"cannot be read: {error.strerror}")]) from error
    if len(content) > SIZE_LIMIT_BYTES:
        raise WaveFileError([_of_file(path, f"is larger than {SIZE_LIMIT_BYTES // 1024} KiB")])
    other = other_content(content)
    if other is not None:
        raise WaveFileError([_of_file(path, other)])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise WaveFileError([Problem(str(path), line, 1, "wave", "is not UTF-8")]) from error


def _of_file(path: Path, message: str) -> Problem:
    return Problem(str(path), 1, 1, "wave", message)


def _read(text: str, origin: str) -> tuple[Wave, YamlTree]:
    tree = read_yaml(text)
    other = other_text(text) if tree.data is None else None
    if other is not None:
        raise WaveFileError([Problem(origin, 1, 1, "wave", other)])
    problems = {
        Problem(origin, flaw.place.line, flaw.place.column, spoken(flaw.location), flaw.message) for flaw in tree.flaws
    }
    if tree.data is not None:
        wave, broken = _wave_of(tree.data)
        # What could not be read as YAML is not judged as a field as well.
        unread = {flaw.location for flaw in tree.flaws if flaw.location}
        problems.update(_problem(origin, tree, rule) for rule in broken if not _is_below(rule.location, unread))
        if wave is not None and not problems:
            return wave, tree
    raise WaveFileError(problems)


def _is_below(location: Location, others: Collection[Location]) -> bool:
    return any(location[:length] in others for length in range(1, len(location) + 1))


def _wave_of(data: Mapping[str, Any]) -> tuple[Wave | None, list[BrokenRule]]:
    try:
        return Wave.model_validate(data), []
    except ValidationError as error:
        broken = broken_rules_of(error, Wave)
        wrong = {str(detail["loc"][0]) for detail in error.errors(include_url=False) if detail["loc"]}
    # With wrong fields no rule between fields has been asked yet; those that do not concern them still can be.
    return None, broken + _rules_beside(data, wrong) if wrong else broken


@cache
def _adapters() -> dict[str, TypeAdapter[Any]]:
    hints = get_type_hints(WaveDocument, include_extras=True)
    return {name: TypeAdapter(hints[name]) for name in WaveDocument.model_fields}


def _rules_beside(data: Mapping[str, Any], wrong: Collection[str]) -> list[BrokenRule]:
    """Return the rules broken by fields that are right by themselves, though others are not."""
    values = {
        name: adapter.validate_python(data[name])
        for name, adapter in _adapters().items()
        if name in data and name not in wrong
    }
    return broken_rules(WaveDocument.model_construct(None, **values), without=wrong)


def _problem(origin: str, tree: YamlTree, rule: BrokenRule) -> Problem:
    place = tree.place_of(rule.location, at_key=rule.message.startswith("unknown field"))
    return Problem(origin, place.line, place.column, spoken(rule.location), rule.message)
