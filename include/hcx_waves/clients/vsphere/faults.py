"""Map pyvmomi's faults and connection errors to client errors.

The vendor code of a mapped fault is the fault's own name (``InvalidLogin``, ``ConcurrentAccess``, ...).
"""

from __future__ import annotations

import re
import ssl
from http.client import HTTPException
from typing import Any
from xml.parsers.expat import ExpatError

from pyVmomi import vim, vmodl

from hcx_waves.clients import errors
from hcx_waves.clients.errors import ClientError, ErrorContext
from hcx_waves.clients.exchange import ExchangeTooLargeError, ExchangeTooLongError
from hcx_waves.clients.vsphere.address import ProbeDocumentError, ProbeStatusError
from hcx_waves.clients.vsphere.stub import NotSoapError

# The first class that fits decides; derived faults therefore stand before their bases.
_FAULTS: tuple[tuple[type[BaseException], type[ClientError]], ...] = (
    (vim.fault.InvalidLogin, errors.AuthenticationFailed),
    (vim.fault.NotAuthenticated, errors.SessionExpired),
    (vim.fault.NoPermission, errors.PermissionDenied),
    (vim.fault.RestrictedByAdministrator, errors.PermissionDenied),
    (vmodl.fault.SecurityError, errors.PermissionDenied),
    (vmodl.fault.ManagedObjectNotFound, errors.NotFound),
    (vim.fault.NotFound, errors.NotFound),
    (vim.fault.FileNotFound, errors.NotFound),
    (vim.fault.ConcurrentAccess, errors.StaleRevisionError),
    (vim.fault.DuplicateName, errors.ConflictError),
    (vim.fault.AlreadyExists, errors.ConflictError),
    (vim.fault.FileAlreadyExists, errors.ConflictError),
    (vim.fault.TaskInProgress, errors.ConflictError),
    (vim.fault.ResourceInUse, errors.ConflictError),
    (vim.fault.InvalidState, errors.ConflictError),
    (vim.fault.InvalidVmConfig, errors.ValidationFailed),
    (vim.fault.InvalidName, errors.ValidationFailed),
    (vim.fault.InvalidDatastorePath, errors.ValidationFailed),
    (vmodl.fault.InvalidArgument, errors.ValidationFailed),
    (vmodl.query.InvalidProperty, errors.ValidationFailed),
    (vmodl.fault.InvalidRequest, errors.VendorFault),
    (vmodl.fault.HostCommunication, errors.ServiceUnavailable),
    (vmodl.fault.SystemError, errors.ServerError),
)

# Which field of a fault says what it is about, for the message.
_SUBJECTS = ("privilegeId", "invalidProperty", "name", "existingState", "file", "property")

_MAX_DETAIL_CHARACTERS = 200
_HTTP_STATUS = re.compile(r"^(\d{3})\b")
_STATUS_ERRORS: dict[int, type[ClientError]] = {
    401: errors.AuthenticationFailed,
    403: errors.PermissionDenied,
    404: errors.NotFound,
    429: errors.RateLimited,
    502: errors.ServiceUnavailable,
    503: errors.ServiceUnavailable,
    504: errors.GatewayTimeout,
}


def fault_name(fault: object) -> str:
    """Return the vendor's name of a fault, e.g. ``ManagedObjectNotFound``."""
    return type(fault).__name__.rpartition(".")[2]


def fault_message(fault: Any) -> str:
    """Return what a fault says: its localised message, the messages below it, and what it is about."""
    texts = [str(getattr(fault, "msg", None) or "").strip()]
    texts += [str(getattr(part, "message", None) or "").strip() for part in getattr(fault, "faultMessage", None) or []]
    for subject in _SUBJECTS:
        value = getattr(fault, subject, None)
        if isinstance(value, str) and value and not any(value in text for text in texts):
            texts.append(f"{subject} {value}")
    missing = getattr(fault, "obj", None)
    if isinstance(fault, vmodl.fault.ManagedObjectNotFound) and missing is not None:
        texts.append(f"object {missing._moId}")
    return "; ".join(dict.fromkeys(text for text in texts if text))


