"""Reading and writing wave files."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from hcx_waves.model.base import BrokenRule, Location
from hcx_waves.wavefile.other_formats import other_content, other_text
from hcx_waves.wavefile.problems import Problem, WaveFileError, broken_rules_of, spoken
from hcx_waves.wavefile.salvage import Salvaged, salvage
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


@dataclass(frozen=True)
class BrokenWaveFile:
    """A wave file that cannot be used.

    :param left: what of it is right by itself; None if it cannot be read at all.
    """

    path: Path
    problems: tuple[Problem, ...]
    left: Salvaged | None = None
    tree: YamlTree | None = None


def load_wave(path: Path | str) -> Wave:
    """Read a wave file.

    :raises WaveFileError: with every problem of the file, each with line and column.
    """
    return load_wave_file(path).wave


def load_wave_file(path: Path | str) -> WaveFile:
    """Read a wave file and keep the places of its fields.

    :raises WaveFileError: as :func:`load_wave`.
    """
    read = read_wave_file(path)
    if isinstance(read, WaveFile):
        return read
    raise WaveFileError(read.problems)


def read_wave_file(path: Path | str) -> WaveFile | BrokenWaveFile:
    """Read a wave file; one that cannot be used is returned with its problems and with what can be used of it."""
    path = Path(path)
    try:
        text = _text_of(path)
    except WaveFileError as error:
        return BrokenWaveFile(path, error.problems)
    read = _read(text, str(path))
    name = read.left.values.get("name") if read.left is not None else None
    wrong_name = (
        [] if name is None or path.name == f"{name}{SUFFIX}" else [_problem(str(path), read.tree, _named(name, path))]
    )
    if read.wave is not None and not read.problems and not wrong_name:
        return WaveFile(path, read.wave, read.tree)
    return BrokenWaveFile(path, WaveFileError([*read.problems, *wrong_name]).problems, read.left, read.tree)


def _named(name: str, path: Path) -> BrokenRule:
    message = f'"{name}" must match the name of its file: name the file {name}{SUFFIX}, or the wave {path.stem}'
    return BrokenRule(("name",), message)


def read_wave(text: str, origin: str = "wave.yaml") -> Wave:
    """Read a wave from a text.

    :param origin: what problems call it.
    :raises WaveFileError: as :func:`load_wave`.
    """
    read = _read(text, origin)
    if read.wave is None or read.problems:
        raise WaveFileError(read.problems)
    return read.wave


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


@dataclass(frozen=True)
class _ReadWave:
    tree: YamlTree
    wave: Wave | None
    problems: frozenset[Problem]
    left: Salvaged | None = None


def _read(text: str, origin: str) -> _ReadWave:
    tree = read_yaml(text)
    other = other_text(text) if tree.data is None else None
    if other is not None:
        return _ReadWave(tree, None, frozenset({Problem(origin, 1, 1, "wave", other)}))
    problems = {
        Problem(origin, flaw.place.line, flaw.place.column, spoken(flaw.location), flaw.message) for flaw in tree.flaws
    }
    if tree.data is None:
        return _ReadWave(tree, None, frozenset(problems))
    # What could not be read as YAML is not judged as a field as well.
    unread = {flaw.location for flaw in tree.flaws if flaw.location}
    wave, broken = None, []
    left = salvage(tree.data, {str(location[0]) for location in unread})
    try:
        wave = Wave.model_validate(tree.data)
    except ValidationError as error:
        broken = broken_rules_of(error, Wave)
        if any(detail["loc"] for detail in error.errors(include_url=False)):
            # With wrong fields no rule between fields has been asked yet; what the rest breaks is told as well.
            broken += left.broken_rules()
    problems.update(_problem(origin, tree, rule) for rule in broken if not _is_below(rule.location, unread))
    return _ReadWave(tree, wave, frozenset(problems), left)


def _is_below(location: Location, others: Collection[Location]) -> bool:
    return any(location[:length] in others for length in range(1, len(location) + 1))


def _problem(origin: str, tree: YamlTree, rule: BrokenRule) -> Problem:
    place = tree.place_of(rule.location, at_key=rule.message.startswith("unknown field"))
    return Problem(origin, place.line, place.column, spoken(rule.location), rule.message)
