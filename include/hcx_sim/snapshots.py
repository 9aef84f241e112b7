"""Stores snapshots of live sites in a server; each is read once, however many worlds are made from it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hcx_sim.scenario import Scenario, ScenarioError
from hcx_snapshot import identity_of

MOST_SNAPSHOTS = 16


class NoSuchSnapshotError(LookupError):
    """There is no snapshot with that id."""

    def __init__(self, snapshot_id: str) -> None:
        """Name the snapshot."""
        super().__init__(f"no snapshot {snapshot_id!r}")


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """A snapshot as it is kept: the scenario it describes; ``size_bytes`` is that of the canonical document."""

    snapshot_id: str
    size_bytes: int
    scenario: Scenario

    def describe(self) -> dict[str, Any]:
        """Return a summary as JSON primitives."""
        return {
            "snapshot_id": self.snapshot_id,
            "name": self.scenario.name,
            "vms": len(self.scenario.vms),
            "networks": len(self.scenario.networks),
            "size_bytes": self.size_bytes,
        }


def read_snapshot(document: Any) -> StoredSnapshot:
    """Return the snapshot of a document; :func:`hcx_snapshot.identity_of` gives its id.

    Raises :class:`ScenarioError` with every problem if the document is not a snapshot or its version is unknown.
    """
    from hcx_sim.scenario.snapshot import scenario_from_snapshot

    if not isinstance(document, Mapping):
        raise ScenarioError("a snapshot must be a JSON object")
    try:
        scenario = scenario_from_snapshot(document)
    except ScenarioError:
        raise
    except ValueError as error:
        raise ScenarioError(f"snapshot: {error}") from error
    identity = identity_of(document)
    return StoredSnapshot(identity.snapshot_id, identity.size_bytes, scenario)


class SnapshotStore:
    """Keeps snapshots in memory; if there are too many, the least recently used one is deleted."""

    def __init__(self, most: int = MOST_SNAPSHOTS) -> None:
        """Start empty."""
        self._most = most
        self._kept: OrderedDict[str, StoredSnapshot] = OrderedDict()

    def add(self, snapshot: StoredSnapshot) -> None:
        """Keep a snapshot; one that is there already counts as used."""
        self._kept.setdefault(snapshot.snapshot_id, snapshot)
        self._kept.move_to_end(snapshot.snapshot_id)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def get(self, snapshot_id: str) -> StoredSnapshot:
        """Return a snapshot, which counts as using it; raises :class:`NoSuchSnapshotError`."""
        if snapshot_id not in self._kept:
            raise NoSuchSnapshotError(snapshot_id)
        self._kept.move_to_end(snapshot_id)
        return self._kept[snapshot_id]

    def listing(self) -> list[StoredSnapshot]:
        """Return all snapshots by id."""
        return sorted(self._kept.values(), key=lambda each: each.snapshot_id)

    def delete(self, snapshot_id: str) -> None:
        """Forget a snapshot; worlds made from it stay. Raises :class:`NoSuchSnapshotError`."""
        self.get(snapshot_id)
        del self._kept[snapshot_id]
