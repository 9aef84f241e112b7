"""Snapshots of a live site pair: read-only, without secrets, versioned, and enough to rehearse a wave on."""

from hcx_waves.snapshot.files import (
    SnapshotFileError,
    digest_of,
    load_document,
    load_snapshot,
    parse_snapshot,
    save_snapshot,
    to_document,
)
from hcx_waves.snapshot.model import FORMAT, VERSION, Snapshot
from hcx_waves.snapshot.take import SnapshotError, take_snapshot

__all__ = [
    "FORMAT",
    "VERSION",
    "Snapshot",
    "SnapshotError",
    "SnapshotFileError",
    "digest_of",
    "load_document",
    "load_snapshot",
    "parse_snapshot",
    "save_snapshot",
    "take_snapshot",
    "to_document",
]
