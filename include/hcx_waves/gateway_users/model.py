"""Who needs a gateway, beside the VMs that vCenter lists on its segment."""

from __future__ import annotations

from enum import StrEnum

from hcx_waves.model.base import DomainModel


class UserKind(StrEnum):
    """What needs a gateway. Stored in evidence: add, never rename."""

    OTHER_EXTENSION = "other_extension"
    """The network is extended to another site as well: the VMs there use this gateway."""
    L2VPN = "l2vpn"
    """NSX's own L2 VPN stretches the segment."""
    OUTSIDE_ADDRESS = "outside_address"
    """A NIC has an address of a subnet that the destination will not route."""
    NEIGHBOUR = "neighbour"
    """A MAC in the gateway's ARP table that no VM has: a physical device, or a VM that nobody knows of."""


class GatewayUser(DomainModel):
    """One that needs the gateway, and how that is known."""

    kind: UserKind
    name: str
    object_id: str
    reason: str


class GatewayUsers(DomainModel):
    """The answer: who is known to need the gateway, and what could not be known. Unknown is never nobody."""

    users: tuple[GatewayUser, ...] = ()
    unknown: tuple[str, ...] = ()

    def of(self, kind: UserKind) -> tuple[GatewayUser, ...]:
        """Return the users of one kind."""
        return tuple(one for one in self.users if one.kind is kind)
