"""Snapshots as JSON documents: the canonical text, the digest, the id at a simulator, and the check of a document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from hcx_snapshot.model import FORMAT, VERSION, Snapshot

DEEPEST = 64
"""Levels of arrays and objects in a document; a snapshot has about a dozen."""
_MOST_PROBLEMS = 100
_LONGEST = 300


class SnapshotFileError(ValueError):
    """A file or document is not a snapshot that can be used; the message lists every problem, one a line."""


class SnapshotIdentity(NamedTuple):
    """Which document it is, ``taken_at`` included.

    :param snapshot_id: the SHA-256 of the canonical JSON, in hexadecimal; the id that a simulator gives the snapshot.
    :param size_bytes: the size of the canonical JSON.
    """

    snapshot_id: str
    size_bytes: int


def to_document(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot as JSON primitives; fields with their default value are left out."""
    return snapshot.model_dump(mode="json", exclude_defaults=True)


def canonical_json(document: Any) -> str:
    """Return a JSON value with sorted keys and without white space: equal values give equal texts."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def file_text(document: Any) -> bytes:
    """Return a document as the content of a file: canonical JSON in UTF-8, ended by a line break."""
    return f"{canonical_json(document)}\n".encode()


def digest_of(snapshot: Snapshot) -> str:
    """Return the SHA-256 of the inventory in a snapshot, in hexadecimal; ``taken_at`` is left out of it."""
    document = to_document(snapshot)
    del document["taken_at"]
    return hashlib.sha256(file_text(document)).hexdigest()


def identity_of(document: Any) -> SnapshotIdentity:
    """Return the id that a simulator gives a document, and its size; the document is not checked."""
    content = canonical_json(document).encode()
    return SnapshotIdentity(hashlib.sha256(content).hexdigest(), len(content))


def is_too_deep(document: Any) -> bool:
    """Whether a JSON value is nested deeper than any snapshot; no depth can break the walk."""
    level = [document]
    for _ in range(DEEPEST):
        level = [
            member
            for one in level
            for member in (one.values() if isinstance(one, dict) else one)
            if isinstance(member, dict | list)
        ]
        if not level:
            return False
    return True


def parse_snapshot(document: Mapping[str, Any], origin: str = "snapshot") -> Snapshot:
    """Check a snapshot document. Unknown fields are refused, so that no part of a live site is lost silently.

    :param origin: the name of the document in error messages.
    :raises SnapshotFileError: with every problem and its place in the document, up to a hundred.
    """
    if is_too_deep(document):
        raise SnapshotFileError(f"{origin}: is not a snapshot: it is nested more than {DEEPEST} levels deep")
    if document.get("format") != FORMAT:
        found = json.dumps(document.get("format"), default=str)[:_LONGEST]
        raise SnapshotFileError(f'{origin}: is not a snapshot: its format is {found}, not "{FORMAT}"')
    version = document.get("version")
    if isinstance(version, int) and version > VERSION:
        raise SnapshotFileError(
            f"{origin}: has version {version}; this release reads versions up to {VERSION}. "
            "Take it again with this release, or use the release that took it."
        )
    try:
        return Snapshot.model_validate(document)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        lines = [_problem(origin, one["loc"], one["msg"]) for one in problems[:_MOST_PROBLEMS]]
        if len(problems) > _MOST_PROBLEMS:
            lines.append(f"{origin}: and {len(problems) - _MOST_PROBLEMS} more problems")
        raise SnapshotFileError("\n".join(lines)) from None


def _problem(origin: str, place: tuple[str | int, ...], message: str) -> str:
    where = ".".join(repr(part)[1:-1] if isinstance(part, str) else str(part) for part in place)
    return f"{origin}: {where[:_LONGEST] or 'document'}: {message[:_LONGEST]}"
