"""The ``/service/inventory`` queries on which placement, network mapping and entity selection rest."""

from __future__ import annotations

from fastapi import Request, Response

from hcx_sim.coverage import Confidence
from hcx_sim.hcx.addresses import manager_url
from hcx_sim.hcx.app import API, app, coverage
from hcx_sim.hcx.inventory.entities import (
    CONTAINER_TYPES,
    container_item,
    datastore_item,
    is_container,
    network_item,
    resource_container_item,
    storage_profiles_at,
    virtual_machine_item,
)
from hcx_sim.hcx.inventory.selection import answer, select

INVENTORY = f"{API}/service/inventory"

coverage.fields(
    "inventory virtual machine",
    ("entity_id", "id", "name", "entityType", "summary", "network", "networkDevices", "_origin"),
    Confidence.CONFIRMED,
    "AYANNY LAMW FED",
    "templates are left out [I hcx 3.2]; members of networkDevices and powerState, usedDiskSize in summary are guesses",
)
coverage.fields(
    "inventory network", ("entity_id", "id", "name", "type", "entityType", "href"), Confidence.CONFIRMED, "AYANNY TF",
    "segments by policy path, port groups by moref; vcenterNetworkId and displayName are additions",
)  # fmt: skip
coverage.fields(
    "inventory container", ("entity_id", "id", "name", "entityType", "_origin.endpointId"), Confidence.CONFIRMED,
    "AYANNY TF LAMW", "entityType: " + ", ".join(CONTAINER_TYPES.values()),
)  # fmt: skip
coverage.fields(
    "inventory resource container",
    ("endpointId", "endpointName", "endpointType", "resourceId", "resourceName", "resourceType", "isLocal", "url",
     "vcuuid", "version", "buildNumber", "osType", "name", "vimId", "vimServerUuid", "endpoint"),
    Confidence.CONFIRMED, "AYANNY TF FED LAMW",
)  # fmt: skip
coverage.fields(
    "inventory filter",
    ("filter.cloud.local", "filter.cloud.remote", "filter.cloud.endpointId", "filter.entityType", "hcspUUID",
     "paging.skipCount", "paging.pageSize"),
    Confidence.CONFIRMED, "AYANNY LAMW TF",
    "filter wrapper optional, booleans as strings; data.paging in answers is an addition [I hcx 3.2]",
)  # fmt: skip


@coverage.route(app, "POST", f"{INVENTORY}/cloud/list", "inventory.clouds.list", Confidence.CONFIRMED, "TF")
async def list_clouds(request: Request) -> Response:
    """List the endpoints; here the filter holds ``local`` and ``remote`` directly."""
    selection = select(request)
    sites = [selection.world.site(name) for name in selection.sites]
    items = [
        {
            "endpointId": site.hcx_endpoint_id,
            "name": site.hcx_endpoint_name,
            "url": manager_url(selection.world, site.name),
            "endpointType": site.hcx_type,
        }
        for site in sites
    ]
    return answer(selection, items, len(items))


@coverage.route(
    app, "POST", f"{INVENTORY}/resourcecontainer/list", "inventory.resource_containers.list", Confidence.CONFIRMED,
    "AYANNY TF FED LAMW",
)  # fmt: skip
async def list_resource_containers(request: Request) -> Response:
    """List the vCenters of the chosen sites, the local one first."""
    selection = select(request)
    here = selection.call.here
    items = [resource_container_item(selection.world, site, local=site is here) for site in selection.sites]
    return answer(selection, items, len(items))


@coverage.route(
    app, "POST", f"{INVENTORY}/virtualmachines", "inventory.virtual_machines.list", Confidence.CONFIRMED,
    "AYANNY LAMW FED",
)  # fmt: skip
async def list_virtual_machines(request: Request) -> Response:
    """List the VMs of the chosen sites, page by page."""
    selection = select(request)
    if selection.entity_types and "virtualmachine" not in selection.entity_types:
        return answer(selection, [], 0)
    world = selection.world
    vms = [vm for site in selection.sites for vm in world.vms_at(site) if not vm.template]
    return answer(selection, [virtual_machine_item(world, vm) for vm in selection.page(vms)], len(vms))


@coverage.route(
    app, "POST", f"{INVENTORY}/networks", "inventory.networks.list", Confidence.CONFIRMED, "AYANNY TF"
)  # fmt: skip
async def list_networks(request: Request) -> Response:
    """List the networks of the chosen sites; ``entityType`` narrows by network type."""
    selection = select(request)
    world = selection.world
    items = [
        item
        for site in selection.sites
        for network in world.networks.values()
        if network.site is site and not network.removed
        for item in [network_item(world, network)]
        if not selection.entity_types or item["entityType"].lower() in selection.entity_types
    ]
    return answer(selection, selection.page(items), len(items))


@coverage.route(
    app, "POST", f"{INVENTORY}/datastores", "inventory.datastores.list", Confidence.CONFIRMED, "AYANNY TF"
)  # fmt: skip
async def list_datastores(request: Request) -> Response:
    """List the datastores of the chosen sites."""
    selection = select(request)
    stores = [store for site in selection.sites for store in selection.world.datastores.values() if store.site is site]
    items = [datastore_item(selection.world, store) for store in selection.page(stores)]
    return answer(selection, items, len(stores))


@coverage.route(
    app, "POST", f"{INVENTORY}/containers", "inventory.containers.list", Confidence.CONFIRMED, "AYANNY TF LAMW"
)
async def list_containers(request: Request) -> Response:
    """List folders, resource pools, datacentres, clusters and hosts; ``entityType`` narrows."""
    selection = select(request)
    wanted = selection.entity_types
    placements = [
        placement
        for site in selection.sites
        for placement in selection.world.placements.values()
        if placement.site is site and is_container(placement)
        if not wanted or CONTAINER_TYPES[placement.type_name].lower() in wanted
    ]
    items = [container_item(selection.world, placement) for placement in selection.page(placements)]
    return answer(selection, items, len(placements))


@coverage.route(
    app, "POST", f"{INVENTORY}/storageProfiles", "inventory.storage_profiles.list", Confidence.CONFIRMED,
    "AYANNY ASAF", "an empty filter means both sites [I hcx 3.2]",
)  # fmt: skip
async def list_storage_profiles(request: Request) -> Response:
    """List the storage policies; clients send an empty filter and look for names of the destination."""
    selection = select(request, default_sites=("local", "remote"))
    items = [item for site in selection.sites for item in storage_profiles_at(selection.world, site)]
    return answer(selection, selection.page(items), len(items))
