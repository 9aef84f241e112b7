"""The guide to the findings of preflight about VMs."""

from __future__ import annotations

from hcx_waves.guide.model import Entry

_SOURCE = "vCenter of the source; start a new run."
_SETTINGS = "vCenter of the source, *Edit Settings*; start a new run."
_FILE = "Wave file, then `hcx-waves validate`; start a new run."

OF_VMS = {
    "vm-already-migrating": Entry(
        "The VM is in flight in a mobility group that is not this wave's.",
        "Wait for that migration, or ask whoever started it to end it.",
        "HCX, *Migration*; start a new run.",
    ),
    "vm-at-both-sites": Entry(
        "VMs with the same instance UUID are at both sites: an earlier migration has not finished.",
        "Look at that migration, and remove the copy that is not in use. If in doubt, remove none.",
        "HCX, *Migration*; both vCenters; start a new run.",
    ),
    "vm-attributes-not-carried": Entry(
        "Custom attributes of the VM are not carried over.",
        "Set `options.update_custom_attributes`, or set them at the destination.",
        _FILE,
    ),
    "vm-cpu-too-new": Entry(
        "The running VM uses CPU features that the destination's hosts do not have.",
        "Move it by Bulk or Cold, which restart it, or lower its EVC mode while it is powered off.",
        _FILE,
    ),
    "vm-encrypted": Entry(
        "The VM is encrypted, and the destination has no access to its key.",
        "Decrypt it before the wave.",
        "vCenter of the source, *VM Policies*; start a new run.",
    ),
    "vm-encrypted-vmotion-required": Entry(
        "The VM requires encrypted vMotion, which HCX lowers to opportunistic.",
        "Set it to opportunistic if that is acceptable; else leave the VM out.",
        _SETTINGS,
    ),
    "vm-fault-tolerance": Entry(
        "The VM has fault tolerance, with which HCX moves none.",
        "Turn fault tolerance off.",
        "vCenter of the source, *Fault Tolerance > Turn Off*; start a new run.",
    ),
    "vm-hardware-too-new": Entry(
        "The VM's virtual hardware is newer than the destination's hosts run.",
        "Choose a cluster with newer hosts, or upgrade them.",
        _FILE,
    ),
    "vm-hardware-too-old": Entry(
        "The VM's virtual hardware is too old for its migration type.",
        "Upgrade it while the VM is powered off, or move the VM another way.",
        "vCenter of the source, *Compatibility*; start a new run.",
    ),
    "vm-has-snapshots": Entry(
        "The VM has snapshots. The migration removes them, or may fail in its switchover because of them.",
        "Make sure that they are not needed and remove them, or set `options.remove_snapshots`. End backup jobs for "
        "the time of the wave.",
        "vCenter of the source, *Snapshots*; start a new run.",
    ),
    "vm-in-cluster-rule": Entry(
        "The VM is in affinity rules of the source's cluster, which it leaves.",
        "Create the same rules at the destination before the wave.",
        "vCenter of the destination, *Cluster > VM/Host Rules*.",
    ),
    "vm-in-vapp": Entry(
        "The VM is in a vApp, whose start order and settings it leaves.",
        "Write them down, and configure at the destination what is needed.",
        _SOURCE,
    ),
    "vm-independent-disk": Entry(
        "The VM has independent disks, which are not replicated.",
        "Change the disk mode to dependent, or move the VM by vMotion or Cold.",
        _SETTINGS,
    ),
    "vm-is-hcx-appliance": Entry(
        "The VM is an appliance of HCX itself.",
        "Remove it from the wave.",
        _FILE,
    ),
    "vm-mac-duplicate": Entry(
        "Another VM or port has the MAC address of one of the VM's NICs.",
        "Give one of them another MAC address.",
        _SETTINGS,
    ),
    "vm-managed-by-extension": Entry(
        "Another product manages the VM.",
        "Ask that product's documentation whether its VMs may be moved.",
        _SOURCE,
    ),
    "vm-media-connected": Entry(
        "An ISO image or a device of a client is connected to the VM.",
        "Disconnect it, or set `options.remove_isos` for images.",
        _SETTINGS,
    ),
    "vm-migration-adopted": Entry(
        "An earlier run of this wave has started the VM's migration. This run adopts it.",
        "Nothing.",
        "HCX, *Migration*, shows how far it is.",
    ),
    "vm-migration-failed-before": Entry(
        "The VM's last migration has failed or was cancelled.",
        "Look at it in HCX, and correct what it names. If its rollback is incomplete, force its clean-up.",
        "HCX, *Migration > Force Clean-up*; start a new run.",
    ),
    "vm-missing": Entry(
        "The VM is not where it was when the wave was planned.",
        "Find out who has moved, renamed or unregistered it; then plan anew.",
        "Both vCenters; start a new run.",
    ),
    "vm-moves-cold": Entry(
        "The VM is powered off and is therefore moved cold, whatever migration type the file names.",
        "Nothing, if that is meant. Else power it on.",
        _SOURCE,
    ),
    "vm-name-elsewhere": Entry(
        "The destination has a VM of this name in another folder.",
        "Make sure that the two cannot be confused.",
        "vCenter of the destination.",
    ),
    "vm-name-not-unique": Entry(
        "The source has further VMs of this name.",
        "Rename them, or name the VM by `instance_uuid`.",
        _FILE,
    ),
    "vm-name-taken": Entry(
        "The target folder has a VM of this name already.",
        "Rename one of them, or choose another folder.",
        _FILE,
    ),
    "vm-needs-consolidation": Entry(
        "vCenter reports that the VM's disks need consolidation.",
        "Consolidate them, and stop the program that leaves snapshots behind.",
        "vCenter of the source, *Snapshots > Consolidate*; start a new run.",
    ),
    "vm-network-missing": Entry(
        "A network that a NIC of the VM goes to is not at the destination.",
        "Create or extend it, or map the NIC to another network.",
        _FILE,
    ),
    "vm-nics-changed": Entry(
        "The VM's network cards have changed since the wave was planned.",
        "Plan the wave anew.",
        "Start a new run.",
    ),
    "vm-not-connected": Entry(
        "vCenter does not reach the VM: it is orphaned, inaccessible or its host is disconnected.",
        "Restore its host or datastore, or register the VM again.",
        _SOURCE,
    ),
    "vm-nvme-controller": Entry(
        "A disk is on an NVMe controller, which Bulk does not support.",
        "Move the disk to a paravirtual SCSI controller, or move the VM by RAV.",
        _SETTINGS,
    ),
    "vm-passthrough-device": Entry(
        "A device ties the VM to its host.",
        "Remove the device; a powered-off VM can be moved cold.",
        _SETTINGS,
    ),
    "vm-power-changed": Entry(
        "The VM was powered on or off since the wave was planned.",
        "Plan the wave anew, as a powered-off VM is moved cold.",
        "Start a new run.",
    ),
    "vm-question-pending": Entry(
        "The VM waits for an answer in vCenter, and does nothing until then.",
        "Answer the question.",
        "vCenter of the source, *Answer Question*; start a new run.",
    ),
    "vm-raw-device-mapping": Entry(
        "The VM has raw device mappings, which HCX does not move, or moves as files.",
        "Replace them by virtual disks, or leave the VM out.",
        _SETTINGS,
    ),
    "vm-shared-disk": Entry(
        "The VM shares disks with others.",
        "Move the cluster's data another way; HCX supports no shared disks.",
        _FILE,
    ),
    "vm-suspended": Entry(
        "The VM is suspended.",
        "Resume it, or power it off.",
        _SOURCE,
    ),
    "vm-tags-not-carried": Entry(
        "Tags of the VM are not carried over.",
        "Set `options.retain_tags`, or tag it at the destination.",
        _FILE,
    ),
    "vm-tools-installer-mounted": Entry(
        "The installer of VMware Tools is mounted.",
        "End or unmount the installation.",
        "vCenter of the source, *Guest OS > Unmount VMware Tools Installer*; start a new run.",
    ),
    "vm-tools-not-running": Entry(
        "VMware Tools do not run: Bulk cannot shut the guest down, and addresses cannot be compared after the move.",
        "Start VMware Tools, or set `options.force_power_off` for Bulk.",
        _FILE,
    ),
    "vm-uuid-not-unique": Entry(
        "Another VM of the source has the same instance UUID.",
        "Give one of them a new one.",
        _SOURCE,
    ),
    "hcx-validation-error": Entry(
        "HCX refuses a migration of the wave when it is asked to validate it.",
        "Correct what HCX names.",
        "HCX, *Migration*; start a new run.",
    ),
    "hcx-validation-warning": Entry(
        "HCX warns of something when it validates a migration.",
        "Read it; most warnings name what the migration does not carry over.",
        "HCX, *Migration*.",
    ),
}
