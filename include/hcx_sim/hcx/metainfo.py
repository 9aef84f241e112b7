"""``/metainfo``: how a client learns the vcGuid, and that it talks to a simulator."""

from __future__ import annotations

from fastapi import Request, Response

from hcx_sim.coverage import Confidence
from hcx_sim.hcx.app import API, app, coverage
from hcx_sim.hcx.sessions import authenticated
from hcx_sim.hcx.wire import json_response
from hcx_sim.http.context import call_of

SIMULATOR = "hcx-sim"

coverage.fields(
    "metainfo", ("[].cloudManagementPlatforms[].cmpId",), Confidence.CONFIRMED, "HCXPY T91",
    "simulator{name,world,role} is an addition that the product does not have",
)  # fmt: skip


@coverage.route(
    app, "GET", f"{API}/metainfo/context/interconnect", "metainfo.interconnect", Confidence.CONFIRMED, "HCXPY T91"
)
async def interconnect_context(request: Request) -> Response:
    """Return the list whose first entry names the local vCenter; ``simulator`` says what this really is."""
    authenticated(request)
    call = call_of(request)
    world, site = call.world, call.world.site(call.here)
    platform = {"cmpId": site.vcenter_instance_uuid, "cmpName": site.vcenter_name, "cmpType": "VC"}
    context = {
        "cloudManagementPlatforms": [platform],
        "simulator": {"name": SIMULATOR, "world": world.world_id, "role": world.role},
    }
    return json_response([context])
