"""Reading what a client wants: an intent, with the group's defaults, as typed values.

Every field is optional to the vendor's schema [D hcx 4.3]; what is missing is found by validation, not here. Options
come as ``switchoverParams.options`` or as ``switchoverProfile``/``transferProfile`` lists, in singular or plural
[D+C hcx 4.3].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hcx_sim.hcx.body import as_bool, as_int, as_list, as_text, section, texts
from hcx_sim.hcx.mobility.model import Options, Window

_DEFAULTED = (
    "source", "destination", "migrationType", "servicemeshId", "transferParams", "switchoverParams", "placement",
    "storage", "networkParams",
)  # fmt: skip
_MS = 1000
_LAST_MS = 253_402_300_799_999  # the end of the year 9999


@dataclass(frozen=True, slots=True)
class NetworkWish:
    """One mapping; ``mac`` is empty for a mapping from network to network."""

    mac: str
    source_id: str
    source_name: str
    destination_id: str
    destination_name: str


@dataclass(frozen=True, slots=True)
class PlacementWish:
    """One container of the destination: type (in lower case), id and name."""

    type_name: str
    moref: str
    name: str


@dataclass(frozen=True, slots=True)
class Intent:
    """What a client asked for, for one VM. Windows that make no sense are None and named in ``problems``."""

    migration_type: str
    switchover_type: str
    transfer_type: str
    mesh_id: str
    entity_id: str
    entity_name: str
    source_endpoint_id: str
    destination_endpoint_id: str
    placement: tuple[PlacementWish, ...]
    storage_id: str
    storage_type: str
    networks: tuple[NetworkWish, ...]
    options: Options
    transfer_window: Window
    switchover_window: Window
    long_recovery: bool
    sync_interval_seconds: float | None
    addresses: Mapping[str, list[str]]
    problems: tuple[str, ...] = field(default=())


def with_defaults(raw: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return an intent completed by its group's defaults; what the VM says itself wins. [D+C hcx 4.4]"""
    merged = dict(raw)
    for name in _DEFAULTED:
        if name in defaults:
            merged[name] = _merge(defaults[name], raw.get(name))
    return merged


def _merge(default: Any, own: Any) -> Any:
    if own is None or own == [] or own == "":
        return default
    if isinstance(default, dict) and isinstance(own, dict):
        return {name: _merge(default.get(name), own.get(name)) for name in {**default, **own}}
    return own


def read_intent(raw: Mapping[str, Any]) -> Intent:
    """Return the typed form of one intent; never raises, nonsense ends up in ``problems``."""
    transfer, switchover = section(raw, "transferParams"), section(raw, "switchoverParams")
    problems: list[str] = []
    entity, storage = section(raw, "entity"), section(raw, "storage", "defaultStorage")
    return Intent(
        migration_type=as_text(raw.get("migrationType")),
        switchover_type=as_text(switchover.get("switchoverType")),
        transfer_type=as_text(transfer.get("transferType")),
        mesh_id=as_text(raw.get("servicemeshId") or raw.get("serviceMeshId")),
        entity_id=as_text(entity.get("entityId")),
        entity_name=as_text(entity.get("entityName")),
        source_endpoint_id=as_text(section(raw, "source").get("endpointId")),
        destination_endpoint_id=as_text(section(raw, "destination").get("endpointId")),
        placement=tuple(_placement(entry) for entry in as_list(raw.get("placement")) if isinstance(entry, dict)),
        storage_id=as_text(storage.get("id")),
        storage_type=as_text(storage.get("type")).lower(),
        networks=_networks(section(raw, "networkParams")),
        options=_options(transfer, switchover),
        transfer_window=read_window(transfer.get("schedule"), "transfer", problems),
        switchover_window=read_window(switchover.get("schedule"), "switchover", problems),
        long_recovery=as_bool(transfer.get("longRecovery")),
        sync_interval_seconds=_sync_interval_seconds(transfer),
        addresses=_addresses(section(raw, "guestCustomization")),
        problems=tuple(problems),
    )


