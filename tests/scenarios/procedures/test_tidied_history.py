"""What HCX remembers of migrations may be archived or deleted by anybody; what a wave does must not hang on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hcx_sim.hcx.mobility.mobility import mobility_of
from hcx_waves.clients.bundle import SiteClients
from hcx_waves.cutover.emptiness import prove_segment_empty
from hcx_waves.gateway_users.model import FoundKind
from hcx_waves.migration.errors import ScheduleRefusedError
from hcx_waves.migration.start import StartedWave, start_wave
from hcx_waves.migration.status import VmPhase, read_status
from hcx_waves.migration.switchover import next_release, release_switchovers
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.plan import WavePlan
from hcx_waves.model.states import VmOutcome
from hcx_waves.preflight import run_preflight
from hcx_waves.resolve import resolve_plan
from hcx_waves.run.evaluation import evaluate, verify, with_seen_in_vcenter
from hcx_waves.run.results import Ended, MigrationsWait
from hcx_waves.run.scope import Scope
from support.mobility import Manager
from support.procedures import Planner, run_to_end, sites_of, window_in
from support.site_pair import SitePair
from support.waves import seed_wave

FOUR = ("web01", "web02", "app01", "db01")


@pytest.fixture
def clients(site_pair: SitePair) -> Iterator[SiteClients]:
    """The clients of this test's world."""
    with sites_of(site_pair) as opened:
        yield opened


@pytest.fixture
def plan(site_pair: SitePair, clients: SiteClients) -> WavePlan:
    """The seed wave."""
    return Planner(clients).plan(site_pair, FOUR, ["seed-net"])


@pytest.fixture
def moved(site_pair: SitePair, clients: SiteClients, plan: WavePlan) -> StartedWave:
    """The seed wave, moved."""
    started = start_wave(plan, clients)
    assert run_to_end(site_pair, clients, started).counts == {"done": 4}
    return started


def archive(pair: SitePair, group_id: str) -> None:
    """Do what a person does in HCX with a mobility group that has ended."""
    answer = Manager(pair).post("/mobility/groups/archive", {"items": [{"migrationGroupId": group_id}]})
    assert answer.status_code == 200, answer.text


def forget(pair: SitePair, *names: str) -> None:
    """Let HCX lose its records of migrations altogether."""
    store = mobility_of(pair.world).store
    for migration in list(store.migrations.values()):
        if migration.entity_name in names:
            pair.run(lambda one=migration: store.drop(one))


def waited(pair: SitePair, clients: SiteClients, started: StartedWave) -> MigrationsWait:
    return MigrationsWait(ended=Ended.STUCK, at=pair.now, status=read_status(clients.hcx, started, pair.now))


def test_archived_migrations_have_ended(site_pair: SitePair, clients: SiteClients, moved: StartedWave) -> None:
    archive(site_pair, moved.group_id)
    mark = site_pair.mark()
    status = read_status(clients.hcx, moved, site_pair.now)
    assert status.counts == {"done": 4}
    assert status.is_terminal
    assert len(site_pair.calls("migrations.query", after=mark)) == 2


def test_vcenter_tells_about_migrations_that_hcx_has_forgotten(
    site_pair: SitePair, clients: SiteClients, plan: WavePlan, moved: StartedWave
) -> None:
    forget(site_pair, *FOUR)
    awaited = waited(site_pair, clients, moved)
    assert awaited.status is not None
    assert awaited.status.counts == {"not_listed": 4}
    assert awaited.status.is_stuck
    assert not awaited.status.is_terminal
    assert "archived or deleted" in awaited.status.notes()[0]

    evaluated = evaluate(plan, Scope(), with_seen_in_vcenter(plan, awaited, clients))
    assert set(evaluated.outcomes.values()) == {VmOutcome.MIGRATED}
    assert "vCenter shows it at the destination" in evaluated.messages["web01"]
    assert not evaluated.blocked_segments
    assert [proof.is_proven for proof in verify(plan, evaluated, awaited, clients).proofs] == [True] * 4


def test_what_is_at_the_source_or_nowhere_has_not_moved(
    site_pair: SitePair, clients: SiteClients, plan: WavePlan
) -> None:
    started = start_wave(plan, clients)
    while not read_status(clients.hcx, started, site_pair.now).migrated:
        site_pair.advance(30)
    [gone, *others] = read_status(clients.hcx, started, site_pair.now).migrated
    site_pair.run(lambda: site_pair.world.remove(site_pair.vm(gone)))
    forget(site_pair, *FOUR)
    found = with_seen_in_vcenter(plan, waited(site_pair, clients, started), clients)
    assert found.status is not None
    assert found.status.migrated == tuple(others)
    evaluated = evaluate(plan, Scope(), found)
    assert evaluated.outcomes[gone] is VmOutcome.MIGRATING
    assert "look for it in both vCenters" in evaluated.messages[gone]
    assert gone in evaluated.blocked_segments["seed-net"]


def test_an_order_of_switchovers_stops_behind_a_vm_of_which_nothing_is_known(
    site_pair: SitePair, clients: SiteClients, moved: StartedWave
) -> None:
    archive(site_pair, moved.group_id)
    status = read_status(clients.hcx, moved, site_pair.now)
    assert next_release(status, ["web01", "web02"], ["web01"]).is_over
    window = window_in(site_pair, 0, 3600)
    assert release_switchovers(clients.hcx, moved, ["web01"], window, site_pair.now).already == ("web01",)

    forget(site_pair, "web01")
    status = read_status(clients.hcx, moved, site_pair.now)
    assert status.vm("web01").phase is VmPhase.NOT_LISTED
    assert next_release(status, ["web01", "web02"], ["web01"]).stopped_by == "web01"
    with pytest.raises(ScheduleRefusedError, match="does not list the migrations of web01"):
        release_switchovers(clients.hcx, moved, ["web01"], window, site_pair.now)


def test_originals_of_bulk_stay_excused_when_their_group_is_archived(site_pair: SitePair, clients: SiteClients) -> None:
    types = dict.fromkeys(FOUR, MigrationType.BULK)
    plan = Planner(clients).plan(site_pair, FOUR, ["seed-net"], types=types)
    started = start_wave(plan, clients)
    run_to_end(site_pair, clients, started)
    archive(site_pair, started.group_id)
    site_pair.advance(60)
    proof = prove_segment_empty(plan, "seed-net", clients, site_pair.now)
    assert [one.kind for one in proof.excluded].count(FoundKind.RETIRED_COPY) == 4

    wave = seed_wave()
    judged = run_preflight(resolve_plan(wave, clients, now=site_pair.now), wave, clients, now=site_pair.now)
    assert "segment-vms-left-behind" not in {item.finding.finding_id for item in judged.items}
