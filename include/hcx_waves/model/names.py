"""Names that are allowed in a wave file, each with the message for one that is not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from hashlib import sha256
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from hcx_waves.model.patterns import why_not_bounded
from hcx_waves.model.spelling import one_spelling

_WAVE = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_CONNECTION = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_FINDING = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
_NO_PATTERN = r"^[^*?]*$"
_TEMPLATE_MARKS = ("{{", "{%", "{#")


def has_template_marks(text: str) -> bool:
    """Whether a text holds what Jinja would replace; Airflow renders what operators show."""
    return any(mark in text for mark in _TEMPLATE_MARKS)


def slug_of(name: str) -> str:
    """Return what a name contributes to a task id: lower-case letters, digits, hyphen and underscore.

    A name with other letters keeps a part of its hash, so that two of them differ.
    """
    slug = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-")
    if name.isascii() and slug:
        return slug
    digest = sha256(name.encode()).hexdigest()[:8]
    return f"{slug}-{digest}" if slug else f"segment-{digest}"


def _matching(pattern: str, refusal: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if compiled.fullmatch(value) is None:
            raise PydanticCustomError("name", '"{value}" {refusal}', {"value": value, "refusal": refusal})
        return value

    return check


def _plain(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("name", "must not be blank")
    if value != value.strip():
        words = '"{value}" begins or ends with a space: write "{right}"'
        raise PydanticCustomError("name", words, {"value": value, "right": value.strip()})
    for place, letter in enumerate(value):
        if unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp"):
            words = "contains a control character or a line break (U+{code} at character {place}): write it without"
            raise PydanticCustomError("name", words, {"code": f"{ord(letter):04X}", "place": place + 1})
    return one_spelling(value)


def _no_pattern(value: str) -> str:
    """Refuse what stands for several names: nothing here expands it, so it would name an object that is not there."""
    if "*" in value or "?" in value:
        words = '"{value}" is a pattern, not a name: list each name by itself'
        raise PydanticCustomError("name", words, {"value": value})
    return value


def _user(value: str) -> str:
    if "*" in value:
        raise PydanticCustomError(
            "name", '"{value}" is not a user name: name each user, or leave approvers out for all', {"value": value}
        )
    return value


def _at_most(longest: int, whose: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if len(value) > longest:
            words = "is {length} characters long, and {whose} has at most {longest}: copy it from the product"
            raise PydanticCustomError("name", words, {"length": len(value), "longest": longest, "whose": whose})
        return value

    return check


def _connection(value: str) -> str:
    if "://" in value or "@" in value:
        # What was written may hold a password, so it is not repeated.
        raise PydanticCustomError(
            "connection", "must be the id of an Airflow connection; addresses and credentials belong in that connection"
        )
    if value.startswith("twin_"):
        words = '"{value}" is a twin: connections that begin with "twin_" belong to rehearsals'
        raise PydanticCustomError("connection", words, {"value": value})
    return _matching(_CONNECTION, "is not a connection id: use letters, digits, underscore, dot and hyphen")(value)


def _text(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("text", "must not be blank")
    return value


def _expression(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise PydanticCustomError(
            "expression", "is not a valid regular expression: {why}", {"why": str(error)}
        ) from None
    refusal = why_not_bounded(value)
    if refusal is not None:
        raise PydanticCustomError("expression", "{refusal}", {"refusal": refusal})
    return value


def _schema(pattern: str, max_length: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", "maxLength": max_length})


_SIZED: dict[str, Any] = {"min_length": 1}

WaveName = Annotated[
    str,
    Field(**_SIZED, max_length=60),
    AfterValidator(_matching(_WAVE, "cannot be part of a DAG id: use lower-case letters, digits and single hyphens")),
    _schema(_WAVE, 60),
]
FindingId = Annotated[
    str,
    Field(**_SIZED, max_length=80),
    AfterValidator(
        _matching(_FINDING, "is not a finding id: use lower-case words with hyphens, such as vm-has-snapshots")
    ),
    _schema(_FINDING, 80),
]
ConnectionId = Annotated[str, Field(**_SIZED, max_length=200), AfterValidator(_connection), _schema(_CONNECTION, 200)]
VmName = Annotated[
    str,
    Field(**_SIZED),
    AfterValidator(_at_most(80, "a VM's name in vCenter")),
    AfterValidator(_plain),
    AfterValidator(_no_pattern),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 80, "pattern": _NO_PATTERN}),
]
"""The name of a virtual machine in vCenter: at most 80 characters."""
SubjectName = Annotated[str, Field(**_SIZED, max_length=128), AfterValidator(_plain)]
"""What a finding or a waiver is about: a name, or ``*`` for all."""
ObjectName = Annotated[
    str,
    Field(**_SIZED),
    AfterValidator(_at_most(128, "such a name")),
    AfterValidator(_plain),
    AfterValidator(_no_pattern),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 128, "pattern": _NO_PATTERN}),
]
"""The name of a segment, folder, resource pool, datastore and the like."""
UserName = Annotated[str, Field(**_SIZED, max_length=200), AfterValidator(_plain), AfterValidator(_user)]
Text = Annotated[str, Field(**_SIZED, max_length=4000), AfterValidator(_text)]
Expression = Annotated[str, Field(**_SIZED, max_length=200), AfterValidator(_expression)]
Argument = Annotated[str, Field(max_length=1000)]
