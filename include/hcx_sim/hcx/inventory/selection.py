"""What an inventory query asks for: which sites, which kinds, which page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from fastapi import Request, Response

from hcx_sim.hcx.body import as_bool, as_int, body_of, section, texts
from hcx_sim.hcx.sessions import authenticated
from hcx_sim.hcx.state import state_of
from hcx_sim.hcx.wire import Style, legacy
from hcx_sim.http.context import Call, call_of
from hcx_sim.world.model import SiteName
from hcx_sim.world.world import World


@dataclass(frozen=True, slots=True)
class Selection:
    """A query understood: sites in the order local, remote; lower-case entity types; the page."""

    call: Call
    sites: tuple[SiteName, ...]
    entity_types: frozenset[str]
    filter: Mapping[str, Any]
    skip: int
    size: int | None

    @property
    def world(self) -> World:
        """The world that is asked."""
        return self.call.world

    def page(self, entities: Sequence[Any]) -> Sequence[Any]:
        """Return the part of the result that the page holds."""
        end = None if self.size is None else self.skip + self.size
        return entities[self.skip : end]


def select(request: Request, default_sites: Iterable[str] = ("local",)) -> Selection:
    """Authenticate and read a query.

    The filter may be given without its wrapper and booleans as strings [C hcx 3.2]; ``hcspUUID`` narrows to one
    endpoint. Without any word on sites ``default_sites`` (of ``local`` and ``remote``) are meant [I hcx 3.2].
    """
    authenticated(request)
    call = call_of(request)
    body = body_of(call, Style.LEGACY)
    wanted = body["filter"] if isinstance(body.get("filter"), dict) else body
    paging = section(body, "paging")
    size = as_int(paging.get("pageSize"))
    return Selection(
        call=call,
        sites=_sites(call, wanted, default_sites),
        entity_types=frozenset(kind.lower() for kind in texts(wanted.get("entityType"))),
        filter=wanted,
        skip=max(0, as_int(paging.get("skipCount"))),
        size=size if size > 0 else None,
    )


def _sites(call: Call, wanted: Mapping[str, Any], default_sites: Iterable[str]) -> tuple[SiteName, ...]:
    here = call.here
    cloud = section(wanted, "cloud") or wanted
    known = (here, here.other) if state_of(call.world).paired else (here,)
    endpoints = texts(cloud.get("endpointId")) or parse_qs(call.query).get("hcspUUID", [])
    if endpoints:
        return tuple(site for site in known if call.world.site(site).hcx_endpoint_id in endpoints)
    named = {"local", "remote"} & set(cloud)
    chosen = {name for name in named if as_bool(cloud[name])} if named else set(default_sites)
    names = {here: "local", here.other: "remote"}
    return tuple(site for site in known if names[site] in chosen)


def answer(selection: Selection, items: Sequence[Mapping[str, Any]], total: int) -> Response:
    """Return a page of items in the legacy envelope, with the paging as it was understood [I hcx 3.2]."""
    size = len(items) if selection.size is None else selection.size
    paging = {"offset": selection.skip, "pageSize": size, "totalSize": total}
    return legacy(selection.world, {"items": list(items), "paging": paging})
