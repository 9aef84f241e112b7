"""The first generation's body, turned into an intent of the second. [D+C hcx 4.7]

Its schedule is told in two ways: ``scheduledFailover, startTime, endTime`` by the reference, a broken-down date with
``timezoneOffset`` by LAMW. Both are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hcx_sim.hcx.body import as_bool, as_int, as_list, as_text, section
from hcx_sim.hcx.mobility.checks_vm import migration_type_of

_RULES = ("removeSnapshots", "removeISOs", "forcePowerOffVm", "upgradeHardware", "upgradeVMTools")


def to_intent(migration: Mapping[str, Any]) -> dict[str, Any]:
    """Return one entry of ``migrations`` as an intent; unknown words are left for validation to refuse."""
    given = section(dict(migration), "input") or dict(migration)
    word = as_text(given.get("migrationType"))
    kind = migration_type_of(word)
    storage, networks = section(given, "storage"), section(given, "networks")
    rules = section(given, "decisionRules")
    options: dict[str, Any] = {name: rules[name] for name in _RULES if name in rules}
    if "retainMac" in networks:
        options["retainMac"] = networks["retainMac"]
    schedule = _schedule(section(given, "schedule"))
    intent: dict[str, Any] = {
        "migrationType": kind.value if kind is not None else word,
        "entity": section(given, "entityDetails") or section(given, "entity"),
        "source": section(given, "source"),
        "destination": section(given, "destination"),
        "transferParams": {},
        "switchoverParams": {"options": options, "schedule": schedule},
        "placement": as_list(given.get("placement")),
        "storage": {
            "defaultStorage": {
                "id": as_text(storage.get("datastoreId")),
                "name": as_text(storage.get("datastoreName")),
                "type": "datastore",
                "diskProvisionType": as_text(storage.get("diskProvisionType")),
            }
        },
        "networkParams": {"networkMappings": [], "defaultMappings": as_list(networks.get("targetNetworks"))},
    }
    return {name: value for name, value in intent.items() if value != {}}


def _schedule(schedule: dict[str, Any]) -> dict[str, Any]:
    if not as_bool(schedule.get("scheduledFailover")):
        return {}
    if "startYear" in schedule:
        return {"startTime": _broken_down(schedule, "start"), "expiryTime": _broken_down(schedule, "end")}
    return {"startTime": _instant(schedule.get("startTime")), "expiryTime": _instant(schedule.get("endTime"))}


def _instant(value: Any) -> Any:
    """Return a string of digits as it is and an ISO date in ms; anything else is left to be refused."""
    text = as_text(value)
    if not text or text.isdigit():
        return as_int(text)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return text
    instant = instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
    return int(instant.timestamp() * 1000)


def _broken_down(schedule: dict[str, Any], end: str) -> Any:
    """Return LAMW's broken-down local date in ms; ``timezoneOffset`` is minutes west of UTC (inferred)."""
    parts = [as_int(schedule.get(f"{end}{name}")) for name in ("Year", "Month", "Day", "Hour", "Minute")]
    try:
        local = datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]
    except ValueError:
        return "/".join(str(part) for part in parts)
    return int((local + timedelta(minutes=as_int(schedule.get("timezoneOffset")))).timestamp() * 1000)
