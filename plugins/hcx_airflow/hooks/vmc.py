"""The hook of VMware Cloud on AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from airflow.sdk import Connection
from typing_extensions import override

from hcx_airflow.common.errors import ConnectionSettingsError
from hcx_airflow.hooks.base import ManagerHook, naming
from hcx_airflow.hooks.extras import VmcExtras

if TYPE_CHECKING:
    from hcx_waves.clients.nsx import NsxPolicyClient
    from hcx_waves.clients.vmc import VmcClient


class VmcHook(ManagerHook["VmcClient", VmcExtras]):
    """VMware Cloud on AWS: the password is an API token, or login and password are an OAuth app's.

    :param vmc_conn_id: the Airflow connection, of type ``vmc``.
    """

    conn_name_attr: ClassVar[str] = "vmc_conn_id"
    default_conn_name: ClassVar[str] = "vmc_default"
    conn_type: ClassVar[str] = "vmc"
    hook_name: ClassVar[str] = "VMware Cloud on AWS"
    system: ClassVar[str] = "vmc"
    extras_class = VmcExtras

    def __init__(
        self, vmc_conn_id: str = default_conn_name, *, rehearsal: bool = False, connection: Connection | None = None
    ) -> None:
        super().__init__(vmc_conn_id, rehearsal=rehearsal, connection=connection)

    @override
    def make_client(self) -> VmcClient:
        from hcx_waves.clients.vmc import VmcClient
        from hcx_waves.clients.vmc.auth import OAuthApp, RefreshToken
        from hcx_waves.clients.vmc.client import CSP_URL, VMC_URL

        if self.extras.oauth_app:
            credentials: OAuthApp | RefreshToken = OAuthApp(*self.login())
        elif self.connection.password:
            credentials = RefreshToken(self.connection.password)
        else:
            raise ConnectionSettingsError(self.conn_id, "has no password: the API token belongs there")
        return VmcClient(
            credentials,
            vmc_url=self.url if self.connection.host else VMC_URL,
            csp_url=self.extras.csp_url or CSP_URL,
            org_id=self.extras.org_id,
            **self.common(),
        )

    @property
    def sddc_id(self) -> str:
        """The SDDC that the connection is for.

        :raises ConnectionSettingsError: if it names none.
        """
        if self.extras.sddc_id is None:
            raise ConnectionSettingsError(self.conn_id, "its extra names no sddc_id, so it leads to no NSX")
        return self.extras.sddc_id

    def nsx_client(self, client: VmcClient) -> NsxPolicyClient:
        """Build a client of the SDDC's NSX."""
        with naming(self.conn_id):
            return client.nsx_client(self.sddc_id)

    @override
    def greet(self, client: VmcClient) -> str:
        client.login()
        if self.extras.sddc_id is None:
            return f"VMware Cloud, {len(client.sddcs())} SDDCs"
        sddc = client.sddc(self.extras.sddc_id)
        return f"VMware Cloud, SDDC {sddc.name} ({sddc.state})"
