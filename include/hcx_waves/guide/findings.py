"""The guide to the findings of preflight: the sites, the managers, the places and the windows."""

from __future__ import annotations

from hcx_waves.guide.findings_segments import OF_SEGMENTS
from hcx_waves.guide.findings_vms import OF_VMS
from hcx_waves.guide.model import Entry, Family

_FILE = "Wave file, then `hcx-waves validate`; start a new run."
_MESH = "HCX, *Interconnect > Service Mesh*; start a new run."
_CONNECTION = "*Admin > Connections*, button *Test*; start a new run."
_DATASTORE = "vCenter of the destination, *Storage*, or the wave file; start a new run."

_OF_SITES = {
    "check-incomplete": Entry(
        "A check could not be made, as a product answered with an error. Nobody knows what it would have found.",
        "Look at product, call and message in the finding; repair access or product.",
        "`hcx-waves doctor`; start a new run.",
    ),
    "clock-skew": Entry(
        "The clock of a vCenter differs from the other's, or from this machine's, by more than a minute. Windows are "
        "given to products as times.",
        "Correct NTP at the manager that is wrong.",
        "The manager's appliance management, *Time*; start a new run.",
    ),
    "contract-differs": Entry(
        "The last probe saw that a product answers otherwise than this project knows, in a call that the wave needs.",
        "Rehearse against this release before the wave, and report the difference with the probe's record.",
        "`hcx-waves probe --record FILE`; DAG `rehearsal__<wave>`.",
    ),
    "endpoint-changed": Entry(
        "A connection leads to another site than when the wave was planned. Cannot be waived.",
        "Correct the connection. If the site really was replaced, plan the wave anew.",
        _CONNECTION,
    ),
    "endpoints-mixed": Entry(
        "Some connections lead to real products and others to simulated ones or twins. Cannot be waived.",
        "Make all connections of the wave lead to the same pair of sites.",
        _CONNECTION,
    ),
    "hcx-version-unknown": Entry(
        "The HCX Manager is of a version that this project does not know.",
        "Rehearse the wave against this version, and probe it.",
        "`hcx-waves probe`; DAG `rehearsal__<wave>`.",
    ),
    "hcx-versions-differ": Entry(
        "The HCX Managers of the two sites have different versions.",
        "Upgrade one of them so that both have the same version. Not during the wave.",
        "HCX, *System Updates*.",
    ),
    "vcenter-version-old": Entry(
        "A vCenter is older than what is tested.",
        "Upgrade it, or rehearse the wave first.",
        "DAG `rehearsal__<wave>`.",
    ),
    "sites-not-paired": Entry(
        "The source's HCX Manager has no site pairing with the destination of the plan.",
        "Restore the site pairing.",
        "HCX, *Infrastructure > Site Pairing*; start a new run.",
    ),
    "hcx-too-many-migrations": Entry(
        "With this wave more migrations would be under way at the manager than VMware supports; HCX queues the rest.",
        "Split the wave, or start it when the others have ended.",
        _FILE,
    ),
    "mesh-too-many-migrations": Entry(
        "More migrations would start on a service mesh than VMware supports; HCX queues the rest.",
        "Spread the VMs over several meshes (`service_mesh`), or split the wave.",
        _FILE,
    ),
    "mesh-appliance-down": Entry(
        "An interconnect appliance of a mesh of the wave is down.",
        "Look at the appliance and its tunnels; redeploy it if it stays down.",
        _MESH,
    ),
    "mesh-bandwidth-low": Entry(
        "HCX has measured less bandwidth on the uplink than a migration type of the wave needs.",
        "Free bandwidth, or move the VMs by Bulk or Cold.",
        _MESH,
    ),
    "mesh-lacks-service": Entry(
        "A mesh does not offer a service that VMs or segments of the wave need.",
        "Add the service to the mesh, choose another mesh, or another migration type.",
        "HCX, *Interconnect > Service Mesh > Edit*; start a new run.",
    ),
    "mesh-latency-high": Entry(
        "The round trip between the sites is longer than a migration type of the wave accepts.",
        "Use a shorter path, or move the VMs by Bulk or Cold.",
        _FILE,
    ),
    "mesh-loss-high": Entry(
        "Packets are lost between the sites, more than a migration type of the wave accepts.",
        "Look for congestion or a wrong MTU on the path.",
        _MESH,
    ),
    "mesh-other-service-down": Entry(
        "A service of the mesh is down that this wave does not need.",
        "Nothing for this wave; tell whoever runs HCX.",
        _MESH,
    ),
    "mesh-service-down": Entry(
        "A service of the mesh is down that this wave needs.",
        "Look at the mesh and repair it before the wave.",
        _MESH,
    ),
    "mesh-state-failed": Entry(
        "HCX says that the mesh is in a failed state. That can be stale.",
        "Look at the mesh; resync it if its appliances are up.",
        _MESH,
    ),
    "mesh-tells-no-health": Entry(
        "HCX reports no status of the mesh's services, so nothing is known of its health.",
        "Look at the mesh in HCX yourself.",
        _MESH,
    ),
    "extension-appliance-down": Entry(
        "The network extension appliance of a segment of the wave is down. The network is cut in two.",
        "Look at the appliance and its tunnels; redeploy it if it stays down.",
        "HCX, *Interconnect > Service Mesh > Appliances*; start a new run.",
    ),
    "extension-appliance-full": Entry(
        "The appliance carries all the networks that it may. A way back would need a free place.",
        "Keep in mind that the place of an unextended network is free only after its unextend.",
        "HCX, *Network Extension*.",
    ),
    "extension-appliance-overloaded": Entry(
        "The appliance carries more networks than VMware supports.",
        "Spread them over more appliances.",
        "HCX, *Network Extension*.",
    ),
    "extension-appliance-state-unknown": Entry(
        "HCX reports a status of the appliance that is not documented, or none.",
        "Look at the appliance in HCX yourself.",
        "HCX, *Interconnect > Service Mesh > Appliances*.",
    ),
    "cluster-has-no-host": Entry(
        "No host of the target cluster is connected and out of maintenance.",
        "Take hosts out of maintenance or reconnect them, or choose another cluster.",
        "vCenter of the destination, *Hosts and Clusters*; start a new run.",
    ),
    "cluster-lacks-datastore": Entry(
        "The hosts of the target cluster do not mount the target datastore.",
        "Choose a datastore of that cluster.",
        _FILE,
    ),
    "cluster-lacks-network": Entry(
        "The hosts of the target cluster do not have a network that a VM goes to.",
        "Extend the network to that cluster, or choose another cluster.",
        _FILE,
    ),
    "cluster-memory-short": Entry(
        "The cluster has less memory for VMs than the running VMs of the wave have.",
        "Add hosts, or split the wave.",
        _FILE,
    ),
    "target-missing": Entry(
        "A cluster, pool, folder or datastore of the plan is not at the destination any more.",
        "Plan the wave anew; correct the wave file if the place is gone for good.",
        _FILE,
    ),
    "storage-policy-missing": Entry(
        "HCX does not know a storage policy of the plan.",
        "Create it at the destination, or name another one.",
        _FILE,
    ),
    "datastore-full": Entry(
        "A target datastore has less room than the wave's disks take now.",
        "Free space, choose another datastore, or split the wave.",
        _DATASTORE,
    ),
    "datastore-overcommitted": Entry(
        "The disks fit now, and would not if they grew to their full size.",
        "Watch the datastore, or choose another one.",
        _DATASTORE,
    ),
    "datastore-unusable": Entry(
        "A target datastore is in maintenance or cannot be reached.",
        "End its maintenance, or choose another one.",
        _DATASTORE,
    ),
    "window-over": Entry(
        "A window of the wave has closed already.",
        "Move the window.",
        _FILE,
    ),
    "window-tight": Entry(
        "The switchovers usually take longer than the window lasts. They go one after the other on each mesh.",
        "Lengthen the window, use more meshes, or split the wave.",
        _FILE,
    ),
    "window-too-short": Entry(
        "The switchovers take longer than the window lasts even at their shortest.",
        "Lengthen the window, use more meshes, or split the wave.",
        _FILE,
    ),
    "waiver-expired": Entry(
        "A waiver of the wave file is past its last day, so the finding counts again.",
        "Resolve the finding, or have it waived again.",
        "Wave file, `waivers`; start a new run.",
    ),
    "waiver-unused": Entry(
        "A waiver matches no finding of this run.",
        "Remove it, or correct its id and subject.",
        "Wave file, `waivers`.",
    ),
}

FINDINGS = Family(
    "findings",
    "Findings of preflight",
    "`run_preflight` makes these findings, the gates show them, and the report lists them. A finding that blocks keeps "
    "the wave, or the segment, from being approved; resolve it or have it [waived](../wave-file.md). Those that cannot "
    "be waived say so. Which check makes which finding, and when, is in [preflight](../preflight.md).",
    {**_OF_SITES, **OF_VMS, **OF_SEGMENTS},
)
