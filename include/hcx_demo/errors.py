"""What can go wrong with the demo itself."""

from __future__ import annotations


class DemoError(Exception):
    """The demo cannot go on; the message says why and what to do, and holds no secret."""


class PortLostError(DemoError):
    """Somebody else began to listen on the chosen port before Airflow did."""


class Stopped(BaseException):
    """Somebody asked the demo to stop (SIGINT, SIGTERM or SIGHUP).

    Not an :class:`Exception`, so that no handler of ordinary errors swallows it.
    """

    def __init__(self, signal_name: str, exit_code: int) -> None:
        super().__init__(signal_name)
        self.signal_name = signal_name
        self.exit_code = exit_code
