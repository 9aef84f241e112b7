"""Read the identity of an endpoint without a password and without changing anything."""

from __future__ import annotations

from hcx_waves.clients.errors import ClientError, ErrorContext, MalformedResponse
from hcx_waves.clients.identity import EndpointIdentity
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.clients.transport import RestTransport
from hcx_waves.clients.transport_faults import VendorWords, error_for_status
from hcx_waves.clients.transport_retry import CallKind
from hcx_waves.clients.transport_wire import Ambient, Call, Reply, TransportSettings

_BUSY = frozenset({429, 502, 503, 504})


class _AnyAnswer:
    """Takes every answer but those that are no answer of the product itself."""

    def __init__(self, system: str) -> None:
        self.system = system

    def fault(
        self, reply: Reply, context: ErrorContext, *, with_session: bool, retry_after_seconds: float | None
    ) -> ClientError | None:
        if reply.status not in _BUSY:
            return None
        return error_for_status(
            reply.status,
            VendorWords(),
            context,
            with_session=with_session,
            retry_after_seconds=retry_after_seconds,
        )


def peek_identity(
    system: str,
    url: str,
    tls: TlsSettings | None = None,
    settings: TransportSettings | None = None,
    ambient: Ambient | None = None,
) -> EndpointIdentity:
    """Return what an address says it is; its answer to an anonymous GET tells, whatever the status.

    :param system: the product that is expected there, for errors.
    :raises ClientError: if nobody answers.
    """
    probe = Call("GET", "/", CallKind.READ, authenticated=False)
    transport = RestTransport(
        _AnyAnswer(system), url, tls=tls, settings=settings, identity_probe=probe, ambient=ambient
    )
    try:
        transport.send(probe)
    except MalformedResponse as error:
        if error.status is None:
            raise
    finally:
        transport.close()
    return transport.identity()
