"""The hook of a vCenter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from hcx_airflow.hooks.base import ManagerHook
from hcx_airflow.hooks.extras import VsphereExtras

if TYPE_CHECKING:
    from hcx_waves.clients.vsphere import VsphereClient


class VsphereHook(ManagerHook["VsphereClient", VsphereExtras]):
    """vCenter Server.

    :param vsphere_conn_id: the Airflow connection, of type ``vsphere``.
    """

    conn_name_attr: ClassVar[str] = "vsphere_conn_id"
    default_conn_name: ClassVar[str] = "vsphere_default"
    conn_type: ClassVar[str] = "vsphere"
    hook_name: ClassVar[str] = "VMware vSphere"
    system: ClassVar[str] = "vcenter"
    extras_class = VsphereExtras

    def __init__(self, vsphere_conn_id: str = default_conn_name, **chosen: Any) -> None:
        super().__init__(vsphere_conn_id, **chosen)

    @override
    def make_client(self) -> VsphereClient:
        from hcx_waves.clients.vsphere import VsphereClient

        shared = self.common()
        del shared["allowed_roles"]  # the client only reads
        return VsphereClient(self.url, *self.login(), **shared)

    @override
    def greet(self, client: VsphereClient) -> str:
        about = client.about()
        client.server_time()
        return f"{about.full_name}"
