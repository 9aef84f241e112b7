"""What is found on a segment, or behind its gateway, and whether it needs that gateway."""

from __future__ import annotations

from enum import StrEnum

from hcx_waves.model.base import DomainModel


class FoundKind(StrEnum):
    """What was found on a segment. Stored in evidence: add, never rename."""

    WORKLOAD = "workload"
    POWERED_OFF_VM = "powered_off_vm"
    TEMPLATE = "template"
    MIGRATION = "migration"
    """A migration that is not over, of a VM on the segment or coming to it."""
    UNKNOWN_PORT = "unknown_port"
    """A port with something attached that is no VM of this site."""
    OTHER_EXTENSION = "other_extension"
    """An extension of the network to another site, whose VMs use this gateway."""
    L2VPN = "l2vpn"
    """An NSX L2 VPN that stretches the segment."""
    MON = "mon"
    """Mobility Optimized Networking is on: the destination may route the segment already."""
    OUTSIDE_ADDRESS = "outside_address"
    """A NIC has an address of a subnet that the destination will not route."""
    NEIGHBOUR = "neighbour"
    """A MAC in the gateway's ARP table that no VM has: a physical device, or a VM that nobody knows of."""
    DHCP = "dhcp"
    """DHCP that the source's NSX serves on the segment, with its gateway."""
    STAYING = "staying"
    """A VM that a person has declared as staying (a router)."""
    RETIRED_COPY = "retired_copy"
    """The powered-off original of a Bulk migration, whose VM lives at the destination [D hcx 4.8]."""
    HCX_APPLIANCE = "hcx_appliance"
    NSX_SERVICE = "nsx_service"
    """An edge or service VM of NSX."""
    RELEASING_PORT = "releasing_port"
    """A port whose VM has left; NSX releases it with a delay [C nsx-vsphere 2.8]."""
    FREE_PORT = "free_port"

    @property
    def is_vm(self) -> bool:
        """Whether it is a VM of the site that needs the gateway."""
        return self in (FoundKind.WORKLOAD, FoundKind.POWERED_OFF_VM, FoundKind.TEMPLATE)

    @property
    def is_asked(self) -> bool:
        """Whether a person decides: the gate shows it, and it does not keep the segment from being cut off."""
        return self in (FoundKind.OUTSIDE_ADDRESS, FoundKind.NEIGHBOUR, FoundKind.DHCP)

    @property
    def blocks(self) -> bool:
        """Whether the segment may not be cut off while it is there."""
        return self.is_vm or self in (
            FoundKind.MIGRATION,
            FoundKind.UNKNOWN_PORT,
            FoundKind.OTHER_EXTENSION,
            FoundKind.L2VPN,
            FoundKind.MON,
        )

    @property
    def blocks_deletion(self) -> bool:
        """Whether the segment cannot be deleted while it is there: NSX keeps a segment that has ports, whoever's."""
        return self is not FoundKind.RELEASING_PORT and not self.is_asked


class Found(DomainModel):
    """One thing on a segment, and why it is taken for what it is."""

    kind: FoundKind
    name: str
    object_id: str
    reason: str


class GatewayUsers(DomainModel):
    """The answer: what was found, and what could not be known. Unknown is never nobody."""

    found: tuple[Found, ...] = ()
    unknown: tuple[str, ...] = ()

    def of(self, kind: FoundKind) -> tuple[Found, ...]:
        """Return what was found of one kind."""
        return tuple(one for one in self.found if one.kind is kind)
