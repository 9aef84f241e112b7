"""``ManagedEntity``: what all objects of the inventory tree have in common."""

from __future__ import annotations

import zlib
from typing import Any

from pyVmomi import vim

from hcx_sim.vcenter.families.base import provides
from hcx_sim.vcenter.inventory import Inventory
from hcx_sim.world.model import Vm

ENTITY = "ManagedEntity"
_RECENT = 5


@provides(ENTITY, "overallStatus", "configStatus")
def _status(_inventory: Inventory, _record: Any) -> Any:
    return vim.ManagedEntity.Status.green


@provides(ENTITY, "recentTask")
def _recent_task(inventory: Inventory, record: Any) -> Any:
    tasks = [task for task in inventory.state.tasks.values() if task.entity_id == record.moref]
    return [vim.Task(task.task_id) for task in tasks[-_RECENT:]]


@provides(ENTITY, "alarmActionsEnabled")
def _alarm_actions(_inventory: Inventory, _record: Any) -> Any:
    return True


@provides(ENTITY, "tag")
def _tag(inventory: Inventory, record: Any) -> Any:
    """Return the attached tags, keyed as the tagging service keys them."""
    names = record.tags if isinstance(record, Vm) else []
    uuid = inventory.world.random.stable_uuid
    return [vim.Tag(key=f"urn:vmomi:InventoryServiceTag:{uuid(f'tag/{name}')}:GLOBAL") for name in names]


@provides(ENTITY, "customValue", "value")
def _custom_value(inventory: Inventory, record: Any) -> Any:
    given = record.custom_attributes if isinstance(record, Vm) else {}
    keys = inventory.custom_fields() if given else {}
    value = vim.CustomFieldsManager.StringValue
    return [value(key=keys[name], value=text) for name, text in sorted(given.items())]


@provides("CustomFieldsManager", "field")
def _fields(inventory: Inventory, _record: Any) -> Any:
    definition = vim.CustomFieldsManager.FieldDef
    return [
        definition(key=key, name=name, type=str, managedObjectType=vim.VirtualMachine)
        for name, key in inventory.custom_fields().items()
    ]


def stable_number(text: str, size: int) -> int:
    """Return a number below ``size`` that depends on nothing but ``text``."""
    return zlib.crc32(text.encode()) % size
