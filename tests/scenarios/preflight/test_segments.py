"""Each check of segments: the condition as a simulated site has it, and exactly the finding that it must give."""

from __future__ import annotations

from typing import Any

import pytest

from hcx_sim.hcx.state import state_of
from hcx_sim.world.model import Power
from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.nsx import Connectivity
from hcx_waves.migration.start import start_wave
from support.judging import USUAL, Judge
from support.nsx_wire import Manager
from support.site_pair import SitePair
from support.waves import SEED_SEGMENT, opened, scenario, seed_wave, shipped, wave_of

PATH = "/infra/tier-1s/cgw/segments/seed-net"
POLICY = "/infra/domains/cgw/gateway-policies/default"


def seed_net(**changes: Any) -> list[dict[str, Any]]:
    return [{"name": "seed-net", "subnet": "192.168.1.0/24", "stretched": True, **changes}]


def bridge_of(pair: SitePair) -> Any:
    return next(iter(pair.world.bridges.values()))


# extension ------------------------------------------------------------------------------------------------


def test_an_extension_that_is_gone(judge: Judge) -> None:
    world = judge.pair.world
    found = judge.after(lambda: world.remove(bridge_of(judge.pair))).found()
    assert list(found) == [("blocking", "segment-not-extended", "seed-net")]


def test_an_extension_that_is_down(judge: Judge) -> None:
    judge.after(lambda: judge.pair.world.update(bridge_of(judge.pair), up=False))
    finding = judge.only("blocking", "segment-extension-down", "seed-net")
    assert finding.message == "HCX reports the state of its extension as DISCONNECTED"


@pytest.mark.world(scenario=scenario(settings={"hcx": {"extension_states": {"up": "STRETCHED"}}}))
def test_an_extension_in_a_state_that_nobody_knows(judge: Judge) -> None:
    finding = judge.only("warning", "segment-extension-state-unknown", "seed-net")
    assert finding.message == "HCX reports the state of its extension as STRETCHED, whose meaning is not documented"


def test_an_extension_that_leads_elsewhere_since(judge: Judge) -> None:
    bridge = bridge_of(judge.pair)
    management = "destination/dvportgroup-10"
    judge.after(lambda: judge.pair.world.update(bridge, destination_network_key=management))
    finding = judge.found()["blocking", "segment-extension-changed", "seed-net"]
    assert finding.message == 'is extended to "management", not to "seed-net"'


# gateways -------------------------------------------------------------------------------------------------


def test_two_gateways_cannot_be_waived(site_pair: SitePair, clients: SiteClients) -> None:
    waiver = {
        "finding": "segment-two-gateways", "subject": "*", "reason": "r", "approved_by": "me", "expires": "2099-01-01",
    }  # fmt: skip
    judge = Judge(site_pair, clients, seed_wave(waivers=[waiver]))
    nsx = clients.destination_nsx
    nsx.set_connectivity(nsx.segment(PATH), Connectivity.ON)
    site_pair.advance(30)
    judged = judge.judge()
    assert [(one.finding_id, one.subject) for one in judged.blocking] == [("segment-two-gateways", "seed-net")]
    assert judged.blocking[0].message.endswith('"seed-net" at the destination reads ROUTED: both sites route it')


def test_a_destination_segment_that_is_gone(judge: Judge) -> None:
    world = judge.pair.world
    judge.after(lambda: world.remove(world.segments["destination/seed-net"]))
    assert ("blocking", "segment-destination-missing", "seed-net") in judge.found()


def test_a_source_that_is_disconnected_already(site_pair: SitePair, clients: SiteClients, judge: Judge) -> None:
    nsx = clients.source_nsx
    assert nsx is not None
    nsx.set_connectivity(nsx.segment(PATH), Connectivity.OFF)
    site_pair.advance(30)
    judge.only("blocking", "segment-source-disconnected", "seed-net")


def test_a_source_segment_that_is_gone(judge: Judge) -> None:
    world = judge.pair.world
    judge.after(lambda: world.remove(world.segments["source/seed-net"]))
    found = judge.found()
    assert ("blocking", "segment-source-missing", "seed-net") in found


