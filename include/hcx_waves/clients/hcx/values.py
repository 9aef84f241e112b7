"""Building blocks for HCX's answers: a lenient model, and times in epoch milliseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic.alias_generators import to_camel

from hcx_waves.model.outside import shown

_DIGITS = re.compile(r"-?[0-9]{1,20}")


def instant_of(value: Any) -> datetime | None:
    """Read a time as HCX writes it: epoch milliseconds as number or digits [D+C hcx 1].

    Extension records carry a date text instead ("date-parsable", [C hcx 5.2]). Zero, nothing and what cannot
    be read are None: no decision hangs on these.
    """
    if isinstance(value, datetime):
        return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _of_milliseconds(float(value))
    if isinstance(value, str) and value.strip():
        try:
            return instant_of(datetime.fromisoformat(value.strip()))
        except ValueError:
            return None
    return None


def milliseconds_of(moment: datetime | None) -> int:
    """Write a time as HCX reads it; None is 0, "as soon as possible" [C hcx 4.3].

    :raises ValueError: if the time has no zone.
    """
    if moment is None:
        return 0
    if moment.tzinfo is None:
        raise ValueError(f"a time without zone: {moment.isoformat()}")
    return round(moment.timestamp() * 1000)


def _of_milliseconds(value: float) -> datetime | None:
    if value <= 0:
        return None
    try:
        return datetime.fromtimestamp(value / 1000, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return None


Instant = Annotated[datetime | None, BeforeValidator(instant_of)]


class HcxModel(BaseModel):
    """Base of parsed answers: camel case on the wire, unknown members ignored, null as absent."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True, coerce_numbers_to_str=True
    )

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, data: Any) -> Any:
        if isinstance(data, dict):
            return {key: value for key, value in data.items() if value is not None}
        return data


class Notice(HcxModel):
    """One ``{code, message}`` of an error or warning list [D hcx 1]."""

    code: str | None = None
    message: Annotated[str, AfterValidator(lambda text: shown(text))] = ""

    @model_validator(mode="before")
    @classmethod
    def _legacy_shape(cls, data: Any) -> Any:
        if isinstance(data, str):
            return {"message": data}
        if isinstance(data, dict) and "message" not in data:
            return {**data, "code": data.get("error"), "message": data.get("text") or data.get("error") or ""}
        return data
