"""The identity of an endpoint: a real product, a simulated site, or the twin of a rehearsal.

Every simulated product sends ``X-Hcx-Sim: world=<id>; role=<site|twin>`` with each answer; a real product
sends nothing of the kind. A client that is given the roles it may change refuses any other endpoint before
its first mutating call.

The vSphere wire has no room for that header, so the simulator appends its marker to ``about.fullName``. A real
vCenter's full name has nothing of the kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, cast

Role = Literal["site", "twin", "real"]
IDENTITY_HEADER = "X-Hcx-Sim"


@dataclass(frozen=True)
class EndpointIdentity:
    """What an endpoint says it is.

    :param simulated: whether it is a simulated product.
    :param world_id: the simulated world, or None for the real product.
    :param role: ``real``; ``site`` (a simulated stand-in for the real thing) or ``twin`` (for rehearsals).
    """

    simulated: bool
    world_id: str | None
    role: Role

    @classmethod
    def of_header(cls, value: str | None) -> EndpointIdentity:
        """Read the header's value; None means that the header is absent.

        A header without a readable role counts as a twin: the one role that a live run never changes and
        that names no real machine.
        """
        if value is None:
            return REAL_PRODUCT
        fields = {
            name.strip().lower(): content.strip()
            for name, _, content in (part.partition("=") for part in value.split(";"))
        }
        role = fields.get("role", "").lower()
        return cls(
            simulated=True,
            world_id=fields.get("world") or None,
            role=cast(Role, role) if role in ("site", "twin") else "twin",
        )

    @classmethod
    def of_headers(cls, headers: Mapping[str, str]) -> EndpointIdentity:
        """Read the identity from an answer's headers (any case)."""
        for name, value in headers.items():
            if name.lower() == IDENTITY_HEADER.lower():
                return cls.of_header(value)
        return REAL_PRODUCT

    def __str__(self) -> str:
        if not self.simulated:
            return "real product"
        return f"simulated {self.role} (world {self.world_id or 'unnamed'})"


REAL_PRODUCT = EndpointIdentity(simulated=False, world_id=None, role="real")


@dataclass(frozen=True)
class AllowedEndpoints:
    """Which endpoints a client may change.

    :param roles: without any, the client only reads.
    :param world_id: the one simulated world that may be changed; None does not look at worlds. With it, the endpoint
        is asked anew before each mutating call, as one address may lead to another world at any time.
    """

    roles: frozenset[Role]
    world_id: str | None = None

    @classmethod
    def of(cls, allowed: Iterable[Role] | AllowedEndpoints | None) -> AllowedEndpoints | None:
        """Return what a client was given, as this; None allows any endpoint."""
        return allowed if allowed is None or isinstance(allowed, AllowedEndpoints) else cls(frozenset(allowed))

    @property
    def asks_anew(self) -> bool:
        """Whether what the endpoint said before is not enough."""
        return self.world_id is not None

    def permits(self, found: EndpointIdentity) -> bool:
        """Whether an endpoint may be changed."""
        return found.role in self.roles and self.world_id in (None, found.world_id)

    def refusal(self, found: EndpointIdentity) -> str:
        """Say why an endpoint is not changed."""
        if not self.roles:
            return "this client only reads; nothing is changed through it"
        return f"the endpoint is a {found}; this client may only change: {self}"

    def __str__(self) -> str:
        roles = " or ".join(sorted(self.roles)) or "nothing"
        return roles if self.world_id is None else f"{roles} (world {self.world_id})"


_MARKER = re.compile(r"\[hcx-sim (?P<fields>[^\]]*)\]\s*$")


def identity_of_full_name(full_name: str | None) -> EndpointIdentity:
    """Read the identity from ``about.fullName``.

    :param full_name: e.g. ``VMware vCenter Server 8.0.3 build-1 [hcx-sim world=main role=site]``.
    :returns: the real product if the marker is absent. A marker without a readable role counts as a twin,
        as it does in the header of the other products.
    """
    marker = _MARKER.search(full_name or "")
    if marker is None:
        return REAL_PRODUCT
    return EndpointIdentity.of_header(";".join(marker["fields"].split()))
