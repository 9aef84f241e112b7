"""Who may be on a source segment and who blocks it, by identity; three tiers with a failing VM."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hcx_sim.world.model import Nic, Port, Power, SiteName
from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.errors import ClientError, NotFound
from hcx_waves.cutover.emptiness import prove_segment_empty
from hcx_waves.cutover.errors import SegmentNotEmptyError
from hcx_waves.cutover.gateway import disconnect_source_segment
from hcx_waves.cutover.source import nsx_source
from hcx_waves.migration.start import start_wave
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.plan import WavePlan
from hcx_waves.model.states import VmOutcome
from support.lookups import vm_named
from support.mobility import scenario, vm_spec
from support.procedures import Planner, move, patience_of, run_to_end, sites_of, window_in
from support.site_pair import SitePair

WEB = tuple(f"web0{number}" for number in range(1, 9))
APP = tuple(f"app0{number}" for number in range(1, 9))


@pytest.fixture
def clients(site_pair: SitePair) -> Iterator[SiteClients]:
    """The clients of this test's world."""
    with sites_of(site_pair) as opened:
        yield opened


def prove(pair: SitePair, clients: SiteClients, plan: WavePlan, segment: str) -> Any:
    """Prove a segment empty now."""
    return prove_segment_empty(plan, segment, clients, pair.now)


def leftovers(pair: SitePair, clients: SiteClients, plan: WavePlan, segment: str) -> dict[str, str]:
    """Return the kinds of what is left on a segment, by name; the test fails if it is empty."""
    with pytest.raises(SegmentNotEmptyError, match=f"segment '{segment}' is not empty") as left:
        prove(pair, clients, plan, segment)
    assert ClientError.from_dict(left.value.to_dict()).to_dict() == left.value.to_dict()
    return {one["name"]: one["kind"] for one in left.value.leftovers}


def excluded(proof: Any) -> dict[str, str]:
    """Return the kinds of what may be there, by name."""
    return {one.name: one.kind.value for one in proof.excluded}


@pytest.mark.world(scenario="three-tier")
def test_failing_vm_blocks_its_segment_and_no_other(site_pair: SitePair, clients: SiteClients) -> None:
    planner = Planner(clients)
    # The wave leaves the template and the powered-off VM behind at first.
    plan = planner.plan(site_pair, [*WEB, *APP], ["web", "app", "shared"], stays=("edge-router",))
    status = move(site_pair, clients, plan)
    assert status.vm("app07").outcome is VmOutcome.FAILED
    assert status.unfinished == ("app07",)
    site_pair.advance(60)

    assert leftovers(site_pair, clients, plan, "app") == {"app07": "workload", "batch01": "powered_off_vm"}
    assert leftovers(site_pair, clients, plan, "web") == {"golden-image": "template"}
    assert set(leftovers(site_pair, clients, plan, "shared")) == {"db01", "ops01", "ops02", "ops03", "ops04"}

    template = next(vm for vm in site_pair.world.vms.values() if vm.name == "golden-image")
    site_pair.run(lambda: site_pair.world.remove(template))
    site_pair.advance(60)
    seen = excluded(prove(site_pair, clients, plan, "web"))
    assert seen["edge-router"] == "staying"
    assert set(seen.values()) == {"staying", "hcx_appliance"}
    web, app = (nsx_source(clients.source_nsx, plan.segment(name)) for name in ("web", "app"))
    disconnect_source_segment(plan, "web", clients, web, patience_of(site_pair))
    with pytest.raises(SegmentNotEmptyError):
        disconnect_source_segment(plan, "app", clients, app, patience_of(site_pair))
    report = site_pair.oracle()
    assert {name: len(report["segments"][name]["outage"]) for name in ("web", "app")} == {"web": 1, "app": 0}
    assert report["segments"]["web"]["source_cut"] == report["segments"]["app"]["source_cut"] == []
    assert report["vms"]["app07"]["now"]["site"] == "source"


