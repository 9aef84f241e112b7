"""The contract samples: their format, how they are loaded, and how an answer is held against one.

Simulator and clients share no code; what they share are the JSON samples in ``tests/contract/samples``. This
module belongs to the tests and imports neither of the two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

CONTRACT_ROOT = Path(__file__).resolve().parent.parent / "contract"
SAMPLES_ROOT = CONTRACT_ROOT / "samples"

System = Literal["hcx", "nsx", "vmc", "csp", "vcenter"]
Confidence = Literal["documented", "confirmed", "inferred", "guessed"]
Effect = Literal["read", "change", "login"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "SOAP"]

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class _Closed(BaseModel):
    """A model that takes no unknown key, so that a misspelt one in a sample file is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SampleRequest(_Closed):
    """What is sent: names of required headers only, and a body that is JSON, form fields or raw text."""

    method: Method
    path: str = Field(pattern=r"^/")
    query: dict[str, str] = Field(default_factory=dict)
    headers: list[str] = Field(default_factory=list)
    content_type: str | None = None
    body: Any = None


class SampleResponse(_Closed):
    """What is answered: a body of ``None`` is an empty one, a string is one that is not JSON."""

    status: int = Field(ge=100, le=599)
    headers: list[str] = Field(default_factory=list)
    content_type: str | None = None
    body: Any = None

    @model_validator(mode="after")
    def _body_and_type_agree(self) -> SampleResponse:
        if (self.body is None) != (self.content_type is None):
            raise ValueError("a body needs a content type, and an empty body has none")
        is_text = isinstance(self.body, str)
        if self.body is not None and is_text == (self.content_type in ("application/json", "text/xml")):
            raise ValueError(f"content type {self.content_type} does not fit the body")
        return self


class Sample(_Closed):
    """One call and one answer, as the sources describe them."""

    id: str
    system: System
    call: str
    side: Literal["source", "destination", "both"]
    sources: list[str] = Field(min_length=1)
    confidence: Confidence
    versions: list[str] = Field(min_length=1)
    precondition: str | None = None
    request: SampleRequest
    response: SampleResponse
    required_fields: list[str]
    optional_fields: list[str]
    notes: str

    @property
    def variant(self) -> str:
        """The part of the id behind system and call; empty for a call's plain sample."""
        return self.id.removeprefix(f"{self.system}.{self.call}").removeprefix(".")

    @property
    def file_name(self) -> str:
        """The file that this sample has to be in, below its system's folder."""
        return f"{self.call}__{self.variant}.json" if self.variant else f"{self.call}.json"

    @property
    def placeholders(self) -> set[str]:
        """Names of the placeholders in request and response."""
        return placeholders_in([self.request.model_dump(), self.response.model_dump()])

    def filled(self, values: Mapping[str, str | int]) -> Sample:
        """The same sample with its placeholders replaced; see :func:`fill` for what is raised."""
        return self.model_copy(
            update={
                "request": SampleRequest.model_validate(fill(self.request.model_dump(), values)),
                "response": SampleResponse.model_validate(fill(self.response.model_dump(), values)),
            }
        )


class Call(_Closed):
    """One documented call; ``core`` ones belong to the site pair, ``edge`` ones lie outside it.

    ``effect`` is left out where the method tells it: GET and SOAP read, the others change.
    """

    system: System
    call: str
    method: Method
    path: str
    query: dict[str, str]
    reference: str
    section: str
    scope: Literal["core", "edge"]
    effect: Effect = "read"

    @model_validator(mode="before")
    @classmethod
    def _effect_of_the_method(cls, data: Any) -> Any:
        if isinstance(data, dict) and "effect" not in data and data.get("method") not in ("GET", "SOAP"):
            return {**data, "effect": "change"}
        return data


class Placeholder(_Closed):
    """What a placeholder stands for, and a value to use where no world is at hand."""

    description: str
    example: str | int


def sample_files() -> list[Path]:
    """Every sample file, in the order of their paths."""
    return sorted(SAMPLES_ROOT.glob("*/*.json"))


