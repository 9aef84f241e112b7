"""Each check of the sites, HCX and the destination: the condition at a simulated pair, and exactly its finding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hcx_sim.hcx.state import state_of
from hcx_sim.world.model import Placement, Power
from hcx_waves.clients.bundle import SiteClients
from hcx_waves.clients.hcx import HcxClient
from hcx_waves.clients.tls import TlsSettings
from hcx_waves.preflight import run_preflight
from support.judging import Judge
from support.site_pair import SitePair, SiteServer
from support.waves import opened, scenario, seed_wave, wave_of

GIB = 1024**3
STORE = "destination/datastore-15"
NINE = {"hcx": {"version": "9.1.0", "build": "1"}}
MESH = {"name": "seed-mesh"}


def of_destination(pair: SitePair, type_name: str) -> list[Placement]:
    found = pair.world.placements.values()
    return [one for one in found if one.site == "destination" and one.type_name == type_name]


# endpoints, versions, pairing, clocks ---------------------------------------------------------------------


def test_endpoints_of_two_worlds(site_server: SiteServer, judge: Judge) -> None:
    other = site_server.make_world(world_id="another")
    try:
        with opened(other) as theirs:
            judge.clients = replace(judge.clients, destination_nsx=theirs.destination_nsx)
            found = judge.found()
            mixed = found["blocking", "endpoints-mixed", "connections"]
    finally:
        site_server.drop(other)
    assert "destination NSX is a simulated site (world another)" in mixed.message
    assert not mixed.waivable


def test_a_vcenter_that_is_not_the_planned_one(site_server: SiteServer, judge: Judge) -> None:
    other = site_server.make_world(seed=99)
    try:
        with opened(other) as theirs:
            judge.clients = replace(judge.clients, destination_vcenter=theirs.destination_vcenter)
            found = judge.found()
    finally:
        site_server.drop(other)
    changed = found["blocking", "endpoint-changed", "destination vCenter"]
    assert changed.message.endswith(f"not {judge.plan.destination.compute_resource_id} as planned")
    assert not changed.waivable
    assert ("blocking", "endpoints-mixed", "connections") in found


@pytest.mark.world(scenario=scenario(sites={"source": {"nsx": "vmc", "vcenter_version": "6.0.0"}}))
def test_an_old_vcenter(judge: Judge) -> None:
    assert judge.only("warning", "vcenter-version-old", "source vCenter").message.startswith("is 6.0.0;")


def client_of_version(judge: Judge, version: str) -> HcxClient:
    login = judge.pair.login("hcx")
    tls = TlsSettings(ca_file=str(judge.pair.ca_file))  # type: ignore[arg-type]
    return HcxClient(judge.pair.url("hcx"), login.username, login.password, tls=tls, version=version)


def test_an_hcx_version_that_nobody_knows(judge: Judge) -> None:
    with client_of_version(judge, "12.0.1") as hcx:
        judge.clients = replace(judge.clients, hcx=hcx)
        found = judge.found()
    assert found["warning", "hcx-version-unknown", "HCX Manager"].message == "is 12.0.1; 4.x and 9.x are supported"
    assert (
        found["advice", "hcx-versions-differ", "hcx-destination"].message
        == "HCX is version 4.11.3 at the destination and 12.0.1 at the source"
    )
    assert len(found) == 2


def test_sites_that_are_no_longer_paired(judge: Judge) -> None:
    judge.after(lambda: setattr(state_of(judge.pair.world), "paired", False))
    assert ("blocking", "sites-not-paired", "hcx-destination") in judge.found()


class _Ahead:
    """A vCenter client whose clock is wrong; everything else is passed on."""

    def __init__(self, client: Any, seconds: float) -> None:
        self._client, self._ahead = client, timedelta(seconds=seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def server_time(self) -> Any:
        return self._client.server_time() + self._ahead


@pytest.mark.parametrize(
    ("seconds", "severity", "message"),
    [
        (120, "warning", "its clock is 120 s ahead of the source's"),
        (-900, "blocking", "its clock is 900 s behind the source's"),
    ],
)
def test_clocks_that_disagree(judge: Judge, seconds: float, severity: str, message: str) -> None:
    vcenter: Any = _Ahead(judge.clients.destination_vcenter, seconds)
    judge.clients = replace(judge.clients, destination_vcenter=vcenter)
    assert judge.only(severity, "clock-skew", "destination vCenter").message == message


def test_clocks_that_agree_enough(judge: Judge) -> None:
    vcenter: Any = _Ahead(judge.clients.destination_vcenter, 45)
    judge.clients = replace(judge.clients, destination_vcenter=vcenter)
    assert judge.found() == {}


@pytest.mark.world(mode="scaled", speed=36_000.0)
def test_clocks_that_run_fast_are_not_taken_for_wrong_ones(judge: Judge) -> None:
    # Ten hours a second: between any two questions minutes pass.
    judged = run_preflight(judge.plan, judge.wave, judge.clients, now=judge.pair.now)
    assert "clock-skew" not in {item.finding.finding_id for item in judged.items}


# windows --------------------------------------------------------------------------------------------------


def window(lasts: str) -> dict[str, Any]:
    return {"switchover_window": {"opens": "+0m", "lasts": lasts}}


def test_windows_that_are_over(site_pair: SitePair, clients: SiteClients) -> None:
    judge = Judge(site_pair, clients, seed_wave(**window("1h")))
    site_pair.advance(13 * 3600)
    found = judge.found()
    assert found["blocking", "window-over", "switchover window"].message == "closed at 2026-01-05T09:00+00:00"
    assert ("blocking", "window-over", "cutover window of seed-net") in found


@pytest.mark.parametrize(
    ("lasts", "severity", "finding", "message"),
    [
        ("3m", "blocking", "window-too-short", "at least 4m; the window has 3m"),
        ("15m", "warning", "window-tight", "usually 20m; the window has 15m"),
    ],
)
def test_a_window_that_cannot_hold_all_switchovers(
    site_pair: SitePair, clients: SiteClients, lasts: str, severity: str, finding: str, message: str
) -> None:
    judge = Judge(site_pair, clients, seed_wave(**window(lasts)))
    found = judge.only(severity, finding, "switchover window")
    assert found.message == f"4 VMs (RAV on seed-mesh) switch over one after the other: {message}"


TWO_MESHES = scenario(meshes=[MESH, {"name": "mesh-b"}])


@pytest.mark.world(scenario=TWO_MESHES)
def test_two_meshes_switch_over_side_by_side(site_pair: SitePair, clients: SiteClients) -> None:
    assert Judge(site_pair, clients, seed_wave(**window("15m"))).found() == {}


def test_vmotion_copies_within_the_window(site_pair: SitePair, clients: SiteClients) -> None:
    # 180 GiB at 1 Gbit/s take 1546 s, four switchovers of five minutes 1200 s.
    judge = Judge(site_pair, clients, seed_wave(defaults={"migration": "vMotion"}, **window("45m")))
    found = judge.found()
    assert found["warning", "window-tight", "switchover window"].message == (
        "4 VMs (vMotion) switch over one after the other: usually 45m46s; the window has 45m"
    )


def test_a_window_that_is_long_enough(site_pair: SitePair, clients: SiteClients) -> None:
    assert Judge(site_pair, clients, seed_wave(**window("30m"))).found() == {}


# meshes ---------------------------------------------------------------------------------------------------


@pytest.mark.world(
    scenario=scenario(meshes=[{**MESH, "services": ["INTERCONNECT", "BULK_MIGRATION", "NETWORK_EXTENSION"]}])
)
def test_a_mesh_without_the_service(site_pair: SitePair, clients: SiteClients, judge: Judge) -> None:
    found = judge.found()
    message = found["blocking", "mesh-lacks-service", "service meshes"].message
    assert message == "does not offer RAV, which web01, web02, app01, db01 need"
    named = Judge(site_pair, clients, seed_wave(defaults={"service_mesh": "seed-mesh"})).found()
    assert ("blocking", "mesh-lacks-service", "seed-mesh") in named
    assert Judge(site_pair, clients, seed_wave(defaults={"migration": "Bulk"})).found() == {}


def test_a_tunnel_that_is_down(judge: Judge) -> None:
    mesh = next(iter(judge.pair.world.meshes.values()))
    found = judge.after(lambda: judge.pair.world.update(mesh, tunnel_up=False)).found()
    assert "RAV down" in found["blocking", "mesh-service-down", "seed-mesh"].message
    assert ("blocking", "mesh-appliance-down", "seed-mesh-IX-I1") in found
    assert ("blocking", "extension-appliance-down", "seed-mesh-NE-I1") in found
    assert ("blocking", "segment-extension-down", "seed-net") in found


def test_a_service_that_is_down_and_not_needed(site_pair: SitePair, clients: SiteClients) -> None:
    wave = wave_of([{"name": "web01", "networks": [{"source": "seed-net", "destination": "management"}]}])
    judge = Judge(site_pair, clients, wave)
    appliance = next(vm for vm in site_pair.world.vms.values() if vm.name == "seed-mesh-NE-I1")
    judge.after(lambda: site_pair.world.update(appliance, power=Power.OFF))
    finding = judge.only("warning", "mesh-other-service-down", "seed-mesh")
    assert finding.message == "NETWORK_EXTENSION down, which this wave does not need"


def test_a_mesh_whose_update_failed(judge: Judge) -> None:
    mesh = next(iter(judge.pair.world.meshes.values()))
    judge.after(lambda: judge.pair.world.update(mesh, state="UPDATE_FAILED"))
    assert judge.only("warning", "mesh-state-failed", "seed-mesh").message == "its state is UPDATE_FAILED"


def underlay(**mesh: Any) -> pytest.MarkDecorator:
    return pytest.mark.world(scenario=scenario(meshes=[{**MESH, **mesh}], settings=NINE))


@underlay(link_mbps=100)
def test_too_little_bandwidth(site_pair: SitePair, clients: SiteClients, judge: Judge) -> None:
    finding = judge.only("blocking", "mesh-bandwidth-low", "seed-mesh")
    assert finding.message == "seed-mesh-uplink: 100 Mbit/s measured; RAV and vMotion need 150"
    assert Judge(site_pair, clients, seed_wave(defaults={"migration": "Bulk"})).found() == {}


@underlay(loss_percent=0.5)
def test_too_much_loss(judge: Judge) -> None:
    assert "0.5 % loss measured" in judge.only("warning", "mesh-loss-high", "seed-mesh").message


@underlay(round_trip_ms=180)
def test_too_long_a_way(judge: Judge) -> None:
    assert "180 ms round trip measured" in judge.only("warning", "mesh-latency-high", "seed-mesh").message


@underlay()
def test_a_good_underlay(judge: Judge) -> None:
    assert judge.found() == {}
    assert judge.pair.calls("underlay.service_mesh_health")


def crowd(count: int) -> dict[str, Any]:
    vm = {"nics": [{"network": "seed-net"}], "disks": [{"size_gb": 1, "used_gb": 0.1}]}
    return scenario(vms={f"vm{n:03d}": vm for n in range(count)})


@pytest.mark.world(scenario=crowd(305))
def test_more_migrations_than_supported(site_pair: SitePair, clients: SiteClients) -> None:
    names = [f"vm{n:03d}" for n in range(305)]
    segments = [{"name": "seed-net", "cutover": "never"}]
    judge = Judge(site_pair, clients, wave_of(names[:201], segments=segments))
    finding = judge.only("warning", "mesh-too-many-migrations", "seed-mesh")
    assert finding.message == "201 migrations would start on it; 200 are supported"
    found = Judge(site_pair, clients, wave_of(names, segments=segments)).found()
    assert found["warning", "hcx-too-many-migrations", "HCX Manager"].message == (
        "0 migrations are under way and 305 would start; 300 are supported"
    )


# the destination ------------------------------------------------------------------------------------------


def test_places_that_are_gone(judge: Judge) -> None:
    world = judge.pair.world

    def remove() -> None:
        for one in (*of_destination(judge.pair, "ResourcePool"), *of_destination(judge.pair, "Folder")):
            if one.name in ("Compute-ResourcePool", "Workloads"):
                world.remove(one)

    found = judge.after(remove).found()
    pool = found["blocking", "target-missing", "Compute-ResourcePool"]
    assert pool.message == "the destination has no resource pool resgroup-101 any more"
    assert found["blocking", "target-missing", "Workloads"].message.endswith("no folder group-v201 any more")


def cluster_property(name: str, value: Any) -> Callable[[Judge], None]:
    def change(judge: Judge) -> None:
        (cluster,) = of_destination(judge.pair, "ClusterComputeResource")
        properties = {**cluster.properties, name: value}
        judge.after(lambda: judge.pair.world.update(cluster, properties=properties))

    return change


def test_a_cluster_that_does_not_mount_the_datastore(judge: Judge) -> None:
    cluster_property("datastore", ["Datastore:datastore-99"])(judge)
    judge.only("blocking", "cluster-lacks-datastore", "Cluster-1")


def test_a_cluster_without_the_network(judge: Judge) -> None:
    cluster_property("network", ["DistributedVirtualPortgroup:dvportgroup-10"])(judge)
    finding = judge.only("blocking", "cluster-lacks-network", "Cluster-1")
    assert finding.message == 'its hosts do not have network "seed-net"'


def test_a_cluster_with_too_little_memory(judge: Judge) -> None:
    cluster_property("summary.effectiveMemory", 1000)(judge)
    finding = judge.only("warning", "cluster-memory-short", "Cluster-1")
    assert finding.message == "has 1000 MB for VMs; the wave's running VMs have 32768 MB"


def test_a_cluster_in_maintenance(judge: Judge) -> None:
    hosts = of_destination(judge.pair, "HostSystem")

    def change() -> None:
        for host in hosts:
            properties = {**host.properties, "runtime.inMaintenanceMode": True}
            judge.pair.world.update(host, properties=properties)

    judge.after(change)
    assert "none of its 3 hosts" in judge.only("blocking", "cluster-has-no-host", "Cluster-1").message


def test_a_storage_policy_that_is_gone(site_pair: SitePair, clients: SiteClients) -> None:
    judge = Judge(site_pair, clients, seed_wave(defaults={"storage_policy": "Default storage policy"}))
    assert judge.found() == {}
    store = site_pair.world.datastores[STORE]
    found = judge.after(lambda: site_pair.world.update(store, policies={})).found()
    assert ("blocking", "storage-policy-missing", "Default storage policy") in found


@pytest.mark.parametrize(
    ("free_gib", "severity", "finding", "message"),
    [
        (50, "blocking", "datastore-full", "has 50 GiB free; the wave's disks take "),
        (150, "warning", "datastore-overcommitted", "has 150 GiB free; the wave's disks may grow to 180 GiB"),
    ],
)
def test_a_datastore_that_is_short_of_room(
    judge: Judge, free_gib: int, severity: str, finding: str, message: str
) -> None:
    store = judge.pair.world.datastores[STORE]
    found = judge.after(lambda: judge.pair.world.update(store, free_bytes=free_gib * GIB)).found()
    assert found[severity, finding, "WorkloadDatastore"].message.startswith(message)


def test_thick_disks_take_their_full_size(site_pair: SitePair, clients: SiteClients) -> None:
    judge = Judge(site_pair, clients, seed_wave(defaults={"disk_format": "thick"}))
    store = site_pair.world.datastores[STORE]
    found = judge.after(lambda: site_pair.world.update(store, free_bytes=150 * GIB)).found()
    assert found["blocking", "datastore-full", "WorkloadDatastore"].message.endswith("take 180 GiB now")


# products that fail ---------------------------------------------------------------------------------------


def test_a_product_that_fails_is_named_by_each_check_that_needs_it(judge: Judge) -> None:
    judge.pair.fault(
        product="nsx", site="destination", call="gateway_policies.list", behaviour="status", status=500,
        message="policy store is gone",
    )  # fmt: skip
    finding = judge.only("blocking", "check-incomplete", "segment-firewall")
    assert "ServerError at https://" in finding.message
    assert finding.evidence["error"]["system"] == "nsx"  # type: ignore[index, call-overload]


def test_a_product_is_asked_once_however_many_checks_need_it(judge: Judge) -> None:
    judge.pair.fault(product="hcx", call="l2_extensions.list", behaviour="status", status=500)
    mark = judge.pair.mark()
    found = {one.finding.subject for one in judge.judge().items if one.finding.finding_id == "check-incomplete"}
    assert found == {
        "segment-extension",
        "segment-destination-gateway",
        "segment-mon",
        "segment-gateway-users",
        "segment-left-behind",
        "segment-ports",
        "extension-appliances",
        "way-back",
    }
    assert len(judge.pair.calls("l2_extensions.list", after=mark)) == 1


def test_the_read_calls_do_not_grow_with_the_vms(site_pair: SitePair, clients: SiteClients) -> None:
    segments = [{"name": "seed-net", "cutover": "never"}]

    def calls(names: list[str]) -> int:
        judge = Judge(site_pair, clients, wave_of(names, segments=segments))
        mark = site_pair.mark()
        run_preflight(judge.plan, judge.wave, clients, now=site_pair.now)
        return len(site_pair.calls(after=mark))

    calls(["web01"])
    assert calls(["web01"]) == calls(["web01", "web02", "app01", "db01"])


# parts of a wave ------------------------------------------------------------------------------------------


@pytest.mark.world(scenario=scenario(vms={"web01": {"snapshots": ["s"]}, "late": {"nics": [{"network": "seed-net"}]}}))
def test_a_run_of_a_part_is_judged_by_that_part(site_pair: SitePair, clients: SiteClients) -> None:
    judge = Judge(site_pair, clients)

    def found(**options: Any) -> set[tuple[str, str]]:
        judged = run_preflight(judge.plan, judge.wave, clients, now=site_pair.now, **options)
        return {(one.finding_id, one.subject) for one in judged.blocking}

    left, snapshots = ("segment-vms-left-behind", "seed-net"), ("vm-has-snapshots", "web01")
    assert found() == {left, snapshots}
    assert found(cuts=False) == {snapshots}
    # The segment cannot be cut while VMs of the wave stay, so what else is on it does not matter yet.
    assert found(only=["web02"]) == set()
    assert found(only=["web01"]) == {snapshots}
    assert found(only=["web01", "web02", "app01", "db01"]) == {left, snapshots}
