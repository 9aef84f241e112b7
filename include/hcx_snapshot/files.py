"""Snapshot files: JSON, compressed where the name ends in ``.gz``; the same inventory makes the same bytes."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from pathlib import Path
from typing import Any

from hcx_snapshot.document import DEEPEST, SnapshotFileError, file_text, is_too_deep, parse_snapshot, to_document
from hcx_snapshot.model import Snapshot

MOST_BYTES = 512 * 1024 * 1024
_COMPRESSED = ".gz"
_LEVEL = 6


def save_snapshot(snapshot: Snapshot, path: Path) -> None:
    """Write a snapshot; the file appears whole or not at all.

    :raises OSError: if it cannot be written.
    """
    content = file_text(to_document(snapshot))
    if path.suffix == _COMPRESSED:
        content = _compressed(content)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def load_snapshot(path: Path) -> Snapshot:
    """Read a snapshot file.

    :raises SnapshotFileError: with every problem, if it cannot be read, is not a snapshot, or is of a newer version.
    """
    return parse_snapshot(load_document(path), str(path))


def load_document(path: Path) -> dict[str, Any]:
    """Read a snapshot file as JSON; only its size and its outermost type are checked. For passing it on unread.

    :raises SnapshotFileError: if it cannot be read, is too large, or is not a JSON object.
    """
    content = _content(path)
    if len(content) > MOST_BYTES:
        raise SnapshotFileError(f"{path}: is larger than {_limit()}")
    try:
        document = json.loads(content)
    except RecursionError:
        raise SnapshotFileError(f"{path}: is not valid JSON: it is nested more than {DEEPEST} levels deep") from None
    except ValueError as error:
        raise SnapshotFileError(f"{path}: is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise SnapshotFileError(f"{path}: is not a snapshot: it must be a JSON object")
    if is_too_deep(document):
        raise SnapshotFileError(f"{path}: is not a snapshot: it is nested more than {DEEPEST} levels deep")
    return document


def _content(path: Path) -> bytes:
    """Read and unpack a file, up to one byte more than may be in it."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise SnapshotFileError(f"{path}: is larger than {_limit()}")
        content = path.read_bytes()
        if path.suffix == _COMPRESSED:
            with gzip.open(io.BytesIO(content)) as packed:
                content = packed.read(MOST_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise SnapshotFileError(f"{path}: cannot be read: {reason}") from error
    except (EOFError, zlib.error) as error:
        raise SnapshotFileError(f"{path}: is damaged: {error}") from error
    return content


def _compressed(content: bytes) -> bytes:
    packed = io.BytesIO()
    # Neither a time nor a name inside, so that equal contents make equal files.
    with gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=packed, mtime=0) as file:
        file.write(content)
    return packed.getvalue()


def _limit() -> str:
    return f"{MOST_BYTES // 2**20} MiB" if MOST_BYTES >= 2**20 else f"{MOST_BYTES} bytes"
