"""Ports on loopback: a free one, or a requested one if it is free."""

from __future__ import annotations

import socket

import psutil

from hcx_demo.errors import DemoError

LOOPBACK = "127.0.0.1"
DEFAULT_UI_PORT = 8080
_PORTS_TRIED = 20


def is_free(port: int) -> bool:
    """Whether a server could listen on that port of loopback now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        # As servers do: closing connections do not count.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def choose_port(wanted: int, last: int | None = None) -> int:
    """Return the port to serve on.

    :param wanted: 0 chooses one: the last one used, the default or one of the next ones, else any.
    :raises DemoError: if a requested port is in use or not allowed.
    """
    if wanted:
        if is_free(wanted):
            return wanted
        raise DemoError(f"port {wanted} is in use{_holder(wanted)}; choose another with PORT=<port>, or leave it out")
    neighbours = range(DEFAULT_UI_PORT, DEFAULT_UI_PORT + _PORTS_TRIED)
    for port in ([last] if last else []) + list(neighbours):
        if is_free(port):
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.bind((LOOPBACK, 0))
        return int(trial.getsockname()[1])


def _holder(port: int) -> str:
    """Return the process that listens on the port, if this user is allowed to see it."""
    try:
        connections = psutil.net_connections("tcp")
        pid = next(
            (
                one.pid
                for one in connections
                if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port
            ),
            None,
        )
        return "" if pid is None else f" by process {pid} ({psutil.Process(pid).name()})"
    except psutil.Error:
        return ""
