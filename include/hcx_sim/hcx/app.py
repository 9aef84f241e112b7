"""The application that serves the 443 API of both managers, and the facts about what it covers.

Route modules register their handlers by importing ``app`` and ``coverage`` from here; :mod:`hcx_sim.hcx.product`
imports all route modules.
"""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from hcx_sim.coverage import Coverage
from hcx_sim.hcx.wire import HcxError, failure
from hcx_sim.http.context import call_of

API = "/hybridity/api"

app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
coverage = Coverage("hcx")


@app.exception_handler(HcxError)
async def render_error(request: Request, error: HcxError) -> Response:
    """Answer a manager's own error."""
    return error.render(call_of(request).world)


@app.exception_handler(HTTPException)
async def render_unknown_path(request: Request, error: HTTPException) -> Response:
    """Answer an unknown path or method in the manager's style."""
    call = call_of(request)
    return failure(call.world, call.path, error.status_code, None, None)