@cache
def load_sample(path: Path) -> Sample:
    """Read one sample; pydantic's ``ValidationError`` says what is wrong with a malformed one."""
    return Sample.model_validate_json(path.read_text(encoding="utf-8"))


def load_samples(system: System | None = None, call: str | None = None) -> list[Sample]:
    """Every sample, or only those of one system and one call."""
    samples = (load_sample(path) for path in sample_files())
    return [s for s in samples if system in (None, s.system) and call in (None, s.call)]


def sample(sample_id: str) -> Sample:
    """The sample of that id; raises ``KeyError`` when there is none."""
    for candidate in load_samples():
        if candidate.id == sample_id:
            return candidate
    raise KeyError(sample_id)


@cache
def load_calls() -> list[Call]:
    """The catalogue of documented calls."""
    return TypeAdapter(list[Call]).validate_json((CONTRACT_ROOT / "calls.json").read_bytes())


@cache
def load_words() -> dict[str, dict[str, list[str]]]:
    """The words that members of answers are known to have: by ``<system>.<call>``, then by dotted path."""
    words = dict[str, dict[str, list[str]]]
    return TypeAdapter(words).validate_json((CONTRACT_ROOT / "words.json").read_bytes())


@cache
def load_placeholders() -> dict[str, Placeholder]:
    """Every placeholder that a sample may use."""
    return TypeAdapter(dict[str, Placeholder]).validate_json((CONTRACT_ROOT / "placeholders.json").read_bytes())


def example_values() -> dict[str, str | int]:
    """An example value for every placeholder."""
    return {name: placeholder.example for name, placeholder in load_placeholders().items()}


def placeholders_in(value: Any) -> set[str]:
    """Names of the placeholders in every string below ``value``, which is JSON or a model of this module."""
    plain = value.model_dump() if isinstance(value, BaseModel) else value
    return {match[1] for match in _PLACEHOLDER.finditer(json.dumps(plain))}


def fill(value: Any, values: Mapping[str, str | int]) -> Any:
    """Replace ``{name}`` in every string below ``value``; keys are left alone.

    A string that is nothing but one placeholder becomes the value itself, so that numbers stay numbers. Raises
    ``KeyError`` with the placeholder's name when ``values`` has none for it.
    """
    if isinstance(value, dict):
        return {key: fill(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, values) for item in value]
    if not isinstance(value, str):
        return value
    whole = _PLACEHOLDER.fullmatch(value)
    if whole:
        return values[whole[1]]
    return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), value)


def shape_of(value: Any) -> Any:
    """The JSON shape of ``value``: type names at the leaves, a list as the shape of its first element.

    Integers and floats are both ``number``; an empty list is ``[]``.
    """
    if isinstance(value, Mapping):
        return {key: shape_of(item) for key, item in value.items()}
    if _is_list(value):
        return [shape_of(value[0])] if value else []
    return type_name(value)


def field_paths(value: Any, base: str = "") -> list[str]:
    """Every dotted path below ``value``; lists are walked by their first element and written ``name[]``."""
    if isinstance(value, Mapping):
        paths: list[str] = []
        for key, item in value.items():
            path = _join(base, key)
            paths += [path, *field_paths(item, path)]
        return paths
    if _is_list(value) and value:
        return field_paths(value[0], f"{base}[]")
    return []


def every_path(value: Any, base: str = "") -> set[str]:
    """Every dotted path below ``value``, through every element of every list."""
    if isinstance(value, Mapping):
        below = ((_join(base, key), item) for key, item in value.items())
        return {path for at, item in below for path in {at, *every_path(item, at)}}
    if _is_list(value):
        return {path for item in value for path in every_path(item, f"{base}[]")}
    return set()


def is_below(path: str, ancestor: str) -> bool:
    """Whether ``path`` leads through ``ancestor``."""
    return path != ancestor and (path.startswith((f"{ancestor}.", f"{ancestor}[")))


