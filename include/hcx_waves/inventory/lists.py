"""Lists of VMs: plain ones, of PowerCLI, of AWS Cloud Migration Factory, of Azure Migrate, and HCX's waves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hcx_waves.inventory.drafts import Collected, VmDraft
from hcx_waves.inventory.problems import FilePlace
from hcx_waves.inventory.tables import SheetTable, TableRecord

_GIB, _MIB = 1024**3, 1024**2
_NAMES = ("vm", "vm name", "vmname", "virtual machine", "server_name", "server name", "name", "hostname", "server")
_MOREFS = ("vm id", "vmid", "moref", "id", "object id")
_UUIDS = ("instance uuid", "instanceuuid", "instance_uuid", "persistentid")
_ROLE_COLUMNS = {
    "application": ("application", "app_name", "app", "app name"),
    "owner": ("owner", "app_owner", "application owner"),
    "environment": ("environment", "env", "server_environment"),
    "criticality": ("criticality", "business criticality"),
    "affinity": ("affinity", "affinity group", "move group"),
    "wave": ("wave", "wave_name", "migration wave"),
}
_SIZES = {
    "memory_mb": (("memorymb", 1.0), ("memory (in mb)", 1.0), ("memorygb", 1024.0)),
    "used_bytes": (("usedspacegb", float(_GIB)), ("in use mib", float(_MIB))),
    "provisioned_bytes": (("provisionedspacegb", float(_GIB)),),
    "cpus": (("numcpu", 1.0), ("cores", 1.0), ("cpus", 1.0)),
}


@dataclass
class ListedVm:
    """A row of a list: what it calls a VM by, and what it says of it."""

    place: FilePlace
    name: str = ""
    moref: str = ""
    uuid: str = ""
    fields: dict[str, Any] = field(default_factory=dict)

    def draft(self) -> VmDraft:
        """Return the VM that it is where no inventory says more."""
        made = VmDraft(self.moref or self.name, self.name, self.place)
        made.fill(moref=self.moref or None, instance_uuid=self.uuid or None, **self.fields)
        return made


def kind_of_list(table: SheetTable) -> str:
    """Return which list a table is, by its columns; empty if it is none."""
    if table.has("server_name") and (table.has("wave_name") or table.has("app_name") or table.has("r_type")):
        return "cmf"
    if table.has("Server name", "Cores", "OS name"):
        return "azure-migrate"
    if table.has("Name", "PowerState") or table.has("Name", "PersistentId") or table.has("Name", "NumCpu"):
        return "powercli"
    return "list" if table.column(*_NAMES) is not None else ""


def listed_vms(table: SheetTable, roles: Mapping[str, str], collected: Collected) -> Iterator[ListedVm]:
    """Yield the rows of a list; a row without a name is a problem."""
    for role, column in roles.items():
        if not table.has(column):
            place = FilePlace(table.file, table.sheet, 1)
            collected.refuse(
                place, f'has no column "{column}", which is to be the {role}; it has: {", ".join(table.header)}'
            )
    for record in table.records():
        listed = ListedVm(record.place(*_NAMES), record.text(*_NAMES))
        listed.moref = record.text(*_MOREFS).removeprefix("VirtualMachine-")
        if not re.fullmatch(r"vm-[0-9]+", listed.moref):
            listed.moref = ""
        listed.uuid = record.text(*_UUIDS).lower()
        if not (listed.name or listed.moref or listed.uuid):
            collected.refuse(listed.place, "must be the name of a VM; delete the row if there is none")
            continue
        listed.fields = _fields(record, table, roles, collected)
        yield listed


def _fields(record: TableRecord, table: SheetTable, roles: Mapping[str, str], collected: Collected) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for role, columns in _ROLE_COLUMNS.items():
        wanted = (roles[role].casefold(),) if role in roles else columns
        text = record.text(*wanted)
        if text and not collected.keeps_secret(record.place(*wanted), text):
            found[role] = text
    for name, units in _SIZES.items():
        for column, unit in units:
            if table.has(column):
                value = record.number(collected.problems, column)
                found[name] = None if value is None else round(value * unit)
                break
    if table.has("Disk 1 size (In GB)"):
        sizes = [record.number(collected.problems, f"disk {number} size (in gb)") for number in range(1, 61)]
        found["provisioned_bytes"] = round(sum(size or 0 for size in sizes) * _GIB)
    power = record.text("powerstate").casefold()
    found["power"] = {"poweredon": "poweredOn", "poweredoff": "poweredOff", "suspended": "suspended"}.get(power)
    found["guest"] = record.text("os name", "guest", "guestid", "server_os_family")
    found["host_name"] = record.text("server_fqdn")
    return {name: value for name, value in found.items() if value not in (None, "")}


def plain_names(file: str, text: str) -> Iterator[ListedVm]:
    """Yield the names of a text with one VM on each line; ``#`` begins a comment."""
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        name = line.split("#", 1)[0].strip().strip('"').strip()
        if name and not (number == 1 and name.casefold() in _NAMES):
            yield ListedVm(FilePlace(file, "", number), name)


def is_hcx_wave(body: Any) -> bool:
    """Whether a JSON document is a migration wave of HCX, or a list of them."""
    waves = body if isinstance(body, list) else [body]
    return bool(waves) and all(isinstance(one, dict) and isinstance(one.get("mobilityGroups"), list) for one in waves)


def hcx_wave_vms(file: str, body: Any, collected: Collected) -> Iterator[ListedVm]:
    """Yield the VMs of HCX's migration waves, as its planning API takes them; what is not as expected is a problem."""
    for number, wave in enumerate(body if isinstance(body, list) else [body]):
        for place_of_group, group in enumerate(wave["mobilityGroups"]):
            members = group.get("vms") if isinstance(group, dict) else None
            here = f"[{number}].mobilityGroups[{place_of_group}]"
            if not isinstance(members, list):
                collected.refuse(FilePlace(file, "", 0, f"{here}.vms"), "must be a list of VMs")
                continue
            for index, vm in enumerate(members):
                place = FilePlace(file, "", 0, f"{here}.vms[{index}]")
                if not isinstance(vm, dict) or not isinstance(vm.get("id"), str) or not vm["id"]:
                    collected.refuse(place, "must be an object with the VM's id")
                    continue
                yield _wave_vm(place, vm, wave.get("name"), group.get("name"))


def _wave_vm(place: FilePlace, vm: dict[str, Any], wave: Any, group: Any) -> ListedVm:
    apps = [one for one in vm.get("apps") or () if isinstance(one, str)]
    known = {"wave": wave, "affinity": group, "application": apps[0] if apps else None}
    name = vm["name"] if isinstance(vm.get("name"), str) else ""
    listed = ListedVm(place, name, vm["id"] if re.fullmatch(r"vm-[0-9]+", vm["id"]) else "")
    if not listed.moref:
        listed.name = listed.name or vm["id"]
    listed.fields = {role: text for role, text in known.items() if isinstance(text, str) and text}
    return listed
