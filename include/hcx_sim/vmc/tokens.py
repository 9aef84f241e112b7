"""Access tokens of the cloud: issued by the sign-in service, accepted by VMC and by NSX behind the reverse proxy.

A token lives ``settings.vmc.access_token_seconds`` from its issue, used or not (30 minutes [D nsx-vsphere 1.1]).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request

from hcx_sim.engine.clock import seconds
from hcx_sim.world.credentials import credentials_of
from hcx_sim.world.world import World

CSP = "csp"
CLOUD_ADMIN = "cloudadmin@vmc.example"
SCOPE = "ALL_PERMISSIONS"


@dataclass(slots=True)
class AccessToken:
    """Whose token it is, and until when in :meth:`World.idle_now_us`."""

    user: str
    expires_us: int


@dataclass(slots=True)
class CspRecords:
    """Access tokens that were issued; ``issued`` counts them."""

    tokens: dict[str, AccessToken] = field(default_factory=dict, repr=False)
    issued: int = 0


def install(world: World) -> None:
    """Give a new world the sign-in service's records."""
    world.products[CSP] = CspRecords()


def _records(world: World) -> CspRecords:
    records: CspRecords = world.products[CSP]
    return records


def issue_token(world: World, user: str) -> dict[str, Any]:
    """Issue an access token and return the sign-in service's answer. [D+C nsx-vsphere 1.1]"""
    records = _records(world)
    now_us = world.idle_now_us()
    lifetime_seconds = world.settings.vmc.access_token_seconds
    for token in [name for name, each in records.tokens.items() if each.expires_us <= now_us]:
        del records.tokens[token]
    records.issued += 1
    access_token = _token(world, f"access/{records.issued}")
    records.tokens[access_token] = AccessToken(user, now_us + seconds(lifetime_seconds))
    return {
        "id_token": _token(world, f"id/{records.issued}"),
        "token_type": "bearer",
        "expires_in": lifetime_seconds,
        "scope": SCOPE,
        "access_token": access_token,
    }


def _token(world: World, purpose: str) -> str:
    # Repeats with seeded credentials, and cannot be foreseen when they are secret.
    key = credentials_of(world.products).refresh_token.encode()
    return hmac.new(key, purpose.encode(), hashlib.sha256).hexdigest()


def token_user(world: World, token: str) -> str | None:
    """Return whose live access token this is, None for a wrong or an expired one."""
    record = _records(world).tokens.get(token)
    return record.user if record is not None and world.idle_now_us() < record.expires_us else None


def presented_token(request: Request) -> str:
    """Return the access token of a request in either header form, empty without one. [C nsx-vsphere 1.2]"""
    token: str = request.headers.get("csp-auth-token", "")
    if token:
        return token
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""