def check_required(body: Any, paths: Sequence[str]) -> list[str]:
    """Problems with required fields: one line per path that is missing or null.

    ``[]`` means every element of the list; a list that is empty cannot show what is asked of its elements, so
    that is a problem as well.
    """
    problems: list[str] = []
    for path in paths:
        problems += _missing(body, steps_of(path), "")
    return list(dict.fromkeys(problems))


def check_shape(sample_body: Any, actual_body: Any, required: Sequence[str] = ()) -> list[str]:
    """Problems of shape: what ``actual_body`` has in common with the sample must have the same JSON types.

    A required field has to be there, an optional one may be absent or null. Lists are compared by their first
    elements when both have one; fields that the sample does not know are welcome.
    """
    return list(_differences(sample_body, actual_body, "", tuple(required)))


def check_answer(sample: Sample, actual_body: Any) -> list[str]:
    """Both checks of an answer against a sample whose placeholders are filled or do not matter."""
    expected = sample.response.body
    if expected is None or actual_body is None:
        agree = expected == actual_body
        return [] if agree else [f"body: expected {type_name(expected)}, got {type_name(actual_body)}"]
    found = check_required(actual_body, sample.required_fields)
    found += check_shape(expected, actual_body, sample.required_fields)
    return list(dict.fromkeys(found))


def _differences(expected: Any, actual: Any, at: str, required: tuple[str, ...]) -> Iterator[str]:
    if expected is None:
        return
    if type_name(expected) != type_name(actual):
        yield f"{at or 'body'}: expected {type_name(expected)}, got {type_name(actual)}"
    elif isinstance(expected, Mapping):
        for key, item in expected.items():
            yield from _member_differences(item, actual, key, _join(at, key), required)
    elif _is_list(expected) and expected and actual:
        yield from _differences(expected[0], actual[0], f"{at}[]", required)


def _member_differences(
    expected: Any, actual: Mapping[str, Any], key: str, at: str, required: tuple[str, ...]
) -> Iterator[str]:
    must_be_there = any(path == at or is_below(path, at) for path in required)
    if key not in actual:
        if must_be_there:
            yield f"{at}: missing"
    elif actual[key] is None:
        if must_be_there and expected is not None:
            yield f"{at}: null"
    else:
        yield from _differences(expected, actual[key], at, required)


def _missing(value: Any, steps: Sequence[str], at: str) -> Iterator[str]:
    if value is None:
        yield f"{at or 'body'}: null"
    elif not steps:
        return
    elif steps[0] == "[]":
        yield from _missing_in_list(value, steps[1:], at)
    elif not isinstance(value, Mapping):
        yield f"{at or 'body'}: expected object, got {type_name(value)}"
    elif steps[0] not in value:
        yield f"{_join(at, steps[0])}: missing"
    else:
        yield from _missing(value[steps[0]], steps[1:], _join(at, steps[0]))


def _missing_in_list(value: Any, steps: Sequence[str], at: str) -> Iterator[str]:
    if not _is_list(value):
        yield f"{at or 'body'}: expected array, got {type_name(value)}"
    elif not value:
        yield f"{at}[]: empty, {'.'.join(steps)} cannot be seen"
    for item in value if _is_list(value) else ():
        yield from _missing(item, steps, f"{at}[]")


def steps_of(path: str) -> list[str]:
    """The steps of a dotted path; ``[]`` is one of its own."""
    return [step for step in path.replace("[]", ".[]").split(".") if step]


def _join(base: str, key: str) -> str:
    return f"{base}.{key}" if base else key


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def type_name(value: Any) -> str:
    """The JSON type of a value: ``null``, ``boolean``, ``number``, ``string``, ``object`` or ``array``."""
    if value is None:
        return "null"
    for kind, name in ((bool, "boolean"), (int | float, "number"), (str, "string"), (Mapping, "object")):
        if isinstance(value, kind):
            return name
    return "array" if _is_list(value) else type(value).__name__
