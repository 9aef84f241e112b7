"""Files that are written whole or not at all, and names that are safe as names of files."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def file_name(text: str) -> str:
    """Return a text as a file name: run ids have colons and pluses, and must not lead out of the folder."""
    return _UNSAFE.sub("_", text).strip(".") or "_"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, in the place of one of that name, readable by its owner alone.

    :raises OSError: if it cannot be written; what was there is there still.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
