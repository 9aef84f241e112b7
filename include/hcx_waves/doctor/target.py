"""The address of an endpoint, and how the doctor connects to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from hcx_waves.clients.tls import TlsSettings
from hcx_waves.clients.transport_retry import RetryPolicy
from hcx_waves.clients.transport_wire import Ambient, TransportSettings

# A person waits for the answer: fewer and shorter attempts than a wave makes.
_SETTINGS = TransportSettings(
    connect_seconds=5.0,
    read_seconds=20.0,
    total_seconds=60.0,
    retry=RetryPolicy(attempts=2, base_seconds=0.2),
)


@dataclass(frozen=True)
class Means:
    """How the doctor looks: trust, time-outs, clock.

    :param now: local wall-clock time, timezone-aware.
    :param speed: the simulator's speed according to the document.
    """

    tls: TlsSettings = field(default_factory=TlsSettings)
    settings: TransportSettings = _SETTINGS
    ambient: Ambient = field(default_factory=Ambient)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    speed: float | None = None


@dataclass(frozen=True)
class EndpointAddress:
    """Host and port of a URL.

    :raises ValueError: from :meth:`of_url`, if it is no http(s) URL.
    """

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of_url(cls, url: str) -> EndpointAddress:
        """Take a URL apart."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("not an http(s) address")
        return cls(
            parts.scheme,
            parts.hostname,
            parts.port or (443 if parts.scheme == "https" else 80),
            parts.path or "/",
        )