def test_a_source_segment_that_is_not_realised(judge: Judge) -> None:
    world = judge.pair.world
    judge.after(lambda: world.update(world.segments["source/seed-net"], realisation="failed"))
    finding = judge.only("warning", "segment-source-not-realised", "seed-net")
    assert finding.message.startswith("NSX reports its realisation as failed")


@pytest.mark.world(
    scenario=scenario(
        networks=seed_net(mon=True), vms={"far": {"site": "destination", "nics": [{"network": "seed-net"}]}}
    )
)
def test_mon_that_is_on(judge: Judge) -> None:
    assert judge.only("blocking", "segment-mon-on", "seed-net").message == "Mobility Optimized Networking is on"
    bridge = bridge_of(judge.pair)
    judge.after(lambda: judge.pair.world.update(bridge, mon_vm_uids=["far"]))
    finding = judge.only("blocking", "segment-mon-on", "seed-net")
    assert finding.message.endswith("on; far are routed at the destination")
    assert finding.evidence == {"vms": ["far"]}


# who is left ----------------------------------------------------------------------------------------------

ON_SEED_NET = {"nics": [{"network": "seed-net", "ips": ["192.168.1.77"]}]}
LEFT = scenario(
    vms={
        "running": ON_SEED_NET,
        "stopped": {"nics": [{"network": "seed-net"}], "power": "poweredOff", "tools_running": False},
        "golden": {"nics": [{"network": "seed-net"}], "template": True},
        "router": {"nics": [{"network": "seed-net"}], "role": "router"},
    }
)


@pytest.mark.world(scenario=LEFT)
def test_vms_that_are_left_behind(site_pair: SitePair, clients: SiteClients) -> None:
    staying = [{"vm": "router", "reason": "r"}, {"vm": "nobody", "reason": "r"}]
    segment = {**SEED_SEGMENT, "stays": staying, "delete_source": False}
    judge = Judge(site_pair, clients, wave_of(["web01", "web02", "app01", "db01"], segments=[segment]))
    other = wave_of(["running"], name="next-wave", segments=[{"name": "seed-net", "cutover": "never"}])
    found = {one.finding.finding_id: one.finding for one in judge.judge(other_waves=[other]).items}
    assert found["segment-vms-left-behind"].message == (
        "would lose its gateway under golden (template), running (moved by wave next-wave), stopped (poweredOff)"
    )
    assert [one["name"] for one in found["segment-vms-left-behind"].evidence["vms"]] == ["golden", "running", "stopped"]  # type: ignore[union-attr, index, call-overload]
    assert found["segment-stay-absent"].message == "nobody may stay, but is not at the source"
    assert set(found) == {"segment-vms-left-behind", "segment-stay-absent", "segment-dhcp-at-both-sites"}


@pytest.mark.world(scenario=LEFT)
def test_vms_may_be_left_on_a_segment_that_is_not_cut(site_pair: SitePair, clients: SiteClients) -> None:
    wave = wave_of(["web01"], segments=[{"name": "seed-net", "cutover": "never"}])
    assert Judge(site_pair, clients, wave).found() == {}


@pytest.mark.world(scenario="three-tier")
def test_the_last_wave_cuts_a_segment_only_when_the_first_has_gone(site_pair: SitePair, clients: SiteClients) -> None:
    judge = Judge(site_pair, clients, shipped("three-tier-2"))
    judged = judge.judge(other_waves=[shipped("three-tier-1"), shipped("three-tier-2")])
    (finding,) = judged.blocking
    assert (finding.finding_id, finding.subject) == ("segment-vms-left-behind", "shared")
    assert finding.message == (
        "would lose its gateway under app01 (moved by wave three-tier-1), app02 (moved by wave three-tier-1)"
    )
    first = Judge(site_pair, clients, shipped("three-tier-1"))
    assert set(first.found()) == {("advice", "vm-moves-cold", "batch01")}


