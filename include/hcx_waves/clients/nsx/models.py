"""NSX Policy's answers as immutable values; ``raw`` keeps the body for rollback and evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hcx_waves.clients.json_values import as_mapping, as_mappings, as_text
from hcx_waves.model.spelling import one_spelling


class Connectivity(StrEnum):
    """``advanced_config.connectivity``: whether the segment is connected to its gateway."""

    ON = "ON"
    OFF = "OFF"


@dataclass(frozen=True)
class NsxSegment:
    """A segment [D nsx-vsphere 2.2].

    :param path: its policy path; fixed ones lie below a tier-1.
    :param segment_type: the read-only ``type``: ``ROUTED``, ``DISCONNECTED``, ...; None if not given.
        A network extended by HCX reads ``DISCONNECTED``, not ``EXTENDED`` (that is NSX L2VPN).
    :param connectivity: absent on the wire counts as ON [C nsx-vsphere 2.2], unless ``type`` says otherwise.
    :param gateway_addresses: in CIDR form, as given; a disconnected segment may have none [C nsx-vsphere 2.2].
    """

    segment_id: str
    display_name: str
    path: str
    segment_type: str | None
    connectivity: Connectivity
    connectivity_path: str | None
    gateway_addresses: tuple[str, ...]
    revision: int | None
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def of_wire(cls, body: Mapping[str, Any]) -> NsxSegment:
        """Read a segment body.

        :raises ValueError: if it has no id or no path.
        """
        segment_id, path = body.get("id"), body.get("path")
        if not segment_id or not path:
            raise ValueError("a segment without id or path")
        advanced = as_mapping(body.get("advanced_config"))
        revision = body.get("_revision")
        subnets = as_mappings(body.get("subnets"))
        return cls(
            segment_id=str(segment_id),
            display_name=one_spelling(str(body.get("display_name") or segment_id)),
            path=str(path),
            segment_type=as_text(body.get("type")),
            connectivity=_connectivity_of(advanced, body),
            connectivity_path=as_text(body.get("connectivity_path")),
            gateway_addresses=tuple(str(one["gateway_address"]) for one in subnets if one.get("gateway_address")),
            revision=revision if isinstance(revision, int) else None,
            raw=dict(body),
        )

    @property
    def is_fixed(self) -> bool:
        """Whether the segment is a child of a tier-1 (the default of VMware Cloud)."""
        return self.path.startswith("/infra/tier-1s/")

    @property
    def vlan_ids(self) -> tuple[str, ...]:
        """The VLANs of a VLAN-backed segment; none for an overlay."""
        listed = self.raw.get("vlan_ids")
        return tuple(str(one) for one in listed) if isinstance(listed, list) else ()

    @property
    def has_gateway(self) -> bool:
        """Whether NSX has a gateway for the segment, be it on or off: else a router outside NSX has it, or nobody.

        NSX's connectivity has no effect on a VLAN-backed segment [D nsx-vsphere 2.2], and a flexible one without
        ``connectivity_path`` is on no gateway. A segment that is switched off may read without subnets [C nsx-vsphere
        2.2]; one that is on and has no gateway address has no gateway.
        """
        if self.vlan_ids or not (self.is_fixed or self.connectivity_path):
            return False
        off = self.connectivity is Connectivity.OFF or (self.is_fixed and self.segment_type == "DISCONNECTED")
        return off or bool(self.gateway_addresses)

    @property
    def why_no_gateway(self) -> str:
        """Why NSX has no gateway for it, in a few words."""
        if self.vlan_ids:
            return f"it is VLAN-backed ({', '.join(self.vlan_ids)})"
        attached = self.is_fixed or self.connectivity_path
        return "it has no gateway address" if attached else "it is connected to no tier-0 or tier-1 gateway"

    @property
    def is_disconnected(self) -> bool:
        """Whether NSX routes it nowhere: by ``type`` or by connectivity, either is proof.

        It does not say that a gateway was switched off: there may be none, see :attr:`has_gateway`.
        """
        return self.segment_type == "DISCONNECTED" or self.connectivity is Connectivity.OFF


def _connectivity_of(advanced: Mapping[str, Any], body: Mapping[str, Any]) -> Connectivity:
    told = advanced.get("connectivity") or ("OFF" if body.get("type") == "DISCONNECTED" else "ON")
    return Connectivity.OFF if told == "OFF" else Connectivity.ON


@dataclass(frozen=True)
class SegmentState:
    """Realisation on the hosts: ``success`` is the aim; unknown words are pending."""

    state: str
    failure_code: str | None = None
    failure_message: str | None = None
    details: tuple[Any, ...] = field(default=(), repr=False)

    @classmethod
    def of_wire(cls, body: Mapping[str, Any]) -> SegmentState:
        """Read ``.../state``; an absent state is ``unknown``."""
        return cls(
            state=str(body.get("state") or "unknown"),
            failure_code=as_text(body.get("failure_code")),
            failure_message=as_text(body.get("failure_message")),
            details=as_mappings(body.get("details")),
        )

    @property
    def is_success(self) -> bool:
        """Whether the segment is realised."""
        return self.state.lower() == "success"

    @property
    def is_failure(self) -> bool:
        """Whether realisation failed."""
        return self.state.lower() in ("failed", "error")


@dataclass(frozen=True)
class SegmentPort:
    """A port. ``attachment_id`` joins with :attr:`Vif.attachment_id`; None means that nothing is attached."""

    port_id: str
    path: str
    display_name: str
    attachment_id: str | None
    attachment_type: str | None
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def of_wire(cls, body: Mapping[str, Any]) -> SegmentPort:
        """Read a port body.

        :raises ValueError: if it has no id, no path, or an attachment of which only the id is missing.
        """
        if not body.get("id") or not body.get("path"):
            raise ValueError("a port without id or path")
        attachment = as_mapping(body.get("attachment"))
        if body.get("attachment") is not None and not attachment.get("id"):
            raise ValueError("a port with an attachment without id")
        return cls(
            port_id=str(body["id"]),
            path=str(body["path"]),
            display_name=str(body.get("display_name") or body["id"]),
            attachment_id=as_text(attachment.get("id")),
            attachment_type=as_text(attachment.get("type")),
            raw=dict(body),
        )

    @property
    def may_be_vm(self) -> bool:
        """Whether a VM's NIC may sit here: not if nothing is attached, or a container (CHILD)."""
        return self.attachment_id is not None and self.attachment_type != "CHILD"


