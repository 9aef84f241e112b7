"""Who may log in to the products of one world.

Products check log-ins against :class:`Credentials`, which the server keeps in ``world.products["credentials"]``;
they never invent their own.
"""

from __future__ import annotations

import hmac
import random
import secrets
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from hcx_sim.engine.randomness import Randomness
from hcx_sim.world.model import SiteName

KEY = "credentials"
SITE_PRODUCTS = ("hcx", "vcenter", "nsx")
USERNAMES = {"hcx": "administrator@vsphere.local", "vcenter": "administrator@vsphere.local", "nsx": "admin"}


@dataclass(frozen=True, slots=True)
class Login:
    """A user name with its password."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Log-ins per product and site, and what the cloud service accepts.

    ``logins`` is keyed ``"<product>/<site>"``; use :meth:`login` and :meth:`accepts`. ``refresh_token`` is the API
    token of the cloud service, ``oauth_client_id`` and ``oauth_client_secret`` are an OAuth app of ``org_id``.
    """

    logins: dict[str, Login]
    org_id: str
    oauth_client_id: str
    refresh_token: str = field(repr=False)
    oauth_client_secret: str = field(repr=False)

    def login(self, product: str, site: SiteName | str) -> Login:
        """Return the log-in of a product; raises :class:`KeyError` when it has none (``vmc``, ``csp``)."""
        return self.logins[f"{product}/{SiteName(site)}"]

    def accepts(self, product: str, site: SiteName | str, username: str, password: str) -> bool:
        """Tell whether user name (in any case) and password are right for a product."""
        login = self.logins.get(f"{product}/{SiteName(site)}")
        if login is None:
            return False
        same_user = hmac.compare_digest(login.username.lower().encode(), username.lower().encode())
        return hmac.compare_digest(login.password.encode(), password.encode()) and same_user

    def accepts_refresh_token(self, token: str) -> bool:
        """Tell whether an API token of the cloud service is right."""
        return hmac.compare_digest(self.refresh_token.encode(), token.encode())

    def accepts_oauth_app(self, client_id: str, client_secret: str) -> bool:
        """Tell whether an OAuth app's id and secret are right."""
        same_id = hmac.compare_digest(self.oauth_client_id.encode(), client_id.encode())
        return hmac.compare_digest(self.oauth_client_secret.encode(), client_secret.encode()) and same_id

    def to_json(self) -> dict[str, Any]:
        """Return everything, secrets included, for a file that only its owner can read."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Credentials:
        """Rebuild from :meth:`to_json`; raises :class:`KeyError` or :class:`TypeError` on another shape."""
        logins = {key: Login(**login) for key, login in data["logins"].items()}
        return cls(**{**data, "logins": logins})


def seeded_credentials(randomness: Randomness) -> Credentials:
    """Return credentials that repeat with the world's seed."""
    stream = randomness.stream("credentials")
    return _make(lambda length: _hex(stream, length), randomness.stable_uuid("csp-org"))


def secret_credentials() -> Credentials:
    """Return credentials that nobody can foresee."""
    return _make(lambda length: secrets.token_hex(length // 2), str(uuid.uuid4()))


def _hex(stream: random.Random, length: int) -> str:
    return f"{stream.getrandbits(length * 4):0{length}x}"


def _make(token: Callable[[int], str], org_id: str) -> Credentials:
    logins = {
        f"{product}/{site}": Login(USERNAMES[product], f"{product}-{token(20)}")
        for site in SiteName
        for product in SITE_PRODUCTS
    }
    return Credentials(
        logins=logins,
        org_id=org_id,
        oauth_client_id=f"app-{token(12)}",
        refresh_token=token(64),
        oauth_client_secret=token(40),
    )


def credentials_of(world_products: dict[str, Any]) -> Credentials:
    """Return the credentials from ``world.products``; raises :class:`KeyError` before they are there."""
    credentials: Credentials = world_products[KEY]
    return credentials
