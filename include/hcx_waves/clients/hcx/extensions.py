"""Network extensions and MON (hcx 5).

Three URL families: ``/l2Extensions`` is what every HCX since 3.5 answers and what lists and creates;
``/networkExtensions/{id}`` deletes on 9.x (202, no job); ``/l2NetworkExtensions`` is the batch family of 9.x.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import AliasChoices, Field

from hcx_waves.clients.errors import ConflictError, Lookup
from hcx_waves.clients.hcx.session import SessionCalls
from hcx_waves.clients.hcx.values import HcxModel, Instant
from hcx_waves.clients.transport_retry import CallKind
from hcx_waves.clients.transport_wire import path_segment

HEALTHY_EXTENSION = frozenset({"connected", "realized", "success", "up", "ok"})
"""Words of ``operationStatus.state``, in lower case, that are taken for healthy [? hcx 9.6]."""


class ExtensionNetwork(HcxModel):
    """The network at one end."""

    network_id: str | None = None
    network_name: str | None = None
    network_type: str | None = None
    gateway_id: str | None = None


class ExtensionSite(HcxModel):
    """The site at one end."""

    endpoint_id: str | None = None
    endpoint_name: str | None = None
    endpoint_type: str | None = None
    resource_id: str | None = None


class ExtensionAppliance(HcxModel):
    """The network extension appliance at one end."""

    appliance_id: str | None = None
    appliance_name: str | None = None


class ExtensionFeatures(HcxModel):
    """Features of an extension; ``proximityRouting`` is the older name of MON."""

    egress_optimization: bool | None = None
    mobility_optimized_networking: bool = Field(
        validation_alias=AliasChoices("mobilityOptimizedNetworking", "proximityRouting")
    )


class OperationStatus(HcxModel):
    """``operationStatus``; its words are published nowhere [? hcx 9.6]."""

    state: str | None = None


class NetworkExtension(HcxModel):
    """An extended network [D+C hcx 5.2]."""

    extension_id: str = Field(validation_alias=AliasChoices("stretchId", "extensionId", "id", "extension_id"))
    vc_guid: str | None = None
    gateway: str | None = None
    netmask: str | None = None
    source: ExtensionSite = Field(default_factory=ExtensionSite)
    destination: ExtensionSite = Field(default_factory=ExtensionSite)
    source_network: ExtensionNetwork = Field(default_factory=ExtensionNetwork)
    destination_network: ExtensionNetwork = Field(default_factory=ExtensionNetwork)
    source_appliance: ExtensionAppliance = Field(default_factory=ExtensionAppliance)
    destination_appliance: ExtensionAppliance = Field(default_factory=ExtensionAppliance)
    features: ExtensionFeatures
    operation_status: OperationStatus = Field(default_factory=OperationStatus)
    creation_date: Instant = None
    is_deleted: bool = False


@dataclass(frozen=True)
class ExtensionRequest:
    """What to extend.

    :param source_network_id: port group MoRef or segment path; with its name and type.
    :param gateway_id: the destination Tier-1 (its id or path as HCX lists it).
    :param gateway: the gateway address of the subnet, without prefix length.
    :param destination_endpoint: endpoint id; name and resource are for the record.
    """

    source_network_id: str
    source_network_name: str
    source_network_type: str
    gateway: str
    netmask: str
    gateway_id: str
    source_appliance_id: str
    destination_endpoint_id: str
    vc_guid: str | None = None
    destination_endpoint_name: str | None = None
    destination_resource_id: str | None = None
    destination_resource_name: str | None = None
    dns: Sequence[str] = field(default_factory=tuple)
    egress_optimization: bool = False
    mobility_optimized_networking: bool = False

    def to_wire(self) -> dict[str, Any]:
        """Return the body of ``POST /l2Extensions`` [C hcx 5.3]."""
        destination = {
            "endpointId": self.destination_endpoint_id,
            "endpointName": self.destination_endpoint_name,
            "endpointType": "VC",
            "resourceId": self.destination_resource_id,
            "resourceName": self.destination_resource_name,
            "resourceType": "VC",
        }
        body = {
            "vcGuid": self.vc_guid,
            "gateway": self.gateway,
            "netmask": self.netmask,
            "dns": list(self.dns),
            "destination": {name: value for name, value in destination.items() if value is not None},
            "destinationNetwork": {"gatewayId": self.gateway_id},
            "features": {
                "egressOptimization": self.egress_optimization,
                "mobilityOptimizedNetworking": self.mobility_optimized_networking,
            },
            "sourceAppliance": {"applianceId": self.source_appliance_id},
            "sourceNetwork": {
                "networkId": self.source_network_id,
                "networkName": self.source_network_name,
                "networkType": self.source_network_type,
            },
        }
        return {name: value for name, value in body.items() if value is not None}


@dataclass(frozen=True)
class ExtensionRemoval:
    """An accepted unextend.

    :param job_id: the job to follow; None on 9.x, where only the extension's disappearance shows the end.
    """

    extension_id: str
    job_id: str | None
    warnings: tuple[str, ...] = ()


class MonVirtualMachine(HcxModel):
    """A VM of an extended network and whether the cloud routes it [C hcx 5.5]."""

    vm_id: str
    name: str = ""
    resource_id: str | None = None
    is_proximity_routed: bool


class ExtensionCalls(SessionCalls):
    """Calls on network extensions."""

    def extensions(self) -> tuple[NetworkExtension, ...]:
        """List the network extensions, without those marked as deleted."""
        found = self._get("/l2Extensions").parse_items(NetworkExtension)
        return tuple(extension for extension in found if not extension.is_deleted)

    def find_extension(self, extension_id: str) -> NetworkExtension | None:
        """Find an extension by id in the list: resolves a deletion whose answer was lost."""
        return next((one for one in self.extensions() if one.extension_id == extension_id), None)

    def find_extension_by_source_network(self, network: str) -> NetworkExtension | None:
        """Find the extension of a source network by its id or name: resolves a creation.

        :raises ConflictError: if several extensions have this source network (several destinations).
        """
        found = [
            one
            for one in self.extensions()
            if network in (one.source_network.network_id, one.source_network.network_name)
        ]
        if len(found) > 1:
            ids = ", ".join(one.extension_id for one in found)
            raise ConflictError(
                f"{len(found)} extensions have the source network {network!r}: {ids}",
                system="hcx",
                endpoint=self._transport.base_url,
            )
        return found[0] if found else None

    def create_extension(self, request: ExtensionRequest) -> str:
        """Extend a network.

        :returns: the id of the job. The extension's id is found afterwards by its source network [C hcx 5.3].
        :raises ValidationFailed: if HCX refuses.
        :raises OutcomeUnknownError: if the answer was lost; look for the source network.
        """
        lookup = Lookup(
            "hcx",
            "find_extension_by_source_network",
            {"network": request.source_network_id},
            "an extension: it acted; none: it did not, or has not yet",
        )
        answer = self._send("POST", "/l2Extensions", CallKind.MUTATING, body=request.to_wire(), lookup=lookup)
        answer.require_accepted()
        job_id = answer.mapping().get("id")
        if not job_id:
            raise answer.malformed("no job id in the answer to an extension")
        return str(job_id)

    def delete_extension(
        self, extension_id: str, *, connect_to_local_router: bool, force: bool = False
    ) -> ExtensionRemoval:
        """Unextend a network.

        :param connect_to_local_router: True connects the destination segment to its gateway; False leaves
            it isolated. HCX's own default is False [D hcx 5.4], which is why it has to be said here.
        :param force: 9.x only (``forceOperation``) [D hcx 5.4].
        :raises ValueError: if ``force`` is asked of a manager that documents none.
        :raises NotFound: if there is no such extension.
        :raises ValidationFailed: if HCX refuses, also inside an answer of 200, 202 or 207.
        :raises OutcomeUnknownError: if the answer was lost; look whether the extension is still listed.
        """
        lookup = Lookup(
            "hcx",
            "find_extension",
            {"extension_id": extension_id},
            "none: it acted; an extension: it did not, or is still at work",
        )
        modern = self.version().has_network_extensions
        if force and not modern:
            raise ValueError("this HCX version documents no forced removal of an extension")
        query: dict[str, str | int | bool | None] = {"connectToLocalRouter": connect_to_local_router}
        path = f"/l2Extensions/{path_segment(extension_id)}"
        if modern:
            path = f"/networkExtensions/{path_segment(extension_id)}"
            query["forceOperation"] = force
        answer = self._send("DELETE", path, CallKind.MUTATING, query=query, lookup=lookup)
        answer.require_accepted()
        body: Mapping[str, Any] = answer.mapping() if answer.body else {}
        job_id = body.get("id")
        if not modern and not job_id:
            raise answer.malformed("no job id in the answer to an unextend")
        warnings = body.get("warnings")
        texts = [str(one.get("message")) for one in warnings or [] if isinstance(one, Mapping)]
        return ExtensionRemoval(extension_id, str(job_id) if job_id else None, tuple(texts))

    def mon_virtual_machines(
        self, extension_id: str, *, destination_endpoint_id: str, source_endpoint_id: str
    ) -> tuple[MonVirtualMachine, ...]:
        """List the VMs of an extension with their MON state [C hcx 5.5]."""
        return self._get(
            f"/l2Extensions/{path_segment(extension_id)}/vms",
            {"endpointId": destination_endpoint_id, "hcspUUID": source_endpoint_id},
        ).parse_items(MonVirtualMachine)
