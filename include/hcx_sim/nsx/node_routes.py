"""Log-in sessions, and what a manager says about itself. nsx-vsphere 1.2.

The node answers say that the manager is simulated, in which world and in which role.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from fastapi import Request, Response

from hcx_sim.coverage import Confidence
from hcx_sim.engine.clock import iso, to_ms
from hcx_sim.http.context import Call
from hcx_sim.nsx.app import coverage, route
from hcx_sim.nsx.auth import SESSION_COOKIE, XSRF_HEADER, open_session, session_of
from hcx_sim.nsx.records import records_of

VERSIONS = {"vmc": "4.1.2.0.1.22596744", "onprem": "4.2.0.0.0.24105817"}


def create_session(call: Call, request: Request) -> Response:
    """Log in by form; the answer's cookie and XSRF token are both needed afterwards."""
    text = call.body.decode("utf-8", "replace") if call.is_small else ""
    form = {name: values[-1] for name, values in parse_qs(text).items()}
    call.user = form.get("j_username", "")
    session = open_session(call, call.user, form.get("j_password", ""))
    response = Response(status_code=200)
    secure = request.url.scheme == "https"
    response.set_cookie(SESSION_COOKIE, session.session_id, path=f"{call.base_path}/", httponly=True, secure=secure)
    response.headers[XSRF_HEADER] = session.xsrf_token
    return response


def destroy_session(call: Call, request: Request) -> None:
    """End the session of the request."""
    session_id = request.cookies.get(SESSION_COOKIE, "")
    session = session_of(call, session_id, request.headers.get(XSRF_HEADER, ""))
    call.user = session.user
    del records_of(call.world).sessions[session.session_id]


def _simulated(call: Call) -> dict[str, Any]:
    return {"simulated": True, "world": call.world.world_id, "role": call.world.role, "site": call.here.value}


def node_version(call: Call, _request: Request) -> dict[str, Any]:
    """Return the versions of node and product."""
    version = VERSIONS[call.world.site(call.here).nsx_flavour]
    return {"node_version": version, "product_version": version, "hcx_sim": _simulated(call)}


def node_properties(call: Call, request: Request) -> dict[str, Any]:
    """Return the node's properties; ``system_time`` is virtual, in epoch milliseconds."""
    name = f"nsx-{call.here.value}.example"
    return {
        **node_version(call, request),
        "hostname": name,
        "fully_qualified_domain_name": name,
        "node_type": "NSX Manager",
        "node_uuid": call.world.random.stable_uuid(f"nsx-node/{call.here}"),
        "export_type": "UNRESTRICTED",
        "system_time": to_ms(call.world.now_us),
        "system_datetime": iso(call.world.now_us),
        "timezone": "Etc/UTC",
        "motd": f"Simulated by hcx-sim: world {call.world.world_id}, role {call.world.role}.",
    }


def register() -> None:
    """Register the routes."""
    confirmed, documented = Confidence.CONFIRMED, Confidence.DOCUMENTED
    route("POST", "/api/session/create", "session.create", confirmed, "NSXOP VCFNSX", open_to_all=True)(create_session)
    route("POST", "/api/session/destroy", "session.destroy", confirmed, "NSXOP VCFNSX", open_to_all=True)(
        destroy_session
    )
    route("GET", "/api/v1/node/version", "node.version", documented, "VCFNSX TFNSX")(node_version)
    route("GET", "/api/v1/node", "node.get", documented, "VCFNSX TFNSX")(node_properties)
    coverage.fields(
        "log-in", ("JSESSIONID", "X-XSRF-TOKEN", "csp-auth-token", "Authorization"), confirmed, "TFNSX NSXOP"
    )
