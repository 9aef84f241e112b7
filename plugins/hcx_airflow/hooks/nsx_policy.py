"""The hook of an NSX manager."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from hcx_airflow.hooks.base import ManagerHook
from hcx_airflow.hooks.extras import NsxExtras
from hcx_waves.model.formatting import counted

if TYPE_CHECKING:
    from hcx_waves.clients.nsx import NsxPolicyClient


class NsxPolicyHook(ManagerHook["NsxPolicyClient", NsxExtras]):
    """NSX Manager with its Policy API.

    :param nsx_conn_id: the Airflow connection, of type ``nsx_policy``.
    """

    conn_name_attr: ClassVar[str] = "nsx_conn_id"
    default_conn_name: ClassVar[str] = "nsx_default"
    conn_type: ClassVar[str] = "nsx_policy"
    hook_name: ClassVar[str] = "VMware NSX Policy"
    system: ClassVar[str] = "nsx"
    extras_class = NsxExtras

    def __init__(self, nsx_conn_id: str = default_conn_name, **chosen: Any) -> None:
        super().__init__(nsx_conn_id, **chosen)

    @override
    def make_client(self) -> NsxPolicyClient:
        from hcx_waves.clients.nsx import NsxPolicyClient, SessionAuth
        from hcx_waves.clients.transport_auth import BasicAuth
        from hcx_waves.clients.transport_wire import Ambient

        user, password = self.login()
        clock = (self.ambient or Ambient()).clock
        auth = SessionAuth(user, password, clock=clock) if self.extras.session_login else BasicAuth(user, password)
        return NsxPolicyClient(
            self.url,
            auth,
            enforcement_point=self.extras.enforcement_point,
            tier1_id=self.extras.tier1_id,
            **self.common(),
        )

    @override
    def greet(self, client: NsxPolicyClient) -> str:
        return f"NSX at {client.base_url}, {counted(len(client.segments()), 'segment')}"
