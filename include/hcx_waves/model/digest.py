"""Digests of JSON documents, independent of the order of keys and, unless stated, of lists."""

from __future__ import annotations

import json
from collections.abc import Collection
from hashlib import sha256
from typing import Any


def canonical_json(value: Any) -> str:
    """Write JSON in the one way that equal values share: sorted keys, no spaces, no escapes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of(value: Any, ordered: Collection[str] = ()) -> str:
    """Return the SHA-256 (hex) of a JSON value.

    :param ordered: names of members that are lists in which order counts; all other lists count as sets.
    """
    return sha256(canonical_json(_unordered(value, ordered)).encode()).hexdigest()


def _unordered(value: Any, ordered: Collection[str], keep: bool = False) -> Any:
    if isinstance(value, dict):
        return {key: _unordered(member, ordered, key in ordered) for key, member in value.items()}
    if isinstance(value, list):
        members = [_unordered(member, ordered) for member in value]
        return members if keep else sorted(members, key=canonical_json)
    return value
