"""What the account may do: everything, less ``settings.vcenter.denied_privileges``."""

from __future__ import annotations

from typing import Any

from pyVmomi import vim

from hcx_sim.coverage import Confidence
from hcx_sim.vcenter.faults import invalid_argument, object_not_found
from hcx_sim.vcenter.privileges import OTHER_PRIVILEGES, known_privileges
from hcx_sim.vcenter.registry import Context, method

_MANAGER = "AuthorizationManager"


def _granted(context: Context, privilege_id: str) -> bool:
    return privilege_id not in context.world.settings.vcenter.denied_privileges


def _check(context: Context, entities: list[Any]) -> None:
    for entity in entities:
        if context.inventory.find_reference(entity) is None:
            raise object_not_found(entity)


def _availability(context: Context, entities: list[Any], privilege_ids: list[str]) -> list[Any]:
    _check(context, entities)
    if not privilege_ids:
        raise invalid_argument("privId")
    manager = vim.AuthorizationManager
    return [
        manager.EntityPrivilege(
            entity=entity,
            privAvailability=[
                manager.PrivilegeAvailability(privId=each, isGranted=_granted(context, each)) for each in privilege_ids
            ],
        )
        for entity in entities
    ]


@method(_MANAGER, "HasPrivilegeOnEntities")
def has_privilege_on_entities(context: Context) -> list[Any]:
    """Tell per entity and privilege whether a session has it."""
    return _availability(context, context.arguments["entity"], context.arguments["privId"])


@method(_MANAGER, "HasUserPrivilegeOnEntities")
def has_user_privilege_on_entities(context: Context) -> list[Any]:
    """Tell per entity and privilege whether a user has it."""
    return _availability(context, context.arguments["entities"], context.arguments["privId"])


@method(_MANAGER, "HasPrivilegeOnEntity")
def has_privilege_on_entity(context: Context) -> list[bool]:
    """Tell per privilege whether a session has it on one entity."""
    _check(context, [context.arguments["entity"]])
    return [_granted(context, each) for each in context.arguments["privId"]]


@method(_MANAGER, "FetchUserPrivilegeOnEntities", Confidence.DOCUMENTED, "PYV", "the privileges that are simulated")
def fetch_user_privileges(context: Context) -> list[Any]:
    """Return all privileges of a user per entity."""
    _check(context, context.arguments["entities"])
    granted = [each for each in (*known_privileges(), *OTHER_PRIVILEGES) if _granted(context, each)]
    result = vim.AuthorizationManager.UserPrivilegeResult
    return [result(entity=entity, privileges=granted) for entity in context.arguments["entities"]]
