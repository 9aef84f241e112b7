"""Network cards and VMs, over the policy and over the manager API. nsx-vsphere 3."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import Request

from hcx_sim.coverage import Confidence
from hcx_sim.http.context import Call
from hcx_sim.nsx.app import POLICY, coverage, route
from hcx_sim.nsx.errors import NsxError, not_found
from hcx_sim.nsx.inventory import host_id, vif_body, vm_body, vms_by_external_id
from hcx_sim.nsx.paging import page
from hcx_sim.nsx.records import records_of
from hcx_sim.world.model import Nic, Vm

_FABRIC = "/api/v1/fabric"
_REALIZED = f"{POLICY}/infra/realized-state"


def _check_point(call: Call, request: Request) -> None:
    point = request.path_params["point"]
    if point != call.world.site(call.here).enforcement_point:
        raise not_found(f"/infra/sites/default/enforcement-points/{point}")


def check_fabric(call: Call) -> None:
    """The manager API of VMware Cloud is closed, but for the proxy that one script goes through. [C nsx-vsphere 3]"""
    if call.world.site(call.here).nsx_flavour == "vmc" and not call.via:
        raise NsxError(403, 403, f"{call.path} is not open to this user.", module="common-services")


def _vms(call: Call, request: Request) -> Iterable[Vm]:
    query = request.query_params
    world = call.world
    external_id = query.get("external_id")
    found = vms_by_external_id(world, call.here, external_id) if external_id is not None else world.vms_at(call.here)
    name, host, excluded = query.get("display_name"), query.get("host_id"), query.get("exclude_vm_type")
    return [
        vm
        for vm in found
        if (name is None or vm.name == name) and (host is None or host_id(world, vm) == host) and excluded != "REGULAR"
    ]


def list_vms(call: Call, request: Request) -> dict[str, Any]:
    """Return the VMs of the site, powered off or not, appliances included."""
    return page(call, request, _vms(call, request), lambda vm: (vm.name, vm.key), lambda vm: vm_body(call.world, vm))


def list_point_vms(call: Call, request: Request) -> dict[str, Any]:
    """Return the VMs of an enforcement point; deprecated and used. [C nsx-vsphere 3]"""
    _check_point(call, request)
    return list_vms(call, request)


def list_fabric_vms(call: Call, request: Request) -> dict[str, Any]:
    """Return VMs over the manager API."""
    check_fabric(call)
    return list_vms(call, request)


def _cards(call: Call, request: Request) -> list[tuple[Vm, Nic]]:
    query = request.query_params
    world = call.world
    attachment = query.get("lport_attachment_id")
    if attachment is not None:
        return _cards_at(call, attachment)
    owner = query.get("owner_vm_id") or query.get("vm_id")
    host = query.get("host_id")
    vms = vms_by_external_id(world, call.here, owner) if owner is not None else world.vms_at(call.here)
    return [(vm, nic) for vm in vms if host is None or host_id(world, vm) == host for nic in vm.nics]


def _cards_at(call: Call, attachment_id: str) -> list[tuple[Vm, Nic]]:
    world = call.world
    port_key = records_of(world).ports.by_attachment.get(f"{call.here}/{attachment_id}")
    port = world.ports.get(port_key) if port_key is not None else None
    vm = world.vms.get(f"{call.here}/{port.vm_moref}") if port is not None and not port.releasing else None
    return [(vm, nic) for nic in vm.nics if port is not None and nic.key == port.device_key] if vm is not None else []


def list_vifs(call: Call, request: Request) -> dict[str, Any]:
    """Return network cards, of one attachment if asked."""
    records = records_of(call.world)
    return page(
        call,
        request,
        _cards(call, request),
        lambda card: (f"{card[0].name}/{card[1].label}", f"{card[0].key}/{card[1].key}"),
        lambda card: vif_body(call.world, records, *card),
    )


def list_point_vifs(call: Call, request: Request) -> dict[str, Any]:
    """Return the network cards of an enforcement point."""
    _check_point(call, request)
    return list_vifs(call, request)


def list_fabric_vifs(call: Call, request: Request) -> dict[str, Any]:
    """Return network cards over the manager API."""
    check_fabric(call)
    return list_vifs(call, request)


def register() -> None:
    """Register the routes."""
    documented = Confidence.DOCUMENTED
    point = f"{_REALIZED}/enforcement-points/{{point}}"
    route("GET", f"{point}/vifs", "realized_state.vifs", documented, "VMCPOL NSX42 VCFNSX")(list_point_vifs)
    route(
        "GET",
        f"{point}/virtual-machines",
        "realized_state.enforcement_point_virtual_machines",
        documented,
        "VMCPOL PYVMC",
        note="deprecated",
    )(list_point_vms)
    route("GET", f"{_REALIZED}/virtual-machines", "realized_state.virtual_machines", documented, "VMCPOL")(list_vms)
    note = "on premises, and behind the cloud's reverse proxy"
    route("GET", f"{_FABRIC}/vifs", "fabric.vifs", documented, "VCFNSX", note)(list_fabric_vifs)
    route("GET", f"{_FABRIC}/virtual-machines", "fabric.virtual_machines", documented, "VCFNSX", note)(list_fabric_vms)
    coverage.states("power_state", ("VM_RUNNING", "VM_STOPPED", "VM_SUSPENDED"), documented, "VMCPOL VCFNSX")
    coverage.fields(
        "virtual machine",
        ("display_name", "external_id", "power_state", "type", "host_id", "guest_info", "compute_ids"),
        documented,
        "VMCPOL VCFNSX",
        note="every VM is REGULAR, HCX appliances as well",
    )
    coverage.fields(
        "vif",
        (
            "external_id",
            "lport_attachment_id",
            "owner_vm_id",
            "owner_vm_type",
            "device_key",
            "mac_address",
            "ip_address_info",
        ),
        documented,
        "VMCPOL VCFNSX",
    )
