"""The world that a rehearsal works in, and the hook of the simulator's control port."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit, urlunsplit

from airflow.sdk import Connection
from typing_extensions import override

from hcx_airflow.common.errors import ConnectionSettingsError
from hcx_airflow.hooks.base import ManagerHook
from hcx_airflow.hooks.extras import Extras
from hcx_waves.clients.transport_wire import Ambient
from hcx_waves.twin.control import TwinControl

TWIN_CONTROL = "twin_control"
"""The connection that leads to the control port of the twins' simulator."""


@dataclass(frozen=True)
class TwinWorld:
    """The one world that a run's connections lead to.

    :param world_id: which follows from the run alone.
    :param endpoints: the world's endpoints document, with the log-ins that were made for it.
    :param ambient_of: time and chance of a connection's client, by connection id: the world's, not the machine's.
    """

    world_id: str
    endpoints: Mapping[str, Any] = field(repr=False, default_factory=dict)
    ambient_of: Callable[[str], Ambient] | None = field(repr=False, default=None)

    def place(self, url: str) -> str:
        """Return a URL with the world in front of its path."""
        parts = urlsplit(url)
        return urlunsplit(parts._replace(path=f"/w/{quote(self.world_id, safe='')}{parts.path.rstrip('/')}"))

    def login(self, site: str, product: str) -> tuple[str | None, str | None]:
        """Return user name and password of a product in this world, None where it has none."""
        facts = (self.endpoints.get(site) or {}).get(product) or {}
        return facts.get("username"), facts.get("password")

    def cloud(self, field_name: str) -> str | None:
        """Return what the world says of its cloud service: ``csp_url``, ``refresh_token``, ``org_id``, ..."""
        value = (self.endpoints.get("vmc") or {}).get(field_name)
        return None if value is None else str(value)

    def ambient(self, conn_id: str) -> Ambient | None:
        """Return time and chance for the client of a connection."""
        return None if self.ambient_of is None else self.ambient_of(conn_id)

    def secrets(self) -> list[str]:
        """Return the texts that must not get into a file."""
        logins = [self.login(site, product)[1] for site in ("source", "destination") for product in _PRODUCTS]
        control = (self.endpoints.get("control") or {}).get("token")
        return [str(one) for one in (*logins, self.cloud("refresh_token"), control) if one]


_PRODUCTS = ("hcx", "vcenter", "nsx")


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
            raise ConnectionSettingsError(self.conn_id, "has no password: the simulator's control token belongs there")
        return TwinControl(self.url, token, tls=self.extras.tls(), settings=self.extras.settings())

    @override
    def greet(self, client: TwinControl) -> str:
        count = len(client.worlds())
        return f"the simulator's control port at {client.base_url}, {count} world{'' if count == 1 else 's'}"

    @override
    def describe(self, client: TwinControl, words: str) -> str:
        return words
