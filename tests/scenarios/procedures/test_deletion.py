"""What keeps a source segment from being deleted is said when it is planned and before a person is asked."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_sim.world.model import Power, Vm
from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import NotFound
from hcx_waves.cutover.cleanup import delete_source_segment
from hcx_waves.cutover.emptiness import prove_segment_empty
from hcx_waves.cutover.errors import SegmentNotEmptyError
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.plan import WavePlan
from support.cuts import Cut
from support.judging import Judge
from support.mobility import scenario as small
from support.procedures import Planner, await_unextended, move, sites_of
from support.site_pair import SitePair
from support.waves import SEED_SEGMENT, opened, seed_wave, wave_of

ORIGINAL = "one-"


def cut_over(pair: SitePair, clients: SiteClients, **changes: Any) -> WavePlan:
    """Move a VM by Bulk and cut its segment over."""
    types = {"one": MigrationType.BULK}
    plan = Planner(clients).plan(pair, ["one"], ["app"], types=types, **changes)
    move(pair, clients, plan)
    pair.advance(600)
    cut = Cut(pair, clients, plan, "app")
    cut.disconnect()
    await_unextended(pair, clients, cut.unextend())
    pair.advance(5)
    cut.verify()
    return plan


def original_in(pair: SitePair) -> Vm:
    """Return what Bulk has left at the source."""
    return next(vm for vm in pair.world.vms.values() if vm.site == "source" and vm.name.startswith(ORIGINAL))


@pytest.mark.world(scenario=small(["one"]))
def test_originals_that_stop_the_deletion_are_named_before_anybody_is_asked(site_pair: SitePair) -> None:
    with sites_of(site_pair) as clients:
        plan = cut_over(site_pair, clients)
        mark = site_pair.mark()
        assert prove_segment_empty(plan, "app", clients, site_pair.now).excluded
        with pytest.raises(SegmentNotEmptyError, match=rf"{ORIGINAL}\S+ \(retired_copy") as asked:
            prove_segment_empty(plan, "app", clients, site_pair.now, deleting=True)
        assert "delete_source: false" in asked.value.hint
        with pytest.raises(SegmentNotEmptyError, match=rf"{ORIGINAL}\S+ \(retired_copy") as acted:
            delete_source_segment(plan, "app", clients)
        assert not acted.value.is_transient, "nothing of this passes by waiting"
        assert not [one for one in site_pair.calls(after=mark) if one["data"]["operation"].endswith("segments.delete")]

        site_pair.run(lambda: site_pair.world.remove(original_in(site_pair)))
        site_pair.advance(60)
        prove_segment_empty(plan, "app", clients, site_pair.now, deleting=True)
        delete_source_segment(plan, "app", clients)
        assert "source/app" not in site_pair.world.segments


@pytest.mark.world(scenario=small(["one", {"name": "router", "nics": [{"network": "app"}], "role": "router"}]))
def test_vms_that_stay_stop_the_deletion_as_well(site_pair: SitePair) -> None:
    with sites_of(site_pair) as clients:
        plan = cut_over(site_pair, clients, stays=("router",))
        site_pair.run(lambda: site_pair.world.remove(original_in(site_pair)))
        site_pair.advance(60)
        with pytest.raises(SegmentNotEmptyError, match=r"router \(staying"):
            prove_segment_empty(plan, "app", clients, site_pair.now, deleting=True)


def test_the_plan_says_that_originals_have_to_go(site_pair: SitePair) -> None:
    with opened(site_pair) as clients:
        kept, finding = (
            next((one.finding for one in judged.items if one.finding.finding_id == "segment-originals-remain"), None)
            for judged in (
                Judge(site_pair, clients, seed_wave(defaults={"migration": "Bulk"}, cleanup=cleanup)).judge()
                for cleanup in ({"delete_source": False}, {"delete_source": True})
            )
        )
    assert kept is None
    assert finding is not None
    assert "app01, db01, web01, web02" in finding.message
    assert "delete the originals" in finding.suggestion


def test_the_plan_says_that_what_stays_has_to_go(site_pair: SitePair) -> None:
    router = {"vm": "web02", "reason": "A router for the test."}
    wave = wave_of(["web01", "app01", "db01"], segments=[{**SEED_SEGMENT, "stays": [router]}])
    with opened(site_pair) as clients:
        found = Judge(site_pair, clients, wave).found()
    assert ("warning", "segment-stays-remain", "seed-net") in found


@pytest.mark.world(scenario="physical")
def test_a_network_that_is_not_nsxs_is_refused_before_anybody_is_asked(site_pair: SitePair) -> None:
    with sites_of(site_pair, source_has_nsx=False) as clients:
        name = next(iter(Planner(clients).extensions))
        moving = next(vm for vm in site_pair.world.vms.values() if vm.site == "source" and vm.role == "workload")
        assert moving.power is Power.ON
        plan = Planner(clients).plan(site_pair, [moving.name], [name])
        with pytest.raises(NotFound, match="is not an NSX segment at the source"):
            prove_segment_empty(plan, name, clients, site_pair.now, deleting=True)
