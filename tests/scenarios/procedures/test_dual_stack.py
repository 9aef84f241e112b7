"""A segment with a gateway of IPv4 and one of IPv6: planned, checked, cut over, led back, and planned again."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.cutover.guards import gateway_addresses_seen
from hcx_waves.resolve import resolve_plan
from support.cuts import SEED, Cut
from support.judging import Judge
from support.nsx_wire import Manager
from support.procedures import await_unextended, move, sites_of
from support.site_pair import SitePair
from support.waves import scenario, seed_wave

FOUR, SIX = "192.168.1.1/24", "2001:DB8::1/64"
SPELT = "2001:db8::1/64"
PATH = "/infra/tier-1s/cgw/segments/seed-net"
POLICY = "/infra/domains/cgw/gateway-policies/default"
NETWORK = {"name": SEED, "subnet": "192.168.1.0/24", "stretched": True, "gateway6": SPELT}
DUAL = scenario(networks=[NETWORK])
HIDING = scenario(networks=[NETWORK], settings={"nsx": {"disconnected_lacks_subnets": True}})


def add_at_destination(pair: SitePair, clients: SiteClients, *gateways: str) -> None:
    """Give the destination segment further gateways, as a person does in NSX."""
    body = clients.destination_nsx.segment(PATH).raw
    subnets = [*body["subnets"], *({"gateway_address": one} for one in gateways)]
    answer = Manager(pair, "destination").patch(PATH, {**body, "subnets": subnets})
    assert answer.status_code == 200, answer.text


def gateways_of(body: Any) -> list[str]:
    return [one["gateway_address"] for one in body.get("subnets") or []]


@pytest.mark.world(scenario=DUAL)
def test_the_plan_has_both_and_a_family_that_is_lost_is_found(site_pair: SitePair) -> None:
    with sites_of(site_pair) as clients:
        judge = Judge(site_pair, clients)
        assert judge.plan.segment(SEED).gateway_addresses == (FOUR, SPELT)
        finding = judge.only("warning", "segment-gateway-lost", SEED)
        assert SPELT in finding.message
        add_at_destination(site_pair, clients, SIX)
        assert judge.found() == {}


@pytest.mark.world(scenario=DUAL)
def test_checks_look_at_both(site_pair: SitePair) -> None:
    nsx = Manager(site_pair, "destination")
    groups = {"source_groups": ["2001:db8::/32"], "destination_groups": ["ANY"], "services": ["ANY"]}
    rule = {"id": "no6", "action": "DROP", "sequence_number": 1, "scope": [], **groups}
    assert nsx.patch(f"{POLICY}/rules/no6", rule).status_code == 200
    clash = {"display_name": "clash", "subnets": [{"gateway_address": "2001:db8:0:0:8000::1/65"}]}
    assert nsx.patch("/infra/tier-1s/cgw/segments/clash", clash).status_code == 200
    with sites_of(site_pair) as clients:
        found = Judge(site_pair, clients).found()
    assert "2001:db8::/64" in found["blocking", "segment-firewall-closed", SEED].message
    assert '"clash"' in found["blocking", "segment-subnet-overlaps", SEED].message


@pytest.mark.parametrize("document", [DUAL, HIDING], ids=["shown", "hidden while off"])
def test_the_way_back_brings_both_back(site_server: Any, document: Any) -> None:
    pair = site_server.make_world(scenario=document)
    with sites_of(pair) as clients:
        plan = resolve_plan(seed_wave(), clients, now=pair.now)
        move(pair, clients, plan)
        pair.advance(600)
        cut = Cut(pair, clients, plan, SEED)
        cut.disconnect()
        cut.reconnect()
        assert clients.source_nsx is not None
        assert gateways_of(clients.source_nsx.segment(PATH).raw) == [FOUR, SPELT]
    site_server.drop(pair)


@pytest.mark.parametrize("second", [(), (SIX,)], ids=["IPv4 only", "both"])
def test_a_second_run_finds_the_segment_cut_over(site_server: Any, second: tuple[str, ...]) -> None:
    pair = site_server.make_world(scenario=DUAL)
    with sites_of(pair) as clients:
        add_at_destination(pair, clients, *second)
        plan = resolve_plan(seed_wave(), clients, now=pair.now)
        move(pair, clients, plan)
        pair.advance(600)
        cut = Cut(pair, clients, plan, SEED)
        cut.disconnect()
        await_unextended(pair, clients, cut.unextend())
        pair.advance(5)
        assert set(cut.verify().gateway_macs) == {"192.168.1.1"}

        later = resolve_plan(seed_wave(), clients, now=pair.now)
    assert (later.segment(SEED).extension_id, later.segment(SEED).destination_segment_path) == ("", PATH)
    assert cut.facts()["two_gateways"] == []
    site_server.drop(pair)


def test_a_gateway_is_recognised_however_its_address_is_written(site_pair: SitePair) -> None:
    class Table:
        def gateway_arp_table(self, _path: str) -> list[dict[str, str]]:
            return [{"ip": "2001:DB8:0::1", "mac_address": "02:50:56:00:00:01"}]

    with sites_of(site_pair) as clients:
        plan = resolve_plan(seed_wave(), clients, now=site_pair.now)
        segment = plan.segment(SEED).model_copy(update={"gateway_addresses": (SPELT,)})
        clients.destination_nsx.gateway_arp_table = Table().gateway_arp_table  # type: ignore[method-assign, assignment]
        assert gateway_addresses_seen(clients, segment) == {"2001:db8::1": ("02:50:56:00:00:01",)}
