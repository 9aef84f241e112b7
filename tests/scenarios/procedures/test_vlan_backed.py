"""A physical router has the gateway of a VLAN-backed segment: that NSX has none does not mean that it is off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.cutover.cleanup import delete_source_segment
from hcx_waves.cutover.commands import CommandRunner
from hcx_waves.cutover.errors import CommandFailedError, SourceNotDisconnectedError, TwoGatewaysError
from hcx_waves.cutover.extension import unextend_network
from hcx_waves.cutover.gateway import Situation, disconnect_source_segment
from hcx_waves.cutover.physical import HookSource
from hcx_waves.cutover.routing import verify_destination_routed
from hcx_waves.cutover.source import GatewayState
from hcx_waves.model.plan import WavePlan
from hcx_waves.preflight import run_preflight
from hcx_waves.resolve import PlanError, resolve_plan
from support.cuts import FOUR, SEED, Cut
from support.judging import Judge
from support.procedures import Planner, await_unextended, move, patience_of, sites_of
from support.site_pair import SitePair
from support.vlan_backed import PATH, VLAN_BACKED, hook, segment
from support.waves import SEED_SEGMENT, wave_of

pytestmark = pytest.mark.world(scenario=VLAN_BACKED)


@pytest.fixture
def clients(site_pair: SitePair) -> Iterator[SiteClients]:
    """The clients of this test's world."""
    with sites_of(site_pair) as opened:
        yield opened


@pytest.fixture
def plan(site_pair: SitePair, clients: SiteClients) -> WavePlan:
    """A plan that would switch the gateway in NSX, as it was made before the segment was VLAN-backed."""
    return Planner(clients).plan(site_pair, FOUR, [SEED])


@pytest.fixture
def routed(site_pair: SitePair, tmp_path: Path) -> HookSource:
    """The gateway where it really is."""
    return HookSource(SEED, hook(site_pair, tmp_path), CommandRunner())


def test_nsx_shows_the_segment_and_has_no_gateway_for_it(clients: SiteClients) -> None:
    assert clients.source_nsx is not None
    found = clients.source_nsx.segment(PATH)
    assert (found.vlan_ids, found.has_gateway, found.is_disconnected) == (("120",), False, True)
    assert found.gateway_addresses == ()


def test_the_plan_refuses_to_switch_it_in_nsx(site_pair: SitePair, clients: SiteClients, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"NSX at the source has no gateway for it, as it is VLAN-backed \(120\)"):
        resolve_plan(wave_of(list(FOUR), segments=[SEED_SEGMENT]), clients, now=site_pair.now)
    later = wave_of(list(FOUR), segments=[{"name": SEED, "cutover": "never"}])
    assert resolve_plan(later, clients, now=site_pair.now).segment(SEED).source_segment_path == PATH


def test_with_a_hook_the_check_of_the_nsx_gateway_does_not_apply(
    site_pair: SitePair, clients: SiteClients, tmp_path: Path
) -> None:
    wave = wave_of(list(FOUR), segments=[segment(site_pair, tmp_path)])
    found = Judge(site_pair, clients, wave).found()
    assert [key for key in found if key[1].startswith("segment-source")] == []
    assert [key for key in found if key[0] == "blocking"] == []


def test_a_segment_that_has_become_vlan_backed_blocks_and_cannot_be_waived(
    site_pair: SitePair, clients: SiteClients, plan: WavePlan
) -> None:
    waiver = {"subject": "*", "reason": "r", "approved_by": "me", "expires": "2099-01-01"}
    waivers = [{**waiver, "finding": one} for one in ("segment-gateway-not-in-nsx", "segment-source-disconnected")]
    wave = wave_of(list(FOUR), segments=[SEED_SEGMENT], waivers=waivers)
    judged = run_preflight(plan, wave, clients, now=site_pair.now)
    assert [one.finding_id for one in judged.blocking] == ["segment-gateway-not-in-nsx"]


def test_nothing_is_taken_for_off_that_is_not_there(site_pair: SitePair, clients: SiteClients, plan: WavePlan) -> None:
    move(site_pair, clients, plan)
    site_pair.advance(60)
    cut = Cut(site_pair, clients, plan, SEED)
    assert cut.gateway.look().state is GatewayState.UNKNOWN
    assert cut.situation() is Situation.UNCLEAR
    with pytest.raises(CommandFailedError, match="NSX has no gateway for it, as it is VLAN-backed"):
        cut.disconnect()
    assert cut.patches() == []
    clients.hcx.delete_extension(plan.segment(SEED).extension_id, connect_to_local_router=True)
    site_pair.advance(900)
    assert cut.facts()["two_gateways"] != []
    with pytest.raises(TwoGatewaysError, match="the source gateway is not certainly off"):
        cut.verify()
    with pytest.raises(SourceNotDisconnectedError, match="not known to be off"):
        delete_source_segment(plan, SEED, clients)


def test_by_hook_the_router_is_switched_and_asked(
    site_pair: SitePair, clients: SiteClients, plan: WavePlan, routed: HookSource
) -> None:
    move(site_pair, clients, plan)
    site_pair.advance(60)
    cut = Cut(site_pair, clients, plan, SEED)
    done = disconnect_source_segment(plan, SEED, clients, routed, patience_of(site_pair))
    assert (done.already, done.proof.nsx_port_count) == (False, 1)
    removal = unextend_network(plan, SEED, clients, routed, site_pair.now, connect=True)
    await_unextended(site_pair, clients, removal)
    site_pair.advance(5)
    verify_destination_routed(plan, SEED, clients, routed, site_pair.now)
    facts = cut.facts()
    assert (facts["two_gateways"], facts["source_cut"], len(facts["outage"])) == ([], [], 1)
    routed.reconnect(None)
    with pytest.raises(SourceNotDisconnectedError, match="is still on"):
        delete_source_segment(plan, SEED, clients, routed)
    routed.disconnect()
    site_pair.advance(60)
    assert not delete_source_segment(plan, SEED, clients, routed).already_gone
