"""Snapshot files: JSON, compressed where the name ends in ``.gz``; the same inventory makes the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hcx_waves.snapshot.model import FORMAT, VERSION, Snapshot

MOST_BYTES = 512 * 1024 * 1024
_COMPRESSED = ".gz"
_LEVEL = 6


class SnapshotFileError(ValueError):
    """A file is no snapshot that can be used; the message lists every problem, one a line."""


def to_document(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot as JSON primitives; what is as usual is left out."""
    return snapshot.model_dump(mode="json", exclude_defaults=True)


def canonical_json(document: Mapping[str, Any]) -> str:
    """Return the one text of a document: sorted, without white space, ended by a line break."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"


def digest_of(snapshot: Snapshot) -> str:
    """Return the SHA-256 of what a snapshot holds, in hexadecimal; when it was taken does not count."""
    document = to_document(snapshot)
    del document["taken_at"]
    return hashlib.sha256(canonical_json(document).encode()).hexdigest()


def save_snapshot(snapshot: Snapshot, path: Path) -> None:
    """Write a snapshot; the file appears whole or not at all.

    :raises OSError: if it cannot be written.
    """
    content = canonical_json(to_document(snapshot)).encode()
    if path.suffix == _COMPRESSED:
        content = _compressed(content)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def load_snapshot(path: Path) -> Snapshot:
    """Read a snapshot file.

    :raises SnapshotFileError: with every problem, if it cannot be read, is no snapshot, or is of a newer version.
    """
    return parse_snapshot(load_document(path), str(path))


def load_document(path: Path) -> dict[str, Any]:
    """Read a snapshot file as JSON, unchecked but for its size and shape; for those who only pass it on.

    :raises SnapshotFileError: if it cannot be read or is no JSON object.
    """
    try:
        content = path.read_bytes()
        if path.suffix == _COMPRESSED:
            with gzip.open(io.BytesIO(content)) as packed:
                content = packed.read(MOST_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise SnapshotFileError(f"{path}: cannot be read: {reason}") from error
    except (EOFError, zlib.error) as error:
        raise SnapshotFileError(f"{path}: is damaged: {error}") from error
    if len(content) > MOST_BYTES:
        raise SnapshotFileError(f"{path}: is larger than {MOST_BYTES} bytes")
    try:
        document = json.loads(content)
    except ValueError as error:
        raise SnapshotFileError(f"{path}: is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise SnapshotFileError(f"{path}: is no snapshot: it holds no JSON object")
    return document


def parse_snapshot(document: Mapping[str, Any], origin: str = "snapshot") -> Snapshot:
    """Check a snapshot document.

    :param origin: what to call it in problems.
    :raises SnapshotFileError: with every problem.
    """
    if document.get("format") != FORMAT:
        raise SnapshotFileError(f'{origin}: is no snapshot: its format is not "{FORMAT}"')
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
        lines = [f"{origin}: {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in problems]
        raise SnapshotFileError("\n".join(lines)) from error


def _compressed(content: bytes) -> bytes:
    packed = io.BytesIO()
    # Neither a time nor a name inside, so that equal contents make equal files.
    with gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=packed, mtime=0) as file:
        file.write(content)
    return packed.getvalue()
