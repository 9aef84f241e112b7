"""The checks below any product: reachability, certificate, clock."""

from __future__ import annotations

import contextlib
import socket
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException

from cryptography import x509

from hcx_waves.clients.exchange import HttpConnection, HttpsConnection, bounded_by
from hcx_waves.doctor.results import CheckResult, failed, ok, warning
from hcx_waves.doctor.target import EndpointAddress, Means

EXPIRY_WARNING = timedelta(days=30)
SKEW_WARNING = timedelta(seconds=30)
SKEW_LIMIT = timedelta(minutes=5)


def check_reachability(address: EndpointAddress, means: Means) -> CheckResult:
    """Open a TCP connection."""
    clock = means.ambient.clock
    started = clock()
    where = f"{address.host}:{address.port}"
    try:
        socket.create_connection((address.host, address.port), means.settings.connect_seconds).close()
    except socket.gaierror:
        return failed(
            "reachability", f"the host name {address.host} cannot be resolved", "Correct the address or the DNS entry."
        )
    except TimeoutError:
        return failed(
            "reachability",
            f"{where} did not answer within {means.settings.connect_seconds:g} s",
            "Check routing and firewalls between this host and the endpoint.",
        )
    except OSError as error:
        return failed(
            "reachability",
            f"{where} cannot be reached ({error.strerror or type(error).__name__})",
            "Check that the product is running and that the port is correct.",
        )
    return ok("reachability", f"{where} answers in {(clock() - started) * 1000:.0f} ms")


def check_certificate(address: EndpointAddress, means: Means) -> CheckResult:
    """Make a TLS handshake that verifies, and look at the certificate's expiry."""
    if address.scheme == "http":
        return warning(
            "tls", "plain HTTP: nothing is encrypted or verified", "Use https for anything but a local simulator."
        )
    try:
        context = means.tls.ssl_context()
    except OSError as error:
        return failed(
            "tls",
            f"the file of trusted certificate authorities cannot be read ({error.strerror or error})",
            "Correct ca_file in the endpoints document.",
        )
    try:
        der, protocol = _handshake(address, means, context)
    except ssl.SSLCertVerificationError as error:
        return failed(
            "tls",
            f"not trusted: {error.verify_message}{_shown(address, means)}",
            "Set ca_file to the authority that signed it; check host name and expiry. Do not disable verification.",
        )
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or type(error).__name__
        return failed("tls", f"no TLS handshake ({reason})", "Check that the address is the product's https port.")
    return _expiry(x509.load_der_x509_certificate(der), protocol, means.now())


def check_date_header(address: EndpointAddress, means: Means, *, simulated: bool) -> CheckResult:
    """Compare the ``Date`` header of any answer with the local clock."""
    try:
        stamp = _date_header(address, means)
    except (OSError, HTTPException) as error:
        return warning(
            "clock", f"no answer with a time ({type(error).__name__})", "See the other checks of this endpoint."
        )
    if stamp is None:
        return warning("clock", "the endpoint sends no Date header", "Compare its clock with an NTP server by hand.")
    return judge_clock(stamp, means, simulated=simulated)


def judge_clock(there: datetime, means: Means, *, simulated: bool) -> CheckResult:
    """Judge an endpoint's time. A simulator's time is virtual: it is shown and never held against it."""
    skew = there - means.now()
    size = abs(skew)
    direction = "ahead of" if skew > timedelta(0) else "behind"
    if simulated and size > SKEW_WARNING:
        pace = f", running at speed {means.speed:g}" if means.speed is not None else ""
        return ok("clock", f"virtual time {there:%Y-%m-%d %H:%M:%S} UTC{pace}")
    # A Date header knows whole seconds only.
    in_step = size < timedelta(seconds=2)
    detail = "in sync with this host" if in_step else f"{size.total_seconds():.0f} s {direction} this host"
    if size <= SKEW_WARNING:
        return ok("clock", detail)
    step = "Synchronise both with NTP: schedules and windows are absolute instants."
    return warning("clock", detail, step) if size <= SKEW_LIMIT else failed("clock", detail, step)


def _handshake(address: EndpointAddress, means: Means, context: ssl.SSLContext) -> tuple[bytes, str]:
    """Return the endpoint's certificate and the protocol's version. Nothing else is sent."""
    with (
        socket.create_connection((address.host, address.port), means.settings.connect_seconds) as plain,
        context.wrap_socket(plain, server_hostname=address.host) as wrapped,
    ):
        return wrapped.getpeercert(binary_form=True) or b"", wrapped.version() or ""


def _shown(address: EndpointAddress, means: Means) -> str:
    """Describe a certificate that was refused, from a handshake that trusts nothing and sends nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        certificate = x509.load_der_x509_certificate(_handshake(address, means, context)[0])
    except (OSError, ValueError):
        return ""
    return (
        f" (subject {certificate.subject.rfc4514_string() or 'empty'}, "
        f"issuer {certificate.issuer.rfc4514_string() or 'empty'}, "
        f"valid until {certificate.not_valid_after_utc:%Y-%m-%d})"
    )


def _expiry(certificate: x509.Certificate, protocol: str, now: datetime) -> CheckResult:
    """Judge how long a trusted certificate is still good for."""
    until = certificate.not_valid_after_utc
    days = (until - now).days
    detail = f"{protocol}, trusted, valid until {until:%Y-%m-%d} ({days} days)"
    if until - now < EXPIRY_WARNING:
        return warning("tls", detail, "Renew the certificate before the wave.")
    return ok("tls", detail)


def _date_header(address: EndpointAddress, means: Means) -> datetime | None:
    """Ask for any page and return the time it was answered."""
    timeout = means.settings.read_seconds
    if address.scheme == "http":
        connection: HTTPConnection = HttpConnection(address.host, address.port, timeout=timeout)
    else:
        connection = HttpsConnection(address.host, address.port, timeout=timeout, context=means.tls.ssl_context())
    with contextlib.closing(connection), bounded_by(means.settings.exchange()):
        connection.request("GET", address.path)
        value = connection.getresponse().getheader("Date")
    if value is None:
        return None
    try:
        stamp = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)