def test_originals_that_bulk_has_left_do_not_count(site_pair: SitePair, clients: SiteClients) -> None:
    wave = seed_wave(defaults={"migration": "Bulk"})
    start_wave(Judge(site_pair, clients, wave).plan, clients, only=["web01"])
    site_pair.run_until_idle()
    uuid = next(vm.instance_uuid for vm in clients.destination_vcenter.list_virtual_machines() if vm.name == "web01")
    assert any(vm.name.startswith("web01-") for vm in clients.source_vcenter.list_virtual_machines())
    pinned = wave_of(
        [{"name": "web01", "instance_uuid": uuid}, "web02", "app01", "db01"],
        defaults={"migration": "Bulk"},
        segments=[SEED_SEGMENT],
    )
    for again in (wave, pinned):
        judge = Judge(site_pair, clients, again)
        assert judge.plan.vm("web01").already_there
        assert judge.found() == {}


def test_a_port_that_nobody_owns(site_pair: SitePair, judge: Judge) -> None:
    body = {"resource_type": "SegmentPort", "id": "odd", "display_name": "odd", "attachment": {"id": "attached-1"}}
    patch_nsx(site_pair, "source", f"{PATH}/ports/odd", body)
    finding = judge.only("warning", "segment-unknown-ports", "seed-net")
    assert finding.evidence == {"ports": ["odd"]}


TWICE = scenario(vms={"web02": {"nics": [{"network": "seed-net", "ips": ["192.168.1.11"]}]}})


@pytest.mark.world(scenario=TWICE)
def test_an_address_that_is_used_twice(judge: Judge) -> None:
    finding = judge.only("warning", "segment-address-duplicate", "seed-net")
    macs = sorted(judge.pair.vm(name).nics[0].mac for name in ("web01", "web02"))
    assert finding.evidence == {"addresses": {"192.168.1.11": macs}}
    # NSX is asked about the extension appliance alone, which reports no address.
    assert len(judge.pair.calls("fixed_segments.ports.state")) == 1


SILENT = {"nics": [{"network": "seed-net", "ips": ["192.168.1.11"]}], "tools_running": False}


@pytest.mark.world(scenario=scenario(vms={"web01": SILENT, "web02": SILENT}))
def test_an_address_that_nsx_sees_twice(judge: Judge) -> None:
    macs = sorted(judge.pair.vm(name).nics[0].mac for name in ("web01", "web02"))
    finding = judge.found()["warning", "segment-address-duplicate", "seed-net"]
    assert finding.evidence == {"addresses": {"192.168.1.11": macs}}


# services of the network ----------------------------------------------------------------------------------


def test_dhcp_at_the_source_alone(judge: Judge) -> None:
    world = judge.pair.world
    judge.after(lambda: world.update(world.segments["destination/seed-net"], dhcp_ranges=[]))
    finding = judge.found()["warning", "segment-dhcp-at-source", "seed-net"]
    assert finding.evidence == {"dhcp": ["192.168.1.200-192.168.1.220"]}


@pytest.mark.world(scenario=scenario(networks=seed_net()))
def test_no_dhcp_at_all(judge: Judge) -> None:
    assert USUAL
    assert [item.finding.finding_id for item in judge.judge().items] == []


@pytest.mark.world(scenario=scenario(sites={"destination": {"firewall_default_allow": False}}))
def test_a_firewall_that_lets_nothing_out(site_pair: SitePair, judge: Judge) -> None:
    finding = judge.only("blocking", "segment-firewall-closed", "seed-net")
    assert finding.message == (
        'rule "default_rule" of the destination\'s gateway firewall (DROP) matches 192.168.1.0/24 first'
    )
    allow(site_pair, ["192.168.0.0/16"])
    assert judge.found() == {}


@pytest.mark.world(scenario=scenario(sites={"destination": {"firewall_default_allow": False}}))
def test_a_firewall_rule_for_another_subnet(site_pair: SitePair, judge: Judge) -> None:
    allow(site_pair, ["192.168.1.0/25", "10.0.0.0/8"])
    judge.only("blocking", "segment-firewall-closed", "seed-net")


