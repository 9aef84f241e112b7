"""How a call authenticates: fixed headers, or a token that is obtained, used and renewed.

Authenticators are shared by threads. A renewal happens under a lock and names the headers that were
refused, so that ten threads whose session expired together log in once.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


class Authenticator(Protocol):
    """What the transport needs from a way to log in."""

    def headers(self) -> Mapping[str, str]:
        """Return the headers to present, logging in first if need be."""

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Obtain new headers after ``refused`` were answered with 401; False if there is no such way."""

    def secrets(self) -> tuple[str, ...]:
        """Return every text that must not appear in an error."""


class NoAuth:
    """Present nothing.

    :param secrets: texts that calls carry otherwise and that must not appear in an error.
    """

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        self._secrets = secrets

    def headers(self) -> Mapping[str, str]:
        """Return no headers."""
        return {}

    def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002
        """There is nothing to renew."""
        return False

    def secrets(self) -> tuple[str, ...]:
        """Return what was given."""
        return self._secrets


class BasicAuth:
    """HTTP Basic on every call.

    :param username: the account.
    :param password: its password; never shown.
    """

    def __init__(self, username: str, password: str) -> None:
        self.username = username
        self._password = password
        self._encoded = basic_credentials(username, password)

    def headers(self) -> Mapping[str, str]:
        """Return the ``Authorization`` header."""
        return {"Authorization": f"Basic {self._encoded}"}

    def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002
        """A refused password stays refused."""
        return False

    def secrets(self) -> tuple[str, ...]:
        """Return the password, plain and encoded."""
        return (self._password, self._encoded)

    def __repr__(self) -> str:
        return f"BasicAuth(username={self.username!r})"


@dataclass(frozen=True)
class Grant:
    """What a log-in gave: the headers to present and, if known, how long they last."""

    headers: Mapping[str, str] = field(repr=False)
    lifetime_seconds: float | None = None


class RenewableAuth:
    """A session or token that is obtained on first use and renewed when it is refused or nearly over.

    :param login: obtains a grant; raises ``AuthenticationFailed`` when the credentials are refused.
    :param secrets: texts (password, refresh token) that must not appear in an error.
    :param margin_seconds: how long before its end a grant is renewed; at most a tenth of its life.
    :param clock: monotonic seconds.
    """

    def __init__(
        self,
        login: Callable[[], Grant],
        *,
        secrets: tuple[str, ...] = (),
        margin_seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._login = login
        self._secrets = secrets
        self._margin_seconds = margin_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._grant: Grant | None = None
        self._ends_at: float | None = None

    def headers(self) -> Mapping[str, str]:
        """Return the current headers; logs in first when there are none or they are about to end."""
        with self._lock:
            if self._grant is None or (self._ends_at is not None and self._clock() >= self._ends_at):
                return self._obtain()
            return self._grant.headers

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Log in again, unless another thread already replaced the ``refused`` headers."""
        with self._lock:
            if self._grant is None or dict(self._grant.headers) == dict(refused):
                self._obtain()
        return True

    def secrets(self) -> tuple[str, ...]:
        """Return the fixed secrets and the values of the current headers."""
        grant = self._grant
        return self._secrets + (() if grant is None else tuple(grant.headers.values()))

    @property
    def is_active(self) -> bool:
        """Whether a grant is held."""
        return self._grant is not None

    def drop(self) -> None:
        """Forget the grant; the next call logs in."""
        with self._lock:
            self._grant = None
            self._ends_at = None

    def _obtain(self) -> Mapping[str, str]:
        self._grant = None
        started = self._clock()
        grant = self._login()
        self._grant = grant
        self._ends_at = None
        if grant.lifetime_seconds is not None:
            margin = min(self._margin_seconds, grant.lifetime_seconds / 10)
            self._ends_at = started + grant.lifetime_seconds - margin
        return grant.headers


def basic_credentials(username: str, password: str) -> str:
    """Return ``user:password`` as HTTP Basic wants it (UTF-8, base64)."""
    return base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