@pytest.mark.world(scenario="three-tier")
def test_router_that_nobody_declared_blocks(site_pair: SitePair, clients: SiteClients) -> None:
    plan = Planner(clients).plan(site_pair, ["web01"], ["web"])
    left = leftovers(site_pair, clients, plan, "web")
    assert left["edge-router"] == "workload"
    assert set(WEB) <= set(left)
    assert not any("NE" in name for name in left)


def test_names_alone_excuse_nobody(site_pair: SitePair, clients: SiteClients) -> None:
    """A second VM of a declared name, and a workload that is called like an appliance, are not excused."""
    plan = Planner(clients).plan(site_pair, ["web01"], ["seed-net"], stays=("web02",))
    world = site_pair.world
    assert leftovers(site_pair, clients, plan, "seed-net") == dict.fromkeys(("web01", "app01", "db01"), "workload")
    twin = next(vm for vm in world.vms.values() if vm.site == "source" and vm.name == "db01")
    site_pair.run(lambda: world.update(twin, name="web02"))
    assert leftovers(site_pair, clients, plan, "seed-net")["web02"] == "workload"
    appliance = next(one.appliance_name for one in clients.hcx.appliances() if one.appliance_type == "HCX-NET-EXT")
    site_pair.run(lambda: world.update(twin, name=appliance))
    assert leftovers(site_pair, clients, plan, "seed-net")[appliance] == "workload"


@pytest.mark.world(scenario=scenario(["one", vm_spec("two", 12)], {"bulk_keeps_uuids": False}))
def test_retired_copy_is_told_from_a_vm_that_was_switched_off(site_pair: SitePair, clients: SiteClients) -> None:
    plan = Planner(clients).plan(site_pair, ["one", "two"], ["app"], types={"one": MigrationType.BULK})
    status = move(site_pair, clients, plan)
    assert status.is_terminal
    site_pair.advance(60)
    proof = prove(site_pair, clients, plan, "app")
    copy = next(vm for vm in site_pair.world.vms.values() if vm.retired)
    assert excluded(proof)[copy.name] == "retired_copy"
    reason = next(one.reason for one in proof.excluded if one.name == copy.name)
    assert "it is at the destination as one" in reason
    site_pair.run(lambda: site_pair.world.update(copy, power=Power.ON))
    assert leftovers(site_pair, clients, plan, "app") == {copy.name: "workload"}
    # Without its VM at the destination it is the only one there is.
    site_pair.run(lambda: site_pair.world.update(copy, power=Power.OFF))
    arrived = site_pair.vm("one")
    site_pair.run(lambda: site_pair.world.remove(arrived))
    assert leftovers(site_pair, clients, plan, "app") == {copy.name: "powered_off_vm"}


@pytest.mark.world(scenario=scenario(["one", "two"]))
def test_migration_that_is_not_over_blocks(site_pair: SitePair, clients: SiteClients) -> None:
    plan = Planner(clients).plan(site_pair, ["one", "two"], ["app"], window=window_in(site_pair, 36_000, 3600))
    started = start_wave(plan, clients)
    site_pair.advance(60)
    with pytest.raises(SegmentNotEmptyError) as left:
        prove(site_pair, clients, plan, "app")
    kinds = sorted((one["name"], one["kind"]) for one in left.value.leftovers)
    assert kinds == [("one", "migration"), ("one", "workload"), ("two", "migration"), ("two", "workload")]
    assert run_to_end(site_pair, clients, started).migrated == ("one", "two")
    site_pair.advance(60)
    assert prove(site_pair, clients, plan, "app").nsx_port_count == 1


