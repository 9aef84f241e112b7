"""The hook of VMware Cloud on AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from hcx_airflow.errors import ConnectionSettingsError
from hcx_airflow.hooks.base import ManagerHook, naming
from hcx_airflow.hooks.extras import VmcExtras
from hcx_waves.model.formatting import counted

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

    def __init__(self, vmc_conn_id: str = default_conn_name, **chosen: Any) -> None:
        super().__init__(vmc_conn_id, **chosen)

    @override
    def make_client(self) -> VmcClient:
        from hcx_waves.clients.vmc import VmcClient
        from hcx_waves.clients.vmc.auth import OAuthApp, RefreshToken
        from hcx_waves.clients.vmc.client import CSP_URL, VMC_URL

        if self.extras.oauth_app:
            credentials: OAuthApp | RefreshToken = OAuthApp(*self.login())
        else:
            credentials = RefreshToken(self._token())
        # VMware's own addresses are nobody's twin.
        own = self.twin is None and not self.connection.host
        return VmcClient(
            credentials,
            vmc_url=VMC_URL if own else self.url,
            csp_url=self.csp_url or CSP_URL,
            org_id=self.extras.org_id or (None if self.twin is None else self.twin.cloud("org_id")),
            **self.common(),
        )

    def _token(self) -> str:
        token = self.connection.password or (None if self.twin is None else self.twin.cloud("refresh_token"))
        if not token:
            raise ConnectionSettingsError(
                self.conn_id, "has no password. Set it to the API token under Admin, Connections"
            )
        return token

    @property
    def csp_url(self) -> str | None:
        """Where to log in, None for VMware's own; a twin's is its world's, or the server's that the extra names.

        :raises ConnectionSettingsError: if a twin's world has none.
        """
        if self.twin is None:
            return self.extras.csp_url
        if self.extras.csp_url:
            return self.twin.place(self.extras.csp_url)
        found = self.twin.cloud("csp_url")
        if found is None:
            raise ConnectionSettingsError(
                self.conn_id,
                "leads to a twin that has no VMware Cloud. Rehearse on a snapshot of a site with VMware Cloud",
            )
        return found

    @override
    def peek(self, url: str | None = None) -> None:
        super().peek(url)
        if self.twin is not None and url is None:
            super().peek(self.csp_url)

    @property
    def sddc_id(self) -> str:
        """The SDDC that the connection is for.

        :raises ConnectionSettingsError: if it names none.
        """
        found = self.extras.sddc_id or (None if self.twin is None else self.twin.cloud(f"{self.site}_sddc_id"))
        if found is None:
            raise ConnectionSettingsError(
                self.conn_id, "its extra has no sddc_id, which is needed to reach NSX. Set it under Admin, Connections"
            )
        return found

    def nsx_client(self, client: VmcClient) -> NsxPolicyClient:
        """Build a client of the SDDC's NSX."""
        with naming(self.conn_id):
            made = client.nsx_client(self.sddc_id)
        self.peek(made.base_url)
        return made

    @override
    def greet(self, client: VmcClient) -> str:
        client.login()
        if self.extras.sddc_id is None:
            return f"VMware Cloud, {counted(len(client.sddcs()), 'SDDC')}"
        sddc = client.sddc(self.extras.sddc_id)
        return f"VMware Cloud, SDDC {sddc.name} ({sddc.state})"
