"""The world's truth, past every product: audit, oracle, where VMs are, physical routers, a restart of HCX."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from hcx_sim.control.base import Body, Control, ControlError
from hcx_sim.hcx.mobility.mobility import restart_services
from hcx_sim.world.audit import AuditEntry
from hcx_sim.world.model import SiteName, VcNetwork, Vm
from hcx_sim.world.timeline import KEY as TIMELINE
from hcx_sim.world.world import World

_LINES = "application/x-ndjson"


class Gateway(Body):
    """What the physical router of a VLAN is told; ``site`` when both sites have a network of that name."""

    connected: bool
    site: SiteName | None = None


def truth_router(control: Control) -> APIRouter:
    """Return the routes of audit, oracle, VMs and gateways."""
    router = APIRouter(prefix="/worlds/{world_id}")

    @router.get("/audit")
    async def audit(
        world_id: str,
        kind: str | None = None,
        after: Annotated[int, Query(ge=0)] = 0,
        subject: str | None = None,
        limit: Annotated[int | None, Query(ge=1)] = None,
        form: Literal["json", "lines", "canonical"] = "json",
    ) -> Response:
        world = control.world(world_id)
        entries = world.audit.entries(kind=kind, after=after, subject=subject)[:limit]
        if form == "json":
            return JSONResponse({"entries": [asdict(entry) for entry in entries], "last": len(world.audit)})
        return Response(_lines(entries, canonical=form == "canonical"), media_type=_LINES)

    @router.get("/oracle")
    async def oracle(world_id: str) -> dict[str, Any]:
        report: dict[str, Any] = control.world(world_id).products["oracle"].report()
        return report

    @router.get("/timeline")
    async def timeline(world_id: str) -> Response:
        return Response(control.world(world_id).products[TIMELINE].export(), media_type=_LINES)

    @router.get("/vms")
    async def vms(world_id: str, name: str | None = None) -> dict[str, Any]:
        world = control.world(world_id)
        return {"vms": [_vm(world, vm) for vm in world.vms.values() if name in (None, vm.name)]}

    @router.get("/gateways")
    async def gateways(world_id: str) -> dict[str, Any]:
        world = control.world(world_id)
        return {"gateways": [_gateway(network) for network in _routed_outside(world)]}

    @router.post("/gateways/{network:path}")
    async def set_gateway(world_id: str, network: str, body: Gateway) -> dict[str, Any]:
        world = control.world(world_id)
        found = _find(world, network, body.site)
        with control.acting(world, "gateway", network=network, site=found.site.value, connected=body.connected):
            world.update(found, gateway_connected=body.connected)
        control.worlds.changed(world_id)
        return _gateway(found)

    @router.post("/hcx/restart")
    async def restart_hcx(world_id: str) -> dict[str, Any]:
        world = control.world(world_id)
        with control.acting(world, "hcx-restart"):
            found_again = restart_services(world)
        control.worlds.changed(world_id)
        return {"switchovers_found_again": found_again}

    return router


def _lines(entries: list[AuditEntry], *, canonical: bool) -> str:
    rows = (entry.canonical() if canonical else asdict(entry) for entry in entries)
    return "\n".join(json.dumps(row, sort_keys=True) for row in rows)


def _vm(world: World, vm: Vm) -> dict[str, Any]:
    return {
        "name": vm.name,
        "uid": vm.uid,
        "site": vm.site.value,
        "moref": vm.moref,
        "power": vm.power.value,
        "role": vm.role.value,
        "template": vm.template,
        "retired": vm.retired,
        "instance_uuid": vm.instance_uuid,
        "bios_uuid": vm.bios_uuid,
        "networks": [
            {
                "mac": nic.mac,
                "network": world.networks[f"{vm.site}/{nic.network_moref}"].name,
                "network_moref": nic.network_moref,
                "connected": nic.connected,
                "ip_addresses": list(nic.ip_addresses),
            }
            for nic in vm.nics
        ],
    }


def _routed_outside(world: World) -> list[VcNetwork]:
    return [network for network in world.networks.values() if network.gateway is not None and not network.removed]


def _gateway(network: VcNetwork) -> dict[str, Any]:
    return {
        "network": network.name,
        "site": network.site.value,
        "vlan_id": network.vlan_id,
        "address": network.gateway.address if network.gateway is not None else None,
        "connected": network.gateway_connected,
    }


def _find(world: World, name: str, site: SiteName | None) -> VcNetwork:
    found = [n for n in _routed_outside(world) if n.name == name and site in (None, n.site)]
    if not found:
        hint = "GET /worlds/{id}/gateways lists them; a segment's gateway is changed through NSX"
        raise ControlError(404, f"no physical gateway on a network {name!r}", hint)
    if len(found) > 1:
        raise ControlError(409, f"both sites have a network {name!r}", 'add "site": "source" or "destination"')
    return found[0]