@pytest.mark.world(scenario=scenario(["one"]))
def test_vm_on_its_way_back_blocks(site_pair: SitePair, clients: SiteClients) -> None:
    plan = Planner(clients).plan(site_pair, ["one"], ["app"])
    move(site_pair, clients, plan)
    site_pair.advance(60)
    prove(site_pair, clients, plan, "app")
    there = vm_named(clients.destination_vcenter, "one")
    assert there is not None
    [nic] = clients.destination_vcenter.read_virtual_machines([there.moref])[0].nics
    here, far, segment = plan.source, plan.destination, plan.segment("app")
    reverse = {
        "migrationType": "RAV",
        "entity": {"entityId": there.moref, "entityName": "one", "entityType": "VirtualMachine"},
        "source": {"endpointId": far.endpoint_id, "computeResourceId": far.compute_resource_id},
        "destination": {"endpointId": here.endpoint_id, "computeResourceId": here.compute_resource_id},
        "switchoverParams": {"switchoverType": "RAV"},
        "placement": [{"id": "domain-c9", "type": "cluster"}, {"id": "group-v201", "type": "folder"},
                      {"id": "datacenter-2", "type": "dataCenter"}],
        "storage": {"defaultStorage": {"id": "datastore-15", "type": "datastore", "diskProvisionType": "thin"}},
        "networkParams": {"networkMappings": [{"macAddress": nic.mac, "destNetworkId": segment.source.network_id}]},
    }  # fmt: skip
    clients.hcx.start_migrations([reverse])
    assert leftovers(site_pair, clients, plan, "app") == {"one": "migration"}


def test_port_that_nobody_knows_blocks(site_pair: SitePair, clients: SiteClients) -> None:
    plan = Planner(clients).plan(site_pair, ["web01", "web02", "app01", "db01"], ["seed-net"])
    move(site_pair, clients, plan)
    site_pair.advance(60)
    proof = prove(site_pair, clients, plan, "seed-net")
    assert proof.segment == "seed-net"
    assert proof.migrations_read == 4
    world = site_pair.world
    names = ("seed-net", "bare-metal", "bare-metal")
    port = Port("source/seed-net/bare-metal", SiteName.SOURCE, *names, attachment_id="4711", port_class="unknown")
    site_pair.run(lambda: world.put(port))
    assert leftovers(site_pair, clients, plan, "seed-net") == {"bare-metal": "unknown_port"}
    site_pair.run(lambda: world.update(port, attachment_state="DETACHED"))
    assert excluded(prove(site_pair, clients, plan, "seed-net"))["bare-metal"] == "releasing_port"
    site_pair.run(lambda: world.update(port, attachment_id=None))
    assert "bare-metal" not in excluded(prove(site_pair, clients, plan, "seed-net"))


def test_network_that_is_gone_proves_nothing(site_pair: SitePair, clients: SiteClients) -> None:
    plan = Planner(clients).plan(site_pair, ["web01"], ["seed-net"])
    strange = plan.segment("seed-net").source.model_copy(update={"network_id": "dvportgroup-9999", "name": "elsewhere"})
    segment = plan.segment("seed-net").model_copy(update={"source": strange, "source_segment_path": None})
    with pytest.raises(NotFound, match="no network of the source's vCenter is 'elsewhere'"):
        prove(site_pair, clients, plan.model_copy(update={"segments": (segment,)}), "seed-net")


def test_card_on_the_segment_counts_even_if_it_is_the_second(site_pair: SitePair, clients: SiteClients) -> None:
    plan = Planner(clients).plan(site_pair, ["web01", "web02", "app01", "db01"], ["seed-net"])
    move(site_pair, clients, plan)
    site_pair.advance(60)
    world = site_pair.world
    network = world.network_of_segment(world.segments["source/seed-net"])
    # The interconnect appliance gets a card there and loses its mark: now it is somebody's VM.
    vm = next(one for one in world.vms.values() if one.site == "source")
    card = Nic(4007, "Network adapter 8", "00:50:56:0a:0b:0c", network.moref, [])
    site_pair.run(lambda: world.update(vm, nics=[*vm.nics, card], role="router", name="backup-proxy"))
    assert leftovers(site_pair, clients, plan, "seed-net")["backup-proxy"] == "workload"
