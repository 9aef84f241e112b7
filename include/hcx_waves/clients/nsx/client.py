"""The client of one NSX Policy API: of an NSX Manager, or through VMware Cloud's reverse proxy."""

from __future__ import annotations

from collections.abc import Iterable

from hcx_waves.clients.identity import AllowedEndpoints, Role
from hcx_waves.clients.nsx.attachments import AttachmentCalls
from hcx_waves.clients.nsx.auth import SessionAuth
from hcx_waves.clients.nsx.segments import SegmentCalls
from hcx_waves.clients.nsx.wire import NODE_VERSION, POLICY_API, NsxDialect
from hcx_waves.clients.rest_client import RestClient
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.clients.transport import RestTransport
from hcx_waves.clients.transport_auth import Authenticator
from hcx_waves.clients.transport_retry import CallKind
from hcx_waves.clients.transport_wire import Ambient, Call, TransportSettings


class NsxPolicyClient(SegmentCalls, AttachmentCalls, RestClient):
    """What one NSX Policy API offers; no policy above it. Safe for several threads.

    :param base_url: of the manager or the reverse proxy, without ``/policy/api/v1``.
    :param auth: ``BasicAuth``, ``SessionAuth`` or (VMware Cloud) ``CspTokenAuth``.
    :param enforcement_point: ``vmc-enforcementpoint`` on VMware Cloud, else ``default`` [D nsx-vsphere 1.3].
    :param tier1_id: parent of the fixed segments (``cgw`` on VMware Cloud); None if there are none.
    :param allowed_roles: which endpoint identities may be changed; None: any.
    :raises ValueError: if the URL is none.
    """

    def __init__(
        self,
        base_url: str,
        auth: Authenticator,
        *,
        enforcement_point: str = "default",
        tier1_id: str | None = "cgw",
        tls: TlsSettings | None = None,
        settings: TransportSettings | None = None,
        ambient: Ambient | None = None,
        allowed_roles: Iterable[Role] | AllowedEndpoints | None = None,
    ) -> None:
        self._enforcement_point = enforcement_point
        self._tier1_id = tier1_id
        self._transport = RestTransport(
            NsxDialect(),
            base_url,
            auth=auth,
            tls=tls,
            settings=settings,
            identity_probe=Call("GET", f"{POLICY_API}/infra/segments", CallKind.READ, query={"page_size": 1}),
            allowed_roles=allowed_roles,
            ambient=ambient,
        )
        if isinstance(auth, SessionAuth):
            auth.bind(self._transport)

    def __repr__(self) -> str:
        return f"NsxPolicyClient({self.base_url!r})"

    def product_version(self) -> str | None:
        """Read the manager's version, such as ``4.1.2.0.1.22596744``; None without any. [D nsx-vsphere 1.2]

        :raises NotFound: where the node API is not offered, as behind some proxies.
        """
        reply = self._transport.send(Call("GET", NODE_VERSION, CallKind.READ))
        body = reply.body if isinstance(reply.body, dict) else {}
        version = body.get("product_version") or body.get("node_version")
        return None if version is None else str(version)
