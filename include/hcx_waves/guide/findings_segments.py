"""The guide to the findings of preflight about segments."""

from __future__ import annotations

from hcx_waves.guide.model import Entry

_FILE = "Wave file, then `hcx-waves validate`; start a new run."
_RUN = "Start a new run."
_EXTENSION = "HCX, *Network Extension*; start a new run."
_NSX_DESTINATION = "NSX of the destination, *Networking > Segments*; start a new run."
_NSX_SOURCE = "NSX of the source, *Networking > Segments*; start a new run."

OF_SEGMENTS = {
    "segment-address-duplicate": Entry(
        "Two ports of the segment have the same address.",
        "Correct the duplicates; otherwise addresses cannot be compared after the move.",
        _NSX_SOURCE,
    ),
    "segment-addresses-outside": Entry(
        "VMs have addresses outside of the segment's subnets. The destination routes only these.",
        "Route that subnet at the destination as well, or give the VMs other addresses; or waive it if nobody needs "
        "these addresses to be reached.",
        "NSX of the destination, or the wave file's `waivers`; start a new run.",
    ),
    "segment-destination-missing": Entry(
        "NSX at the destination does not have the segment of the plan. Cannot be waived.",
        "Extend the network again if its segment was deleted; then plan anew.",
        _EXTENSION,
    ),
    "segment-dhcp-at-both-sites": Entry(
        "DHCP is configured for the segment at both sites.",
        "Compare ranges and options.",
        "NSX of both sites, *Networking > DHCP*.",
    ),
    "segment-dhcp-at-source": Entry(
        "The source serves DHCP on the segment, and the destination does not. Leases end after the cutover.",
        "Have a relay or a server ready at the destination.",
        "NSX of the destination, *Networking > DHCP*; start a new run.",
    ),
    "segment-extended-elsewhere": Entry(
        "The segment is extended to another site as well, whose VMs use the gateway that would go. Cannot be waived.",
        "End that extension first, or cut this segment over later (`cutover: later`).",
        _FILE,
    ),
    "segment-extension-changed": Entry(
        "The segment is extended to another network than when the wave was planned.",
        "Plan the wave anew.",
        _RUN,
    ),
    "segment-extension-down": Entry(
        "HCX says that the extension of the segment is down or has failed.",
        "Repair the extension before the cutover.",
        _EXTENSION,
    ),
    "segment-extension-state-unknown": Entry(
        "HCX reports a state of the extension that is not documented.",
        "Look at the extension in HCX; another task may be at work on it.",
        _EXTENSION,
    ),
    "segment-firewall-closed": Entry(
        "The destination's gateway firewall lets the segment's subnet not out.",
        "Add rules that allow what the VMs need before the gateway moves.",
        "NSX of the destination, *Security > Gateway Firewall*; start a new run.",
    ),
    "segment-firewall-unclear": Entry(
        "Rules of the destination's gateway firewall may concern the segment, and cannot be judged from outside.",
        "Look at these rules.",
        "NSX of the destination, *Security > Gateway Firewall*.",
    ),
    "segment-gateway-lost": Entry(
        "The destination's segment does not have the gateway address that the source's has; after the cutover nobody "
        "would route it.",
        "Add that gateway to the destination's segment while its connectivity is off.",
        _NSX_DESTINATION,
    ),
    "segment-gateway-not-in-nsx": Entry(
        "The source's segment has no gateway in NSX, so another router has it. Cannot be waived.",
        "Set `disconnect: hook` or `manual` for the router that has the gateway.",
        _FILE,
    ),
    "segment-in-vpn": Entry(
        "A VPN of the source carries the segment's subnet. Cannot be waived.",
        "Take the subnet out of the VPN, or leave the segment stretched (`cutover: never`).",
        "NSX of the source, *Networking > VPN*, or the wave file; start a new run.",
    ),
    "segment-mon-on": Entry(
        "Mobility Optimized Networking is on, so the destination may route the segment already. Cannot be waived.",
        "Route its VMs back to the source's gateway, and turn MON off for the network.",
        _EXTENSION,
    ),
    "segment-neighbours-unknown": Entry(
        "Something answers on the segment that is no VM that NSX knows. A physical device would lose its gateway.",
        "Find out what it is. Move it, or accept its loss by a waiver.",
        "NSX of the source; the wave file's `waivers`; start a new run.",
    ),
    "segment-not-deletable": Entry(
        "The source's network is no NSX segment, so the cleanup cannot delete it.",
        "Set `cleanup.delete_source: false`, and remove port group and router interface by hand.",
        _FILE,
    ),
    "segment-not-extended": Entry(
        "The extension of the segment is gone.",
        "Extend the network again. If its source gateway is off too, the network has none.",
        "`hcx-waves rescue WAVE look`; HCX, *Network Extension*; start a new run.",
    ),
    "segment-originals-remain": Entry(
        "Bulk leaves the originals of VMs on the segment, powered off. Their ports keep NSX from deleting it.",
        "Delete or reconnect the originals before the cleanup, or set `cleanup.delete_source: false`.",
        "vCenter of the source; wave file.",
    ),
    "segment-source-disconnected": Entry(
        "The source's gateway of the segment is off already, so its VMs may have none.",
        "Find out whether a cutover has begun. Connect it again, or finish that cutover.",
        "`hcx-waves rescue WAVE look`; NSX of the source, *Networking > Segments*.",
    ),
    "segment-source-missing": Entry(
        "NSX at the source does not have the segment of the plan. Cannot be waived.",
        "Plan the wave anew.",
        _RUN,
    ),
    "segment-source-not-realised": Entry(
        "NSX at the source has not put the segment into effect.",
        "Look at the segment's alarms in NSX.",
        _NSX_SOURCE,
    ),
    "segment-stay-absent": Entry(
        "Something that may stay on the segment is not there.",
        "Correct `stays`.",
        _FILE,
    ),
    "segment-stays-remain": Entry(
        "What may stay on the segment keeps NSX from deleting it.",
        "Set `cleanup.delete_source: false`, or move it before the cleanup.",
        _FILE,
    ),
    "segment-subnet-overlaps": Entry(
        "Another segment of the destination routes the subnet already. NSX refuses overlaps on one gateway.",
        "Disconnect or readdress that segment.",
        _NSX_DESTINATION,
    ),
    "segment-two-gateways": Entry(
        "The segment is extended and both sites route it. Cannot be waived.",
        "Switch the destination's connectivity off before anything is moved.",
        _NSX_DESTINATION,
    ),
    "segment-unknown-ports": Entry(
        "NSX has ports on the segment that belong to no VM of the source's vCenter.",
        "Look at them; a segment with ports is not cut over and cannot be deleted.",
        _NSX_SOURCE,
    ),
    "segment-vms-left-behind": Entry(
        "VMs that are in no wave are on a segment that is to be cut over. They would lose their gateway.",
        "Add them to the wave, cut over later (`cutover: later`), or say under `stays` why they may remain.",
        _FILE,
    ),
}
