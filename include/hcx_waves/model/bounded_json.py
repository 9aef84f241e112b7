"""Read JSON that others wrote, within bounds: size, depth, and numbers that can be counted with.

Python's own reader answers an array nested a hundred thousand deep with a RecursionError, which nobody expects of a
text; what is nested less deep breaks whatever walks through it later. It also takes ``NaN`` and ``1e999``, with which
no sum is right. Here all of that is one error, and it quotes nothing of the text: that may be a secret.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from hcx_waves.model.formatting import size

DEEPEST = 64
"""Levels of arrays and objects. What products and our own files hold has about a dozen."""
_MOST_DIGITS = 30
_CONTAINERS = (dict, list)


class UnreadableJsonError(ValueError):
    """A text is not JSON, or is beyond the bounds; says which, and quotes nothing of it."""


def read_json(content: str | bytes) -> Any:
    """Return the value of a JSON text.

    :raises UnreadableJsonError: if it is none, is nested too deep, or holds numbers beyond counting or half characters.
    """
    try:
        value = json.loads(content, parse_float=_finite, parse_int=_whole, parse_constant=_no_number)
        if ("\\u" in content) if isinstance(content, str) else (b"\\u" in content):
            # An escape can stand for half of a character, which no file and no terminal takes.
            json.dumps(value, ensure_ascii=False).encode()
    except UnreadableJsonError:
        raise
    except RecursionError:
        raise UnreadableJsonError(_too_deep()) from None
    except json.JSONDecodeError as error:
        raise UnreadableJsonError(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except UnicodeError:
        raise UnreadableJsonError("it is not a text in UTF-8, or holds half of a character") from None
    except ValueError as error:
        raise UnreadableJsonError(type(error).__name__) from None
    if is_too_deep(value):
        raise UnreadableJsonError(_too_deep())
    return value


def read_json_file(path: Path, most_bytes: int) -> Any:
    """Return the value of a JSON file.

    :param most_bytes: the largest file that is read.
    :raises UnreadableJsonError: as :func:`read_json`, or if the file is larger.
    :raises OSError: if it cannot be read.
    """
    return read_json(read_bounded(path, most_bytes))


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """Return what is in a file.

    :raises UnreadableJsonError: if it is larger than it may be.
    :raises OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise UnreadableJsonError(f"it is larger than {size(most_bytes)}")
    return content


def is_too_deep(value: Any, deepest: int = DEEPEST) -> bool:
    """Whether arrays and objects are nested deeper than they may be; walks level by level, so no depth can break it."""
    level = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(deepest):
        if not level:
            return False
        level = [
            member
            for one in level
            for member in (one.values() if isinstance(one, dict) else one)
            if isinstance(member, _CONTAINERS)
        ]
    return bool(level)


def _too_deep() -> str:
    return f"it is nested more than {DEEPEST} levels deep"


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise UnreadableJsonError("it holds a number beyond counting")
    return number


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise UnreadableJsonError("it holds a number beyond counting")
    return int(digits)


def _no_number(name: str) -> float:
    raise UnreadableJsonError(f"{name} is not a number of JSON")
