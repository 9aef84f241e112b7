"""Rescheduling the windows of a group and of its migrations. [D hcx 4.4] Values of ``action`` are ignored [? hcx 9.3].

The group's new defaults go to every migration that the request does not name, and to those that it names as
inheriting. What is past the point of rescheduling is left alone, and refused when it is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hcx_sim.hcx.body import as_bool, as_list, as_text, section
from hcx_sim.hcx.mobility.intent import read_window
from hcx_sim.hcx.mobility.mobility import Mobility
from hcx_sim.hcx.mobility.model import Migration, MobilityGroup, Phase, Window

_PARTS = {"transfer": "transferParams", "switchover": "switchoverParams"}


@dataclass(slots=True)
class Outcome:
    """How many schedules were changed, and what was wrong; with any error nothing is changed."""

    transfers: int = 0
    switchovers: int = 0
    group_errors: list[str] = field(default_factory=list)
    migration_errors: dict[str, list[str]] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Whether anything was wrong."""
        return bool(self.group_errors or self.migration_errors)


@dataclass(slots=True)
class _Change:
    """New schedules of one migration, as sent and as windows; None leaves one alone."""

    raw: dict[str, dict[str, Any]] = field(default_factory=dict)
    windows: dict[str, Window] = field(default_factory=dict)


def reschedule(mobility: Mobility, group: MobilityGroup, body: Mapping[str, Any]) -> Outcome:
    """Change the schedules of a group as a request says."""
    outcome = Outcome()
    defaults = _read(section(dict(body), "mobilityGroupDefaults"), mobility.world.now_us, outcome.group_errors)
    named: dict[str, _Change] = {}
    for entry in as_list(body.get("migrations")):
        if isinstance(entry, dict):
            _read_named(mobility, group, entry, defaults, named, outcome)
    if outcome.refused:
        return outcome
    _set_defaults(group, defaults)
    for migration in mobility.store.latest_of_group(group):
        change = named.get(migration.migration_id, defaults)
        if migration.reschedulable:
            _apply(mobility, migration, change, outcome)
    group.updated_us = mobility.world.now_us
    return outcome


def _read(schedules: Mapping[str, Any], now_us: int, problems: list[str]) -> _Change:
    change = _Change()
    for what in _PARTS:
        schedule = schedules.get(what)
        if not isinstance(schedule, dict):
            continue
        window = read_window(schedule, what, problems)
        if window.expired(now_us):
            problems.append(f"The {what} schedule is already over.")
        change.raw[what] = schedule
        change.windows[what] = window
    return change


def _read_named(
    mobility: Mobility,
    group: MobilityGroup,
    entry: dict[str, Any],
    defaults: _Change,
    named: dict[str, _Change],
    outcome: Outcome,
) -> None:
    migration_id = as_text(entry.get("migrationId"))
    migration = mobility.store.migrations.get(migration_id)
    problems: list[str] = []
    if migration is None or migration.group_id != group.group_id:
        problems.append("No such migration.")
    elif not migration.reschedulable:
        problems.append(f"The migration of {migration.entity_name} cannot be rescheduled: {migration.message}.")
    change = _read(section(entry, "schedule"), mobility.world.now_us, problems)
    for what, schedule in list(change.raw.items()):
        if as_bool(schedule.get("isInheritedFromGroupDefaults")) and what in defaults.windows:
            change.raw[what] = defaults.raw[what]
            change.windows[what] = defaults.windows[what]
    named[migration_id] = change
    if problems:
        outcome.migration_errors[migration_id] = problems


def _set_defaults(group: MobilityGroup, change: _Change) -> None:
    for what, window in change.windows.items():
        part = _PARTS[what]
        params = {**section(group.defaults, part), "schedule": wire_schedule(window)}
        group.defaults = {**group.defaults, part: params}


def _apply(mobility: Mobility, migration: Migration, change: _Change, outcome: Outcome) -> None:
    windows = dict(change.windows)
    plan = migration.plan
    if migration.phase not in (Phase.DRAFT, Phase.TRANSFER_WINDOW) or (
        plan is not None and windows.get("transfer") == plan.transfer_window
    ):
        windows.pop("transfer", None)
    if not windows:
        return
    for what, window in windows.items():
        part = _PARTS[what]
        params = {**section(migration.intent, part), "schedule": wire_schedule(window)}
        migration.intent = {**migration.intent, part: params}
    mobility.windows.reschedule(migration, windows.get("transfer"), windows.get("switchover"))
    outcome.transfers += "transfer" in windows
    outcome.switchovers += "switchover" in windows


def wire_schedule(window: Window) -> dict[str, int]:
    """Return a window the way intents carry it, in ms; 0 stands for no limit."""
    return {"startTime": (window.start_us or 0) // 1000, "expiryTime": (window.expiry_us or 0) // 1000}
