"""A large wave whose switchovers queue, without any fault: at no look anything stands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hcx_waves.clients.hcx import HcxClient
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.migration.start import StartedVm, StartedWave
from hcx_waves.migration.status import wave_status
from hcx_waves.run.stall_watch import OF_MIGRATIONS, MigrationStalls, StallKeeper, nothing_moves
from hcx_waves.run.stalls import StallId
from support.mobility import Manager, scenario
from support.site_pair import SitePair

COUNT = 300
NAMES = [f"vm-{number:03}" for number in range(COUNT)]
SPECS: list[dict[str, Any]] = [
    {
        "name": name,
        "nics": [{"network": "app", "ips": [f"10.9.{number // 200}.{11 + number % 200}"]}],
        "disks": [{"size_gb": 80, "used_gb": 1 + number % 40}],
        "change_rate_mbps": number % 3,
    }
    for number, name in enumerate(NAMES)
]
WIDE = [{"name": "app", "subnet": "10.9.0.0/23", "stretched": True, "mesh": "mesh-1"}]


def looks(
    pair: SitePair, window: tuple[float, float] | None, step_seconds: float, names: list[str]
) -> tuple[StallKeeper, int]:
    """Move the whole wave, with a look every few minutes; return what was seen to stand, and how many looks."""
    manager = Manager(pair)
    ids = manager.start(*(manager.intent(name, window=window) for name in names))
    started = StartedWave(
        group_id="",
        group_name="",
        vms=tuple(
            StartedVm(name=name, vm_id=pair.vm(name).moref, migration_id=migration_id, group_id="")
            for name, migration_id in zip(names, ids, strict=True)
        ),
    )
    login = pair.login("hcx")
    keeper, stalls, count = StallKeeper(), MigrationStalls(), 0
    with HcxClient(pair.url("hcx"), login.username, login.password, tls=TlsSettings(ca_file=pair.ca_file)) as client:
        while True:
            status = wave_status(client.query_migrations(migration_ids=ids), started, pair.now)
            keeper.see(stalls.conditions(status), status.at, known=OF_MIGRATIONS)
            assert not nothing_moves(status, keeper.stalls, status.at), "the wait would have ended"
            count += 1
            if status.is_terminal:
                assert status.migrated == tuple(names)
                return keeper, count
            pair.advance(step_seconds)


@pytest.mark.world(scenario=scenario(SPECS, networks=WIDE))
@pytest.mark.parametrize("window", [None, (4 * 3600.0, 40 * 3600.0)], ids=["at once", "in a window"])
@pytest.mark.parametrize("count", [60, pytest.param(COUNT, marks=pytest.mark.bench)])
def test_a_clean_wave_of_many_vms_has_no_stall(
    site_pair: SitePair, window: tuple[float, float] | None, count: int
) -> None:
    keeper, looked = looks(site_pair, window, 60.0 if count < COUNT else 300.0, NAMES[:count])
    assert keeper.stalls == []
    assert looked > 80


@pytest.mark.world(scenario=scenario(SPECS[:12]))
def test_the_same_looks_notice_one_that_stands(site_pair: SitePair) -> None:
    site_pair.fault(product="engine", call="migration.switchover", object="vm-007", behaviour="delay", seconds=7000.0)
    keeper, _ = looks(site_pair, None, 300.0, NAMES[:12])
    [stall] = keeper.stalls
    assert (stall.stall_id, stall.subject) == (StallId.SWITCHOVER_LONG, "vm-007")
    assert not stall.is_open
    assert timedelta(hours=1) < stall.lasted < timedelta(hours=2, minutes=10)
