"""A product that exists for tests only: it shows what the server does to calls, whatever the real products do.

``GET /thing`` reads, ``POST /thing`` acts (a note ``acted`` in the audit), ``POST /accepted`` acts and answers 202
without a body, ``GET /xml`` answers XML, ``GET /boom`` is a bug, ``GET /hold`` waits for ever and notes when it
is cancelled, ``GET /deep/<anything>`` is served by the ``nsx`` of the destination (a reverse proxy).
"""

from __future__ import annotations

import asyncio

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from hcx_sim.coverage import Confidence, Coverage
from hcx_sim.http.context import Call, Product, Target, call_of
from hcx_sim.world.model import SiteName
from hcx_sim.world.world import World

NAMES = ("hcx", "nsx", "vmc", "csp", "vcenter")


async def _read(request: Request) -> Response:
    call = call_of(request)
    call.user = "probe"
    return JSONResponse({"product": call.product, "site": call.site, "path": call.path, "via": call.via})


async def _act(request: Request) -> Response:
    call = call_of(request)
    call.summary = {"asked": len(call.body)}
    call.world.audit.add("note", "acted", body=call.body.decode())
    return JSONResponse({"acted": True}, 201)


async def _accept(request: Request) -> Response:
    call_of(request).world.audit.add("note", "acted")
    return Response(status_code=202)


async def _xml(_request: Request) -> Response:
    return Response("<?xml version='1.0'?><answer>yes</answer>", media_type="text/xml")


async def _boom(_request: Request) -> Response:
    raise ZeroDivisionError("probe")


async def _hold(request: Request) -> Response:
    world = call_of(request).world
    world.audit.add("note", "holding")
    try:
        await asyncio.Event().wait()
    finally:
        world.audit.add("note", "let go")
    return Response()


_ROUTES = (
    ("GET", "/thing", "thing.read", _read),
    ("POST", "/thing", "thing.act", _act),
    ("POST", "/accepted", "thing.accept", _accept),
    ("GET", "/xml", "thing.xml", _xml),
    ("GET", "/boom", "thing.boom", _boom),
    ("GET", "/hold", "thing.hold", _hold),
)


def _failure(call: Call, status: int, code: str | None, message: str | None) -> Response:
    return JSONResponse({"vendor": call.product, "code": code, "message": message}, status)


def _reroute(_world: World, _site: SiteName | None, path: str) -> Target | None:
    if not path.startswith("/deep/"):
        return None
    return Target("nsx", SiteName.DESTINATION, path.removeprefix("/deep"), via="vmc-proxy")


def probe_product(name: str) -> Product:
    """Return a probe that plays the product of that name."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    coverage = Coverage(name)
    for method, path, call, handler in _ROUTES:
        coverage.route(app, method, path, call=call, confidence=Confidence.GUESSED, sources="TEST")(handler)
    return Product(name, app, coverage, lambda _world: None, _failure, reroute=_reroute if name == "vmc" else None)


def probe_products() -> dict[str, Product]:
    """Return a probe for every product."""
    return {name: probe_product(name) for name in NAMES}
