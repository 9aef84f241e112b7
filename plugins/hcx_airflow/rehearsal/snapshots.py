"""Snapshots of the live inventory for rehearsals: taken, kept, and used again while they are fresh."""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hcx_airflow.folders import state_folder

MOST_SNAPSHOTS = 40
"""How many files of a wave are kept; the oldest ones go first."""
_NAME = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)-([0-9a-f]+)\.json\.gz")
_HASH_LETTERS = 12
# To the microsecond: a file that a rehearsal goes by must not be replaced by one of the same second.
_INSTANT = "%Y%m%dT%H%M%S.%fZ"


def snapshots_folder(wave: str) -> Path:
    """Return where a wave's snapshots are kept."""
    return state_folder() / "snapshots" / wave


def snapshot_path(folder: Path, taken_at: datetime, wave_hash: str) -> Path:
    """Return the file of a snapshot that was taken at an instant.

    :param wave_hash: of the wave that it was taken for: it holds what that wave needs.
    """
    return folder / f"{taken_at.astimezone(UTC).strftime(_INSTANT)}-{wave_hash[:_HASH_LETTERS]}.json.gz"


def fresh_snapshot(folder: Path, now: datetime, oldest: timedelta, wave_hash: str) -> Path | None:
    """Return the latest snapshot of a folder that was taken for the wave as it is, if it is not older than that."""
    meant = [(at, path) for at, made_for, path in _stored(folder) if made_for == wave_hash[:_HASH_LETTERS]]
    if not meant:
        return None
    taken_at, path = meant[-1]
    return path if now - taken_at <= oldest else None


def forget_old(folder: Path) -> None:
    """Delete the oldest snapshots of a folder beyond those that are kept."""
    for _, _, path in _stored(folder)[:-MOST_SNAPSHOTS]:
        path.unlink(missing_ok=True)


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Let one process of this machine in at a time: of nights that begin together, one reads the live site."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _stored(folder: Path) -> list[tuple[datetime, str, Path]]:
    found = []
    for path in folder.glob("*.json.gz"):
        match = _NAME.fullmatch(path.name)
        if match is not None:
            found.append((datetime.strptime(match[1], _INSTANT).replace(tzinfo=UTC), match[2], path))
    return sorted(found)
