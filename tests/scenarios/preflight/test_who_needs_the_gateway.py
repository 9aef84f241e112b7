"""Each kind of user of a segment's gateway: preflight says it before the wave, and the proof refuses or asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from hcx_waves.clients.bundle import SiteClients
from hcx_waves.cutover.emptiness import prove_segment_empty
from hcx_waves.cutover.errors import SegmentNotEmptyError
from support.cuts import SEED
from support.judging import Judge
from support.procedures import move
from support.site_pair import SitePair
from support.waves import scenario

VPN = {"l2vpn_paths": ["/infra/tier-0s/vmc/locale-services/default/l2vpn-services/a/sessions/b"], "tunnel_id": 7}


def with_network(**changes: Any) -> dict[str, Any]:
    return scenario(networks=[{"name": SEED, "subnet": "192.168.1.0/24", "stretched": True, **changes}])


def with_vm(**changes: Any) -> dict[str, Any]:
    return scenario(vms={"other": {"nics": [{"network": SEED}], **changes}})


def stretch_by_vpn(pair: SitePair) -> None:
    segment = pair.world.segments[f"source/{SEED}"]
    pair.run(lambda: pair.world.update(segment, l2_extension=VPN))


def refuse_the_arp_table(pair: SitePair) -> None:
    for family in ("fixed_segments", "flexible_segments"):
        call = f"{family}.gateway_interface_arp_table"
        pair.fault(product="nsx", call=call, behaviour="status", status=403)


@dataclass(frozen=True)
class Row:
    """One kind of user.

    :param finding: what preflight finds; without one, ``text`` is among what it declares as not known.
    :param kind: what the proof refuses; without one, ``text`` is among what its gate asks a person to check.
    """

    finding: str | None = None
    kind: str | None = None
    text: str = ""
    change: Callable[[SitePair], None] | None = None


LEFT = "segment-vms-left-behind"
ROWS = {
    "running VM": (with_vm(), Row(LEFT, "workload")),
    "powered off VM": (with_vm(power="poweredOff", tools_running=False), Row(LEFT, "powered_off_vm")),
    "template": (with_vm(template=True), Row(LEFT, "template")),
    "port of nobody": (with_network(strange_ports=["odd"]), Row("segment-unknown-ports", "unknown_port")),
    "other extension": (
        with_network(extended_elsewhere={"site-three": ["remote01"]}),
        Row("segment-extended-elsewhere", "other_extension"),
    ),
    "L2 VPN": (scenario(), Row("segment-in-vpn", "l2vpn", change=stretch_by_vpn)),
    "MON": (with_network(mon=True), Row("segment-mon-on", "mon")),
    "address outside the subnets": (
        scenario(
            networks=[{"name": SEED, "subnet": "192.168.1.0/24", "stretched": True, "secondary": ["192.168.50.1/24"]}],
            vms={"web02": {"nics": [{"network": SEED, "ips": ["192.168.1.12", "192.168.50.12"]}]}},
        ),
        Row("segment-addresses-outside", text="web02 has 192.168.50.12"),
    ),
    "physical device": (
        with_network(devices={"192.168.1.250": "00:1b:21:aa:bb:cc"}),
        Row("segment-neighbours-unknown", text="192.168.1.250 (00:1b:21:aa:bb:cc)"),
    ),
    "physical device, without an ARP table": (
        scenario(),
        Row(text="physical devices that use this gateway: no ARP table was read", change=refuse_the_arp_table),
    ),
    "DHCP": (scenario(), Row("segment-dhcp-at-both-sites", text="DHCP is served with the source's gateway")),
    "load balancer, service interface, DNS forwarder": (
        scenario(),
        Row(text="load balancers, service interfaces and DNS forwarders"),
    ),
    "VLAN behind an edge bridge": (
        with_network(segment_body={"bridge_profiles": [{"bridge_profile_path": "/infra/x", "vlan_ids": ["120"]}]}),
        Row(text="VLANs that an NSX edge bridge joins"),
    ),
}
PARAMETERS = [
    pytest.param(row, marks=pytest.mark.world(scenario=world), id=name) for name, (world, row) in ROWS.items()
]


@pytest.mark.parametrize("row", PARAMETERS)
def test_preflight_says_it_before_the_wave(site_pair: SitePair, clients: SiteClients, row: Row) -> None:
    judge = Judge(site_pair, clients)
    if row.change is not None:
        row.change(site_pair)
    judged = judge.judge()
    about = {item.finding.finding_id: item.finding for item in judged.items if item.finding.subject == SEED}
    if row.finding is not None:
        assert row.finding in about
        return
    [seen] = judged.segments
    assert any(row.text in one for one in seen.unknown), seen.unknown


@pytest.mark.parametrize("row", PARAMETERS)
def test_the_proof_refuses_or_asks(site_pair: SitePair, clients: SiteClients, row: Row) -> None:
    judge = Judge(site_pair, clients)
    move(site_pair, clients, judge.plan)
    site_pair.advance(60)
    if row.change is not None:
        row.change(site_pair)
    if row.kind is None:
        proof = prove_segment_empty(judge.plan, SEED, clients, site_pair.now)
        assert any(row.text in one for one in (*proof.noticed, *proof.unknown)), (proof.noticed, proof.unknown)
        return
    with pytest.raises(SegmentNotEmptyError) as left:
        prove_segment_empty(judge.plan, SEED, clients, site_pair.now)
    assert [one["kind"] for one in left.value.leftovers] == [row.kind]


def test_nobody_is_found_where_nobody_is(site_pair: SitePair, clients: SiteClients) -> None:
    judge = Judge(site_pair, clients)
    assert judge.found() == {}
    move(site_pair, clients, judge.plan)
    site_pair.advance(60)
    proof = prove_segment_empty(judge.plan, SEED, clients, site_pair.now)
    assert {one.kind.value for one in proof.excluded} == {"hcx_appliance"}
    assert [one.partition(" ")[0] for one in proof.noticed] == ["DHCP"]