def read_window(schedule: Any, what: str, problems: list[str]) -> Window:
    """Return a schedule's window, times in ms; 0, {} and ``clearSchedule`` mean as soon as possible. [D+C hcx 4.3]"""
    if not isinstance(schedule, dict) or as_bool(schedule.get("clearSchedule")):
        return Window()
    ends: list[int | None] = []
    for name in ("startTime", "expiryTime"):
        value = schedule.get(name)
        number = as_int(value, -1) if value not in (None, "") else 0
        if not 0 <= number <= _LAST_MS:
            problems.append(f"The {name} of the {what} schedule is not a time in milliseconds: {value!r}.")
        ends.append(number * _MS if 0 < number <= _LAST_MS else None)
    window = Window(ends[0], ends[1])
    if window.expiry_us is not None and window.start_us is not None and window.expiry_us <= window.start_us:
        problems.append(f"The {what} schedule ends before it starts.")
    return window


def _placement(entry: dict[str, Any]) -> PlacementWish:
    type_name = as_text(entry.get("type") or entry.get("containerType"))
    moref = as_text(entry.get("id") or entry.get("containerId"))
    return PlacementWish(type_name.lower(), moref, as_text(entry.get("name") or entry.get("containerName")))


def _networks(params: dict[str, Any]) -> tuple[NetworkWish, ...]:
    entries = [*as_list(params.get("networkMappings")), *as_list(params.get("defaultMappings"))]
    return tuple(
        NetworkWish(
            mac=as_text(entry.get("macAddress")).lower(),
            source_id=_first(entry, "srcNetworkId", "srcNetworkValue", "srcNetworkHref"),
            source_name=_first(entry, "srcNetworkName", "srcNetworkDisplayName"),
            destination_id=_first(entry, "destNetworkId", "destNetworkHref", "destNetworkValue"),
            destination_name=_first(entry, "destNetworkName", "destNetworkDisplayName"),
        )
        for entry in entries
        if isinstance(entry, dict)
    )


def _first(entry: dict[str, Any], *names: str) -> str:
    return next((as_text(entry[name]) for name in names if entry.get(name)), "")


def _options(transfer: dict[str, Any], switchover: dict[str, Any]) -> Options:
    chosen: dict[str, Any] = {}
    for part in (transfer, switchover):
        given = part.get("options")
        if isinstance(given, dict):
            chosen.update({name.lower(): value for name, value in given.items()})
        for profile in ("transferProfile", "switchoverProfile"):
            for entry in as_list(part.get(profile)):
                if isinstance(entry, dict):
                    chosen[as_text(entry.get("option")).lower()] = entry.get("value")

    def told(*names: str, default: bool = False) -> bool:
        return next((as_bool(chosen[name], default) for name in names if name in chosen), default)

    return Options(
        remove_snapshots=told("removesnapshots", "removesnapshot"),
        remove_isos=told("removeisos", "removeiso"),
        force_power_off=told("forcepoweroffvm"),
        retain_mac=told("retainmac", default=True),
        upgrade_hardware=told("upgradehardware"),
        upgrade_tools=told("upgradevmtools"),
        retain_tags=told("retaintags", default=True),
        update_custom_attributes=told("updatecustomattributes", default=True),
    )


def _sync_interval_seconds(transfer: dict[str, Any]) -> float | None:
    """The interval in minutes counts for a continuous sync; else the manager's RPO does. Units inferred."""
    minutes = as_int(transfer.get("syncInterval"))
    return minutes * 60.0 if as_bool(transfer.get("continuousSync")) and minutes > 0 else None


def _addresses(customization: dict[str, Any]) -> dict[str, list[str]]:
    entries = [entry for entry in as_list(customization.get("networkCustomizations")) if isinstance(entry, dict)]
    return {
        as_text(entry.get("macAddress")).lower(): texts(entry.get("ipAddress"))
        for entry in entries
        if entry.get("macAddress") and entry.get("ipAddress")
    }
