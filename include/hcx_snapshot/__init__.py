"""The format of snapshot files: models, canonical JSON, digest and JSON Schema. docs/snapshot.md is its reference.

The format is ours, not a vendor's, so the core and the simulator share this package (docs/adr/0009). It imports
neither of them.
"""

from hcx_snapshot.document import (
    SnapshotFileError,
    SnapshotIdentity,
    canonical_json,
    digest_of,
    identity_of,
    parse_snapshot,
    to_document,
)
from hcx_snapshot.files import load_document, load_snapshot, save_snapshot
from hcx_snapshot.model import FORMAT, VERSION, Snapshot

__all__ = [
    "FORMAT",
    "VERSION",
    "Snapshot",
    "SnapshotFileError",
    "SnapshotIdentity",
    "canonical_json",
    "digest_of",
    "identity_of",
    "load_document",
    "load_snapshot",
    "parse_snapshot",
    "save_snapshot",
    "to_document",
]