@pytest.mark.world(scenario=scenario(sites={"destination": {"firewall_default_allow": False}}))
def test_a_firewall_group_that_may_have_the_subnet(site_pair: SitePair, judge: Judge) -> None:
    group = "/infra/domains/cgw/groups/seed"
    expression = [{"resource_type": "IPAddressExpression", "ip_addresses": ["192.168.1.0/24"]}]
    patch_nsx(site_pair, "destination", group, {"expression": expression})
    allow(site_pair, [group])
    finding = judge.only("warning", "segment-firewall-unclear", "seed-net")
    assert finding.message.endswith("unless it is matched first by out, which depends on groups or scopes")


OWN, OTHER, TIER_0 = "/infra/tier-1s/t1-workloads", "/infra/tier-1s/t1-dmz", "/infra/tier-0s/t0-gateway"


def scoped(*rules: tuple[str, str | None], default_allow: bool = True) -> dict[str, Any]:
    """A destination with two tier-1 gateways, and rules in order: an action, and the gateway it is in force at."""
    firewall = [
        {
            "rule_id": f"r{number}",
            "action": action,
            "sequence_number": number,
            "body": {"scope": [where]} if where else {},
        }
        for number, (action, where) in enumerate(rules, start=1)
    ]
    there = {
        "nsx": "onprem", "tier1_id": "t1-workloads", "more_tier1_ids": ["t1-dmz"], "firewall": firewall,
        "firewall_default_allow": default_allow,
    }  # fmt: skip
    return scenario(sites={"source": {"nsx": "vmc"}, "destination": there})


ON_PREMISES = {
    "source": {"hcx": "hcx_source", "vmc": "vmc_source", "vcenter": "vcenter_source"},
    "destination": {"nsx": "nsx_destination", "vcenter": "vcenter_destination"},
}


def firewall_findings(pair: SitePair, clients: SiteClients) -> set[tuple[str, str]]:
    found = Judge(pair, clients, seed_wave(connections=ON_PREMISES)).found()
    return {(severity, finding) for severity, finding, _ in found if "firewall" in finding}


def reached_after_the_move(pair: SitePair) -> str | None:
    """Where the oracle sees a VM get out once it and its gateway are at the destination."""
    world = pair.world

    def switch() -> None:
        world.update(world.segments["source/seed-net"], gateway_up=False)
        world.update(world.segments["destination/seed-net"], gateway_up=True)

    pair.run(switch)
    gateways: dict[str, str | None] = pair.oracle()["vms"]["web01"]["gateways"]
    return gateways["seed-net"]


DROP, ALLOW = "DROP", "ALLOW"


@pytest.mark.parametrize(
    ("expected", "gets_out"),
    [
        pytest.param(set(), True, marks=pytest.mark.world(scenario=scoped((DROP, OTHER), (ALLOW, OWN))), id="other"),
        pytest.param(
            {("blocking", "segment-firewall-closed")},
            False,
            marks=pytest.mark.world(scenario=scoped((ALLOW, OTHER), (DROP, OWN))),
            id="closed here",
        ),
        pytest.param(
            {("blocking", "segment-firewall-closed")},
            False,
            marks=pytest.mark.world(scenario=scoped((ALLOW, OWN), (DROP, TIER_0))),
            id="closed above",
        ),
        pytest.param(
            {("blocking", "segment-firewall-closed")},
            False,
            marks=pytest.mark.world(scenario=scoped((ALLOW, OTHER), default_allow=False)),
            id="allowed elsewhere only",
        ),
        pytest.param(set(), True, marks=pytest.mark.world(scenario=scoped((ALLOW, OWN), (DROP, OTHER))), id="open"),
    ],
)
def test_a_rule_counts_where_it_is_in_force(
    site_pair: SitePair, clients: SiteClients, expected: set[tuple[str, str]], gets_out: bool
) -> None:
    assert firewall_findings(site_pair, clients) == expected
    assert (reached_after_the_move(site_pair) is not None) is gets_out


