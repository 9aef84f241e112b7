"""The choices of a wave for its VMs and segments: migration type, disk format, HCX options, cutover, disconnect."""

from __future__ import annotations

from enum import StrEnum

from pydantic import StrictBool

from hcx_waves.model.base import DomainModel


class MigrationType(StrEnum):
    """The ways HCX moves a VM that a wave can ask for, in the words of its user interface."""

    RAV = "RAV"
    BULK = "Bulk"
    VMOTION = "vMotion"
    COLD = "Cold"

    @property
    def replicates(self) -> bool:
        """Whether vSphere Replication copies the disks ahead of the switchover [D hcx 4.8]."""
        return self in (MigrationType.RAV, MigrationType.BULK)

    @property
    def keeps_running(self) -> bool:
        """Whether the VM runs on without a restart."""
        return self in (MigrationType.RAV, MigrationType.VMOTION)


class DiskFormat(StrEnum):
    """How disks are provisioned at the destination, as HCX names it."""

    # [C hcx 4.2]

    SAME_AS_SOURCE = "sameAsSource"
    THIN = "thin"
    THICK = "thick"
    LAZY_ZEROED_THICK = "lazyZeroedThick"
    EAGER_ZEROED_THICK = "eagerZeroedThick"


class MigrationOptions(DomainModel):
    """HCX's switches for one migration. What is left out is inherited; what nobody sets is left to HCX."""

    remove_snapshots: StrictBool | None = None
    """Remove the VM's snapshots; Bulk always does."""  # [D hcx 4.8]
    remove_isos: StrictBool | None = None
    """Disconnect ISO images."""
    retain_mac: StrictBool | None = None
    """Keep the MAC addresses. True unless set."""
    force_power_off: StrictBool | None = None
    """Power off a guest that will not shut down; Bulk only."""  # [D hcx 4.8]
    upgrade_hardware: StrictBool | None = None
    """Upgrade the virtual hardware."""
    upgrade_vm_tools: StrictBool | None = None
    """Upgrade VMware Tools."""
    retain_tags: StrictBool | None = None
    """Carry vCenter tags over."""
    replicate_security_tags: StrictBool | None = None
    """Carry NSX security tags over."""
    update_custom_attributes: StrictBool | None = None
    """Carry custom attributes over."""
    seed_checkpoint: StrictBool | None = None
    """Keep replicated data for a retry; RAV and Bulk, and one specific datastore only."""  # [D hcx 4.8]


class CutoverPolicy(StrEnum):
    """What a wave does about a segment's gateway."""

    NOW = "now"
    """This wave cuts the segment over."""
    LATER = "later"
    """Another wave does, the last one that moves VMs of it."""
    NEVER = "never"
    """Nobody does; the segment stays stretched."""


class Disconnect(StrEnum):
    """How the source gateway lets go of a segment."""

    NSX = "nsx"
    """Its connectivity is switched off in NSX."""
    HOOK = "hook"
    """Commands of the user's act on a router, an L3 switch or the like."""
    MANUAL = "manual"
    """A person does it by instructions."""
