"""Named time zones."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_SHAPE = r"UTC|[A-Z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)+"


@lru_cache(maxsize=512)
def _is_zone(name: str) -> bool:
    if re.fullmatch(_SHAPE, name) is None:
        return False
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        return False
    return True


def _check(name: str) -> str:
    if not _is_zone(name):
        words = '"{name}" is not a time zone: use an IANA name such as Europe/Berlin, America/New_York or UTC'
        raise PydanticCustomError("time_zone", words, {"name": name})
    return name


ZoneName = Annotated[str, AfterValidator(_check), WithJsonSchema({"type": "string", "pattern": f"^(?:{_SHAPE})$"})]
"""``UTC`` or an area and a place; abbreviations such as CET are refused, as people disagree about them."""
