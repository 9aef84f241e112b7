"""The address of a vCenter's SOAP service, and the API version it supports.

pyvmomi's own probe (``SmartConnect``) has no time-out, and its ``Connect`` keeps the last connection in a
module-wide variable; so the probe is made here and the stub is built directly. [C nsx-vsphere 4.5]
"""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit
from xml.etree import ElementTree

from pyVmomi.VmomiSupport import GetServiceVersions, versionIdMap

from hcx_waves.clients.exchange import HttpConnection, HttpsConnection, bounded_by
from hcx_waves.clients.transport_wire import TransportSettings

SOAP_PATH = "/sdk"
_SUPPORTED_DOCUMENT = "1.0"
_MAX_DOCUMENT_BYTES = 1_000_000


@dataclass(frozen=True)
class Address:
    """The parts of a vCenter base URL.

    ``host`` has no brackets; ``path`` is the path of the SOAP service, ending in ``/sdk``.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The whole URL of the SOAP service."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"

    @property
    def stub_port(self) -> int:
        """The port as pyvmomi's stub wants it: negative means plain HTTP."""
        return self.port if self.scheme == "https" else -self.port


class NotSentError(Exception):
    """No connection could be made, so the request never left; the reason is ``__cause__``."""


class ProbeStatusError(Exception):
    """The version document was answered with another status than 200."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status


class ProbeDocumentError(Exception):
    """The version document is not one, or names no version that this client speaks."""


def parse_address(base_url: str) -> Address:
    """Take a base URL apart.

    :param base_url: ``https://host[:port][/path]``. Without a path ``/sdk`` is meant; a path that does not
        end in ``/sdk`` is a prefix (a reverse proxy, a simulated world) and gets ``/sdk`` appended.
    :raises ValueError: if the scheme is neither http nor https, or the host is missing. The message shows
        no user info.
    """
    parts = urlsplit(base_url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a vCenter address must look like https://host[:port][/path]")
    path = parts.path.rstrip("/")
    if path != SOAP_PATH and not path.endswith(SOAP_PATH):
        path += SOAP_PATH
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Address(parts.scheme, parts.hostname, port, path)


def probe_version(address: Address, context: ssl.SSLContext | None, settings: TransportSettings) -> str:
    """Ask the server for its API versions and return the newest that pyvmomi also speaks.

    The answer is pyvmomi's version key, e.g. ``vim.version.v8_0_3_0``. Nothing is sent but a GET of
    ``<path>/vimServiceVersions.xml``.

    :raises ProbeStatusError: on a status other than 200.
    :raises ProbeDocumentError: if the document cannot be read or no version fits.
    :raises NotSentError: if no connection can be made.
    :raises OSError, http.client.HTTPException: if the connection breaks later.
    """
    connection = _open(address, context, settings.connect_seconds)
    with contextlib.closing(connection), bounded_by(settings.exchange()):
        _connect(connection, settings.read_seconds)
        connection.request("GET", f"{address.path}/vimServiceVersions.xml")
        response = connection.getresponse()
        body = response.read(_MAX_DOCUMENT_BYTES)
        if response.status != 200:
            raise ProbeStatusError(response.status, response.reason)
    offered = _offered_versions(body)
    for version in GetServiceVersions("vim25"):
        if versionIdMap[version] in offered:
            return str(version)
    raise ProbeDocumentError(f"no common API version; the server offers {', '.join(sorted(offered)) or 'none'}")


def _open(address: Address, context: ssl.SSLContext | None, timeout_seconds: float) -> HTTPConnection:
    """Return an unconnected HTTP connection to the address."""
    if address.scheme == "http":
        return HttpConnection(address.host, address.port, timeout=timeout_seconds)
    if context is None:
        # Without a context http.client would decide by itself what to trust.
        raise HTTPException("an https address needs an SSL context")
    return HttpsConnection(address.host, address.port, timeout=timeout_seconds, context=context)


def _connect(connection: HTTPConnection, read_timeout_seconds: float) -> None:
    """Connect, then let the read time-out apply."""
    try:
        connection.connect()
        connection.sock.settimeout(read_timeout_seconds)
    except OSError as error:
        raise NotSentError from error


def _offered_versions(body: bytes) -> set[str]:
    """Return the version ids that a ``vimServiceVersions.xml`` lists, prior ones included."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise ProbeDocumentError("the version document declares entities, which it has no need of")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314
    except ElementTree.ParseError as error:
        raise ProbeDocumentError(f"the version document is not XML ({error})") from error
    if root.tag != "namespaces" or root.get("version") != _SUPPORTED_DOCUMENT:
        raise ProbeDocumentError(f"the version document is of an unknown kind ({root.tag!r})")
    # The namespaces of the other services (pbm, sms, ...) number their versions on their own.
    offered: set[str] = set()
    for namespace in root.findall("namespace"):
        if (namespace.findtext("name") or "").strip() not in ("", "urn:vim25"):
            continue
        found = [namespace.find("version"), *namespace.findall("priorVersions/version")]
        offered.update(node.text.strip() for node in found if node is not None and node.text)
    return offered