@pytest.mark.world(scenario=scoped((DROP, "/infra/labels/uplinks"), (ALLOW, OWN)))
def test_a_scope_that_cannot_be_resolved_is_perhaps(site_pair: SitePair, clients: SiteClients) -> None:
    assert firewall_findings(site_pair, clients) == {("warning", "segment-firewall-unclear")}


@pytest.mark.world(scenario=scoped((ALLOW, f"{OWN}/locale-services/default/interfaces/up"), default_allow=False))
def test_a_rule_at_an_interface_is_perhaps(site_pair: SitePair, clients: SiteClients) -> None:
    assert firewall_findings(site_pair, clients) == {("warning", "segment-firewall-unclear")}


@pytest.mark.world(
    scenario=scenario(networks=[*seed_net(), {"name": "clash", "subnet": "192.168.0.0/16", "site": "destination"}])
)
def test_a_subnet_that_is_routed_there_already(judge: Judge) -> None:
    finding = judge.only("blocking", "segment-subnet-overlaps", "seed-net")
    assert finding.message == '"clash" at the destination routes 192.168.0.1/16 already'


@pytest.mark.world(scenario="physical")
def test_without_nsx_at_the_source_its_checks_are_left_out(site_pair: SitePair) -> None:
    hook = {"act": ["off"], "check": ["state"], "undo": ["on"]}
    segment = {**SEED_SEGMENT, "name": "vlan-120", "disconnect": "hook", "hook": hook, "delete_source": False}
    with opened(site_pair, source_has_nsx=False) as clients:
        judge = Judge(site_pair, clients, wave_of(["erp01", "erp02"], segments=[segment]))
        assert judge.found() == {}
        judge = Judge(site_pair, clients, wave_of(["erp01"], segments=[segment]))
        assert judge.only("blocking", "segment-vms-left-behind", "vlan-120").message.endswith("under erp02")


# appliances -----------------------------------------------------------------------------------------------


def many_networks(count: int) -> dict[str, Any]:
    extra = [{"name": f"net-{n}", "subnet": f"10.1.{n}.0/24", "stretched": True} for n in range(count - 1)]
    return scenario(networks=[*seed_net(), *extra], settings={"hcx": {"extensions_per_appliance": 20}})


@pytest.mark.world(scenario=many_networks(8))
def test_an_appliance_that_is_full(judge: Judge) -> None:
    judge.only("advice", "extension-appliance-full", "seed-mesh-NE-I1")


@pytest.mark.world(scenario=many_networks(9))
def test_an_appliance_that_carries_too_much(judge: Judge) -> None:
    found = judge.found()
    assert set(found) == {
        ("warning", "extension-appliance-overloaded", "seed-mesh-NE-I1"),
        ("warning", "segment-way-back-no-slot", "seed-net"),
    }
    [finding] = [one for key, one in found.items() if key[1] == "extension-appliance-overloaded"]
    assert finding.message == "carries 9 networks; 8 are supported"


def test_an_appliance_that_is_off(judge: Judge) -> None:
    pair = judge.pair
    appliance = next(vm for vm in pair.world.vms.values() if vm.name == "seed-mesh-NE-I1")
    judge.after(lambda: pair.world.update(appliance, power=Power.OFF))
    found = judge.found()
    assert "is not powered on" in found["blocking", "extension-appliance-down", "seed-mesh-NE-I1"].message
    assert ("blocking", "mesh-service-down", "seed-mesh") in found
    assert ("blocking", "segment-extension-down", "seed-net") in found
    assert state_of(pair.world).paired


def patch_nsx(pair: SitePair, site: str, path: str, body: dict[str, Any]) -> None:
    """Write to an NSX manager as somebody else would."""
    answer = Manager(pair, site).patch(path, body)
    assert answer.status_code == 200, answer.text


def allow(pair: SitePair, groups: list[str]) -> None:
    """Put a rule in force that lets groups out of the destination."""
    body = {"display_name": "out", "source_groups": groups, "action": "ALLOW", "sequence_number": 5}
    patch_nsx(pair, "destination", f"{POLICY}/rules/out", body)
