"""The embedded PostgreSQL: a server on a Unix socket, to which only the user of the demo can connect."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

from hcx_demo.errors import DemoError
from hcx_demo.stack.postgres_folders import PostgresFolders
from hcx_demo.stack.processes import Command, ManagedProcess, StopStep, tail_of, wait_until

ROLE = "airflow"
DATABASE = "postgres"
_START_SECONDS = 30.0
# Fast, then immediate shutdown; the server ends its own children.
_STOP = (
    StopStep(signal.SIGINT, 10.0, to_group=False),
    StopStep(signal.SIGQUIT, 5.0, to_group=False),
    StopStep(signal.SIGKILL, 5.0, to_group=False),
)
# A power failure may lose a few seconds of a demo.
_SETTINGS = {
    # The task processes of a killed scheduler keep its connection, and so its locks. Without this timeout, the run
    # that it worked on would never continue.
    "idle_in_transaction_session_timeout": "30s",
    "listen_addresses": "",
    "unix_socket_permissions": "0777",
    "synchronous_commit": "off",
    "max_connections": "200",
    "log_min_messages": "warning",
    "max_wal_size": "256MB",
}


class PostgresServer:
    """One server with one database.

    :param environment: of its process; carries the demo's marker.
    """

    def __init__(self, folders: PostgresFolders, log_file: Path, environment: dict[str, str]) -> None:
        self._folders = folders
        self._log_file = log_file
        self._environment = {**environment, "LC_ALL": "C"}
        self._process: ManagedProcess | None = None

    @property
    def url(self) -> str:
        """SQLAlchemy's address of the database. It has no password, as the socket identifies the user."""
        return f"postgresql+psycopg2://{ROLE}@/{DATABASE}?host={quote(str(self._folders.socket))}"

    def start(self) -> None:
        """Create the database cluster if there is none, start the server and wait until it is ready.

        :raises DemoError: with the last lines of its log.
        """
        if not (self._folders.data / "PG_VERSION").is_file():
            self._make_cluster()
        self._write_access()
        arguments = [str(self._folders.programs / "bin" / "postgres"), "-D", str(self._folders.data)]
        options = {
            "unix_socket_directories": str(self._folders.socket),
            "hba_file": str(self._folders.settings / "pg_hba.conf"),
            "ident_file": str(self._folders.settings / "pg_ident.conf"),
        }
        for name, value in {**_SETTINGS, **options}.items():
            arguments += ["-c", f"{name}={value}"]
        command = Command(
            "PostgreSQL",
            arguments,
            self._environment,
            self._log_file,
            stop_steps=_STOP,
            options=self._folders.options,
        )
        self._process = ManagedProcess(command)
        wait_until("PostgreSQL", self._is_ready, self._process, _START_SECONDS, 0.05)

    def stop(self) -> None:
        """Stop it, and disconnect its clients."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def check(self) -> None:
        """Raise :class:`DemoError` if it has ended by itself."""
        if self._process is not None:
            self._process.check()

    def _make_cluster(self) -> None:
        arguments = [str(self._folders.programs / "bin" / "initdb"), "-D", str(self._folders.data), "-U", ROLE]
        arguments += ["--encoding=UTF8", "--locale=C", "--auth=peer", "--no-sync", "--no-instructions"]
        with self._log_file.open("ab") as log:
            done = subprocess.run(  # noqa: S603 - no shell, our own arguments
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                check=False,
                **self._folders.options,
            )
        if done.returncode:
            raise DemoError(f"the database cannot be created in {self._folders.data}; {tail_of(self._log_file)}")

    def _write_access(self) -> None:
        """Allow only the user of the demo to connect, also if the server runs as another user."""
        try:
            user = pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:
            raise DemoError(f"user {os.geteuid()} has no name on this machine, and PostgreSQL needs one") from None
        files = {
            "pg_hba.conf": "local all all peer map=demo\n",
            "pg_ident.conf": f'demo "{user}" {ROLE}\n',
        }
        for name, text in files.items():
            path = self._folders.settings / name
            path.write_text(text, encoding="utf-8")
            path.chmod(0o644)

    def _is_ready(self) -> bool:
        try:
            lines = (self._folders.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        process = self._process
        return process is not None and lines[:1] == [str(process.pid)] and lines[-1].strip() == "ready"
