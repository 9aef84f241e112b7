"""The application of both managers, and how a handler is registered.

Every handler runs behind the same gate: who calls, whether the caller is within its limits, and only then the
call itself. Handlers are plain functions of the :class:`~hcx_sim.http.context.Call` and the request; they return
a body (rendered as JSON), a response, or None (200 with an empty body).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from hcx_sim.coverage import Confidence, Coverage, RouteFact
from hcx_sim.http.context import Call, call_of
from hcx_sim.nsx.auth import authenticate
from hcx_sim.nsx.errors import NsxError, failure
from hcx_sim.nsx.limits import admit

POLICY = "/policy/api/v1"
app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
coverage = Coverage("nsx")

Handler = Callable[[Call, Request], Any]
# operation key of the plain call -> test of the query -> operation key of the variant
_variants: dict[str, list[tuple[str, str, str]]] = {}


def route(
    method: str,
    path: str,
    call_name: str,
    confidence: Confidence,
    sources: str,
    note: str = "",
    *,
    open_to_all: bool = False,
) -> Callable[[Handler], Handler]:
    """Register a handler; ``open_to_all`` is for log-in, which comes before any authentication."""

    def register(handler: Handler) -> Handler:
        async def serve(request: Request) -> Response:
            call = call_of(request)
            try:
                if not open_to_all:
                    call.user = authenticate(call, request)
                admit(call)
                return _response(handler(call, request))
            except NsxError as error:
                return error.render()

        coverage.route(app, method, path, call_name, confidence, sources, note)(serve)
        return handler

    return register


def variant(call_name: str, parameter: str, value: str, name: str, confidence: Confidence, sources: str) -> None:
    """Register ``name`` as the operation key of ``call_name`` when a query parameter has a value."""
    plain = next(fact for fact in coverage.routes if fact.call == call_name)
    path = f"{plain.path}?{parameter}={value}"
    coverage.routes.append(RouteFact("nsx", name, plain.method, path, confidence, tuple(sources.split())))
    _variants.setdefault(call_name, []).append((parameter, value, name))


def operation_of(call: Call) -> str:
    """Return the operation key of a call whose route is known; empty when the route says all."""
    pairs = call.query.split("&")
    for parameter, value, name in _variants.get(call.operation, []):
        if f"{parameter}={value}" in pairs:
            return name
    return ""


def _response(result: Any) -> Response:
    if isinstance(result, Response):
        return result
    return Response(status_code=200) if result is None else JSONResponse(result)


@app.exception_handler(HTTPException)
async def render_unknown_path(request: Request, error: HTTPException) -> Response:
    """Answer an unknown path or method in the manager's style."""
    return failure(call_of(request), error.status_code, None, None)
