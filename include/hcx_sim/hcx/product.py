"""What the server needs to know about the simulated managers."""

from __future__ import annotations

from fastapi import Response

from hcx_sim.hcx import appliance_management, docs, jobs, metainfo, pairing, sessions
from hcx_sim.hcx.app import app, coverage
from hcx_sim.hcx.extension import extend, newer_routes, records, routes, transition, unextend
from hcx_sim.hcx.interconnect import appliance_routes, deployment, meshes, operations, profiles, tasks, underlay
from hcx_sim.hcx.inventory import routes as inventory_routes
from hcx_sim.hcx.inventory import vcenter
from hcx_sim.hcx.mobility import routes as mobility
from hcx_sim.hcx.state import PRODUCT_NAME, HcxState
from hcx_sim.hcx.wire import failure
from hcx_sim.http.context import Call, Product
from hcx_sim.world.world import World

# Importing a module registers its routes.
ROUTE_MODULES = (
    appliance_management,
    docs,
    sessions,
    metainfo,
    pairing,
    jobs,
    inventory_routes,
    vcenter,
    tasks,
    meshes,
    profiles,
    appliance_routes,
    underlay,
    routes,
    newer_routes,
    mobility,
)


def install(world: World) -> None:
    """Give a new world the managers' records and event handlers."""
    world.products[PRODUCT_NAME] = HcxState(started_us=world.now_us)
    records.adopt(world)
    for mesh in world.meshes.values():
        tasks.record_deployment(world, mesh)
    for module in (pairing, extend, unextend, transition, operations, deployment, profiles, mobility):
        module.install(world)


def _failure(call: Call, status: int, code: str | None, message: str | None) -> Response:
    return failure(call.world, call.path, status, code, message)


PRODUCT = Product(
    name=PRODUCT_NAME,
    app=app,
    coverage=coverage,
    install=install,
    failure=_failure,
    operation_of=mobility.operation_of,
)
