"""The state folder: everything that is kept between two starts, and a lock against a second start."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from hcx_demo.errors import DemoError

ADMIN = "admin"
APPROVER = "demo-approver"
_LENGTH = 18


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read. It appears complete or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file, or an empty one if there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Secrets:
    """Secrets that the demo generates once. None is ever an argument of a command or part of a log.

    :param marker: marks the processes of this state folder in their environment.
    """

    fernet_key: str = field(repr=False)
    jwt_secret: str = field(repr=False)
    api_secret: str = field(repr=False)
    signing_key: str = field(repr=False)
    passwords: Mapping[str, str] = field(repr=False)
    marker: str = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """Return new secrets."""
        return cls(
            # What cryptography.fernet.Fernet.generate_key() does.
            fernet_key=base64.urlsafe_b64encode(os.urandom(32)).decode(),
            jwt_secret=secrets.token_urlsafe(48),
            api_secret=secrets.token_urlsafe(48),
            signing_key=secrets.token_urlsafe(48),
            passwords={name: secrets.token_urlsafe(_LENGTH) for name in (ADMIN, APPROVER)},
            marker=secrets.token_hex(16),
        )

    def values(self) -> tuple[str, ...]:
        """Return every secret, so that output can be searched for them."""
        return (self.fernet_key, self.jwt_secret, self.api_secret, self.signing_key, *self.passwords.values())


class StateFolder:
    """A folder that only one demo can use at a time.

    :param root: created if it is missing; only its owner can read its contents.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.airflow_home = self.root / "airflow"
        self.simulator = self.root / "sites"
        self.twins = self.root / "twins"
        self.logs = self.root / "logs"
        self.commands = self.root / "bin"
        self.reports = self.root / "reports"
        self.kept = self.root / "kept"
        self.passwords_file = self.root / "passwords.json"
        self._lock: int | None = None

    def open(self) -> None:
        """Create the folders and take the lock.

        :raises DemoError: if the folder cannot be written, or another demo uses it.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            # The database server may run as another user, who must be able to reach its folder.
            self.root.chmod(0o711)
            for folder in (self.airflow_home, self.simulator, self.logs, self.commands, self.reports, self.kept):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise DemoError(
                f"the state folder {self.root} cannot be used: {error.strerror}; choose one with STATE=<folder>"
            ) from error
        self._take_lock()

    def _take_lock(self) -> None:
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            running = read_json(self.root / "running.json")
            where = f" with its UI at {running['url']}" if running.get("url") else ""
            raise DemoError(
                f"a demo is already running in {self.root} (process {running.get('pid', 'unknown')}){where}; "
                "stop it with Ctrl-C, or choose another folder with STATE=<folder>"
            ) from None
        self._lock = descriptor
        self.note(pid=os.getpid())

    def note(self, **facts: Any) -> None:
        """Store facts about the running demo, for the message of a second start."""
        path = self.root / "running.json"
        known = read_json(path) if "pid" not in facts else {}
        write_private(path, json.dumps({**known, **facts}))

    def close(self) -> None:
        """Release the lock."""
        if self._lock is None:
            return
        (self.root / "running.json").unlink(missing_ok=True)
        os.close(self._lock)
        self._lock = None

    def secrets(self) -> Secrets:
        """Return the stored secrets, which are generated at the first call (``secrets.json``, mode 0600)."""
        path = self.root / "secrets.json"
        kept = read_json(path)
        try:
            return Secrets(**kept)
        except TypeError:
            fresh = Secrets.generate()
            write_private(path, json.dumps({**fresh.__dict__, "passwords": dict(fresh.passwords)}, indent=2) + "\n")
            return fresh

    def remember(self, name: str, facts: Mapping[str, Any]) -> None:
        """Store facts for later starts."""
        write_private(self.root / f"{name}.json", json.dumps(dict(facts), indent=2) + "\n")

    def recall(self, name: str) -> dict[str, Any]:
        """Return stored facts; empty if there are none."""
        return read_json(self.root / f"{name}.json")
