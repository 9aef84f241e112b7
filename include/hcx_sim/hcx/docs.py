"""The manual inside the product. [D hcx 1]"""

from __future__ import annotations

from fastapi import Request, Response

from hcx_sim.coverage import Confidence
from hcx_sim.hcx.app import app, coverage
from hcx_sim.http.context import call_of

_PAGE = "<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1><ul>{calls}</ul></body></html>"


@coverage.route(
    app, "GET", "/hybridity/docs/index.html", "docs.index", Confidence.DOCUMENTED, "KB-370544 L911",
    "lists the simulated calls; the product's specifications below /hybridity/docs/apis are not there",
)  # fmt: skip
async def index(request: Request) -> Response:
    """Return a page that lists the calls, without asking for a session."""
    title = f"Simulated HCX {call_of(request).world.settings.hcx.version} API"
    calls = "".join(f"<li>{fact.method} {fact.path}</li>" for fact in coverage.routes)
    return Response(_PAGE.format(title=title, calls=calls), media_type="text/html")