def from_fault(fault: Any, context: ErrorContext) -> ClientError:
    """Map a fault thrown by vCenter to the error tree.

    :param fault: a ``vmodl.MethodFault``, thrown by a call or kept in ``TaskInfo.error``.
    :param context: the call; ``vendor_code`` and ``vendor_message`` are filled in here.
    """
    name = fault_name(fault)
    message = fault_message(fault)
    filled: ErrorContext = {**context, "vendor_code": name, "vendor_message": message or None}
    kind = next((error for known, error in _FAULTS if isinstance(fault, known)), errors.VendorFault)
    if kind is errors.ValidationFailed:
        return errors.ValidationFailed(f"vCenter answers {name}", messages=[message] if message else [], **filled)
    return kind(f"vCenter answers {name}", **filled)


def from_exception(error: BaseException, context: ErrorContext, *, timeout_seconds: float, sent: bool) -> ClientError:
    """Map whatever a pyvmomi call raised to the error tree.

    :param timeout_seconds: the time-out that applied, for the message of a time-out.
    :param sent: whether the request may have reached vCenter.
    """
    if isinstance(error, vmodl.MethodFault):
        return from_fault(error, context)
    if isinstance(error, ProbeStatusError):
        return _from_status(error.status, str(error), context)
    if isinstance(error, ProbeDocumentError):
        return errors.MalformedResponse(f"this is not a vSphere service: {error}", **context)
    if isinstance(error, ExchangeTooLongError):
        return errors.TimedOut(str(error), phase="read", timeout_seconds=error.total_seconds, **context)
    if isinstance(error, ExchangeTooLargeError):
        return errors.MalformedResponse(str(error), **context)
    if isinstance(error, TimeoutError):
        phase = "no answer" if sent else "no connection"
        return errors.TimedOut(
            f"{phase} within {timeout_seconds:g} s",
            phase="read" if sent else "connect",
            timeout_seconds=timeout_seconds,
            **context,
        )
    if isinstance(error, ssl.SSLError) and not sent:
        return errors.TlsError(_tls_message(error), **context)
    if isinstance(error, OSError):
        return errors.ConnectionFailed(_connection_message(error, sent), request_sent=sent, **context)
    return _from_unreadable(error, context, sent)


def _from_unreadable(error: BaseException, context: ErrorContext, sent: bool) -> ClientError:
    """Map an answer that is no SOAP answer; the request did leave."""
    if isinstance(error, NotSoapError):
        return errors.MalformedResponse(str(error), **context)
    if isinstance(error, HTTPException):
        status = _HTTP_STATUS.match(str(error))
        if status is not None:
            return _from_status(int(status[1]), str(error), context)
        return errors.ConnectionFailed(f"the answer broke off ({type(error).__name__})", request_sent=sent, **context)
    if isinstance(error, ExpatError):
        return errors.MalformedResponse(f"the answer is not complete XML ({error})", **context)
    # pyvmomi's deserialiser has no error class of its own: KeyError, TypeError, plain Exception and others.
    detail = f"{type(error).__name__}: {error}"[:_MAX_DETAIL_CHARACTERS]
    return errors.MalformedResponse(f"the answer does not fit the vSphere API ({detail})", **context)


def _from_status(status: int, text: str, context: ErrorContext) -> ClientError:
    """Map an HTTP status that did not come from the SOAP service itself."""
    kind = _STATUS_ERRORS.get(status, errors.ServerError if status >= 500 else errors.VendorFault)
    filled: ErrorContext = {**context, "status": status}
    return kind(f"answered HTTP {text} instead of SOAP", **filled)


def _tls_message(error: ssl.SSLError) -> str:
    """Say why a certificate, or the handshake as a whole, was refused."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    return f"no TLS connection: {error.reason or error}"


def _connection_message(error: OSError, sent: bool) -> str:
    """Say what broke, and when."""
    reason = error.strerror or type(error).__name__
    return f"the connection broke before the answer came ({reason})" if sent else f"no connection ({reason})"
