"""RVTools exports: their tabs, whichever release wrote them, as one workbook or as one CSV file per tab."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from hcx_waves.inventory.drafts import Collected, Matcher, VmDraft
from hcx_waves.inventory.model import EstateDisk, EstateNetwork, EstateNic
from hcx_waves.inventory.problems import FilePlace
from hcx_waves.inventory.tables import SheetTable, TableRecord, plain_header
from hcx_waves.model.uuids import PATTERN, plain_uuid

TABS = ("vinfo", "vnetwork", "vdisk", "vpartition", "vsnapshot", "vport", "dvport", "vmetadata")
"""The tabs that are read; all others are ignored, and listed."""
MIB = 1024**2
_UUID = re.compile(PATTERN)
_MAC = re.compile(r"(?i)^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$")
_ERRORS = ("#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!")
_POWER = {
    "poweredon": "poweredOn", "powered on": "poweredOn", "on": "poweredOn",
    "poweredoff": "poweredOff", "powered off": "poweredOff", "off": "poweredOff",
    "suspended": "suspended",
}  # fmt: skip
KNOWN = frozenset(
    """vm|powerstate|template|srm placeholder|config status|dns name|connection state|guest state|heartbeat
    |consolidation needed|poweron|suspended to memory|suspend time|suspend interval|creation date|change version|cpus
    |overall cpu readiness|memory|active memory|nics|disks|total disk capacity mib|fixed passthru hotplug
    |min required evc mode key|latency sensitivity|op notification timeout|enableuuid|disk.enableuuid|cbt
    |primary ip address|num monitors|video ram kib|video ram kb|resource pool|folder id|folder|vapp|das protection
    |ft state|ft role|ft latency|ft bandwidth|ft sec. latency|vm failover in progress|provisioned mib|provisioned mb
    |in use mib|in use mb|unshared mib|unshared mb|ha restart priority|ha isolation response|ha vm monitoring
    |cluster rule(s)|cluster rule name(s)|boot required|boot delay|boot retry delay|boot retry enabled|boot bios setup
    |reboot poweroff|efi secure boot|firmware|hw version|hw upgrade status|hw upgrade policy|hw target|path
    |log directory|snapshot directory|suspend directory|annotation|datacenter|cluster|host
    |os according to the configuration file|os according to the vmware tools|customization info|guest detailed data
    |vm id|smbios uuid|vm uuid|vi sdk server type|vi sdk api version|vi sdk server|vi sdk uuid|vcenter uuid
    |object id""".replace("\n    ", "").split("|")
) | {f"network #{number}" for number in range(1, 11)}


def tab_of(table: SheetTable) -> str:
    """Return which tab a table is: by the sheet's name, or a CSV file's; empty if it is none."""
    name = table.sheet or table.file.rpartition(".")[0]
    plain = re.sub(r"(?i)^(.*rvtools[_ -]?)?(tab)?", "", name).strip().casefold()
    if plain in TABS:
        return plain
    return "vinfo" if table.has("VM", "Powerstate", "CPUs", "Memory") else ""


def own_columns(table: SheetTable) -> tuple[str, ...]:
    """Return the columns that are no column of RVTools: custom attributes and tag categories."""
    return tuple(name for name in table.header if plain_header(name) and plain_header(name) not in KNOWN)


def read_rvtools(
    tabs: Mapping[str, list[SheetTable]], roles: Mapping[str, str], collected: Collected
) -> list[EstateNetwork]:
    """Read the tabs of an export into drafts, and return the networks that it describes.

    :param roles: the columns of one's own that mean something, by their role.
    """
    if not tabs.get("vinfo"):
        first = next(iter(tabs.values()))[0]
        collected.refuse(FilePlace(first.file), "has no tab vInfo, which lists the VMs: export all tabs")
        return []
    for table in tabs["vinfo"]:
        _read_vinfo(table, roles, collected)
    for tab, read in (("vnetwork", _network), ("vdisk", _disk), ("vpartition", _partition), ("vsnapshot", _snapshot)):
        for table in tabs.get(tab, ()):
            _read_details(table, read, collected)
    _fall_back(tabs["vinfo"], collected, no_network_tab="vnetwork" not in tabs)
    return [network for tab in ("vport", "dvport") for table in tabs.get(tab, ()) for network in _networks(table)]


def captured_at(tabs: Mapping[str, list[SheetTable]], collected: Collected) -> datetime | None:
    """Return when the export was made, if it says so with a time zone."""
    for table in tabs.get("vmetadata", ()):
        for record in table.records():
            value = record.cell("xlsx creation datetime")
            if isinstance(value, datetime) and value.tzinfo is not None:
                return value
            if value != "":
                place = record.place("xlsx creation datetime")
                collected.note("assumed", place, "has no time zone, so when this was exported is not known exactly")
    return None


def _read_vinfo(table: SheetTable, roles: Mapping[str, str], collected: Collected) -> None:
    where = FilePlace(table.file, table.sheet, 1)
    if not table.has("VM"):
        collected.refuse(where, 'has no column "VM": the header must be the one that RVTools writes')
        return
    if not (table.has("VM ID") or table.has("Object ID")):
        collected.note("assumed", where, 'has no column "VM ID", so VMs have no identity but their name')
    if not (table.has("VI SDK UUID") or table.has("vCenter UUID")):
        collected.note(
            "assumed", where, 'has no column "VI SDK UUID", so which vCenter the VM ids belong to is not known'
        )
    for role, column in roles.items():
        if not table.has(column):
            collected.refuse(where, f'has no column "{column}", which is to be the {role}; its own columns are: '
                             f"{', '.join(own_columns(table)) or 'none'}")  # fmt: skip
    for record in table.records():
        _read_vm(record, table, roles, collected)


def _read_vm(record: TableRecord, table: SheetTable, roles: Mapping[str, str], collected: Collected) -> None:
    name = record.text("vm")
    if not name or name in _ERRORS:
        collected.refuse(record.place("VM"), "must be the name of the VM; delete the row if there is none")
        return
    moref, vcenter = record.text("vm id", "object id"), record.text("vi sdk uuid", "vcenter uuid").lower()
    if table.has("VM ID") and (not moref or moref in _ERRORS or " " in moref):
        collected.refuse(record.place("VM ID"), "must be the VM's id in vCenter, such as vm-1042")
        return
    draft = VmDraft("/".join(part for part in (vcenter, moref) if part) if moref else name, name, record.place("VM"))
    if not moref and draft.key in collected.drafts:
        other = collected.drafts[draft.key].place
        message = (
            f'"{name}" is also the name in {other}, and there is no column "VM ID" to tell them apart by: export it'
        )
        collected.refuse(record.place("VM"), message)
        return
    if not collected.add(draft):
        return
    smbios = table.has("SMBIOS UUID")
    draft.fill(
        moref=moref,
        vcenter_uuid=vcenter,
        power=_power(record, collected),
        # With both columns "VM UUID" is the instance UUID; before there were two it was the BIOS's.
        instance_uuid=_uuid(record, "vm uuid", collected) if smbios else None,
        bios_uuid=_uuid(record, "smbios uuid" if smbios else "vm uuid", collected),
        host_name=record.text("dns name"),
        guest=record.text("os according to the configuration file"),
        cpus=_whole(record.number(collected.problems, "cpus")),
        memory_mb=_whole(record.number(collected.problems, "memory")),
        provisioned_bytes=_mib(record.number(collected.problems, "provisioned mib", "provisioned mb")),
        used_bytes=_mib(record.number(collected.problems, "in use mib", "in use mb")),
        **{field: record.text(column) for field, column in _PLACES.items()},
    )
    draft.fields["template"] = record.flag("template") or record.flag("srm placeholder")
    rules = record.text("cluster rule name(s)")
    draft.fields["cluster_rules"] = tuple(one.strip() for one in re.split(r"[,;]", rules) if one.strip())
    collected.keeps_secret(record.place("Annotation"), record.text("annotation"))
    for column in own_columns(table):
        hidden = collected.keeps_secret(record.place(column), record.text(plain_header(column)))
        for role, wanted in roles.items():
            if plain_header(wanted) == plain_header(column) and not hidden:
                draft.fill(**{role: record.text(plain_header(column))})


_PLACES = {
    "datacenter": "datacenter",
    "cluster": "cluster",
    "host": "host",
    "folder": "folder",
    "resource_pool": "resource pool",
}


def _power(record: TableRecord, collected: Collected) -> str | None:
    text = record.text("powerstate")
    if text and text.casefold() not in _POWER:
        collected.refuse(record.place("Powerstate"), f'must be poweredOn, poweredOff or suspended, not "{text[:40]}"')
    return _POWER.get(text.casefold())


def _uuid(record: TableRecord, column: str, collected: Collected) -> str | None:
    text = record.text(column)
    if text and not _UUID.match(text):
        collected.refuse(record.place(column), "is not a UUID, such as 5012a3c4-0f1e-2d3c-4b5a-69788796a5b4")
    return plain_uuid(text).lower() if text else None


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _mib(value: float | None) -> int | None:
    return None if value is None else round(value * MIB)


def _read_details(table: SheetTable, read: object, collected: Collected) -> None:
    """Give each row of a tab to its VM; rows without one are counted by VM, in one remark for each."""
    matcher, strange = Matcher(collected.drafts.values()), defaultdict(list)
    for record in table.records():
        name, moref = record.text("vm"), record.text("vm id", "object id")
        vcenter = record.text("vi sdk uuid", "vcenter uuid").lower()
        draft = collected.drafts.get(f"{vcenter}/{moref}") if vcenter and moref else None
        found = [draft] if draft else matcher.find(name=name, moref=moref)
        if len(found) > 1:
            collected.refuse(
                record.place("VM"), f'"{name}" are {len(found)} VMs: export the column "VM ID" in this tab'
            )
        elif found:
            read(record, found[0], collected)  # type: ignore[operator]
        else:
            strange[name].append(record.place("VM"))
    for name, places in sorted(strange.items()):
        message = f'"{name}" is not in the tab vInfo; its {len(places)} rows are left out'
        collected.note("unmatched", places[0], message)


def _network(record: TableRecord, draft: VmDraft, collected: Collected) -> None:
    mac = record.text("mac address").lower().replace("-", ":")
    if mac and not _MAC.match(mac):
        collected.refuse(record.place("Mac Address"), "is not a MAC address, such as 00:50:56:ab:cd:ef")
        return
    connected = record.cell("connected") == "" or record.flag("connected") or record.flag("starts connected")
    draft.nics.append(EstateNic(network=record.text("network"), mac=mac or None, connected=connected))


def _disk(record: TableRecord, draft: VmDraft, collected: Collected) -> None:
    capacity = _mib(record.number(collected.problems, "capacity mib", "capacity mb"))
    sharing = {record.text("sharing mode").casefold(), record.text("shared bus").casefold()}
    draft.disks.append(
        EstateDisk(
            path=record.text("disk path", "path"),
            capacity_bytes=capacity or 0,
            shared=bool(sharing - {"", "nosharing", "sharingnone"}),
            raw=record.flag("raw"),
        )
    )


def _partition(record: TableRecord, draft: VmDraft, collected: Collected) -> None:
    """Read it for its numbers alone: a column that is not numbers shows that the export is broken."""
    record.number(collected.problems, "consumed mib", "consumed mb")
    del draft


def _snapshot(record: TableRecord, draft: VmDraft, collected: Collected) -> None:
    del draft
    for column in ("Description", "Name"):
        collected.keeps_secret(record.place(column), record.text(column.lower()))


def _fall_back(tables: Iterable[SheetTable], collected: Collected, *, no_network_tab: bool) -> None:
    """Take the networks from the tab vInfo where there is no tab vNetwork; it lists eight at most."""
    if not no_network_tab:
        return
    for table in tables:
        if not table.has("Network #1"):
            collected.note(
                "assumed",
                FilePlace(table.file),
                "has no tab vNetwork and no networks in vInfo: none is known",
            )
            continue
        collected.note(
            "assumed", FilePlace(table.file), "has no tab vNetwork, so the networks are the first eight of vInfo"
        )
        places = {draft.place.row: draft for draft in collected.drafts.values() if draft.place.sheet == table.sheet}
        for record in table.records():
            draft = places.get(record.row)
            names = [record.text(f"network #{number}") for number in range(1, 9)]
            if draft is not None and not draft.nics:
                draft.nics.extend(EstateNic(network=name) for name in names if name)


def _networks(table: SheetTable) -> Iterable[EstateNetwork]:
    for record in table.records():
        name = record.text("port group", "port")
        if name:
            yield EstateNetwork(name=name, switch=record.text("switch") or None, vlan=record.text("vlan") or None)
