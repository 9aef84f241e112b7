"""The hook of the simulator's control port."""

from __future__ import annotations

from typing import ClassVar

from airflow.sdk import Connection
from typing_extensions import override

from hcx_airflow.errors import ConnectionSettingsError
from hcx_airflow.hooks.base import ManagerHook
from hcx_airflow.hooks.extras import Extras
from hcx_waves.model.formatting import counted
from hcx_waves.twin.control import TwinControl

TWIN_CONTROL = "twin_control"
"""The connection that leads to the control port of the twins' simulator."""


class TwinExtras(Extras):
    """Of the control port of the twins' simulator."""


class TwinControlHook(ManagerHook[TwinControl, TwinExtras]):
    """The control port of the simulator that twins live in: the password is its token.

    :param twin_conn_id: the Airflow connection, of type ``hcx_twin``.
    """

    conn_name_attr: ClassVar[str] = "twin_conn_id"
    default_conn_name: ClassVar[str] = TWIN_CONTROL
    conn_type: ClassVar[str] = "hcx_twin"
    hook_name: ClassVar[str] = "hcx-sim twins"
    system: ClassVar[str] = "twin"
    extras_class = TwinExtras

    def __init__(self, twin_conn_id: str = default_conn_name, *, connection: Connection | None = None) -> None:
        super().__init__(twin_conn_id, connection=connection)

    @override
    def make_client(self) -> TwinControl:
        token = self.connection.password
        if not token:
            raise ConnectionSettingsError(
                self.conn_id, "has no password. Set it to the simulator's control token under Admin, Connections"
            )
        return TwinControl(self.url, token, tls=self.extras.tls(), settings=self.extras.settings())

    @override
    def greet(self, client: TwinControl) -> str:
        worlds = counted(len(client.worlds()), "world")
        return f"control port of the simulator at {client.base_url}, {worlds}"

    @override
    def describe(self, client: TwinControl, words: str) -> str:
        return words
