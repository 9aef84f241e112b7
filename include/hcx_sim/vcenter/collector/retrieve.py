"""``RetrievePropertiesEx`` and its relatives: one-time reads, in pages."""

from __future__ import annotations

import asyncio
from typing import Any

from pyVmomi import VmomiSupport

from hcx_sim.vcenter.collector.properties import PropertySets, Wanted, missing_of, missing_xml, values_of
from hcx_sim.vcenter.faults import invalid_argument, invalid_property, object_not_found
from hcx_sim.vcenter.inventory import Inventory, managed_type
from hcx_sim.vcenter.registry import Context, RawXml, method
from hcx_sim.vcenter.render import reference_xml
from hcx_sim.vcenter.schema import members_of
from hcx_sim.vcenter.selection import select
from hcx_sim.vcenter.soap import element
from hcx_sim.vcenter.state import Retrieval
from hcx_sim.vcenter.values import plan_of, read

_COLLECTOR = "PropertyCollector"
# Other requests get their turn after so many objects.
_BREATH = 250


def _wanted(inventory: Inventory, specs: list[Any]) -> tuple[list[Wanted], list[Any]]:
    wanted: list[Wanted] = []
    missing: list[Any] = []
    for spec in specs:
        sets = PropertySets(spec.propSet)
        selected, gone = select(inventory, spec)
        wanted += sets.wanted(selected)
        missing += gone
    return wanted, missing


async def _contents(context: Context, wanted: list[Wanted], tag: str) -> str:
    """Return the content of objects as XML; an object that vanished meanwhile is left out."""
    inventory, version = context.inventory, context.version
    rows = []
    for number, each in enumerate(wanted, 1):
        found = inventory.find(each.object_id)
        if found is not None:
            values = values_of(inventory, found, each.plans, version)
            sets = "".join([f"<propSet><name>{name}</name>{val}</propSet>" for name, val in values])
            missing = missing_of(found, each.plans, version)
            rows.append(f"<{tag}>{reference_xml('obj', found.reference)}{sets}{missing}</{tag}>")
        if number % _BREATH == 0:
            await asyncio.sleep(0)
    return "".join(rows)


def _absent(references: list[Any], tag: str, version: str) -> str:
    rows = (
        f"<{tag}>{reference_xml('obj', each)}{missing_xml('', object_not_found(each), version)}</{tag}>"
        for each in references
    )
    return "".join(rows)


@method(_COLLECTOR, "RetrievePropertiesEx", anonymous=True, note="anonymous for the service's own objects only")
async def retrieve_properties_ex(context: Context) -> RawXml:
    """Read properties once; more than a page is continued by a token. [D nsx-vsphere 4.2]"""
    options = context.arguments["options"]
    wanted, missing = _wanted(context.inventory, context.arguments["specSet"])
    page_size = options.maxObjects if options is not None else None
    if page_size is not None and page_size < 1:
        raise invalid_argument("options.maxObjects")
    if not wanted and not missing:
        return RawXml("")
    retrieval = Retrieval(
        session_key=context.inventory.session_key,
        remaining=wanted,
        page_size=page_size or context.world.settings.vcenter.page_size,
    )
    return await _page(context, retrieval, _absent(missing, "objects", context.version))


async def _page(context: Context, retrieval: Retrieval, more: str = "") -> RawXml:
    page = retrieval.remaining[: retrieval.page_size]
    del retrieval.remaining[: retrieval.page_size]
    token = ""
    if retrieval.remaining:
        name = f"{context.inventory.session_key}-{context.state.next_id('retrieval')}"
        context.state.retrievals[name] = retrieval
        token = f"<token>{name}</token>"
    rows = await _contents(context, page, "objects")
    return RawXml(f"<returnval>{token}{rows}{more}</returnval>")


@method(_COLLECTOR, "ContinueRetrievePropertiesEx")
async def continue_retrieve(context: Context) -> RawXml:
    """Return the next page."""
    return await _page(context, _take(context))


@method(_COLLECTOR, "CancelRetrievePropertiesEx")
def cancel_retrieve(context: Context) -> None:
    """Drop the pages that were not read."""
    _take(context)


def _take(context: Context) -> Retrieval:
    retrieval: Retrieval | None = context.state.retrievals.pop(context.arguments["token"], None)
    if retrieval is None or retrieval.session_key != context.inventory.session_key:
        raise invalid_argument("token")
    return retrieval


@method(_COLLECTOR, "RetrieveProperties", anonymous=True, note="the older form, which never pages")
async def retrieve_properties(context: Context) -> RawXml:
    """Read properties once, all in one answer."""
    wanted, missing = _wanted(context.inventory, context.arguments["specSet"])
    rows = await _contents(context, wanted, "returnval")
    return RawXml(rows + _absent(missing, "returnval", context.version))


@method("ManagedObject", "Fetch", anonymous=True, note="behind every lazy attribute of a pyVmomi object")
def fetch(context: Context) -> RawXml:
    """Return one property of the object itself."""
    path = context.arguments["prop"]
    plan = plan_of(context.target.type_name, path)
    if plan.path.text not in members_of(managed_type(context.target.type_name)):
        raise invalid_property(path)
    value = read(context.inventory, context.target, plan)
    # The client expects the declared type; a narrower value then says its own.
    kind = members_of(managed_type(context.target.type_name))[path]
    if isinstance(value, list) and not isinstance(value, VmomiSupport.Array):
        value = kind(value)
    return RawXml(element("returnval", value, kind, context.version))
