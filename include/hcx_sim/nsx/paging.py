"""Lists in pages: an opaque cursor, and ``result_count`` on the first page only. [D nsx-vsphere 2.7]

The cursor names the last item shown, so that items that come or go between two pages shift nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from fastapi import Request

from hcx_sim.http.context import Call
from hcx_sim.http.json_text import strict_json
from hcx_sim.nsx.errors import invalid

T = TypeVar("T")
MAX_PAGE_SIZE = 1000
_SORT_DEFAULT = "display_name"
_MARK = "v1"


def page(
    call: Call,
    request: Request,
    items: Iterable[T],
    key: Callable[[T], tuple[str, str]],
    render: Callable[[T], dict[str, Any]],
) -> dict[str, Any]:
    """Return one page of a list answer.

    ``key`` returns display name and unique id of an item, by which lists are sorted; ``sort_by=id`` sorts by the
    latter alone. ``page_size`` above what the server gives is cut down. Raises 400/255 for a wrong cursor or size.
    """
    query = request.query_params
    ascending = query.get("sort_ascending", "true").lower() != "false"
    sort_by = query.get("sort_by", _SORT_DEFAULT)
    by_id = sort_by == "id"

    def sort_key(item: T) -> tuple[str, str]:
        name, unique = key(item)
        return ("", unique) if by_id else (name, unique)

    ordered = sorted(items, key=sort_key, reverse=not ascending)
    total = len(ordered)
    cursor = query.get("cursor")
    if cursor:
        after = _decode(cursor)
        ordered = [item for item in ordered if (sort_key(item) > after) is ascending and sort_key(item) != after]
    size = min(_page_size(query.get("page_size")), call.world.settings.nsx.page_size)
    shown = ordered[:size]
    body: dict[str, Any] = {"results": [render(item) for item in shown]}
    if not cursor:
        body["result_count"] = total
    if len(ordered) > size:
        body["cursor"] = _encode(sort_key(shown[-1]))
    return {**body, "sort_by": sort_by, "sort_ascending": ascending}


def _page_size(text: str | None) -> int:
    if text is None:
        return MAX_PAGE_SIZE
    if not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= MAX_PAGE_SIZE:
        raise invalid([f"page_size: {text} is not between 1 and {MAX_PAGE_SIZE}"])
    return int(text)


def _encode(key: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([_MARK, *key]).encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[str, str]:
    try:
        mark, name, unique = strict_json(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, TypeError):
        mark, name, unique = "", "", ""
    if mark != _MARK:
        raise invalid([f"cursor: {cursor} is none of ours"])
    return str(name), str(unique)
