"""What the server needs to know about the simulated NSX managers."""

from __future__ import annotations

from typing import Any

from hcx_sim.coverage import Confidence
from hcx_sim.http.context import Product
from hcx_sim.nsx import (
    firewall_routes,
    gateway_routes,
    groups,
    hierarchy,
    inventory_routes,
    manager_routes,
    node_routes,
    port_routes,
    realisation_routes,
    search_routes,
    segment_removal,
    segment_routes,
    tables,
    topology,
)
from hcx_sim.nsx.app import app, coverage, operation_of
from hcx_sim.nsx.errors import failure
from hcx_sim.nsx.limits import occupy
from hcx_sim.nsx.ports import PortIndex, PortKeeper
from hcx_sim.nsx.records import NSX, NsxRecords
from hcx_sim.nsx.search_index import SearchLag, follow
from hcx_sim.settings import NsxSettings
from hcx_sim.world.model import Entity, Port
from hcx_sim.world.world import World

# The order matters: the first route that matches wins, and ".../segments/state" looks like a segment's id.
for _module in (
    node_routes,
    realisation_routes,
    port_routes,
    tables,
    segment_routes,
    hierarchy,
    inventory_routes,
    search_routes,
    topology,
    firewall_routes,
    groups,
    manager_routes,
    gateway_routes,
):
    _module.register()

coverage.fields(
    "error",
    ("httpStatus", "error_code", "module_name", "error_message", "related_errors"),
    Confidence.CONFIRMED,
    "TFNSX NSXOP",
    note="code of a 412 and wording are ours; 502, 503 and 504 behind the cloud's proxy are HTML",
)
coverage.fields(
    "limits",
    ("requests_per_second", "concurrent_per_client", "concurrent_overall"),
    Confidence.DOCUMENTED,
    "LIMITS",
    note="wall time; off on a stepped clock",
)
coverage.fields(
    "list answer",
    ("results", "result_count", "cursor", "sort_by", "sort_ascending"),
    Confidence.DOCUMENTED,
    "VMCPOL",
    note="result_count on the first page only",
)

coverage.fields(
    "settings",
    tuple(f"nsx.{name}" for name in NsxSettings.model_fields),
    Confidence.INFERRED,
    "VMCPOL PYVMC SALT LIMITS",
    note="where nobody says what a manager does, one of them chooses",
)


def install(world: World) -> None:
    """Give a new world the managers' records, and derive the ports of its VMs."""
    records = NsxRecords(ports=PortIndex(), search=SearchLag())
    world.products[NSX] = records
    segment_removal.install(world, records)
    recording, world.audit.recording = world.audit.recording, False
    PortKeeper(world, records.ports)
    world.audit.recording = recording
    follow(world, records.search)

    def forget(what: str, entity: Entity, _before: dict[str, Any]) -> None:
        """Drop what calls said of a port that is gone."""
        if what == "removed" and isinstance(entity, Port):
            records.port_bodies.pop(entity.key, None)

    world.observers.append(forget)


PRODUCT = Product(NSX, app, coverage, install, failure, operation_of=operation_of, occupies=occupy)
