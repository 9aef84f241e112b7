"""Snapshots of the live inventory for rehearsals: taken, kept, and used again while they are fresh."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

STATE_VARIABLE = "HCX_WAVES_STATE_FOLDER"
MOST_SNAPSHOTS = 40
"""How many files of a wave are kept; the oldest ones go first."""
_NAME = re.compile(r"(\d{8}T\d{6}Z)\.json\.gz")
_INSTANT = "%Y%m%dT%H%M%SZ"


def snapshots_folder(wave: str) -> Path:
    """Return where a wave's snapshots are kept."""
    chosen = os.environ.get(STATE_VARIABLE)
    state = Path(chosen) if chosen else Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "state"
    return state / "snapshots" / wave


def snapshot_id_of(document: Mapping[str, Any]) -> str:
    """Return the id that the simulator gives a snapshot, so as not to send it twice."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()


def snapshot_path(folder: Path, taken_at: datetime) -> Path:
    """Return the file of a snapshot that was taken at an instant."""
    return folder / f"{taken_at.astimezone(UTC).strftime(_INSTANT)}.json.gz"


def fresh_snapshot(folder: Path, now: datetime, oldest: timedelta) -> Path | None:
    """Return the latest snapshot of a folder, if it is not older than that."""
    stored = _stored(folder)
    if not stored:
        return None
    taken_at, path = stored[-1]
    return path if now - taken_at <= oldest else None


def forget_old(folder: Path) -> None:
    """Delete the oldest snapshots of a folder beyond those that are kept."""
    for _, path in _stored(folder)[:-MOST_SNAPSHOTS]:
        path.unlink(missing_ok=True)


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Let one process of this machine in at a time: of nights that begin together, one reads the live site."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _stored(folder: Path) -> list[tuple[datetime, Path]]:
    found = []
    for path in folder.glob("*.json.gz"):
        match = _NAME.fullmatch(path.name)
        if match is not None:
            found.append((datetime.strptime(match[1], _INSTANT).replace(tzinfo=UTC), path))
    return sorted(found)
