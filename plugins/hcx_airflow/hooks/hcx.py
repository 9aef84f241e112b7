"""The hook of an HCX manager."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from hcx_airflow.hooks.base import ManagerHook
from hcx_airflow.hooks.extras import HcxExtras

if TYPE_CHECKING:
    from hcx_waves.clients.hcx import HcxClient


class HcxHook(ManagerHook["HcxClient", HcxExtras]):
    """HCX Manager: login and password are a vCenter SSO user with an HCX role.

    :param hcx_conn_id: the Airflow connection, of type ``hcx``.
    """

    conn_name_attr: ClassVar[str] = "hcx_conn_id"
    default_conn_name: ClassVar[str] = "hcx_default"
    conn_type: ClassVar[str] = "hcx"
    hook_name: ClassVar[str] = "VMware HCX"
    system: ClassVar[str] = "hcx"
    extras_class = HcxExtras

    def __init__(self, hcx_conn_id: str = default_conn_name, **chosen: Any) -> None:
        super().__init__(hcx_conn_id, **chosen)

    @override
    def make_client(self) -> HcxClient:
        from hcx_waves.clients.hcx import HcxClient

        user, password = self.login()
        chosen = self.common()
        if self.extras.cancel_path is not None:
            chosen["cancel_path"] = self.extras.cancel_path
        return HcxClient(self.url, user, password, version=self.extras.version, **chosen)

    @override
    def greet(self, client: HcxClient) -> str:
        client.login()
        version = client.version()
        return f"HCX {version.text} at {client.base_url}"