@dataclass(frozen=True)
class Binding:
    """An address seen or realised at a port, and how it is known (``ARP_SNOOPING``, ``VM_TOOLS``, ...)."""

    ip_address: str | None
    mac_address: str | None
    source: str | None

    @classmethod
    def of_wire(cls, body: Mapping[str, Any]) -> Binding:
        """Read one of a port state's bindings."""
        binding = as_mapping(body.get("binding"))
        return cls(
            ip_address=as_text(binding.get("ip_address")),
            mac_address=as_text(binding.get("mac_address")),
            source=as_text(body.get("source")),
        )


@dataclass(frozen=True)
class PortState:
    """State of a port: ``ATTACHED``, ``FREE``, ``ATTACHED_IN_MOTION``, ... and its bindings."""

    attachment_state: str | None
    realized: tuple[Binding, ...]
    discovered: tuple[Binding, ...]
    duplicates: tuple[Binding, ...]

    @classmethod
    def of_wire(cls, body: Mapping[str, Any]) -> PortState:
        """Read ``.../ports/{id}/state``."""
        return cls(
            attachment_state=as_text(as_mapping(body.get("attachment")).get("state")),
            realized=_bindings(body.get("realized_bindings")),
            discovered=_bindings(body.get("discovered_bindings")),
            duplicates=_bindings(body.get("duplicate_bindings")),
        )


@dataclass(frozen=True)
class Vif:
    """A NIC as NSX sees it: from port (``attachment_id``) to VM (``owner_vm_id``)."""

    attachment_id: str | None
    owner_vm_id: str | None
    owner_vm_type: str | None
    mac_address: str | None
    device_key: str | None
    ip_addresses: tuple[str, ...]
    device_name: str | None = None

    @classmethod
    def of_wire(cls, body: Mapping[str, Any]) -> Vif:
        """Read a VIF body."""
        infos = as_mappings(body.get("ip_address_info"))
        return cls(
            attachment_id=as_text(body.get("lport_attachment_id")),
            owner_vm_id=as_text(body.get("owner_vm_id")),
            owner_vm_type=as_text(body.get("owner_vm_type")),
            mac_address=as_text(body.get("mac_address")),
            device_key=as_text(body.get("device_key")),
            ip_addresses=tuple(str(ip) for one in infos for ip in one.get("ip_addresses") or []),
            device_name=as_text(body.get("device_name")),
        )


@dataclass(frozen=True)
class NsxVirtualMachine:
    """A VM as NSX sees it; ``compute_ids`` joins with vSphere."""

    external_id: str
    display_name: str
    power_state: str | None
    vm_type: str | None
    host_id: str | None
    compute_ids: Mapping[str, str]

    @classmethod
    def of_wire(cls, body: Mapping[str, Any]) -> NsxVirtualMachine:
        """Read a VM body; ``compute_ids`` such as ``instanceUuid:5012...`` become a mapping.

        :raises ValueError: if it has no external id.
        """
        if not body.get("external_id"):
            raise ValueError("a virtual machine without external_id")
        pairs = (str(one).partition(":") for one in body.get("compute_ids") or [])
        return cls(
            external_id=str(body["external_id"]),
            display_name=str(body.get("display_name") or ""),
            power_state=as_text(body.get("power_state")),
            vm_type=as_text(body.get("type")),
            host_id=as_text(body.get("host_id")),
            compute_ids={name: value for name, _, value in pairs},
        )


def _bindings(entries: Any) -> tuple[Binding, ...]:
    return tuple(Binding.of_wire(one) for one in as_mappings(entries))
