"""Which field somebody may have meant by a name that is not one: near by its letters, and right by type and place."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from hcx_waves.model.base import Location
from hcx_waves.model.formatting import listed
from hcx_waves.model.spelling import KnownNames

_LONGEST_NAME = 200
_MOST_PLACES = 3
_OF_ANOTHER_TYPE = frozenset(
    ("bool_type", "int_type", "string_type", "tuple_type", "model_type", "model_attributes_type", "dict_type", "moment")
)
"""Errors that say that a value is of another kind than a field takes, and not only a wrong one."""


def unknown_field(name: str, value: Any, model: type[BaseModel], place: Location) -> str:
    """Return what is said of a field that there is not.

    :param value: what was written there: a field that cannot take it is not what was meant.
    :param model: of the whole file.
    :param place: where in the file it was written, without its name.
    """
    here = model_at(model, place)
    known = sorted(here.model_fields)
    if len(name) <= _LONGEST_NAME:
        near = [one for one in KnownNames(known).nearest(name) if takes(here, one, value)]
        if near:
            return f'unknown field; did you mean "{near[0]}"?'
        elsewhere = [path for path in _places(model).get(name, ()) if takes(model_at(model, path), name, value)]
        if elsewhere:
            paths = [".".join(map(str, path)) or "the top of the file" for path in elsewhere]
            return f"unknown field here; it belongs under {listed(paths, _MOST_PLACES)}"
    return f"unknown field; there are: {', '.join(known)}"


def takes(model: type[BaseModel], field: str, value: Any) -> bool:
    """Whether a field takes values of that kind."""
    try:
        _adapter(model, field).validate_python(value)
    except ValidationError as error:
        return not all(one["type"] in _OF_ANOTHER_TYPE and not one["loc"] for one in error.errors(include_url=False))
    return True


@cache
def _adapter(model: type[BaseModel], field: str) -> TypeAdapter[Any]:
    annotation: Any = model.model_fields[field].annotation
    return TypeAdapter(annotation)


def model_at(model: type[BaseModel], place: Location) -> type[BaseModel]:
    """Return the model of the fields at a place below another model."""
    current = model
    for part in place:
        if isinstance(part, str) and part in current.model_fields:
            current = _model_in(current.model_fields[part].annotation) or current
    return current


@cache
def _places(model: type[BaseModel]) -> dict[str, list[Location]]:
    """Return the places at which each name is a field."""
    found: dict[str, list[Location]] = defaultdict(list)
    ahead: list[tuple[Location, type[BaseModel]]] = [((), model)]
    while ahead:
        place, current = ahead.pop(0)
        for field, info in current.model_fields.items():
            found[field].append(place)
            inner = _model_in(info.annotation)
            if inner is not None and len(place) < _MOST_PLACES:
                ahead.append(((*place, field), inner))
    return dict(found)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(argument) for argument in getattr(annotation, "__args__", ()))
    return next((model for model in inner if model is not None), None)
