"""Who answers a segment's gateway: its ARP table, where NSX lets it be read."""

from __future__ import annotations

from hcx_waves.clients.errors import NotFound, PermissionDenied
from hcx_waves.clients.nsx import NsxPolicyClient


def read_neighbours(nsx: NsxPolicyClient, segment_path: str) -> dict[str, str] | None:
    """Return the MACs that the gateway knows, by address; None where the table is not offered: that is not nobody."""
    try:
        rows = nsx.gateway_arp_table(segment_path)
    except (NotFound, PermissionDenied):
        return None
    return {str(row.get("ip")): str(row.get("mac_address")) for row in rows if row.get("ip") and row.get("mac_address")}
