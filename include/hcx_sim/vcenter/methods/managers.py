"""Methods of the managers that users' scripts ask: permissions, extensions, events, alarms, options, fields."""

from __future__ import annotations

from typing import Any

from pyVmomi import vim

from hcx_sim.coverage import Confidence
from hcx_sim.vcenter.families.managers import events, extensions, permission
from hcx_sim.vcenter.faults import faulted, invalid_argument, not_supported
from hcx_sim.vcenter.registry import Context, method
from hcx_sim.world.model import Vm

_INFERRED = Confidence.INFERRED
_FIRST_DEFINED_FIELD = 1001  # above those of the attributes that VMs came with


# Permissions -----------------------------------------------------------------------------------------------


def _permissions(context: Context) -> list[Any]:
    return [permission(context.inventory, context.caller.username)]


@method("AuthorizationManager", "RetrieveEntityPermissions")
def retrieve_entity_permissions(context: Context) -> list[Any]:
    """Return the permissions on an entity, with those that come down from the root folder if asked."""
    found = context.inventory.require_reference(context.arguments["entity"])
    at_root = found.object_id == context.inventory.root_id()
    return _permissions(context) if context.arguments["inherited"] or at_root else []


@method("AuthorizationManager", "RetrieveAllPermissions")
def retrieve_all_permissions(context: Context) -> list[Any]:
    """Return all permissions: the account's."""
    return _permissions(context)


@method("AuthorizationManager", "RetrieveRolePermissions")
def retrieve_role_permissions(context: Context) -> list[Any]:
    """Return the permissions that give a role."""
    return [each for each in _permissions(context) if each.roleId == context.arguments["roleId"]]


# Extensions, alarms, options -------------------------------------------------------------------------------


@method("ExtensionManager", "FindExtension")
def find_extension(context: Context) -> Any:
    """Return the extension of a key; none is an unset answer."""
    known = extensions(context.inventory, None)
    return next((each for each in known if each.key == context.arguments["extensionKey"]), None)


@method("AlarmManager", "GetAlarm", _INFERRED, "PYV", "there are no alarms")
@method("AlarmManager", "GetAlarmState", _INFERRED, "PYV", "there are no alarms")
def get_alarms(context: Context) -> list[Any]:
    """Return the alarms, of one entity if asked."""
    entity = context.arguments["entity"]
    if entity is not None:
        context.inventory.require_reference(entity)
    return []


@method("OptionManager", "QueryOptions", _INFERRED, "PYV", "no option is known")
def query_options(context: Context) -> list[Any]:
    """Return the options of a name; InvalidName, as there is none."""
    name = context.arguments["name"] or ""
    raise faulted(vim.fault.InvalidName, f"The name '{name}' is not valid.", name=name)


# Events ----------------------------------------------------------------------------------------------------


def _concerns(event: Any, spec: Any) -> bool:
    """Tell whether an event meets a filter; times and entities as given, other members do not narrow."""
    entity, time = spec.entity, spec.time
    info = getattr(event, "info", None)
    involved = [info.entity] if info is not None and info.entity is not None else []
    names = [kind.removeprefix("vim.event.") for kind in spec.eventTypeId]
    tests = (
        entity is None or entity.recursion != "self" or entity.entity in involved,
        time is None or time.beginTime is None or event.createdTime >= time.beginTime,
        time is None or time.endTime is None or event.createdTime <= time.endTime,
        not names or type(event)._wsdlName in names,
        not spec.eventChainId or event.chainId == spec.eventChainId,
        spec.userName is None or event.userName in spec.userName.userList,
    )
    return all(tests)


@method("EventManager", "QueryEvents", _INFERRED, "PYV", "log-ins that still live, and tasks")
def query_events(context: Context) -> list[Any]:
    """Return the events that meet a filter, oldest first."""
    spec = context.arguments["filter"]
    if spec.entity is not None:
        context.inventory.require_reference(spec.entity.entity)
    found = [event for event in events(context.inventory) if _concerns(event, spec)]
    return found[-spec.maxCount :] if spec.maxCount else found


# Messages and custom fields --------------------------------------------------------------------------------


@method("SessionManager", "UpdateServiceMessage", mutating=True)
def update_service_message(context: Context) -> None:
    """Set the message that everybody who logs in is shown."""
    context.state.message = context.arguments["message"]
    context.state.changes.touch("SessionManager")


@method("CustomFieldsManager", "AddCustomFieldDef", mutating=True)
def add_custom_field(context: Context) -> Any:
    """Define a custom attribute of VMs, or of all objects; DuplicateName when there is one of the name."""
    name = context.arguments["name"].strip()
    if not name:
        raise invalid_argument("name")
    fields = context.inventory.custom_fields()
    if name in fields:
        text = f"The name '{name}' already exists."
        raise faulted(vim.fault.DuplicateName, text, name=name, object=context.target.reference)
    key = context.state.next_id("custom field", first=_FIRST_DEFINED_FIELD)
    context.state.custom_fields[name] = key
    context.state.changes.touch("CustomFieldsManager")
    return vim.CustomFieldsManager.FieldDef(
        key=key, name=name, type=str, managedObjectType=context.arguments["moType"] or None
    )


@method("CustomFieldsManager", "SetField", mutating=True)
def set_field(context: Context) -> None:
    """Set a custom attribute of a VM; an empty value takes it away. InvalidArgument for a key that is not defined."""
    entity = context.inventory.require_reference(context.arguments["entity"])
    names = {key: name for name, key in context.inventory.custom_fields().items()}
    name = names.get(context.arguments["key"])
    if name is None:
        raise invalid_argument("key")
    if not isinstance(entity.record, Vm):
        raise not_supported("Only virtual machines have custom attributes here.")
    vm: Vm = entity.record
    value = context.arguments["value"]
    kept = {each: text for each, text in vm.custom_attributes.items() if each != name}
    context.world.update(vm, custom_attributes={**kept, **({name: value} if value else {})})
