"""Taking a snapshot of a live site pair: by reads alone and without secrets; enough to rehearse a wave on.

The file and its format are in :mod:`hcx_snapshot`.
"""

from hcx_waves.snapshot.take import SnapshotError, take_snapshot

__all__ = ["SnapshotError", "take_snapshot"]
