"""Managers whose lists are read: roles, extensions, events. The others are there and empty. [I nsx-vsphere 4.1]"""

from __future__ import annotations

from typing import Any

from pyVmomi import vim

from hcx_sim.engine.clock import to_datetime
from hcx_sim.vcenter.families.base import provides
from hcx_sim.vcenter.families.entity import stable_number
from hcx_sim.vcenter.families.service import task_info
from hcx_sim.vcenter.inventory import Inventory
from hcx_sim.vcenter.plain import filled
from hcx_sim.vcenter.privileges import OTHER_PRIVILEGES, known_privileges

ADMIN_ROLE = -1
LIMITED_ROLE = 101
HCX_EXTENSION = "com.vmware.hybridity"
_SYSTEM_ROLES = (
    (ADMIN_ROLE, "Admin"), (-2, "ReadOnly"), (-3, "View"), (-4, "Anonymous"), (-5, "NoAccess"),
)  # fmt: skip
_READS = OTHER_PRIVILEGES
_FIRST_TASK_EVENT = 10_000_000


# Roles -----------------------------------------------------------------------------------------------------


def account_role(inventory: Inventory) -> int:
    """Return the role of the account: the administrator's, or one that lacks what the settings deny."""
    return LIMITED_ROLE if inventory.world.settings.vcenter.denied_privileges else ADMIN_ROLE


@provides("AuthorizationManager", "roleList")
def roles(inventory: Inventory, _record: Any) -> Any:
    """Return the system roles, and that of the account when it is none of them."""
    every = [*known_privileges(), *OTHER_PRIVILEGES]
    held = {ADMIN_ROLE: every, -2: list(_READS), -3: ["System.Anonymous", "System.View"], -4: ["System.Anonymous"]}
    found = [_role(number, name, held.get(number, []), system=True) for number, name in _SYSTEM_ROLES]
    denied = inventory.world.settings.vcenter.denied_privileges
    if denied:
        found.append(_role(LIMITED_ROLE, "Limited", [each for each in every if each not in denied], system=False))
    return found


def _role(number: int, name: str, privileges: list[str], *, system: bool) -> Any:
    info = vim.Description(label=name, summary=name)
    return vim.AuthorizationManager.Role(roleId=number, system=system, name=name, info=info, privilege=privileges)


@provides("AuthorizationManager", "privilegeList")
def _privileges(_inventory: Inventory, _record: Any) -> Any:
    privilege = vim.AuthorizationManager.Privilege
    names = sorted({*known_privileges(), *OTHER_PRIVILEGES})
    return [
        privilege(
            privId=each,
            onParent=False,
            name=each.rpartition(".")[2],
            privGroupName=each.rpartition(".")[0],
        )
        for each in names
    ]


@provides("ManagedEntity", "effectiveRole")
def _effective_role(inventory: Inventory, _record: Any) -> Any:
    return [account_role(inventory)]


def permission(inventory: Inventory, principal: str) -> Any:
    """Return the one permission that there is: the account's, on the root folder, for all below."""
    return vim.AuthorizationManager.Permission(
        entity=vim.Folder(inventory.root_id()),
        principal=principal,
        group=False,
        roleId=account_role(inventory),
        propagate=True,
    )


# Extensions and events -------------------------------------------------------------------------------------


@provides("ExtensionManager", "extensionList")
def extensions(inventory: Inventory, _record: Any) -> Any:
    """Return the registered extensions: HCX's, under the key that its appliances are managed by."""
    return [
        filled(
            vim.Extension,
            description=vim.Description(label="VMware HCX", summary="VMware HCX"),
            key=HCX_EXTENSION,
            company="VMware, Inc.",
            version=inventory.world.settings.hcx.version,
            lastHeartbeatTime=to_datetime(inventory.world_started_us),
        )
    ]


def events(inventory: Inventory) -> list[Any]:
    """Return the log-ins that still live and the tasks as events, oldest first."""
    state = inventory.state
    found = [_login_event(session) for session in state.sessions.values()]
    found += [_task_event(inventory, task) for task in state.tasks.values()]
    return sorted(found, key=lambda event: (event.createdTime, event.key))


def _login_event(session: Any) -> Any:
    number = stable_number(session.key, _FIRST_TASK_EVENT)
    return vim.event.UserLoginSessionEvent(
        key=number,
        chainId=number,
        createdTime=to_datetime(session.login_us),
        userName=session.username,
        fullFormattedMessage=f"User {session.username}@{session.client} logged in as {session.agent}",
        ipAddress=session.client,
        userAgent=session.agent,
        locale="en",
        sessionId=session.key,
    )


def _task_event(inventory: Inventory, task: Any) -> Any:
    info = task_info(inventory, task)
    entity = info.entity
    is_vm = isinstance(entity, vim.VirtualMachine)
    return vim.event.TaskEvent(
        key=_FIRST_TASK_EVENT + info.eventChainId,
        chainId=info.eventChainId,
        createdTime=info.queueTime,
        userName=task.username,
        fullFormattedMessage=f"Task: {task.description_id}",
        vm=vim.event.VmEventArgument(name=task.entity_name, vm=entity) if is_vm else None,
        info=info,
    )


@provides("EventManager", "latestEvent")
def _latest_event(inventory: Inventory, _record: Any) -> Any:
    found = events(inventory)
    return found[-1] if found else None


@provides("EventManager", "maxCollector")
def _most_collectors(_inventory: Inventory, _record: Any) -> Any:
    return 1000
