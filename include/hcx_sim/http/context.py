"""What a product's handlers see of a request, and what a product is to the server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response

from hcx_sim.coverage import Coverage
from hcx_sim.http.json_text import strict_json
from hcx_sim.world.model import SiteName
from hcx_sim.world.world import World

SCOPE_KEY = "hcx_sim.call"
LOG_IN_BYTES = 64 * 1024


@dataclass(slots=True)
class Call:
    """One request on its way.

    ``operation`` is the key under which COVERAGE.md lists the endpoint and which fault rules match. ``user`` is
    set by the product once it knows; ``summary`` may be set by a handler to say in the audit what was asked
    (never a secret). ``via`` is ``vmc-proxy`` for NSX behind the VMware Cloud reverse proxy, else empty.
    ``base_path`` is the world's path prefix (empty for the default world), for links in answers.
    """

    world: World
    product: str
    site: SiteName | None
    method: str
    path: str
    query: str
    body: bytes
    call_id: str
    base_path: str = ""
    via: str = ""
    client: str = ""
    operation: str = ""
    user: str = ""
    summary: Any = None
    extras: dict[str, Any] = field(default_factory=dict)

    def json(self) -> Any:
        """Return the body as strict JSON; raises :class:`ValueError` when it is not."""
        return strict_json(self.body)

    @property
    def is_small(self) -> bool:
        """Whether the body is of a size that is read for a caller who has not logged in yet."""
        return len(self.body) <= LOG_IN_BYTES

    @property
    def here(self) -> SiteName:
        """The site of a product that has one per site; raises :class:`LookupError` otherwise."""
        if self.site is None:
            raise LookupError(f"{self.product} belongs to no site")
        return self.site


def call_of(request: Request) -> Call:
    """Return the call behind a FastAPI request."""
    call: Call = request.scope[SCOPE_KEY]
    return call


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request really goes: product, site and path (after a reverse proxy's prefix is removed)."""

    product: str
    site: SiteName | None
    path: str
    via: str = ""


@dataclass(frozen=True, slots=True)
class Product:
    """One simulated product.

    ``install`` gives a new world the product's records and event handlers (``world.products[name]``).
    ``failure(call, status, code, message)`` renders an error the way the vendor does; it serves injected
    faults, unknown paths and our own bugs. ``operation_of`` names the operation of a call that the route
    alone does not tell (SOAP); it must not raise. ``reroute`` lets a front end pass a request to another product.
    ``occupies`` is entered while a call is served, until its answer has been sent, by a product that counts them.
    """

    name: str
    app: FastAPI
    coverage: Coverage
    install: Callable[[World], None]
    failure: Callable[[Call, int, str | None, str | None], Response]
    operation_of: Callable[[Call], str] | None = None
    reroute: Callable[[World, SiteName | None, str], Target | None] | None = None
    occupies: Callable[[Call], AbstractContextManager[None]] | None = None
