"""How managed types say which methods they have, and what a method's handler gets to see."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from hcx_sim.coverage import Confidence, Coverage
from hcx_sim.http.context import Call
from hcx_sim.vcenter.inventory import Found, Inventory, managed_type
from hcx_sim.vcenter.state import PRODUCT_NAME, Session, SiteState
from hcx_sim.world.world import World

coverage = Coverage(PRODUCT_NAME)


@dataclass(slots=True)
class Context:
    """One method call: who calls what on which object, with what arguments.

    ``session`` is None for the few methods that need no log-in. A handler may put headers of the answer into
    ``headers``.
    """

    call: Call
    inventory: Inventory
    session: Session | None
    target: Found
    arguments: dict[str, Any]
    version: str
    method: str
    headers: dict[str, str]
    cookie: str = ""
    agent: str = ""

    @property
    def world(self) -> World:
        """The world of the call."""
        return self.call.world

    @property
    def state(self) -> SiteState:
        """The records of the vCenter."""
        return self.inventory.state

    @property
    def caller(self) -> Session:
        """The session; a handler that can be reached without one must not ask."""
        if self.session is None:
            raise LookupError(f"{self.method} was called without a session")
        return self.session


@dataclass(frozen=True, slots=True)
class RawXml:
    """A result that is XML already: the ``returnval`` elements of the answer."""

    text: str


Handler = Callable[[Context], Any | Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Method:
    """A registered method; ``anonymous`` needs no session, ``mutating`` gets a summary into the audit."""

    handler: Handler
    anonymous: bool
    mutating: bool


_METHODS: dict[tuple[str, str], Method] = {}


def method(
    type_name: str,
    name: str,
    confidence: Confidence = Confidence.DOCUMENTED,
    sources: str = "PYV VCSIM",
    note: str = "",
    *,
    anonymous: bool = False,
    mutating: bool = False,
) -> Callable[[Handler], Handler]:
    """Register the handler of a method, named as on the wire, for a managed type and the types below it."""

    def register(handler: Handler) -> Handler:
        _METHODS[type_name, name] = Method(handler, anonymous, mutating)
        if all(fact.call != name for fact in coverage.routes):
            coverage.operation(name, confidence, sources, note)
        return handler

    return register


@cache
def method_of(type_name: str, name: str) -> Method | None:
    """Return the method of an object's type, None when this vCenter does not offer it."""
    for base in managed_type(type_name).__mro__:
        found = _METHODS.get((getattr(base, "_wsdlName", ""), name))
        if found is not None:
            return found
    return None


def method_names() -> list[tuple[str, str]]:
    """Return every registered method as managed type and wire name."""
    return sorted(_METHODS)
