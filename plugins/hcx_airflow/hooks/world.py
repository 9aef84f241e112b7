"""The one world of the simulator that a rehearsal works in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from hcx_waves.clients.transport_wire import Ambient

_PRODUCTS = ("hcx", "vcenter", "nsx")


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
