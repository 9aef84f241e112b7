"""A snapshot of a site pair as an inventory, and as what is true when files are compared with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from hcx_snapshot.model import Snapshot, VmPart
from hcx_waves.inventory.drafts import Collected, Matcher, VmDraft
from hcx_waves.inventory.model import EstateDisk, EstateNetwork, EstateNic
from hcx_waves.inventory.problems import FilePlace

_KEEPS_APART = "antiaffinity"
_OWN = {"sharingNone", "noSharing", ""}


def read_snapshot(snapshot: Snapshot, file: str, collected: Collected) -> list[EstateNetwork]:
    """Add the VMs of the source site, and return its networks; HCX's own appliances are left out."""
    site = snapshot.source
    names = {one.moref: one.name for one in site.networks}
    places = {one.moref: one.name for one in site.places}
    for vm in site.vms:
        if vm.hcx_appliance:
            continue
        draft = VmDraft(f"{site.vcenter.instance_uuid.lower()}/{vm.moref}", vm.name, FilePlace(file))
        _fill(draft, vm, places)
        draft.fields["vcenter_uuid"] = site.vcenter.instance_uuid.lower()
        draft.nics = [
            EstateNic(
                network=names.get(nic.network or "", ""),
                mac=nic.mac.lower() or None,
                connected=nic.connected is not False,
            )
            for nic in vm.nics
        ]
        draft.disks = [
            EstateDisk(
                capacity_bytes=disk.capacity_bytes,
                shared=(disk.sharing or "") not in _OWN or (disk.bus_sharing or "") not in _OWN,
                raw=disk.mapping is not None,
            )
            for disk in vm.disks
        ]
        collected.add(draft)
    _keep_apart(snapshot, collected)
    extended = {one.source for one in snapshot.hcx.extensions if one.source is not None}
    vlans = {one.path: ",".join(one.vlan_ids) or None for one in (site.nsx.segments if site.nsx else ())}
    return [
        EstateNetwork(name=one.name, vlan=vlans.get(one.segment_path or ""), extended=one.moref in extended)
        for one in site.networks
    ]


def compare(collected: Collected, snapshot: Snapshot, file: str) -> None:
    """Check every VM against a snapshot of today: by instance UUID, then by MAC addresses, then by id and name.

    What is gone is left out and named as stale; what is new is named as missing; a VM that fits several is a problem.
    """
    site = snapshot.source
    live = Collected()
    read_snapshot(snapshot, file, live)
    matcher, seen = Matcher(live.drafts.values()), Counter[str]()
    known = {draft.fields.get("instance_uuid") for draft in live.drafts.values()}
    for draft in list(collected.drafts.values()):
        uuid = str(draft.fields.get("instance_uuid") or "")
        macs = [nic.mac for nic in draft.nics if nic.mac]
        same_vcenter = draft.fields.get("vcenter_uuid") in (None, site.vcenter.instance_uuid.lower())
        moref = str(draft.fields.get("moref") or "") if same_vcenter else ""
        if uuid and uuid not in known and not macs:
            found = []
        else:
            found = matcher.find(uuid=uuid, macs=macs, moref=moref, name="" if uuid or macs or moref else draft.name)
        if len(found) > 1:
            keys = ", ".join(one.key for one in found[:3])
            collected.refuse(
                draft.place, f'"{draft.name}" may be {len(found)} VMs of today ({keys}): write its instance UUID'
            )
        elif not found:
            del collected.drafts[draft.key]
            collected.note("stale", draft.place, f'"{draft.name}" is not there today ({file}); it is left out')
        else:
            seen[found[0].key] += 1
            _correct(draft, found[0], collected)
    for key, draft in live.drafts.items():
        if not seen[key] and not draft.fields["template"]:
            collected.note("missing", FilePlace(file), f'"{draft.name}" ({key}) is there today and not in the files')


def _correct(draft: VmDraft, live: VmDraft, collected: Collected) -> None:
    if draft.name != live.name:
        collected.note("assumed", draft.place, f'"{draft.name}" is called "{live.name}" today; that name is used')
        draft.name = live.name
    if {nic.network for nic in draft.nics} != {nic.network for nic in live.nics}:
        collected.note("assumed", draft.place, f'"{draft.name}" is on other networks today; those are used')
        draft.nics = live.nics
    draft.fill(**live.fields)


def _fill(draft: VmDraft, vm: VmPart, places: dict[str, str]) -> None:
    disks = [disk.used_bytes for disk in vm.disks]
    draft.fill(
        moref=vm.moref,
        instance_uuid=(vm.instance_uuid or "").lower(),
        bios_uuid=(vm.bios_uuid or "").lower(),
        power=vm.power,
        host_name=vm.host_name,
        guest=vm.guest,
        host=places.get(vm.host or ""),
        folder=places.get(vm.folder or ""),
        resource_pool=places.get(vm.pool or ""),
        cpus=vm.cpus,
        memory_mb=vm.memory_mb,
        provisioned_bytes=sum(disk.capacity_bytes for disk in vm.disks) or None,
        used_bytes=sum(disks) if disks else vm.committed_bytes,
        change_bytes_per_second=vm.change_bytes_per_second,
    )
    draft.fields["template"] = vm.template


def _keep_apart(snapshot: Snapshot, collected: Collected) -> None:
    vcenter = snapshot.source.vcenter.instance_uuid.lower()
    for place in snapshot.source.places:
        for rule in place.rules:
            if _KEEPS_APART not in rule.kind.replace("-", "").replace("_", "").casefold() or rule.enabled is False:
                continue
            keys = [f"{vcenter}/{moref}" for moref in rule.vms if f"{vcenter}/{moref}" in collected.drafts]
            for key in keys:
                _extend(collected.drafts[key], rule.name, [one for one in keys if one != key])


def _extend(draft: VmDraft, rule: str, others: Iterable[str]) -> None:
    draft.fields["cluster_rules"] = (*draft.fields.get("cluster_rules", ()), rule)
    draft.fields["apart_from"] = tuple(sorted({*draft.fields.get("apart_from", ()), *others}))
