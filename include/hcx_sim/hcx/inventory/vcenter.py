"""The local vCenter as a tree, and what hangs on its clusters. [C hcx 3.2]"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from fastapi import Request, Response

from hcx_sim.coverage import Confidence
from hcx_sim.hcx.app import API, app, coverage
from hcx_sim.hcx.body import as_text, texts
from hcx_sim.hcx.inventory.entities import DEFAULT_MAX_MTU, SWITCH_TYPE, identity
from hcx_sim.hcx.inventory.routes import INVENTORY
from hcx_sim.hcx.inventory.selection import Selection, answer, select
from hcx_sim.hcx.sessions import authenticated
from hcx_sim.hcx.wire import HcxError, Style, legacy_items
from hcx_sim.http.context import call_of
from hcx_sim.world.model import Placement, SiteName
from hcx_sim.world.world import World

_CLUSTER, _DATACENTER = "ClusterComputeResource", "Datacenter"
_QUERY_TYPES = {"cluster": _CLUSTER, "datacenter": _DATACENTER, "dvs": SWITCH_TYPE}


def _of_type(world: World, site: SiteName, type_name: str) -> list[Placement]:
    return [p for p in world.placements.values() if p.site is site and p.type_name == type_name]


def _node(world: World, site: SiteName, placement: Placement, children: list[dict[str, Any]]) -> dict[str, Any]:
    instance = world.site(site).vcenter_instance_uuid
    place = identity(placement.moref, placement.name, placement.type_name)
    return {"vcenter_instanceId": instance, **place, "children": children}


@coverage.route(
    app, "POST", f"{INVENTORY}/vc/list", "inventory.vcenters.list", Confidence.CONFIRMED, "TF",
    "vCenter, its datacentres, their clusters; entityType words are vSphere's [I hcx 3.2]",
)  # fmt: skip
async def list_vcenters(request: Request) -> Response:
    """Return the local vCenter's tree: a client takes clusters from ``items[0].children[0].children``."""
    selection = select(request)
    world, here = selection.world, selection.call.here
    site = world.site(here)
    clusters = [_node(world, here, cluster, []) for cluster in _of_type(world, here, _CLUSTER)]
    centres = [_node(world, here, centre, clusters) for centre in _of_type(world, here, _DATACENTER)]
    uuid = site.vcenter_instance_uuid
    root = {"vcenter_instanceId": uuid, **identity(uuid, site.vcenter_name, "VirtualCenter"), "children": centres}
    return answer(selection, [root], 1)


def _asks_for_local_cluster(selection: Selection) -> bool:
    """Tell whether the filter names the local vCenter and one of its clusters; what is left out matches."""
    world, here = selection.world, selection.call.here
    wanted = selection.filter
    instance = as_text(wanted.get("vcenter_instanceId")) or world.site(here).vcenter_instance_uuid
    clusters = {cluster.moref for cluster in _of_type(world, here, _CLUSTER)}
    named = set(texts(wanted.get("computeIds"))) or clusters
    return instance == world.site(here).vcenter_instance_uuid and bool(named & clusters)


@coverage.route(
    app, "POST", f"{INVENTORY}/vc/datastores/query", "inventory.vcenter_datastores.query", Confidence.CONFIRMED, "TF"
)
async def query_cluster_datastores(request: Request) -> Response:
    """Return the datastores of a cluster; here the field is ``entity_type``."""
    selection = select(request)
    found = _asks_for_local_cluster(selection)
    items = [
        {"id": store.moref, "name": store.name, "entity_type": "Datastore"}
        for store in selection.world.datastores.values()
        if found and store.site is selection.call.here
    ]
    return answer(selection, selection.page(items), len(items))


@coverage.route(
    app, "POST", f"{INVENTORY}/vc/dvs/query", "inventory.vcenter_switches.query", Confidence.CONFIRMED, "TF"
)
async def query_cluster_switches(request: Request) -> Response:
    """Return the distributed switches of a cluster."""
    selection = select(request)
    world, here = selection.world, selection.call.here
    switches = _of_type(world, here, SWITCH_TYPE) if _asks_for_local_cluster(selection) else []
    items = [
        {
            "id": switch.moref,
            "name": switch.name,
            "type": SWITCH_TYPE,
            "maxMtu": switch.properties.get("max_mtu", DEFAULT_MAX_MTU),
        }
        for switch in switches
    ]
    return answer(selection, selection.page(items), len(items))


@coverage.route(
    app, "GET", f"{API}/vc/query", "inventory.vcenter_entities.query", Confidence.CONFIRMED, "AVS",
    "the call is confirmed, the items are composed after the other inventory queries",
)  # fmt: skip
async def query_vcenter(request: Request) -> Response:
    """Return the local vCenter's entities of one type: ``cluster``, ``datacenter`` or ``dvs``."""
    authenticated(request)
    call = call_of(request)
    kind = parse_qs(call.query).get("entityType", [""])[0].lower()
    if kind not in _QUERY_TYPES:
        known = ", ".join(_QUERY_TYPES)
        raise HcxError(400, f"entityType must be one of {known}", code="BAD_REQUEST", style=Style.LEGACY)
    placements = _of_type(call.world, call.here, _QUERY_TYPES[kind])
    return legacy_items(call.world, [_node(call.world, call.here, placement, []) for placement in placements])
