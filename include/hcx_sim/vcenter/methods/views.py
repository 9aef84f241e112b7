"""The view manager: container views and list views."""

from __future__ import annotations

from typing import Any

from hcx_sim.vcenter.faults import invalid_argument, object_not_found
from hcx_sim.vcenter.inventory import managed_type
from hcx_sim.vcenter.registry import Context, method
from hcx_sim.vcenter.selection import view_members
from hcx_sim.vcenter.state import View

_MANAGER = "ViewManager"
_CONTAINERS = frozenset({"Folder", "Datacenter", "ClusterComputeResource", "ResourcePool", "HostSystem"})


def _new(context: Context, kind: str, **members: Any) -> Any:
    number = context.state.next_id("view")
    view_id = f"session[{context.caller.key}]{context.world.random.stable_uuid(f'view/{number}')}"
    context.state.views[view_id] = View(view_id, kind, context.caller.key, **members)
    context.state.changes.touch(structure=True)
    return managed_type(kind)(view_id)


@method(_MANAGER, "CreateContainerView")
def create_container_view(context: Context) -> Any:
    """Make a view of what is inside a container, by type."""
    container = context.inventory.find_reference(context.arguments["container"])
    if container is None:
        raise object_not_found(context.arguments["container"])
    if container.type_name not in _CONTAINERS:
        raise invalid_argument("container")
    types = tuple(kind._wsdlName for kind in context.arguments["type"])
    recursive = bool(context.arguments["recursive"])
    return _new(context, "ContainerView", container_id=container.object_id, types=types, recursive=recursive)


@method(_MANAGER, "CreateListView")
def create_list_view(context: Context) -> Any:
    """Make a view of given objects; one that does not exist is ManagedObjectNotFound."""
    return _new(context, "ListView", object_ids=_existing(context, context.arguments["obj"]))


@method(_MANAGER, "CreateListViewFromView")
def create_list_view_from_view(context: Context) -> Any:
    """Make a list view of what another view holds now."""
    return _new(context, "ListView", object_ids=_members(context))


def _existing(context: Context, references: list[Any]) -> list[str]:
    for reference in references:
        if context.inventory.find_reference(reference) is None:
            raise object_not_found(reference)
    return list(dict.fromkeys(reference._moId for reference in references))


def _members(context: Context) -> list[str]:
    reference = context.arguments["view"]
    other = context.inventory.find_reference(reference)
    if other is None:
        raise object_not_found(reference)
    return [found.object_id for found in view_members(context.inventory, other.record)]


def _unresolved(context: Context, references: list[Any]) -> list[Any]:
    return [each for each in references if context.inventory.find_reference(each) is None]


@method("ListView", "ModifyListView")
def modify_list_view(context: Context) -> list[Any]:
    """Add and remove objects; return the references that could not be resolved."""
    view: View = context.target.record
    removed = {reference._moId for reference in context.arguments["remove"]}
    unresolved = _unresolved(context, context.arguments["add"])
    added = [each._moId for each in context.arguments["add"] if each not in unresolved]
    view.object_ids = [each for each in dict.fromkeys([*view.object_ids, *added]) if each not in removed]
    context.state.changes.touch(view.view_id, structure=True)
    return unresolved


@method("ListView", "ResetListView")
def reset_list_view(context: Context) -> list[Any]:
    """Replace all objects; return the references that could not be resolved."""
    view: View = context.target.record
    unresolved = _unresolved(context, context.arguments["obj"])
    view.object_ids = list(dict.fromkeys(each._moId for each in context.arguments["obj"] if each not in unresolved))
    context.state.changes.touch(view.view_id, structure=True)
    return unresolved


@method("ListView", "ResetListViewFromView")
def reset_list_view_from_view(context: Context) -> None:
    """Replace all objects by what another view holds now."""
    view: View = context.target.record
    view.object_ids = _members(context)
    context.state.changes.touch(view.view_id, structure=True)


@method("View", "DestroyView")
def destroy_view(context: Context) -> None:
    """Drop a view."""
    context.state.views.pop(context.target.object_id, None)
    context.state.changes.touch(structure=True)
