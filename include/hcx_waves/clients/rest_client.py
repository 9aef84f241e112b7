"""The base of the clients on the JSON transport: address, identity, use as a context manager."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from hcx_waves.clients.identity import EndpointIdentity
from hcx_waves.clients.transport import RestTransport


class RestClient:
    """Base of the clients; ``_transport`` is the one to the endpoint itself."""

    _transport: RestTransport

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def base_url(self) -> str:
        """The endpoint's address."""
        return self._transport.base_url

    def identity(self) -> EndpointIdentity:
        """Return whether this is the real product, a simulated site or a twin.

        :raises ClientError: if the endpoint has to be asked and does not answer.
        """
        return self._transport.identity()

    def close(self) -> None:
        """Close the connections; the client can be used again afterwards."""
        self._transport.close()
