"""Who else needs the gateway of a segment: other sites, L2 VPNs, further subnets, devices that are no VMs."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.cutover.emptiness import prove_segment_empty
from hcx_waves.cutover.errors import SegmentNotEmptyError
from hcx_waves.resolve import resolve_plan
from support.cuts import SEED, Cut
from support.judging import Judge
from support.procedures import await_unextended, move
from support.site_pair import SitePair
from support.waves import SEED_SEGMENT, scenario, seed_wave, wave_of

FOUR = ["web01", "web02", "app01", "db01"]
WAIVER = {"subject": "*", "reason": "r", "approved_by": "me", "expires": "2099-01-01"}


def seed_net(**changes: Any) -> list[dict[str, Any]]:
    return [{"name": SEED, "subnet": "192.168.1.0/24", "stretched": True, **changes}]


ELSEWHERE = scenario(networks=seed_net(extended_elsewhere={"site-three": ["remote01"]}))
SECONDARY = scenario(
    networks=seed_net(secondary=["192.168.50.1/24"]),
    vms={"web02": {"nics": [{"network": SEED, "ips": ["192.168.50.12"]}]}},
)


@pytest.mark.world(scenario=ELSEWHERE)
def test_an_extension_to_another_site_blocks_before_the_wave(site_pair: SitePair, clients: SiteClients) -> None:
    wave = seed_wave(waivers=[{**WAIVER, "finding": "segment-extended-elsewhere"}])
    [finding] = Judge(site_pair, clients, wave).judge().blocking
    assert (finding.finding_id, finding.subject) == ("segment-extended-elsewhere", SEED)
    assert "is extended to site-three as well" in finding.message


@pytest.mark.world(scenario=ELSEWHERE)
def test_an_extension_to_another_site_blocks_the_proof(site_pair: SitePair, clients: SiteClients) -> None:
    plan = resolve_plan(seed_wave(), clients, now=site_pair.now)
    move(site_pair, clients, plan)
    site_pair.advance(60)
    cut = Cut(site_pair, clients, plan, SEED)
    with pytest.raises(SegmentNotEmptyError, match=r"site-three \(other_extension"):
        cut.disconnect()
    assert cut.patches() == []
    assert cut.facts()["source_cut"] == []


@pytest.mark.world(scenario=ELSEWHERE)
def test_the_oracle_counts_the_vms_of_another_site(site_pair: SitePair) -> None:
    segment = site_pair.world.segments[f"source/{SEED}"]
    site_pair.run(lambda: site_pair.world.update(segment, gateway_up=False))
    site_pair.advance(5)
    [cut] = site_pair.oracle()["segments"][SEED]["source_cut"]
    assert "remote01 at site-three" in cut["detail"]


def test_an_l2vpn_blocks_preflight_and_proof(site_pair: SitePair, clients: SiteClients) -> None:
    judge = Judge(site_pair, clients)
    segment = site_pair.world.segments[f"source/{SEED}"]
    vpn = {"l2vpn_paths": ["/infra/tier-0s/vmc/locale-services/default/l2vpn-services/a/sessions/b"], "tunnel_id": 7}
    site_pair.run(lambda: site_pair.world.update(segment, l2_extension=vpn))
    finding = judge.found()["blocking", "segment-in-vpn", SEED]
    assert not finding.waivable
    with pytest.raises(SegmentNotEmptyError, match="l2vpn"):
        prove_segment_empty(judge.plan, SEED, clients, site_pair.now)


@pytest.mark.world(scenario=SECONDARY)
def test_an_address_outside_the_extended_subnet_blocks_unless_waived(site_pair: SitePair, clients: SiteClients) -> None:
    finding = Judge(site_pair, clients).found()["blocking", "segment-addresses-outside", SEED]
    assert "web02 has 192.168.50.12; the destination will route 192.168.1.0/24 alone" in finding.message
    waived = seed_wave(waivers=[{**WAIVER, "finding": "segment-addresses-outside"}])
    judged = Judge(site_pair, clients, waived)
    assert judged.judge().blocking == ()
    # What the waiver answers for: nothing routes the subnet any more.
    move(site_pair, clients, judged.plan)
    site_pair.advance(60)
    cut = Cut(site_pair, clients, judged.plan, SEED)
    proof = cut.disconnect().proof
    assert proof.noticed == ("web02 has 192.168.50.12; the destination will route 192.168.1.0/24 alone",)
    await_unextended(site_pair, clients, cut.unextend())
    site_pair.advance(60)
    assert site_pair.oracle()["vms"]["web02"]["gateways"][SEED] is None
    assert site_pair.oracle()["vms"]["web01"]["gateways"][SEED] == "destination"


@pytest.mark.world(scenario=SECONDARY)
def test_a_segment_that_stays_stretched_needs_nothing(site_pair: SitePair, clients: SiteClients) -> None:
    wave = wave_of(FOUR, segments=[{"name": SEED, "cutover": "never"}])
    assert [key for key in Judge(site_pair, clients, wave).found() if key[0] == "blocking"] == []


def test_what_cannot_be_known_is_in_the_proof(site_pair: SitePair, clients: SiteClients) -> None:
    plan = resolve_plan(wave_of(FOUR, segments=[SEED_SEGMENT]), clients, now=site_pair.now)
    move(site_pair, clients, plan)
    site_pair.advance(60)
    proof = prove_segment_empty(plan, SEED, clients, site_pair.now)
    assert any("load balancers, service interfaces" in one for one in proof.unknown)
    assert not any("physical devices" in one for one in proof.unknown), "the gateway's ARP table was read"


@pytest.mark.world(scenario=scenario(networks=seed_net(mon=True), settings={"nsx": {"mon_reads": "ROUTED"}}))
def test_mon_cannot_be_waived_and_the_way_through_is_told(site_pair: SitePair, clients: SiteClients) -> None:
    wave = seed_wave(waivers=[{**WAIVER, "finding": "segment-mon-on"}])
    judge = Judge(site_pair, clients, wave)
    [finding] = judge.judge().blocking
    assert finding.finding_id == "segment-mon-on"
    assert "Route each of its VMs back" in finding.suggestion
    with pytest.raises(SegmentNotEmptyError, match=r"\(mon: "):
        prove_segment_empty(judge.plan, SEED, clients, site_pair.now)
