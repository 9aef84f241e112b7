"""What is attached to a segment: ports, VIFs, VMs, the gateway ARP table (section 3); and the gateway firewall."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hcx_waves.clients.nsx.models import NsxVirtualMachine, PortState, SegmentPort, Vif
from hcx_waves.clients.nsx.wire import NsxCalls
from hcx_waves.clients.transport_wire import path_segment


class AttachmentCalls(NsxCalls):
    """Reads of what is attached where. Chain: port → VIF → VM → vSphere [D nsx-vsphere 3]."""

    _enforcement_point: str

    def ports(self, segment_path: str) -> tuple[SegmentPort, ...]:
        """List a segment's ports."""
        return self._parse_all(SegmentPort.of_wire, self._list(f"{segment_path}/ports"))

    def port_state(self, port_path: str) -> PortState:
        """Read a port's attachment state and the addresses seen there."""
        return PortState.of_wire(self._get(f"{port_path}/state"))

    def vifs(self, attachment_id: str | None = None) -> tuple[Vif, ...]:
        """List the VIFs, or those of one port attachment."""
        point = path_segment(self._enforcement_point)
        path = f"/infra/realized-state/enforcement-points/{point}/vifs"
        return self._parse_all(Vif.of_wire, self._list(path, {"lport_attachment_id": attachment_id}))

    def virtual_machines(self) -> tuple[NsxVirtualMachine, ...]:
        """List the VMs that NSX knows."""
        found = self._list("/infra/realized-state/virtual-machines")
        return self._parse_all(NsxVirtualMachine.of_wire, found)

    def gateway_arp_table(self, segment_path: str) -> tuple[dict[str, Any], ...]:
        """Read the ARP table of the gateway interface towards a segment, as NSX gives it."""
        return self._list(f"{segment_path}/gateway-interface-arp-table")

    def tier0_of(self, tier1_path: str) -> str | None:
        """Read which tier-0 a tier-1 is connected to; None if to none. A tier-0's path is returned as it is.

        :raises NotFound: if there is no such tier-1.
        """
        if not tier1_path.startswith("/infra/tier-1s/"):
            return tier1_path
        found = self._get(tier1_path).get("tier0_path")
        return str(found) if found else None

    def gateway_policies(self, domain: str = "cgw") -> tuple[dict[str, Any], ...]:
        """List the gateway firewall policies of a domain [D nsx-vsphere 2.1]; each has an ``id``."""
        found = self._list(f"/infra/domains/{path_segment(domain)}/gateway-policies")
        return self._parse_all(_with_id, found)

    def gateway_policy(self, policy_id: str = "default", domain: str = "cgw") -> dict[str, Any]:
        """Read one gateway firewall policy with its rules.

        :raises NotFound: if there is none.
        """
        return self._get(f"/infra/domains/{path_segment(domain)}/gateway-policies/{path_segment(policy_id)}")


def _with_id(body: Mapping[str, Any]) -> dict[str, Any]:
    if not body.get("id"):
        raise ValueError("a gateway policy without id")
    return dict(body)
