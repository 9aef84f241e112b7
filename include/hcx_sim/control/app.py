"""The application of the control port.

All calls but ``GET /health`` need ``Authorization: Bearer <token>`` with the token of the endpoints document.
Errors are ``{"error", "hint"}``.

========  =========================================  ==================================================================
GET       /health                                    ``{"status", "worlds", "twins_only"}``
GET POST  /worlds                                    list; make one from a scenario (name or document)
GET POST  /snapshots                                 list; store one (JSON, gzip by Content-Encoding)
GET DEL.  /snapshots/{snapshot_id}                   facts about one; forget it
GET DEL.  /worlds/{id}                               facts about one; forget it
GET       /worlds/{id}/endpoints                     its endpoints document, with credentials
POST      /worlds/{id}/reset                         rebuild it from its scenario, with ``faults`` by name
GET       /worlds/{id}/snapshot                      its inventory as a scenario document, and what is not carried
GET POST  /worlds/{id}/clock                         time: mode, speed, advance
GET POST  /worlds/{id}/waiters                       participants of a stepped clock
DEL.      /worlds/{id}/waiters/{name}                leave
POST      /worlds/{id}/waiters/{name}/wait           long poll until a virtual instant
POST      /worlds/{id}/waiters/settle                who takes part in a guarded clock
GET PUT   /worlds/{id}/annotations/{key}             a JSON document of the client's own
GET POST DEL. /worlds/{id}/faults[/{rule_id}]        fault rules
GET       /worlds/{id}/audit                         ``?kind= &after= &subject= &limit= &form=lines|canonical``
GET       /worlds/{id}/oracle                        the oracle's report
GET       /worlds/{id}/timeline                      what happened, in virtual time only, byte-stable
GET       /fault-scenarios                           what may be put in "faults" of a new world by name
GET       /worlds/{id}/vms                           where each VM is, from the facts
GET       /worlds/{id}/gateways                      physical routers of VLAN port groups
POST      /worlds/{id}/gateways/{network}            ``{"connected": bool}``: what a router command would do
POST      /worlds/{id}/hcx/restart                   restart the HCX services: lost switchovers fire again (KB 321654)
========  =========================================  ==================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hcx_sim.control.annotations import annotations_router
from hcx_sim.control.base import Control, authorised, install_errors, problem
from hcx_sim.control.clock import clock_router
from hcx_sim.control.faults import faults_router
from hcx_sim.control.snapshots import snapshots_router
from hcx_sim.control.truth import truth_router
from hcx_sim.control.waiters import waiters_router
from hcx_sim.control.worlds import worlds_router
from hcx_sim.http.answer import IDENTITY_HEADER
from hcx_sim.worlds import WorldManager

_ROUTERS = (
    worlds_router,
    snapshots_router,
    annotations_router,
    clock_router,
    waiters_router,
    faults_router,
    truth_router,
)


def control_app(worlds: WorldManager, token: str, endpoints: Callable[[str], dict[str, Any]]) -> FastAPI:
    """Return the control API over ``worlds``; every call but ``/health`` needs the bearer ``token``."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    control = Control(worlds, token, endpoints)
    install_errors(app)
    for router in _ROUTERS:
        app.include_router(router(control))

    @app.get("/health")
    async def health() -> dict[str, Any]:
        return {"status": "up", "worlds": worlds.ids(), "twins_only": worlds.limits.twins_only}

    app.add_middleware(_Guard, token=token)
    return app


class _Guard:
    """Lets only calls with the token pass, and marks every answer as the simulator's."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[IDENTITY_HEADER] = "control"
            await send(message)

        if scope["type"] != "http" or authorised(Request(scope), self._token):
            await self._app(scope, receive, marked)
            return
        hint = "send Authorization: Bearer <token>; the token is in the endpoints document under control.token"
        refusal = problem(401, "the control API needs its token", hint)
        refusal.headers["WWW-Authenticate"] = "Bearer"
        await refusal(scope, receive, marked)
