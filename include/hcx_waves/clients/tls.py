"""How a client verifies the server certificate.

One immutable :class:`TlsSettings` per endpoint; nothing here touches process-wide TLS state. The settings
build one ``SSLContext`` that is used by the REST clients (through :class:`TlsAdapter`) and by the vSphere
client (as ``sslContext``) alike.

Two traps this module closes, both reproduced with requests 2.34:

* ``REQUESTS_CA_BUNDLE`` in the environment overrides ``session.verify``; :class:`TlsAdapter` ignores what
  requests passes down, so the settings alone decide.
* requests adds its own bundle of public authorities to a pool, which would widen a pinned context;
  the adapter hands urllib3 the finished context and nothing else.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError

from hcx_waves.clients.exchange import BoundedSending


@dataclass(frozen=True)
class TlsSettings:
    """What to trust at one endpoint. Verification is on unless it is switched off by name.

    :param verify: False accepts any certificate. For laboratories only.
    :param ca_file: PEM file of the authorities to trust *instead of* the system's store.
    :param ca_pem: the same as text.
    :param pinned_pem: the endpoint's own certificate (or its authority) as PEM text: only a chain that
        ends there is accepted, whatever host name the endpoint is reached by.
    :raises ValueError: if more than one source of trust is given, or one together with ``verify=False``
        (it would never be looked at), or if a PEM text is empty.
    """

    verify: bool = True
    ca_file: Path | None = None
    ca_pem: str | None = field(default=None, repr=False)
    pinned_pem: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        given = [name for name in ("ca_file", "ca_pem", "pinned_pem") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"give only one of ca_file, ca_pem and pinned_pem, not {' and '.join(given)}")
        if given and not self.verify:
            raise ValueError(f"verify=False would ignore {given[0]}; drop one of the two")
        if given and not str(getattr(self, given[0])).strip():
            # Python would fall back to the system's store, and a pin would quietly pin nothing.
            raise ValueError(f"{given[0]} is empty")

    @property
    def checks_host_name(self) -> bool:
        """Whether the certificate must name the host: not when pinned, where the key is the identity."""
        return self.verify and self.pinned_pem is None

    def ssl_context(self) -> ssl.SSLContext:
        """Build a fresh context.

        :raises OSError: if ``ca_file`` cannot be read.
        :raises ssl.SSLError: if a PEM text or file holds no certificate.
        """
        context = ssl.create_default_context(
            cafile=None if self.ca_file is None else str(self.ca_file),
            cadata=self.pinned_pem if self.ca_pem is None else self.ca_pem,
        )
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.pinned_pem is not None:
            # A leaf certificate is no authority: without this flag OpenSSL would look for its issuer.
            context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        if not self.checks_host_name:
            context.check_hostname = False
        if not self.verify:
            context.verify_mode = ssl.CERT_NONE
        return context

    def adapter(self, pool_size: int = 8) -> TlsAdapter:
        """Build a requests adapter that verifies by these settings only.

        :param pool_size: connections kept per host.
        """
        return TlsAdapter(self, pool_size=pool_size)


class TlsAdapter(HTTPAdapter):
    """A requests adapter whose TLS behaviour depends on nothing but its :class:`TlsSettings`.

    The ``verify`` argument of requests, ``session.verify`` and the bundle variables of the environment
    have no effect on it. Plain ``http`` URLs work; there is nothing to verify then.
    """

    def __init__(self, settings: TlsSettings, *, pool_size: int = 8) -> None:
        self._settings = settings
        self._context = settings.ssl_context()
        super().__init__(pool_connections=4, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make connections that keep the bounds of the exchange they serve."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the pool as ``build_connection_pool_key_attributes`` made it."""

    def build_connection_pool_key_attributes(
        self,
        request: PreparedRequest,
        verify: Any,  # noqa: ARG002  (the signature is requests')
        cert: Any = None,  # noqa: ARG002
    ) -> tuple[Any, Any]:
        """Return host and pool parameters: our context, and no other source of trust."""
        parts = urlsplit(str(request.url))
        host: dict[str, Any] = {"scheme": parts.scheme.lower(), "host": parts.hostname, "port": parts.port}
        if host["scheme"] == "http":
            return host, {}
        pool: dict[str, Any] = {
            "ssl_context": self._context,
            "cert_reqs": "CERT_REQUIRED" if self._settings.verify else "CERT_NONE",
        }
        if not self._settings.checks_host_name:
            # urllib3 would match the name by itself once the context does not.
            pool["assert_hostname"] = False
        return host, pool


class _HttpConnection(BoundedSending, HTTPConnection):
    pass


class _HttpsConnection(BoundedSending, HTTPSConnection):
    def connect(self) -> None:
        """Connect; a handshake that does not end in time has sent nothing of the request."""
        try:
            super().connect()
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"no TLS connection within {self.timeout} s") from error


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection
