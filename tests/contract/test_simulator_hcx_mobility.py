"""The simulated HCX managers against the samples: migrations and mobility groups, on 4.x and on 9.x."""

from __future__ import annotations

import pytest

from support.sim_contract import Book, Case
from support.sim_hcx import (
    COMPLETE,
    GROUND,
    REPLICATING,
    cancel,
    draft,
    expand,
    fault,
    finish_group,
    inject,
    is_mobility,
    later,
    let_session_expire,
    migrate,
    start_group,
    start_migration,
    then,
    until,
    use,
)
from support.site_pair import SiteServer

VM = "web01"
GEN1 = start_migration(gen1=True)
# Copying 8 GiB takes over a minute: the window is over before the switchover can begin.
MISSED = then(start_migration(window_hours=(0.002, 0.005)), later(600))
SETUPS = {
    "migration is replicating": REPLICATING,
    "migration is complete": COMPLETE,
    "migration was cancelled": then(REPLICATING, cancel),
    "switchover failed": COMPLETE,
    "switchover is running": then(start_migration(), until("isSwitchoverProgress")),
    "transfer failed": then(
        fault(call="migration.base_sync", behaviour="fail", seconds=30), start_migration(), later(600)
    ),
    "replicated, window not open yet": then(start_migration(window_hours=(1, 2)), until("isWaitingForMaintWindow")),
    "window closed before the switchover began": MISSED,
    "migration is running": REPLICATING,
    "migration failed": COMPLETE,
    "hcx.migrations.query_gen1.all": then(GEN1, later(10)),
    "hcx.migrations.query_gen1.running": then(GEN1, later(10)),
    "hcx.migrations.query_gen1.migrated": then(GEN1, later(2000)),
    "hcx.v2.mobility_groups.query": start_group,
    "hcx.mobility.migrations.cancel": REPLICATING,
    "migration failed to cancel gracefully": then(REPLICATING, cancel),
    "VM is powered off": use(vm="off01"),
    "VM has a snapshot": use(vm="snap01"),
    "VM is at the destination": migrate,
    "a group of this name exists": draft,
    "draft group exists": draft,
    "only draft groups exist": draft,
    "group exists": draft,
    "a group exists": draft,
    "group is waiting for its window": then(start_group, until("isWaitingForMaintWindow")),
    "a migration of the group is running": start_group,
    "every migration of the group is terminal": finish_group,
    "a planned wave exists": draft,
    "session idle for 15 minutes": then(draft, let_session_expire),
    "user has no right to schedule": then(draft, inject),
    "fault injected": then(draft, inject),
}
WORLDS = {
    "switchover failed": GROUND.with_settings(hcx={"failing_switchovers": [VM]}),
    "migration failed": GROUND.with_settings(hcx={"failing_switchovers": [VM]}),
    "hcx.migrations.query.window_missed_fails": GROUND.with_settings(hcx={"missed_window": "fail"}),
    "migration failed to cancel gracefully": GROUND.with_settings(hcx={"failing_cancels": [VM]}),
}
# No source says to which part of a migration a missed window belongs, nor which words the v2 list uses.
LOOSE = {
    "hcx.migrations.query.window_missed_fails": frozenset({"data.items[].progress.state.isSwitchoverError"}),
    "hcx.v2.mobility_groups.query": frozenset({"items[].summary.state"}),
}
BOOK = Book(("hcx",), GROUND, SETUPS, WORLDS, loose=LOOSE, only=is_mobility, expand=expand)


@pytest.mark.parametrize("case", BOOK.cases(), ids=str)
def test_answer(case: Case, site_server: SiteServer) -> None:
    case.hold(site_server)


def test_no_sample_is_forgotten() -> None:
    assert BOOK.forgotten() == []
