"""Back from each point of a cutover: network and VMs as before, by the oracle; never two gateways, no VM lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hcx_sim.world.model import SiteName, VmRole
from hcx_waves.clients.bundle import SiteClients
from hcx_waves.cutover.errors import SourceNotDisconnectedError, StillUnextendingError
from hcx_waves.cutover.extension import Removal, unextend_network
from hcx_waves.cutover.gateway import disconnect_source_segment
from hcx_waves.cutover.routing import verify_destination_routed
from hcx_waves.cutover.source import NsxSource, nsx_source
from hcx_waves.cutover.way_back import (
    GatewayReturn,
    WayPoint,
    extend_network_again,
    extended_now,
    read_way_point,
    return_gateway,
    with_extension,
)
from hcx_waves.migration.reverse import away_now, prove_back, reverse_plan, swapped
from hcx_waves.migration.start import start_wave
from hcx_waves.migration.verify import verify_virtual_machines
from hcx_waves.model.choices import MigrationType
from hcx_waves.model.plan import WavePlan
from hcx_waves.resolve import resolve_plan
from hcx_waves.wavefile.loader import load_wave
from support.procedures import await_unextended, move, patience_of, run_to_end, sites_of
from support.site_pair import SitePair

Facts = dict[str, Any]
WAVE = Path(__file__).parents[3] / "dags" / "waves" / "three-tier-1.yaml"


@dataclass
class Night:
    """One wave of three-tier, as far as a test lets it come, and its way back."""

    pair: SitePair
    clients: SiteClients
    plan: WavePlan
    snapshots: dict[str, Facts]
    removals: dict[str, Removal]

    def move(self) -> None:
        """Move all VMs."""
        status = move(self.pair, self.clients, self.plan)
        assert status.counts == {"done": len(self.plan.vms)}
        self.pair.advance(60)

    @property
    def cut(self) -> list[str]:
        return [one.name for one in self.plan.segments if one.cutover == "now"]

    def gateway(self, name: str) -> NsxSource:
        return nsx_source(self.clients.source_nsx, self.plan.segment(name))

    def disconnect(self) -> None:
        for name in self.cut:
            done = disconnect_source_segment(self.plan, name, self.clients, self.gateway(name), patience_of(self.pair))
            self.snapshots[name] = dict(done.snapshot)

    def unextend(self) -> None:
        for name in self.cut:
            self.removals[name] = unextend_network(
                self.plan, name, self.clients, self.gateway(name), self.pair.now, connect=True
            )

    def finish(self) -> None:
        for removal in self.removals.values():
            await_unextended(self.pair, self.clients, removal)
        self.pair.advance(60)

    def points(self) -> set[WayPoint]:
        return {
            read_way_point(self.plan, name, self.clients, self.gateway(name), self.removals.get(name))
            for name in self.cut
        }

    def back_with(self, name: str) -> GatewayReturn:
        return return_gateway(
            self.plan, name, self.clients, self.gateway(name), patience_of(self.pair),
            snapshot=self.snapshots.get(name), removal=self.removals.get(name),
        )  # fmt: skip

    def return_network(self) -> dict[str, str]:
        """Return gateways, extend again; the new extensions by segment."""
        new = {}
        for name in self.cut:
            came_from = self.back_with(name).came_from
            assert self.back_with(name).source_on.already, "a second try finds everything done"
            if came_from is WayPoint.UNEXTENDED:
                new[name] = self.extend_again(name)
        return new

    def extend_again(self, name: str) -> str:
        own = (self.plan, name, self.clients, self.gateway(name))
        asked = extend_network_again(*own, self.pair.now)
        deadline = self.pair.now + timedelta(hours=1)
        while (done := extended_now(self.plan, asked, self.clients)) is None and self.pair.now < deadline:
            self.pair.advance(5)
        assert done is not None
        assert extend_network_again(*own, self.pair.now).already
        return done.extension_id

    def return_vms(self) -> list[str]:
        """Migrate back one at a time, each proven before the next; return the names in order."""
        order = sorted(away_now(self.plan, self.clients))
        for name in order:
            back = reverse_plan(self.plan, name, away_now(self.plan, self.clients)[name])
            status = run_to_end(self.pair, self.clients, start_wave(back, self.clients))
            assert start_wave(back, self.clients).adopted, "a second try finds the first"
            assert status.counts == {"done": 1}, [vm.message for vm in status.vms]
            (proof,) = verify_virtual_machines(back, status, swapped(self.clients))
            assert proof.is_proven, proof.reasons
            assert prove_back(self.plan, [name], self.clients) == {name: ()}
        return order

    def unextend_without_connect(self, extensions: dict[str, str]) -> None:
        for name, extension_id in extensions.items():
            again = with_extension(self.plan, name, extension_id)
            removal = unextend_network(again, name, self.clients, self.gateway(name), self.pair.now, connect=False)
            await_unextended(self.pair, self.clients, removal)
        self.pair.advance(60)


@pytest.fixture
def night(site_pair: SitePair) -> Iterator[Night]:
    site_pair.run(lambda: _let_all_switch_over(site_pair))
    with sites_of(site_pair) as clients:
        plan = resolve_plan(load_wave(WAVE), clients, now=site_pair.now)
        yield Night(site_pair, clients, plan, {}, {})


def _let_all_switch_over(pair: SitePair) -> None:
    """The scenario has one VM whose switchover fails."""
    settings = pair.world.settings
    hcx = settings.hcx.model_copy(update={"failing_switchovers": []})
    pair.world.settings = settings.model_copy(update={"hcx": hcx})


def world_facts(pair: SitePair) -> Facts:
    """What must be as before: each workload's place, power, addresses; each network's gateway and who routes it."""
    world = pair.world
    return {
        "vms": {
            vm.name: (
                vm.site.value, vm.power.value, vm.cluster_moref, vm.pool_moref, vm.folder_moref, vm.hardware_version,
                sorted((nic.mac, nic.network_moref, nic.connected, tuple(nic.ip_addresses)) for nic in vm.nics),
                sorted(disk.datastore_moref for disk in vm.disks), vm.instance_uuid,
            )
            for vm in world.vms.values()
            if vm.role is VmRole.WORKLOAD and not vm.retired
        },
        "gateways": {
            key: (segment.connectivity, segment.gateway_cidr)
            for key, segment in world.segments.items()
            if segment.site is SiteName.SOURCE
        },
        "off": sorted(
            segment.gateway_cidr or "" for segment in world.segments.values()
            if segment.site is SiteName.DESTINATION and segment.connectivity == "OFF"
        ),
    }  # fmt: skip


def assert_as_before(night: Night, before: Facts) -> None:
    after, oracle = world_facts(night.pair), night.pair.oracle()
    assert after["vms"] == before["vms"]
    assert after["gateways"] == before["gateways"]
    assert after["off"] == before["off"], "the destination's gateways are off again"
    for name, segment in oracle["segments"].items():
        assert segment["two_gateways"] == [], name
        assert all(span["to"] is not None for span in segment["outage"]), name
    for name in (vm.name for vm in night.plan.vms):
        assert oracle["vms"][name]["now"]["site"] == "source"
        assert oracle["vms"][name]["power_off"] == []


pytestmark = pytest.mark.world(scenario="three-tier")


def test_back_before_the_disconnect_touches_nothing_of_the_network(night: Night) -> None:
    before = world_facts(night.pair)
    extensions = set(night.pair.world.bridges)
    night.move()
    assert night.points() == {WayPoint.UNTOUCHED}
    mark = night.pair.mark()
    assert night.return_network() == {}
    assert not [one for one in night.pair.calls(after=mark) if one["data"]["operation"].endswith("segments.patch")]
    assert night.return_vms() == sorted(vm.name for vm in night.plan.vms)
    assert away_now(night.plan, night.clients) == {}
    assert set(night.pair.world.bridges) == extensions
    assert_as_before(night, before)


def test_back_after_the_disconnect(night: Night) -> None:
    before = world_facts(night.pair)
    extensions = set(night.pair.world.bridges)
    night.move()
    night.disconnect()
    assert night.points() == {WayPoint.SOURCE_OFF}
    assert night.return_network() == {}
    night.return_vms()
    assert set(night.pair.world.bridges) == extensions
    assert_as_before(night, before)


@pytest.mark.parametrize("waits", [False, True], ids=["accepted", "routed"])
def test_back_after_the_unextend(night: Night, waits: bool) -> None:
    before = world_facts(night.pair)
    night.move()
    night.disconnect()
    night.unextend()
    if waits:
        night.finish()
        for name in night.cut:
            verify_destination_routed(night.plan, name, night.clients, night.gateway(name), night.pair.now)
    else:
        assert night.points() == {WayPoint.UNEXTENDING}
        mark = night.pair.mark()
        for name in night.cut:
            with pytest.raises(StillUnextendingError):
                night.back_with(name)
        assert not [one for one in night.pair.calls(after=mark) if one["data"]["operation"].endswith("segments.patch")]
        night.finish()
    assert night.points() == {WayPoint.UNEXTENDED}
    segments = len(night.pair.world.segments)
    again = night.return_network()
    assert set(again) == set(night.cut)
    assert len(night.pair.world.segments) == segments, "the destination segment is used again"
    night.return_vms()
    night.unextend_without_connect(again)
    assert_as_before(night, before)


def test_it_is_not_extended_again_while_the_destination_routes(night: Night) -> None:
    night.move()
    night.disconnect()
    night.unextend()
    night.finish()
    with pytest.raises(SourceNotDisconnectedError):
        extend_network_again(night.plan, night.cut[0], night.clients, night.gateway(night.cut[0]), night.pair.now)


def test_bulk_comes_back_beside_its_original(site_pair: SitePair) -> None:
    with sites_of(site_pair) as clients:
        plan = resolve_plan(load_wave(WAVE), clients, now=site_pair.now)
        vms = tuple(vm.model_copy(update={"migration": MigrationType.BULK}) for vm in plan.vms[:1])
        plan = plan.model_copy(update={"vms": vms, "switchover_order": ()})
        night = Night(site_pair, clients, plan, {}, {})
        move(site_pair, clients, plan)
        assert night.return_vms() == [vms[0].name]
        retired = [vm for vm in site_pair.world.vms.values() if vm.retired]
        assert {vm.site for vm in retired} == {SiteName.SOURCE, SiteName.DESTINATION}
