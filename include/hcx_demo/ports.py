"""Ports on loopback: chosen free, or set and then checked."""

from __future__ import annotations

import socket

import psutil

from hcx_demo.errors import DemoError

LOOPBACK = "127.0.0.1"
USUAL_UI_PORT = 8080
_TRIED_AFTER_USUAL = 20


def is_free(port: int) -> bool:
    """Whether a server could listen on that port of loopback now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        # As servers do: connections that are only winding down do not count.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def choose_port(wanted: int, last: int | None = None) -> int:
    """Return the port to serve on.

    :param wanted: 0 chooses: the last one used, the usual one or one of its neighbours, else any.
    :raises DemoError: when a port that was asked for is taken or may not be used.
    """
    if wanted:
        if is_free(wanted):
            return wanted
        raise DemoError(f"port {wanted} is in use{_holder(wanted)}; choose another with PORT=<port>, or leave it out")
    neighbours = range(USUAL_UI_PORT, USUAL_UI_PORT + _TRIED_AFTER_USUAL)
    for port in ([last] if last else []) + list(neighbours):
        if is_free(port):
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.bind((LOOPBACK, 0))
        return int(trial.getsockname()[1])


def _holder(port: int) -> str:
    """Name who listens there, as far as this user may know."""
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
