"""The ids of all findings that preflight can make; a waiver of any other id is reported.

A list of its own, as reading a wave file must import no check; a test holds it to the checks.
"""

from __future__ import annotations

from hcx_waves.model.spelling import KnownNames

FINDING_IDS = frozenset(
    {
        "check-incomplete",
        "clock-skew",
        "cluster-has-no-host",
        "cluster-lacks-datastore",
        "cluster-lacks-network",
        "cluster-memory-short",
        "contract-differs",
        "datastore-full",
        "datastore-overcommitted",
        "datastore-unusable",
        "endpoint-changed",
        "endpoints-mixed",
        "extension-appliance-down",
        "extension-appliance-full",
        "extension-appliance-overloaded",
        "extension-appliance-state-unknown",
        "hcx-too-many-migrations",
        "hcx-validation-error",
        "hcx-validation-warning",
        "hcx-version-unknown",
        "hcx-versions-differ",
        "mesh-appliance-down",
        "mesh-bandwidth-low",
        "mesh-lacks-service",
        "mesh-latency-high",
        "mesh-loss-high",
        "mesh-other-service-down",
        "mesh-service-down",
        "mesh-state-failed",
        "mesh-tells-no-health",
        "mesh-too-many-migrations",
        "segment-address-duplicate",
        "segment-addresses-outside",
        "segment-destination-missing",
        "segment-dhcp-at-both-sites",
        "segment-dhcp-at-source",
        "segment-extended-elsewhere",
        "segment-extension-changed",
        "segment-extension-down",
        "segment-extension-state-unknown",
        "segment-firewall-closed",
        "segment-firewall-unclear",
        "segment-gateway-lost",
        "segment-gateway-not-in-nsx",
        "segment-in-vpn",
        "segment-mon-on",
        "segment-neighbours-unknown",
        "segment-not-deletable",
        "segment-not-extended",
        "segment-originals-remain",
        "segment-source-disconnected",
        "segment-source-missing",
        "segment-source-not-realised",
        "segment-stay-absent",
        "segment-stays-remain",
        "segment-subnet-overlaps",
        "segment-two-gateways",
        "segment-unknown-ports",
        "segment-vms-left-behind",
        "segment-way-back-no-slot",
        "sites-not-paired",
        "storage-policy-missing",
        "target-missing",
        "vcenter-version-old",
        "vm-already-migrating",
        "vm-at-both-sites",
        "vm-attributes-not-carried",
        "vm-cpu-too-new",
        "vm-encrypted",
        "vm-encrypted-vmotion-required",
        "vm-fault-tolerance",
        "vm-hardware-too-new",
        "vm-hardware-too-old",
        "vm-has-snapshots",
        "vm-in-cluster-rule",
        "vm-in-vapp",
        "vm-independent-disk",
        "vm-is-hcx-appliance",
        "vm-mac-duplicate",
        "vm-managed-by-extension",
        "vm-media-connected",
        "vm-migration-adopted",
        "vm-migration-failed-before",
        "vm-missing",
        "vm-moves-cold",
        "vm-name-elsewhere",
        "vm-name-not-unique",
        "vm-name-taken",
        "vm-needs-consolidation",
        "vm-network-missing",
        "vm-nics-changed",
        "vm-not-connected",
        "vm-nvme-controller",
        "vm-passthrough-device",
        "vm-power-changed",
        "vm-question-pending",
        "vm-raw-device-mapping",
        "vm-shared-disk",
        "vm-suspended",
        "vm-tags-not-carried",
        "vm-tools-installer-mounted",
        "vm-tools-not-running",
        "vm-uuid-not-unique",
        "vm-way-back-cpu",
        "vm-way-back-hardware",
        "vm-way-back-storage",
        "waiver-expired",
        "waiver-unused",
        "window-over",
        "window-tight",
        "window-too-short",
    }
)
NEVER_WAIVED = frozenset(
    {
        "endpoint-changed",
        "endpoints-mixed",
        "segment-destination-missing",
        "segment-extended-elsewhere",
        "segment-gateway-not-in-nsx",
        "segment-in-vpn",
        "segment-mon-on",
        "segment-source-missing",
        "segment-two-gateways",
    }
)
"""What nobody may answer for."""


def useless_waiver(finding_id: str) -> str | None:
    """Return why a waiver of a finding can never hold; None if it can."""
    if finding_id in NEVER_WAIVED:
        return f"{finding_id} cannot be waived"
    if finding_id in FINDING_IDS:
        return None
    close = KnownNames(FINDING_IDS).nearest(finding_id)
    like = f"; did you mean {close[0]}?" if close else "; docs/preflight.md lists them"
    return f"there is no finding {finding_id}{like}"
