"""Take turns at a segment: a step of the run and a way back never act on it at the same time.

A turn is a lock on a file below the state folder, which the system gives back when its holder dies: nobody is kept out
by a worker that is gone.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hcx_waves.cutover.errors import TurnTakenError
from hcx_waves.model.files import file_name

FOLDER = "turns"
MIGRATIONS = "migrations"
"""In the place of a segment's key: for what is done to a wave's migrations."""
_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600
_MOST_BYTES = 500


@contextmanager
def taking_turn(state: Path, wave: str, key: str, who: str) -> Iterator[None]:
    """Hold the turn at a segment of a wave, or at its migrations.

    :param state: the state folder, which all that act share.
    :param key: of the segment; or :data:`MIGRATIONS`.
    :param who: who acts, for those who find it taken.
    :raises TurnTakenError: if somebody else holds it.
    :raises OSError: if the folder cannot be used.
    """
    path = state / FOLDER / f"{file_name(wave)}.{file_name(key)}.lock"
    path.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, _PRIVATE_FILE), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(file.fileno(), _MOST_BYTES, 0).decode(errors="replace").strip()
            raise TurnTakenError(f"{holder or 'somebody'} is at work on {key} of wave {wave} now") from None
        file.truncate(0)
        file.write(who.encode()[:_MOST_BYTES])
        file.flush()
        yield
